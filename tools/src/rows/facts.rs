//! What an envelope says beside the records: total, next cursor, warnings, the names of related things.

use datadog_client::untrusted;
use serde_json::Value;
use std::collections::HashMap;

/// Most characters of one warning.
const MAX_WARNING_CHARS: usize = 300;

/// Where a total may stand, the surest first. `meta.page.total` of cases counts pages (`reference/datadog-api.md` §0).
const TOTALS: &[&str] = &[
    "/meta/total_cases",
    "/meta/page/total_filtered_count",
    "/meta/page/totalFilteredCount",
    "/meta/page/total_count",
    "/meta/page/totalCount",
    "/meta/total_filtered_count",
    "/meta/total_filtered",
    "/meta/total_count",
    "/meta/totalCount",
    "/meta/pagination/total",
    "/meta/page/total",
    "/meta/total",
    "/metadata/total_count",
    "/metadata/page/total_filtered_count",
    "/metadata/page/total_count",
    "/metadata/pagination/total_number_of_records",
    "/total_matching",
    "/total_count",
    "/total",
    "/data/attributes/total",
    "/data/attributes/total_count",
    "/data/attributes/metadata/count",
];

/// Where a next cursor may stand.
const CURSORS: &[&str] = &[
    "/meta/page/after",
    "/meta/page/next_cursor",
    "/meta/page/cursor",
    "/meta/pagination/next_cursor",
    "/meta/pagination/next_page",
    "/meta/next_page",
    "/metadata/pagination/next_record_id",
    "/metadata/next_cursor",
    "/nextLogId",
    "/next_cursor",
    "/data/attributes/next_cursor",
    "/data/attributes/nextCursor",
];

#[derive(Debug)]
pub(super) struct Facts {
    pub(super) total: Option<u64>,
    pub(super) cursor: Option<String>,
    pub(super) warnings: Vec<String>,
}

pub(super) fn read(answer: &Value) -> Facts {
    let cursor = CURSORS.iter().find_map(|at| answer.pointer(at).and_then(Value::as_str)).filter(|text| !text.is_empty());
    Facts {
        total: TOTALS.iter().find_map(|at| answer.pointer(at).and_then(Value::as_u64)),
        cursor: cursor.map(str::to_owned),
        warnings: warnings(answer),
    }
}

fn warnings(answer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(status @ ("timeout" | "partial")) = answer.pointer("/meta/status").and_then(Value::as_str) {
        found.push(format!("the query stopped early (status {status}), the answer is partial"));
    }
    for at in ["/meta/warnings", "/warnings", "/metadata/warnings"] {
        said(answer.pointer(at), &mut found);
    }
    // A record may have a field `errors` of its own; only beside records it is the envelope's.
    for at in ["/errors", "/error", "/data/overall/errors", "/data/attributes/errors"] {
        said(answer.pointer(at), &mut found);
    }
    if found.is_empty() && answer.get("status").and_then(Value::as_str) == Some("error") && answer.get("series").is_some() {
        let message = answer.get("message").and_then(Value::as_str).filter(|text| !text.is_empty());
        found.push(one_line(message.unwrap_or("the query failed")));
    }
    found
}

/// Adds what stands at a place: a text, or a list of texts or of `{title, detail, code}`.
fn said(value: Option<&Value>, found: &mut Vec<String>) {
    match value {
        Some(Value::String(text)) if !text.trim().is_empty() => found.push(one_line(text)),
        Some(Value::Array(items)) => {
            for item in items {
                found.push(one_line(&sentence(item)));
            }
        }
        _ => {}
    }
}

fn sentence(item: &Value) -> String {
    let text = |key: &str| item.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Value::String(text) = item {
        return text.clone();
    }
    let parts: Vec<&str> = ["title", "message", "error_message", "detail"].iter().filter_map(|key| text(key)).collect();
    if parts.is_empty() {
        return item.to_string();
    }
    match ["code", "error_type", "type"].iter().find_map(|key| text(key)) {
        Some(code) => format!("{} ({code})", parts.join(": ")),
        None => parts.join(": "),
    }
}

fn one_line(text: &str) -> String {
    let clean = untrusted::clean(text);
    let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    untrusted::cap(&line, MAX_WARNING_CHARS).into_owned()
}

/// Puts `name` beside the `id` of each relation whose target is included: an agent wants "Ada", not a UUID.
pub(super) fn name_relations(rows: &mut [Value], included: &[Value]) {
    if included.is_empty() {
        return;
    }
    let names: HashMap<(&str, &str), &str> = included.iter().filter_map(|item| Some((key(item)?, name(item)?))).collect();
    for row in rows {
        let Some(Value::Object(relations)) = row.get_mut("relationships") else { continue };
        for relation in relations.values_mut() {
            match relation.get_mut("data") {
                Some(Value::Array(targets)) => targets.iter_mut().for_each(|target| insert_name(target, &names)),
                Some(target) => insert_name(target, &names),
                None => {}
            }
        }
    }
}

fn insert_name(target: &mut Value, names: &HashMap<(&str, &str), &str>) {
    let name = key(target).and_then(|key| names.get(&key)).copied();
    if let (Some(name), Value::Object(fields)) = (name, target) {
        fields.entry("name").or_insert_with(|| Value::String(name.to_owned()));
    }
}

fn key(item: &Value) -> Option<(&str, &str)> {
    Some((item.get("type")?.as_str()?, item.get("id")?.as_str()?))
}

fn name(item: &Value) -> Option<&str> {
    let attributes = item.get("attributes")?;
    ["name", "handle", "title", "email", "summary"].iter().find_map(|key| attributes.get(key)?.as_str()).filter(|name| !name.is_empty())
}
