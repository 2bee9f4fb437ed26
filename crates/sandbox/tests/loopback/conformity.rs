//! Shapes against Datadog's own recordings: no answer has a field, near its top, that no recording of the operation has.

use crate::org::Org;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

/// Deeper fields are the customer's own.
const DEPTH: usize = 4;

/// Fields that newer answers have than the recordings, or that the recorded objects happened to lack, by operation: the
/// specification has them. What stands below one is allowed with it.
const ALSO: [(&str, &[&str]); 18] = [
    ("v2.ListLogs", &["data[].attributes.attributes", "data[].attributes.service"]),
    ("v2.ListLogsGet", &["data[].attributes.attributes", "data[].attributes.service"]),
    ("v2.ListSpans", &["data[].attributes.custom"]),
    ("v2.ListEvents", &["data[].attributes.attributes"]),
    ("v2.ListRUMEvents", &["data[].attributes.attributes"]),
    ("v2.ListTagConfigurations", &["data[].attributes"]),
    ("v2.ListActiveMetricConfigurations", &["data.attributes.active_aggregations[]"]),
    ("v2.ListTagsByMetricName", &["data.attributes.ingested_tags"]),
    ("v1.ListMonitors", &["[].draft_status", "[].options"]),
    ("v2.SearchIncidents", &["included[].attributes", "included[].relationships", "data.attributes.facets"]),
    ("v2.GetIncident", &["data.relationships.commander_user.data"]),
    ("v1.ListHosts", &["host_list[].meta", "host_list[].tags_by_source"]),
    ("v2.GetServiceDefinition", &["data.attributes.schema"]),
    ("v2.ListServiceDefinitions", &["data[].attributes.schema"]),
    ("v2.ListCatalogEntity", &["data[].attributes.description", "included"]),
    ("v1.GetDashboard", &["template_variables[]", "widgets[].definition"]),
    ("v1.SearchSLO", &["data.attributes.facets"]),
    ("v1.GetSLOHistory", &["data.overall.error_budget_remaining", "data.overall.precision", "data.overall.target", "data.thresholds"]),
];

fn paths(value: &Value, path: &str, depth: usize, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) if depth > 0 => {
            for (key, value) in map {
                let own = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                paths(value, &own, depth - 1, found);
                found.insert(own);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| paths(value, &format!("{path}[]"), depth, found)),
        _ => {}
    }
}

/// Fields and content types.
type Shape = (BTreeSet<String>, BTreeSet<String>);

/// Shapes of all recorded successes, by operation.
fn recorded(operations: &BTreeSet<&str>) -> Option<BTreeMap<String, Shape>> {
    let shared = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let folder = std::env::var_os("DATADOG_MCP_DATA").map_or_else(shared, PathBuf::from);
    let file = std::fs::File::open(folder.join("recordings.jsonl.zst")).ok()?;
    let mut all: BTreeMap<String, Shape> = BTreeMap::new();
    for line in BufReader::new(zstd::Decoder::new(file).unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let operation = line["operation"].as_str().unwrap_or_default();
        if !operations.contains(operation) || line["status"].as_u64().unwrap() >= 300 {
            continue;
        }
        let Some(Ok(body)) = line["response"].as_str().map(serde_json::from_str::<Value>) else { continue };
        let (fields, kinds) = all.entry(operation.to_owned()).or_default();
        paths(&body, "", DEPTH, fields);
        kinds.insert(line["content_type"].as_str().unwrap_or_default().to_owned());
    }
    Some(all)
}

#[tokio::test]
async fn no_field_is_invented() {
    let org = Org::unlimited().await;
    let story = org.sandbox.story();
    let now = jiff::Timestamp::now().as_second();
    let span_search = json!({"data": {"type": "search_request", "attributes": {"page": {"limit": 50}}}});
    let count = json!({"data": {"type": "aggregate_request", "attributes": {"compute": [{"aggregation": "count"}]}}});
    let issues = json!({"data": {"type": "search_request", "attributes": {"query": "*", "from": 0, "to": now * 1_000, "track": "trace"}}});
    let asked: [(&str, String, Value); 36] = [
        ("v2.ListLogs", "/api/v2/logs/events/search".into(), json!({"page": {"limit": 50}})),
        ("v2.ListLogsGet", "/api/v2/logs/events?page[limit]=5".into(), Value::Null),
        ("v2.ListSpans", "/api/v2/spans/events/search".into(), span_search),
        ("v2.AggregateSpans", "/api/v2/spans/analytics/aggregate".into(), count),
        ("v2.ListEvents", "/api/v2/events?filter[from]=now-1d&page[limit]=3".into(), Value::Null),
        ("v2.ListRUMEvents", "/api/v2/rum/events?page[limit]=3".into(), Value::Null),
        ("v2.GetRUMApplications", "/api/v2/rum/applications".into(), Value::Null),
        ("v1.QueryMetrics", format!("/api/v1/query?from={}&to={now}&query=avg:system.cpu.idle%7B*%7D", now - 3_600), Value::Null),
        ("v2.ListTagConfigurations", "/api/v2/metrics?page[size]=300".into(), Value::Null),
        ("v2.ListVolumesByMetricName", "/api/v2/metrics/system.load.1/volumes".into(), Value::Null),
        ("v2.ListActiveMetricConfigurations", "/api/v2/metrics/system.load.1/active-configurations".into(), Value::Null),
        ("v2.ListTagsByMetricName", "/api/v2/metrics/system.load.1/all-tags".into(), Value::Null),
        ("v2.ListMetricAssets", "/api/v2/metrics/system.load.1/assets".into(), Value::Null),
        ("v1.ListMonitors", "/api/v1/monitor".into(), Value::Null),
        ("v1.SearchMonitors", "/api/v1/monitor/search".into(), Value::Null),
        ("v1.SearchMonitorGroups", "/api/v1/monitor/groups/search".into(), Value::Null),
        ("v1.GetMonitor", format!("/api/v1/monitor/{}?with_downtimes=true", story.monitor_id), Value::Null),
        ("v2.ListIncidents", "/api/v2/incidents?page[size]=100".into(), Value::Null),
        ("v2.SearchIncidents", "/api/v2/incidents/search?query=state:active".into(), Value::Null),
        ("v2.GetIncident", format!("/api/v2/incidents/{}", story.incident_id), Value::Null),
        ("v1.ListHosts", "/api/v1/hosts".into(), Value::Null),
        ("v2.GetServiceDefinition", "/api/v2/services/definitions/cart".into(), Value::Null),
        ("v2.ListServiceDefinitions", "/api/v2/services/definitions".into(), Value::Null),
        ("v2.ListCatalogEntity", "/api/v2/catalog/entity".into(), Value::Null),
        ("v1.ListDashboards", "/api/v1/dashboard".into(), Value::Null),
        ("v1.GetDashboard", format!("/api/v1/dashboard/{}", story.dashboard_id), Value::Null),
        ("v2.SearchIssues", "/api/v2/error-tracking/issues/search".into(), issues),
        ("v2.GetIssue", format!("/api/v2/error-tracking/issues/{}", story.issue_id), Value::Null),
        ("v1.ListSLOs", "/api/v1/slo".into(), Value::Null),
        ("v1.SearchSLO", "/api/v1/slo/search".into(), Value::Null),
        ("v1.GetSLOHistory", format!("/api/v1/slo/{}/history?from_ts={}&to_ts={now}", story.slo_id, now - 86_400), Value::Null),
        ("v2.ListDowntimes", "/api/v2/downtime".into(), Value::Null),
        ("v2.ListPermissions", "/api/v2/permissions".into(), Value::Null),
        ("v2.ListRoles", "/api/v2/roles".into(), Value::Null),
        ("v2.ListTeams", "/api/v2/team".into(), Value::Null),
        ("v1.Validate", "/api/v1/validate".into(), Value::Null),
    ];
    let Some(recorded) = recorded(&asked.iter().map(|(operation, _, _)| *operation).collect()) else {
        println!("skipped: no data folder");
        return;
    };
    let mut wrong = Vec::new();
    for (operation, path, body) in &asked {
        let method = if body.is_null() { reqwest::Method::GET } else { reqwest::Method::POST };
        let mut request = org.keyed(method, path);
        if !body.is_null() {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{operation}");
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        let answer: Value = response.json().await.unwrap();
        let (fields, kinds) = recorded.get(*operation).unwrap_or_else(|| panic!("{operation} is not recorded"));
        if !kinds.contains(&kind) {
            wrong.push(format!("{operation}: {kind} instead of {kinds:?}"));
        }
        let mut own = BTreeSet::new();
        paths(&answer, "", DEPTH, &mut own);
        let also = ALSO.iter().filter(|(other, _)| other == operation).flat_map(|(_, also)| *also);
        let also: Vec<&&str> = also.collect();
        let known = |path: &String| {
            also.iter().any(|also| path.strip_prefix(**also).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
        };
        wrong.extend(own.difference(fields).filter(|path| !known(path)).map(|path| format!("{operation}: {path}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
