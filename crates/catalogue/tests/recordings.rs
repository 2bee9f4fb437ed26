//! The tables against recorded interactions: what was sent and answered is what the tables say.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use datadog_catalogue::{Method, Operation, operation, route};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

#[derive(Deserialize)]
struct Recording {
    /// `None` where the request fits no operation.
    operation: Option<String>,
    method: String,
    path: String,
    #[serde(default)]
    query: String,
    status: u16,
    response: Option<String>,
}

/// All recorded interactions; `None` when the data folder is not there.
fn recordings() -> Option<Vec<Recording>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let file = std::env::var_os("DATADOG_MCP_DATA").map_or_else(beside, PathBuf::from).join("recordings.jsonl.zst");
    if !file.exists() {
        eprintln!("skipped: no data folder");
        return None;
    }
    let text = String::from_utf8(zstd::decode_all(std::fs::File::open(file).unwrap()).unwrap()).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// What stands at a dotted path of an answer.
fn at<'a>(answer: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(answer, |value, name| value.get(name))
}

#[test]
fn every_recorded_request_is_routed_to_its_operation() {
    let Some(recordings) = recordings() else { return };
    assert!(recordings.len() > 3_000);
    for recording in recordings {
        let method = Method::parse(&recording.method).unwrap();
        let found = route(method, &recording.path).map(|operation| operation.id);
        assert_eq!(found, recording.operation.as_deref(), "{method} {}", recording.path);
    }
}

#[test]
fn every_recorded_query_parameter_is_declared() {
    let Some(recordings) = recordings() else { return };
    let mut unknown: BTreeSet<(String, String)> = BTreeSet::new();
    for recording in recordings {
        let declared = |name: &str, operation: &Operation| operation.params.iter().any(|param| param.name == name);
        let Some(operation) = recording.operation.as_deref().and_then(operation) else { continue };
        for pair in recording.query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split('=').next().unwrap().replace("%5B", "[").replace("%5D", "]");
            if !declared(&name, operation) {
                unknown.insert((operation.id.to_owned(), name));
            }
        }
    }
    assert_eq!(unknown, BTreeSet::new());
}

#[test]
fn records_and_cursors_stand_where_the_tables_say() {
    let Some(recordings) = recordings() else { return };
    // Per operation: answers seen, those with a list at the results' path, those with a cursor at the cursor's path.
    let mut seen: BTreeMap<&'static str, (usize, usize, usize)> = BTreeMap::new();
    for recording in recordings.iter().filter(|recording| (200..300).contains(&recording.status)) {
        let Some(operation) = recording.operation.as_deref().and_then(operation) else { continue };
        let (Some(paging), Some(response)) = (operation.paging, &recording.response) else { continue };
        let Ok(answer) = serde_json::from_str::<Value>(response) else { continue };
        let (answers, lists, cursors) = seen.entry(operation.id).or_default();
        *answers += 1;
        *lists += usize::from(paging.results.is_none_or(|path| at(&answer, path).is_some_and(Value::is_array)));
        *cursors += usize::from(paging.cursor_path.is_none_or(|path| at(&answer, path).is_some()));
    }
    assert!(seen.len() > 80, "{}", seen.len());
    for (id, (answers, lists, _)) in &seen {
        assert_eq!(answers, lists, "{id}: records");
    }
    // A last page has no cursor, so not every answer shows one; of the operations recorded, most do.
    let with_cursor: Vec<&str> = seen
        .iter()
        .filter(|(id, (_, _, cursors))| *cursors > 0 && operation(id).unwrap().paging.unwrap().cursor_path.is_some())
        .map(|(id, _)| *id)
        .collect();
    for id in ["v2.ListLogs", "v2.ListSpans", "v2.SearchRUMEvents", "v2.ListContainers", "v2.ListTagConfigurations"] {
        assert!(with_cursor.contains(&id), "{id}: {with_cursor:?}");
    }
}
