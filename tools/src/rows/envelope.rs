//! Where the records stand in an answer.

use super::columns;
use serde_json::{Map, Value};

/// Records found, and where.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) rows: Vec<Value>,
    pub(super) at: String,
    pub(super) single: bool,
}

/// Keys that stand beside a list and are no part of a record. A list whose siblings are all of these is the answer's list.
const ENVELOPE: &[&str] = &[
    "counts",
    "count",
    "elapsed",
    "error",
    "errors",
    "exact_total_matching",
    "facets",
    "from",
    "from_date",
    "group_by",
    "hitCount",
    "included",
    "last_timestamp_fetched",
    "links",
    "message",
    "meta",
    "metadata",
    "nextLogId",
    "next_cursor",
    "next_page",
    "page",
    "page_info",
    "paging",
    "pagination",
    "query",
    "requestId",
    "request_id",
    "res_type",
    "resp_version",
    "status",
    "times",
    "to",
    "to_date",
    "total",
    "total_count",
    "total_matching",
    "total_returned",
    "values",
    "version",
    "warnings",
];

/// Keys whose list is never the answer's list.
const NEVER_LIST: &[&str] = &["errors", "facets", "group_by", "included", "links", "times", "values", "warnings"];

impl Found {
    fn list(rows: Vec<Value>, at: impl Into<String>) -> Self {
        Self { rows, at: at.into(), single: false }
    }

    fn one(record: Value, at: &str) -> Self {
        Self { rows: vec![record], at: at.to_owned(), single: true }
    }

    fn none(at: &str) -> Self {
        Self::list(Vec::new(), at)
    }
}

pub(super) fn locate(mut answer: Value, at: Option<&str>) -> Found {
    if let Some(path) = at.map(str::trim).filter(|path| !path.is_empty())
        && let Some(found) = follow(&mut answer, path)
    {
        return found;
    }
    match answer {
        Value::Null => Found::none(""),
        Value::String(text) if text.trim().is_empty() => Found::none(""),
        Value::Array(rows) => Found::list(rows, ""),
        Value::Object(map) => of_object(map),
        scalar => Found::one(scalar, ""),
    }
}

/// What stands at a path; `None` when the path leads nowhere.
fn follow(answer: &mut Value, path: &str) -> Option<Found> {
    let (head, tail) = match path.split_once("[]") {
        Some((head, tail)) => (head, Some(tail.trim_start_matches('.'))),
        None => (path, None),
    };
    let place = place(answer, head)?;
    if !place.is_array() && tail.is_some() {
        return None;
    }
    Some(match (place.take(), tail) {
        (Value::Array(rows), None) => unwrapped(Value::Array(rows), path, "data"),
        (Value::Array(rows), Some("")) => Found::list(rows, path),
        (Value::Array(rows), Some(tail)) => {
            let inner = rows.into_iter().filter_map(|mut row| follow(&mut row, tail)).flat_map(|found| found.rows).collect();
            Found::list(inner, path)
        }
        (Value::Null, _) => Found::none(path),
        (Value::Object(map), _) if is_map_by_name(&map) => Found::list(by_name(map), path),
        (record, _) => Found::one(record, path),
    })
}

/// The value at a dotted path of objects; keys that hold dots themselves are found too.
fn place<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    if path.is_empty() {
        return Some(value);
    }
    let map = value.as_object_mut()?;
    if map.contains_key(path) {
        return map.get_mut(path);
    }
    let (cut, _) = path.match_indices('.').find(|(cut, _)| map.contains_key(&path[..*cut]))?;
    place(map.get_mut(&path[..cut])?, &path[cut + 1..])
}

fn of_object(mut map: Map<String, Value>) -> Found {
    match map.get_mut("data").map(Value::take) {
        Some(Value::Array(rows)) => return Found::list(rows, "data"),
        Some(Value::Object(data)) => return of_data(data),
        Some(Value::Null) => {
            map.shift_remove("data");
            if only_envelope(&map) {
                return Found::none("data");
            }
        }
        Some(scalar) => {
            map.insert("data".to_owned(), scalar);
        }
        None => {}
    }
    if let Some(events) = map.get_mut("result").and_then(|result| result.get_mut("events")).filter(|events| events.is_array()) {
        return unwrapped(events.take(), "result.events", "event");
    }
    if let Some(key) = the_list(&map) {
        return unwrapped(map.get_mut(&key).map(Value::take).unwrap_or_default(), &key, "data");
    }
    if let Some(found) = the_inner(&mut map) {
        return found;
    }
    if is_map_by_name(&map) {
        return Found::list(by_name(map), "");
    }
    // Nothing but an empty error list or an envelope's own words: no record.
    if map.is_empty() || map.iter().all(|(key, value)| NEVER_LIST.contains(&key.as_str()) && is_empty(value)) {
        return Found::none("");
    }
    Found::one(Value::Object(map), "")
}

/// `data` as an object: columns, a list in its attributes, or one JSON:API record.
fn of_data(mut data: Map<String, Value>) -> Found {
    let id = data.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(Value::Object(attributes)) = data.get_mut("attributes") {
        if let Some(found) = columns::rows(attributes) {
            return Found::list(found.rows, found.at);
        }
        // A thing with an id of its own is one record that has a list (a restriction policy and its bindings), unless
        // a total or facets beside the list say that the answer is a search.
        let is_list = |key: &String| id.is_empty() || id == *key || attributes.len() > 1;
        if let Some(key) = the_list(attributes).filter(is_list) {
            let list = attributes.get_mut(&key).map(Value::take).unwrap_or_default();
            return unwrapped(list, &format!("data.attributes.{key}"), "data");
        }
    }
    if !data.contains_key("attributes")
        && let Some(key) = the_list(&data)
    {
        return unwrapped(data.get_mut(&key).map(Value::take).unwrap_or_default(), &format!("data.{key}"), "data");
    }
    if data.is_empty() {
        return Found::none("data");
    }
    Found::one(Value::Object(data), "data")
}

/// The one list of an object whose other keys all belong to an envelope.
fn the_list(map: &Map<String, Value>) -> Option<String> {
    let mut found = None;
    for (key, value) in map {
        let is_list = value.is_array() && !NEVER_LIST.contains(&key.as_str());
        if is_list && found.is_none() {
            found = Some(key);
        } else if is_list || !(ENVELOPE.contains(&key.as_str()) || value.is_null()) {
            return None;
        }
    }
    found.cloned()
}

/// `{"results": {"metrics": […]}}` and `{"tags": {"a:b": ["host"]}}`: one key holding the object that holds the records.
fn the_inner(map: &mut Map<String, Value>) -> Option<Found> {
    let mut others = map.iter().filter(|(key, value)| !ENVELOPE.contains(&key.as_str()) && !value.is_null());
    let key = others.next()?.0.clone();
    if others.next().is_some() {
        return None;
    }
    let Some(Value::Object(inner)) = map.get_mut(&key) else { return None };
    if let Some(list) = the_list(inner) {
        let rows = inner.get_mut(&list).map(Value::take).unwrap_or_default();
        return Some(unwrapped(rows, &format!("{key}.{list}"), "data"));
    }
    if is_map_by_name(inner) {
        return Some(Found::list(by_name(std::mem::take(inner)), key));
    }
    None
}

/// A list; when each element only wraps a record under `key`, the wrapped ones.
fn unwrapped(list: Value, at: &str, key: &str) -> Found {
    let Value::Array(mut rows) = list else { return Found::none(at) };
    let wraps = |row: &Value| row.as_object().is_some_and(|map| map.len() == 1 && map.get(key).is_some_and(Value::is_object));
    if rows.is_empty() || !rows.iter().all(wraps) {
        return Found::list(rows, at);
    }
    for row in &mut rows {
        if let Some(inner) = row.get_mut(key) {
            *row = inner.take();
        }
    }
    Found::list(rows, format!("{at}[].{key}"))
}

/// An object used as a map: every value is a list of names, or every value is an object with the same keys.
fn is_map_by_name(map: &Map<String, Value>) -> bool {
    if map.is_empty()
        || map
            .keys()
            .any(|key| ENVELOPE.contains(&key.as_str()) || matches!(key.as_str(), "id" | "type" | "attributes" | "relationships" | "name"))
    {
        return false;
    }
    let texts = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
    if map.values().all(texts) {
        return map.len() > 1 || map.keys().any(|key| key.contains(':'));
    }
    let mut objects = map.values().map(Value::as_object);
    let Some(Some(first)) = objects.next() else { return false };
    map.len() > 1
        && !first.is_empty()
        && objects.all(|other| other.is_some_and(|other| other.len() == first.len() && other.keys().all(|key| first.contains_key(key))))
}

fn by_name(map: Map<String, Value>) -> Vec<Value> {
    let row = |(name, value)| {
        let mut row = Map::new();
        row.insert("name".to_owned(), Value::String(name));
        match value {
            // A record that has a name of its own stays whole under its key.
            Value::Object(fields) if fields.contains_key("name") => {
                row.insert("value".to_owned(), Value::Object(fields));
            }
            Value::Object(fields) => row.extend(fields),
            other => {
                row.insert("values".to_owned(), other);
            }
        }
        Value::Object(row)
    };
    map.into_iter().map(row).collect()
}

fn only_envelope(map: &Map<String, Value>) -> bool {
    map.iter().all(|(key, value)| ENVELOPE.contains(&key.as_str()) || value.is_null())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}
