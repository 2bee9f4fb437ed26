//! Answers recorded from Datadog, turned into ours. The recordings stay where they are; without them these tests say so.

use crate::upstream::{Upstream, text};
use serde_json::{Value, json};
use std::{io::BufRead, path::PathBuf};

/// One recorded answer.
struct Recorded {
    operation: String,
    scenario: String,
    step: u64,
    body: String,
}

/// Successful answers of the given operations; `None` without the data folder.
fn recordings(operations: &[&str]) -> Option<Vec<Recorded>> {
    let data = std::env::var_os("DATADOG_MCP_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let Ok(file) = std::fs::File::open(data.join("recordings.jsonl.zst")) else {
        eprintln!("skipped: no data folder");
        return None;
    };
    let lines = std::io::BufReader::new(zstd::Decoder::new(file).unwrap()).lines();
    let wanted = |line: &str| {
        operations.iter().any(|operation| {
            line.contains(&format!("\"operation\": \"{operation}\"")) || line.contains(&format!("\"operation\":\"{operation}\""))
        })
    };
    let read = |line: String| -> Option<Recorded> {
        let one: Value = serde_json::from_str(&line).unwrap();
        (one["status"] == 200).then(|| Recorded {
            operation: one["operation"].as_str().unwrap_or_default().to_owned(),
            scenario: one["scenario"].as_str().unwrap_or_default().to_owned(),
            step: one["step"].as_u64().unwrap_or_default(),
            body: one["response"].as_str().unwrap_or_default().to_owned(),
        })
    };
    Some(lines.map(Result::unwrap).filter(|line| wanted(line)).filter_map(read).collect())
}

/// Our answer to a tool call that Datadog answers with `body`.
async fn answer(tool: &str, body: String, arguments: Value) -> String {
    let upstream = Upstream::start(move |_| (200, body.clone())).await;
    text(&upstream.toolbox(), tool, arguments).await
}

/// Shape of an answer without its data: how many of what, names of the columns, how many rows, notes.
fn outline(text: &str) -> String {
    let mut lines = text.lines();
    let facts = lines.next().unwrap_or_default();
    let mut out = vec![facts.split(" | ").next().unwrap_or_default().to_owned()];
    let (mut fenced, mut rows) = (false, 0);
    for line in lines {
        if line.starts_with("<data-") || line.starts_with("</data-") {
            fenced = !fenced;
        } else if let Some(constant) = line.strip_prefix("every row: ") {
            let names: Vec<&str> = constant.split("; ").filter_map(|pair| pair.split_once('=')).map(|(name, _)| name).collect();
            out.push(format!("constant: {}", names.join(" ")));
        } else if line.starts_with("time(") {
            let names: Vec<&str> = line.split('\t').map(|name| name.split('(').next().unwrap_or(name)).collect();
            out.push(format!("columns: {}", names.join(" ")));
        } else if fenced && line.contains('\t') {
            rows += 1;
        } else if !fenced {
            out.push(format!("note: {}", line.split("cursor").next().unwrap_or_default()));
        }
    }
    out.push(format!("rows of several cells: {rows}"));
    out.join("\n")
}

fn tool_of(operation: &str) -> &'static str {
    match operation {
        "v2.ListLogs" | "v2.ListLogsGet" => "logs_search",
        "v2.ListSpans" => "spans_search",
        "v2.SearchEvents" | "v2.ListEvents" => "events_search",
        "v2.SearchRUMEvents" | "v2.ListRUMEvents" => "rum_events_search",
        "v2.AggregateLogs" => "logs_aggregate",
        "v2.AggregateSpans" => "spans_aggregate",
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_recorded_record_is_in_the_answer() {
    let operations =
        ["v2.ListLogs", "v2.ListLogsGet", "v2.ListSpans", "v2.SearchEvents", "v2.ListEvents", "v2.SearchRUMEvents", "v2.ListRUMEvents"];
    let Some(all) = recordings(&operations) else { return };
    assert!(all.len() >= 15, "{} recordings", all.len());
    for one in all {
        let tool = tool_of(&one.operation);
        let body: Value = serde_json::from_str(&one.body).unwrap();
        let answer = answer(tool, one.body.clone(), json!({"max_tokens": 25_000, "limit": 1_000})).await;
        let name = format!("{} {} {}", one.operation, one.scenario, one.step);
        if std::env::var_os("SHOW_ANSWERS").is_some() {
            println!("=== {name}\n{answer}\n");
        }
        for record in body["data"].as_array().unwrap() {
            let attributes = &record["attributes"];
            let telling = ["span_id", "message"]
                .iter()
                .find_map(|key| attributes[*key].as_str())
                .or_else(|| attributes.pointer("/attributes/view/url_path")?.as_str());
            let telling = telling.unwrap_or_else(|| panic!("{name}: nothing to look for"));
            let start: String = telling.chars().take_while(|c| !matches!(c, '"' | '\n')).take(30).collect();
            assert!(answer.contains(&start), "{name}: {start:?} is missing in\n{answer}");
        }
    }
}

#[tokio::test]
async fn columns_of_recorded_answers() {
    let Some(all) = recordings(&["v2.ListLogs", "v2.ListSpans", "v2.ListEvents", "v2.SearchRUMEvents"]) else {
        return;
    };
    let mut outlines = Vec::new();
    for one in all.into_iter().filter(|one| one.step == 0) {
        let text = answer(tool_of(&one.operation), one.body, json!({"limit": 1_000})).await;
        outlines.push(format!("{} {}\n{}", one.operation, one.scenario.rsplit('/').next().unwrap_or_default(), outline(&text)));
    }
    insta::assert_snapshot!(outlines.join("\n"));
}

#[tokio::test]
async fn a_recorded_series_of_spans_is_one_line() {
    let Some(all) = recordings(&["v2.AggregateSpans"]) else { return };
    let one = all.into_iter().next().expect("one is recorded");
    let answer = answer("spans_aggregate", one.body, json!({"interval": "5m"})).await;
    assert!(answer.contains("count: min 154 avg 305 max 513 at 2023-06-29T09:45:00Z last 196 sum 1220 shape 0951"), "{answer}");
}

#[tokio::test]
async fn a_recorded_answer_without_buckets_is_diagnosed() {
    let Some(all) = recordings(&["v2.AggregateLogs"]) else { return };
    for one in all {
        let answer = answer("logs_aggregate", one.body, json!({"query": "service:web"})).await;
        assert!(answer.contains("none in the last 24 h either"), "{answer}");
    }
}
