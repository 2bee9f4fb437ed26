//! Every recorded answer of Datadog becomes rows without loss: as many records as its list has, every scalar of them kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use super::{flatten, records};
use serde_json::Value;
use std::{collections::HashMap, path::PathBuf};

/// Answers whose list is not found by the rule of [`expected`], judged by eye: where their records are.
/// `""` is one record: the answer itself; `data` one record there.
const REVIEWED: &[(&str, &str)] = &[
    ("v1.CancelDowntimesByScope", "cancelled_ids"),
    ("v1.CreatePublicDashboard", ""),
    ("v1.GetPublicDashboard", ""),
    ("v1.UpdatePublicDashboard", ""),
    ("v1.SearchSLO", "data.attributes.slos[].data"),
    ("v2.AggregateCIAppPipelineEvents", "data.buckets"),
    ("v2.AggregateCIAppTestEvents", "data.buckets"),
    ("v2.AggregateLogs", "data.buckets"),
    // One key, a list of what went wrong: the record is the answer.
    ("v2.DeleteCostGCPUsageCostConfig", ""),
    ("v2.GetAWSIntegrationIAMPermissionsStandard", "data.attributes.permissions"),
    ("v2.ListAWSLogsServices", "data.attributes.logs_services"),
    ("v2.ListAWSNamespaces", "data.attributes.namespaces"),
    ("v2.ListIndicatorsOfCompromise", "data.attributes.data"),
    ("v2.QueryTimeseriesData", "data.attributes.series"),
    ("v2.SearchIncidents", "data.attributes.incidents[].data"),
    ("v2.SearchSuites", "data.attributes.suites"),
    // `{"errors": []}`: accepted, nothing to show.
    ("v2.SubmitMetrics", "errors"),
    ("v2.ValidatePipeline", "errors"),
    ("v2.TestSecurityMonitoringRule", "results"),
];

fn data_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("DATADOG_MCP_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")), PathBuf::from);
    if folder.join("recordings.jsonl.zst").exists() {
        return Some(folder);
    }
    eprintln!("skipped: no data folder");
    None
}

fn lines(folder: &std::path::Path, file: &str) -> Vec<Value> {
    let bytes = fs_err::read(folder.join(file)).unwrap();
    let bytes = if file.contains(".zst") { zstd::decode_all(bytes.as_slice()).unwrap() } else { bytes };
    String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The list of an answer by a rule of its own: the documented results path, else `data`, else the longest list of objects
/// that stands outside any list, two steps deep at most, unless the thing around it has an id or a name.
fn expected<'a>(answer: &'a Value, operation: &str, documented: &HashMap<String, String>) -> (Vec<&'a Value>, String) {
    if let Some((_, at)) = REVIEWED.iter().find(|(name, _)| *name == operation) {
        return (at_path(answer, at), (*at).to_owned());
    }
    if let Some(at) = documented.get(operation)
        && let Some(Value::Array(rows)) = pointer(answer, at)
    {
        return (rows.iter().collect(), at.clone());
    }
    match answer {
        Value::Null => (Vec::new(), String::new()),
        Value::Array(rows) => (rows.iter().collect(), String::new()),
        Value::Object(map) => match map.get("data") {
            Some(Value::Array(rows)) => (rows.iter().collect(), "data".to_owned()),
            Some(data @ Value::Object(_)) => (vec![data], "data".to_owned()),
            _ if map.is_empty() => (Vec::new(), String::new()),
            Some(Value::Null) if map.len() == 1 => (Vec::new(), "data".to_owned()),
            _ if map.contains_key("id") || map.contains_key("public_id") => (vec![answer], String::new()),
            _ => {
                let lists = map.iter().filter_map(|(key, value)| Some((key, value.as_array()?)));
                let mut lists: Vec<_> = lists.filter(|(_, list)| list.first().is_some_and(Value::is_object)).collect();
                lists.sort_by_key(|(_, list)| list.len());
                match lists.as_slice() {
                    [(key, list)] => (list.iter().collect(), (*key).clone()),
                    _ => (vec![answer], String::new()),
                }
            }
        },
        other => (vec![other], String::new()),
    }
}

fn pointer<'a>(answer: &'a Value, dotted: &str) -> Option<&'a Value> {
    dotted.split('.').filter(|key| !key.is_empty()).try_fold(answer, |value, key| value.get(key))
}

fn at_path<'a>(answer: &'a Value, at: &str) -> Vec<&'a Value> {
    let (head, tail) = at.split_once("[]").map_or((at, None), |(head, tail)| (head, Some(tail.trim_start_matches('.'))));
    let place = pointer(answer, head).unwrap_or(&Value::Null);
    match (place, tail) {
        (Value::Null, _) => Vec::new(),
        (Value::Array(rows), Some(tail)) => rows.iter().filter_map(|row| pointer(row, tail)).collect(),
        (Value::Array(rows), None) => rows.iter().collect(),
        (one, _) => vec![one],
    }
}

/// Scalars of a record with the path as far as the first list.
fn scalars(value: &Value, path: &str, in_list: bool, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let path = if in_list {
                    path.to_owned()
                } else if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                scalars(inner, &path, in_list, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| scalars(item, path, true, found)),
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        other => found.push((path.to_owned(), other.to_string())),
    }
}

fn missing(record: &Value, row: &Value) -> Option<(String, String)> {
    let cells: HashMap<String, String> = flatten(row).into_iter().collect();
    let mut wanted = Vec::new();
    scalars(record, "", false, &mut wanted);
    wanted.into_iter().find(|(path, text)| {
        let Some(cell) = cells.get(path) else { return true };
        if cell == text || cell.contains(text.as_str()) {
            return false;
        }
        let escaped = serde_json::to_string(text).unwrap();
        !cell.contains(&escaped[1..escaped.len() - 1])
    })
}

/// Columns are turned: every value must stand in some row under a name that begins with its column's.
fn columns_lost(answer: &Value) -> Option<String> {
    let rows = records(answer.clone(), None).rows;
    let columns = answer["data"]["attributes"]["columns"].as_array()?;
    let height = columns.iter().map(|column| column["values"].as_array().map_or(0, Vec::len)).max().unwrap_or(0);
    let kept = |column: &Value, at: usize, value: &Value| {
        let name = column["name"].as_str().unwrap_or_default();
        rows[at]
            .as_object()
            .is_some_and(|row| row.iter().any(|(key, cell)| key.starts_with(name) && (cell == value || Some(cell) == value.get(0))))
    };
    let lost = |column: &&Value| {
        column["values"].as_array().is_some_and(|values| values.iter().enumerate().any(|(at, value)| !kept(column, at, value)))
    };
    (rows.len() != height || columns.iter().any(|column| lost(&column))).then(|| format!("v2.QueryScalarData: {answer} became {rows:?}"))
}

#[test]
fn no_recorded_answer_loses_a_record_or_a_field() {
    let Some(folder) = data_folder() else { return };
    let documented: HashMap<String, String> = lines(&folder, "operations.jsonl")
        .iter()
        .filter_map(|line| Some((line["operation"].as_str()?.to_owned(), line["pagination"]["resultsPath"].as_str()?.to_owned())))
        .collect();
    let (mut answers, mut rows_seen, mut wrong) = (0, 0, Vec::new());
    for line in lines(&folder, "recordings.jsonl.zst") {
        let operation = line["operation"].as_str().unwrap_or("?");
        let status = line["status"].as_u64().unwrap();
        let text = line["response"].as_str().unwrap_or_default();
        let Ok(answer) = (if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str::<Value>(text) }) else { continue };
        if !(200..300).contains(&status) {
            // Refused answers are not turned into rows by a tool; they must not panic if they ever are.
            let _rows = records(answer, None);
            continue;
        }
        answers += 1;
        let (wanted, at) = expected(&answer, operation, &documented);
        if operation == "v2.QueryScalarData" {
            wrong.extend(columns_lost(&answer));
            continue;
        }
        for known in [Some(None), documented.get(operation).map(|at| Some(at.as_str()))].into_iter().flatten() {
            let found = records(answer.clone(), known);
            rows_seen += found.rows.len();
            if found.rows.len() != wanted.len() {
                wrong.push(format!("{operation}: {} rows at {:?}, expected {} at {at:?}", found.rows.len(), found.at, wanted.len()));
                continue;
            }
            for (record, row) in wanted.iter().zip(&found.rows) {
                if let Some((path, text)) = missing(record, row) {
                    wrong.push(format!("{operation}: {path} = {text} is lost (rows at {:?}, expected at {at:?})", found.at));
                    break;
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} of {answers} answers:\n{}", wrong.len(), wrong.join("\n"));
    assert!(answers > 2_500 && rows_seen > 10_000, "{answers} answers, {rows_seen} rows");
}

#[test]
fn no_documented_sample_panics_or_becomes_nothing() {
    let Some(folder) = data_folder() else { return };
    let samples: HashMap<String, HashMap<String, Value>> =
        serde_json::from_value(lines(&folder, "spec_examples.json.zst").remove(0)).unwrap();
    let mut empty = Vec::new();
    for (operation, bodies) in &samples {
        for (status, body) in bodies.iter().filter(|(status, _)| status.starts_with('2')) {
            let found = records(body.clone(), None);
            let mut said = Vec::new();
            scalars(body, "", false, &mut said);
            if found.rows.is_empty() && said.len() > 4 {
                empty.push(format!("{operation} {status}: {body}"));
            }
        }
    }
    assert!(empty.is_empty(), "{}", empty.join("\n"));
}
