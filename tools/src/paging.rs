//! Going on to the next page of an operation by what the catalogue says of its paging.

use crate::rows::Records;
use datadog_catalogue::{Operation, Paging};
use serde_json::{Map, Value, json};

/// Sets what a cursor's state says into the arguments of an operation.
pub(crate) fn apply(operation: &Operation, state: Option<&Value>, arguments: &mut Map<String, Value>) {
    let (Some(paging), Some(state)) = (operation.paging, state) else { return };
    for (name, key) in [(paging.cursor, "cursor"), (paging.offset, "offset"), (paging.page, "page")] {
        if let (Some(name), Some(value)) = (name, state.get(key)) {
            set(arguments, name, value.clone());
        }
    }
}

/// The state of the next page, `None` when this one is the last.
///
/// A next link is no proof of a next page at Datadog: the last page is told by fewer records than asked for, or by the total.
pub(crate) fn next(operation: &Operation, arguments: &Map<String, Value>, records: &Records) -> Option<Value> {
    let paging = operation.paging?;
    let shown = records.rows.len() as u64;
    if shown == 0 {
        return None;
    }
    let limit = asked(operation, &paging, arguments);
    let full = limit.is_none_or(|limit| shown >= limit);
    if paging.cursor.is_some() {
        let cursor = records.cursor.as_ref().filter(|cursor| !cursor.is_empty() && full)?;
        return Some(json!({"cursor": cursor}));
    }
    if let Some(name) = paging.offset {
        let next = number(arguments, name).unwrap_or(0) + shown;
        let more = records.total.map_or(full && limit.is_some(), |total| next < total);
        return more.then(|| json!({"offset": next}));
    }
    if let Some(name) = paging.page {
        let first = u64::from(paging.first_page);
        let page = number(arguments, name).unwrap_or(first);
        let seen = (page.saturating_sub(first)) * limit.unwrap_or(shown) + shown;
        let more = records.total.map_or(full && limit.is_some(), |total| seen < total && full);
        return more.then(|| json!({"page": page + 1}));
    }
    None
}

/// Records before this page, when the paging tells.
pub(crate) fn before(operation: &Operation, arguments: &Map<String, Value>) -> u64 {
    let Some(paging) = operation.paging else { return 0 };
    if let Some(offset) = paging.offset.and_then(|name| number(arguments, name)) {
        return offset;
    }
    let page = paging.page.and_then(|name| number(arguments, name)).unwrap_or_else(|| u64::from(paging.first_page));
    page.saturating_sub(u64::from(paging.first_page)) * asked(operation, &paging, arguments).unwrap_or(0)
}

fn asked(operation: &Operation, paging: &Paging, arguments: &Map<String, Value>) -> Option<u64> {
    let name = paging.limit?;
    number(arguments, name).or_else(|| operation.params.iter().find(|param| param.name == name)?.default?.parse().ok())
}

fn number(arguments: &Map<String, Value>, name: &str) -> Option<u64> {
    let value = match name.strip_prefix("body.") {
        Some(path) => path.split('.').try_fold(arguments.get("body")?, |at, key| at.get(key))?,
        None => arguments.get(name)?,
    };
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Sets a parameter, or with `body.` in front a path in the JSON body.
pub(crate) fn set(arguments: &mut Map<String, Value>, name: &str, value: Value) {
    let Some(path) = name.strip_prefix("body.") else {
        arguments.insert(name.to_owned(), value);
        return;
    };
    let mut at = arguments.entry("body").or_insert_with(|| Value::Object(Map::new()));
    for key in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(object) = at else { return };
        at = object.entry(key).or_insert(Value::Null);
    }
    *at = value;
}
