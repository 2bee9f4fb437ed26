//! Answers recorded from Datadog, turned into ours: nothing lost, nothing refused. The recordings stay where they are.

use crate::upstream::{Upstream, text};
use serde_json::{Value, json};
use std::{io::BufRead, path::PathBuf};

/// Successful answers of an operation with their step; `None` without the data folder.
fn recorded(operation: &str) -> Option<Vec<String>> {
    let data = std::env::var_os("DATADOG_MCP_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let Ok(file) = std::fs::File::open(data.join("recordings.jsonl.zst")) else {
        eprintln!("skipped: no data folder");
        return None;
    };
    let lines = std::io::BufReader::new(zstd::Decoder::new(file).unwrap()).lines().map(Result::unwrap);
    let read = |line: String| {
        let one: Value = serde_json::from_str(&line).unwrap();
        (one["operation"] == operation && one["status"] == 200).then(|| one["response"].as_str().unwrap_or_default().to_owned())
    };
    let found: Vec<String> = lines.filter(|line| line.contains(operation)).filter_map(read).collect();
    assert!(!found.is_empty(), "{operation} is recorded");
    Some(found)
}

/// Our answer when every call is answered by `body`, with room for all of it.
async fn answered(tool: &str, body: &str, mut arguments: Value) -> String {
    let body = body.to_owned();
    let upstream = Upstream::start(move |_| (200, body.clone())).await;
    arguments["max_tokens"] = json!(25_000);
    let answer = text(&upstream.toolbox(), tool, arguments).await;
    if std::env::var_os("SHOW_ANSWERS").is_some() {
        println!("=== {tool}\n{answer}\n");
    }
    answer
}

fn list<'a>(body: &'a Value, pointer: &str) -> &'a [Value] {
    body.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Every text at `pointer` of every record stands in the answer.
fn every(answer: &str, records: &[Value], pointer: &str) {
    for record in records {
        let value = record.pointer(pointer).unwrap();
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert!(answer.contains(&text), "{text} is lost in\n{answer}");
    }
}

#[tokio::test]
async fn searches_keep_every_record() {
    for (operation, tool, arguments, at, id) in [
        ("v1.SearchMonitors", "monitors_search", json!({}), "/monitors", "/id"),
        ("v1.ListHosts", "hosts_search", json!({}), "/host_list", "/name"),
        ("v2.SearchIncidents", "incidents_search", json!({"limit": 2}), "/data/attributes/incidents", "/data/attributes/public_id"),
        ("v2.SearchIssues", "errors_search", json!({}), "/data", "/id"),
        ("v2.ListTagConfigurations", "metrics_search", json!({"tags": "env:ci"}), "/data", "/id"),
        ("v1.ListDashboards", "dashboards_search", json!({}), "/dashboards", "/id"),
    ] {
        let Some(bodies) = recorded(operation) else { return };
        for body in bodies {
            let parsed: Value = serde_json::from_str(&body).unwrap();
            let answer = answered(tool, &body, arguments.clone()).await;
            every(&answer, list(&parsed, at), id);
            for waste in ["gohai", "\"facets\"", "gravatar", "\"counts\""] {
                assert!(!answer.replace("(gohai, checks)", "").contains(waste), "{waste} in {operation}");
            }
        }
    }
}

#[tokio::test]
async fn owners_come_out_of_every_definition() {
    let Some(bodies) = recorded("v2.ListServiceDefinitions") else { return };
    for body in bodies {
        let parsed: Value = serde_json::from_str(&body).unwrap();
        let definitions = list(&parsed, "/data");
        let answer = answered("services_search", &body, json!({})).await;
        // A budget may cut the table, never silently.
        let shown = definitions
            .iter()
            .filter(|one| answer.contains(one.pointer("/attributes/schema/dd-service").unwrap().as_str().unwrap()))
            .count();
        assert!(shown == definitions.len() || answer.contains("cursor"), "{shown} of {}", definitions.len());
        assert!(shown > 0);
    }
}

#[tokio::test]
async fn every_recorded_series_has_its_statistics() {
    let Some(bodies) = recorded("v2.QueryTimeseriesData") else { return };
    let mut drawn = 0;
    for body in bodies {
        let parsed: Value = serde_json::from_str(&body).unwrap();
        let series = list(&parsed, "/data/attributes/series").len();
        let answer = answered("metrics_query", &body, json!({"queries": ["sum:any.metric{*}.as_count()"]})).await;
        if series == 0 {
            assert!(answer.contains("no series found"), "{answer}");
            continue;
        }
        assert!(answer.contains(&format!("{series} series")), "{answer}");
        drawn += series;
    }
    assert!(drawn > 0);
}

#[tokio::test]
async fn single_records_are_whole() {
    for (operation, tool, arguments, must) in [
        ("v1.GetMonitor", "monitor_get", json!({"monitor_id": 1}), vec!["/id", "/name", "/query", "/message", "/overall_state", "/type"]),
        (
            "v2.GetIncident",
            "incident_get",
            json!({"incident": "19c87e47-487a-5ce4-8841-61d23ea414d4"}),
            vec![
                "/data/id",
                "/data/attributes/title",
                "/data/attributes/public_id",
                "/data/attributes/created",
                "/data/attributes/fields/slug/value",
            ],
        ),
    ] {
        let Some(bodies) = recorded(operation) else { return };
        for body in bodies {
            let parsed: Value = serde_json::from_str(&body).unwrap();
            let upstream = Upstream::start(move |_| (200, body.clone())).await;
            let answer = text(&upstream.toolbox(), tool, arguments.clone()).await;
            for pointer in &must {
                // As it stands in JSON: escapes included.
                let value = parsed.pointer(pointer).unwrap().to_string();
                assert!(answer.contains(value.trim_matches('"')), "{pointer} is lost in\n{answer}");
            }
        }
    }
}
