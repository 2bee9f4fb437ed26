//! Going on to the next page of an operation by what the catalogue says of its paging.

use crate::{Total, rows::Records};
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

/// What is known of the records beyond this page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Beyond {
    /// State of the next page; `None` when this is the last, or when there is no way to ask for it.
    pub(crate) next: Option<Value>,
    /// How many there are in all.
    pub(crate) total: Total,
    /// How to get at what may be missing.
    pub(crate) note: Option<String>,
}

/// Judges whether more records follow, and how to ask for them; `before` is how many were on the pages before.
///
/// A next link is no proof of a next page at Datadog, and a page may be capped below what was asked for: the total decides
/// where there is one; else a page shorter than asked is the last, unless its length looks like a cap or it is partial.
pub(crate) fn beyond(operation: &Operation, arguments: &Map<String, Value>, records: &Records, before: Option<u64>) -> Beyond {
    let shown = records.rows.len() as u64;
    let last = |seen: u64| Beyond { next: None, total: records.total.map_or(Total::Exact(seen), Total::Exact), note: None };
    let Some(paging) = operation.paging else { return last(shown) };
    let limit = asked(operation, &paging, arguments);
    let seen = before.unwrap_or_else(|| skipped(&paging, arguments, limit)) + shown;
    // More records than asked for: the operation paid no heed to its paging and gave everything.
    if shown == 0 || limit.is_some_and(|limit| shown > limit) {
        return last(seen);
    }
    let partial = !records.warnings.is_empty();
    let capped = shown >= SMALLEST_CAP && shown.is_multiple_of(SMALLEST_CAP);
    let may_follow = match (records.total, limit) {
        (Some(total), _) => seen < total,
        (None, Some(limit)) => shown == limit || partial || capped,
        (None, None) => true,
    };
    if !may_follow {
        return last(seen);
    }
    let total = records.total.map_or(Total::AtLeast(seen), Total::Exact);
    let next = if paging.cursor.is_some() {
        let Some(cursor) = records.cursor.as_ref().filter(|cursor| !cursor.is_empty()) else { return last(seen) };
        Some(json!({"cursor": cursor}))
    } else if limit.is_none() && records.total.is_none() {
        // Without a page size some operations give everything, over and over: a next page would be the same again.
        None
    } else if let Some(name) = paging.offset {
        Some(json!({"offset": number(arguments, name).unwrap_or(0) + shown}))
    } else {
        paging.page.map(|name| json!({"page": number(arguments, name).unwrap_or_else(|| u64::from(paging.first_page)) + 1}))
    };
    let size = paging.limit.filter(|_| next.is_none());
    let note = size.map(|name| format!("Datadog does not say whether this is all; `{name}` sets a page size, and then a cursor goes on."));
    Beyond { next, total: if note.is_some() { Total::Unknown } else { total }, note }
}

/// Datadog's caps on a page are multiples of this (`datadog-api.md`, "Pagination").
const SMALLEST_CAP: u64 = 50;

/// Records before the page that the arguments themselves ask for.
fn skipped(paging: &Paging, arguments: &Map<String, Value>, limit: Option<u64>) -> u64 {
    if let Some(offset) = paging.offset.and_then(|name| number(arguments, name)) {
        return offset;
    }
    let first = u64::from(paging.first_page);
    let page = paging.page.and_then(|name| number(arguments, name)).unwrap_or(first);
    page.saturating_sub(first) * limit.unwrap_or(0)
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

#[cfg(test)]
mod tests;
