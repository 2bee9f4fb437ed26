//! The story can be followed from a log line to its cause by the ids that the API gives, and by nothing else.

use crate::org::{Org, SAMPLES, list, samples};
use serde_json::{Value, json};

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

#[tokio::test]
async fn from_log_to_cause_by_ids_alone() {
    let org = Org::unlimited().await;

    // Errors in prod, by service: the storefront and checkout stand out.
    let body = json!({"filter": {"query": "status:error env:prod", "from": "now-40m", "to": "now"}, "compute": [{"aggregation": "count"}],
        "group_by": [{"facet": "service"}]});
    let worst = org.post("/api/v2/logs/analytics/aggregate", body).await;
    let services: Vec<String> =
        list(&worst["data"]["buckets"]).iter().take(2).map(|bucket| text(bucket, "/by/service").to_owned()).collect();
    assert!(services.contains(&"storefront".to_owned()) && services.contains(&"checkout".to_owned()), "{services:?}");

    // A failed request of the storefront, and its trace.
    let log = org.logs("service:storefront @http.status_code:504", 1).await.remove(0);
    let trace_id = text(&log, "/attributes/attributes/dd/trace_id");
    let trace = org.get(&format!("/api/v2/trace/{trace_id}")).await;
    let spans = list(&trace["data"]["attributes"]["spans"]);
    assert!(spans.iter().all(|span| span["traceID"].as_u64().unwrap().to_string() == trace_id));
    let id_of_log = text(&log, "/attributes/attributes/dd/span_id");
    assert!(spans.iter().any(|span| span["spanID"].as_u64().unwrap().to_string() == id_of_log), "the log's span is in the trace");

    // Its longest leaf is a statement.
    let parents: Vec<u64> = spans.iter().map(|span| span["parentID"].as_u64().unwrap()).collect();
    let leaf = spans
        .iter()
        .filter(|span| !parents.contains(&span["spanID"].as_u64().unwrap()))
        .max_by_key(|span| span["duration"].as_i64().unwrap())
        .unwrap();
    assert_eq!(leaf["name"], "postgresql.query");
    assert!(leaf["duration"].as_i64().unwrap() > 4_000_000_000);
    let signature = text(leaf, "/meta/db.query_signature");

    // The same span by search, with the signature in its attributes.
    let found = org.spans(&format!("trace_id:{trace_id} @db.query_signature:{signature}"), 10).await;
    assert_eq!(found.len(), 1);
    assert_eq!(text(&found[0], "/attributes/custom/db/query_signature"), signature);

    // What the database did: reading from disk, for seconds, since a point in time; among the samples the trace itself.
    let answer = org.post(SAMPLES, samples(&format!("dbm_type:activity @db.query_signature:{signature}"), 1_000)).await;
    let activity = list(&answer["result"]["events"]);
    assert!(activity.len() > 20);
    assert!(activity.iter().any(|sample| text(sample, "/event/custom/dd/trace_id") == trace_id));
    assert!(activity.iter().filter(|sample| text(sample, "/event/custom/db/wait_event") == "DataFileRead").count() * 2 > activity.len());
    let oldest = activity.iter().map(|sample| text(sample, "/event/timestamp").to_owned()).min().unwrap();

    // Its plan reads the whole table; the plan of the statement it replaced used an index.
    let plans = org.post(SAMPLES, samples(&format!("dbm_type:plan @db.query_signature:{signature}"), 5)).await;
    assert!(text(&plans, "/result/events/0/event/custom/db/plan/definition").contains("Seq Scan"));
    let before = org.post(SAMPLES, samples(&format!("dbm_type:plan -@db.query_signature:{signature}"), 5)).await;
    assert!(text(&before, "/result/events/0/event/custom/db/plan/definition").contains("Index Scan"));

    // The deploy just before the first sample, and its version in the failing logs.
    let deploys = org
        .post("/api/v2/events/search", json!({"filter": {"query": "source:deployment service:checkout", "from": "now-2h", "to": &oldest}}))
        .await;
    let deploy = &list(&deploys["data"])[0];
    let version = text(deploy, "/attributes/attributes/version");
    assert!(org.logs(&format!("service:checkout version:{version} \"statement timeout\""), 1).await.len() == 1);
    assert!(
        org.logs(&format!("service:checkout env:prod -version:{version} \"statement timeout\""), 1).await.is_empty(),
        "the version before is innocent"
    );

    // The pods that fail run the commit that was deployed.
    let commit = text(deploy, "/attributes/attributes/git/commit/sha");
    assert!(!org.logs(&format!("git.commit.sha:{commit} \"statement timeout\""), 1).await.is_empty());

    // The monitor that alerted, through the event it left.
    let alerts = org
        .post("/api/v2/events/search", json!({"filter": {"query": "source:alert service:checkout", "from": "now-2h", "to": "now"}}))
        .await;
    let monitor_id = list(&alerts["data"])[0]["attributes"]["attributes"]["monitor"]["id"].clone();
    let monitor = org.get(&format!("/api/v1/monitor/{monitor_id}?group_states=all")).await;
    assert_eq!(monitor["overall_state"], "Alert");
    let alerting = org.get("/api/v1/monitor/search?query=status:alert").await;
    assert_eq!(alerting["metadata"]["total_count"], 1);
    assert_eq!(alerting["monitors"][0]["id"], monitor_id);

    // The incident names the monitor, and is the only active one.
    let incidents = org.get("/api/v2/incidents/search?query=state:active").await;
    assert_eq!(incidents["data"]["attributes"]["total"], 1);
    let incident = &incidents["data"]["attributes"]["incidents"][0]["data"];
    assert_eq!(incident["attributes"]["severity"], "SEV-2");
    assert!(text(incident, "/attributes/fields/summary/value").contains(&monitor_id.to_string()));
    let same = org.get(&format!("/api/v2/incidents/{}?include=users", text(incident, "/id"))).await;
    assert_eq!(same["data"]["id"], incident["id"]);

    // The error tracking issue began with the version.
    let now = jiff::Timestamp::now().as_millisecond();
    let issues = json!({"data": {"type": "search_request", "attributes": {"query": "service:checkout", "from": now - 3_600_000, "to": now,
        "track": "trace"}}});
    let issues = org.post("/api/v2/error-tracking/issues/search?include=issue", issues).await;
    let issue = list(&issues["included"]).into_iter().find(|issue| issue["attributes"]["first_seen_version"] == version).unwrap();
    assert_eq!(text(&spans.iter().find(|span| span["name"] == "servlet.request").unwrap().clone(), "/meta/issue.id"), issue["id"]);

    // Browsers saw the same trace fail.
    let rum = org
        .post(
            "/api/v2/rum/events/search",
            json!({"filter": {"query": format!("@type:error @_dd.trace_id:{trace_id}"), "from": "now-2h", "to": "now"}}),
        )
        .await;
    assert_eq!(list(&rum["data"]).len(), 1);
}

#[tokio::test]
async fn the_told_story_is_what_the_api_shows() {
    let org = Org::unlimited().await;
    let story = org.bare(reqwest::Method::GET, "/_sandbox/story").send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(story, serde_json::to_value(org.sandbox.story()).unwrap());
    let trace_id = text(&story, "/trace_id");
    assert!(trace_id.parse::<u64>().unwrap() > i64::MAX as u64);
    let trace = org.get(&format!("/api/v2/trace/{}", text(&story, "/trace_id_hex"))).await;
    assert!(
        trace["data"]["attributes"]["spans"]
            .as_array()
            .unwrap()
            .iter()
            .any(|span| span["spanID"].as_u64() == text(&story, "/slow_span_id").parse().ok())
    );
    assert_eq!(org.logs(&format!("trace_id:{trace_id}"), 10).await.len(), org.logs(&format!("@dd.trace_id:{trace_id}"), 10).await.len());
    assert!(org.logs(&format!("@trace_id:{trace_id} service:checkout status:error"), 10).await.len() == 1);
    for path in [
        format!("/api/v1/monitor/{}", story["monitor_id"]),
        format!("/api/v2/incidents/{}", text(&story, "/incident_id")),
        format!("/api/v2/events/{}", text(&story, "/deploy_event_id")),
        format!("/api/v1/events/{}", text(&story, "/alert_event_id")),
        format!("/api/v2/error-tracking/issues/{}", text(&story, "/issue_id")),
        format!("/api/v2/rum/applications/{}", text(&story, "/rum_application_id")),
        format!("/api/v1/dashboard/{}", text(&story, "/dashboard_id")),
        format!("/api/v1/slo/{}", text(&story, "/slo_id")),
        format!("/api/v2/pruned_trace/{trace_id}"),
    ] {
        org.get(&path).await;
    }
}

#[tokio::test]
async fn the_huge_trace_is_whole_and_its_summary_small() {
    let org = Org::unlimited().await;
    let story = org.sandbox.story().clone();
    let trace = org.get(&format!("/api/v2/trace/{}", story.huge_trace_id)).await;
    assert_eq!(trace["data"]["attributes"]["spans"].as_array().unwrap().len(), story.huge_trace_spans);
    let pruned = org.get(&format!("/api/v2/pruned_trace/{}", story.huge_trace_id)).await;
    let root = &pruned["data"]["attributes"]["summarized_trace"]["root"];
    assert_eq!(root["children"].as_array().unwrap().len(), 20);
    assert_eq!(root["hidden_child_spans_count"], 180);
    assert_eq!(org.status("/api/v2/trace/12345").await.0, 404);
    assert_eq!(org.status("/api/v2/trace/not-a-number").await.0, 400);
}

#[tokio::test]
async fn metrics_show_the_break_and_nothing_breaks_before_it() {
    let org = Org::unlimited().await;
    let now = jiff::Timestamp::now().as_second();
    let rate = "sum:trace.servlet.request.errors{service:checkout,env:prod}.as_count() / sum:trace.servlet.request.hits{service:checkout,env:prod}.as_count() * 100";
    let mean = async |from: i64, to: i64| {
        let query: String = url::form_urlencoded::byte_serialize(rate.as_bytes()).collect();
        let answer = org.get(&format!("/api/v1/query?from={from}&to={to}&query={query}")).await;
        assert_eq!(answer["status"], "ok", "{answer}");
        let points = list(&answer["series"][0]["pointlist"]);
        points.iter().filter_map(|point| point[1].as_f64()).sum::<f64>() / points.len() as f64
    };
    assert!(mean(now - 7_200, now - 3_600).await < 2.0);
    assert!(mean(now - 1_800, now).await > 20.0);
    let bad = org.get(&format!("/api/v1/query?from={}&to={now}&query=avg:nope", now - 60)).await;
    assert_eq!(bad["status"], "error", "a bad v1 query is a 200");
    let ms = now * 1_000;
    let request = json!({"data": {"type": "timeseries_request", "attributes": {"from": ms - 3_600_000, "to": ms,
        "formulas": [{"formula": "a / b * 100"}, {"formula": "logs"}], "queries": [
        {"name": "a", "data_source": "metrics", "query": "sum:trace.web.request.errors{env:prod} by {resource_name}"},
        {"name": "b", "data_source": "metrics", "query": "sum:trace.web.request.hits{env:prod} by {resource_name}"},
        {"name": "logs", "data_source": "logs", "search": {"query": "status:error"}, "compute": {"aggregation": "count"},
            "group_by": [{"facet": "service"}]}]}}});
    let answer = org.post("/api/v2/query/timeseries", request.clone()).await;
    let attributes = &answer["data"]["attributes"];
    let (series, values, times) = (list(&attributes["series"]), list(&attributes["values"]), list(&attributes["times"]));
    assert!(
        series.len() > 5 && series.len() == values.len() && values.iter().all(|values| values.as_array().unwrap().len() == times.len())
    );
    assert!(series.iter().any(|series| series["group_tags"] == json!(["resource_name:POST /api/checkout"])));
    let mut scalar = request;
    scalar["data"]["type"] = json!("scalar_request");
    scalar["data"]["attributes"]["formulas"] = json!([{"formula": "a / b * 100", "limit": {"count": 1, "order": "desc"}}]);
    let answer = org.post("/api/v2/query/scalar", scalar.clone()).await;
    let columns = list(&answer["data"]["attributes"]["columns"]);
    assert_eq!(columns[0], json!({"name": "resource_name", "type": "group", "values": [["POST /api/checkout"]]}));
    assert!(columns[1]["values"][0].as_f64().unwrap() > 15.0);
    scalar["data"]["attributes"]["formulas"] = json!([{"formula": "a / nobody"}]);
    assert_eq!(org.status_of_post("/api/v2/query/scalar", scalar).await.0, 400);
}

#[tokio::test]
async fn monitors_can_be_made_changed_and_removed() {
    let org = Org::unlimited().await;
    let made =
        org.post("/api/v1/monitor", json!({"name": "new", "type": "metric alert", "query": "avg(last_5m):avg:system.load.1{*} > 9"})).await;
    let path = format!("/api/v1/monitor/{}", made["id"]);
    let change = org.keyed(reqwest::Method::PUT, &path).json(&json!({"options": {"silenced": {"*": null}}})).send().await.unwrap();
    assert_eq!(change.status(), 200);
    assert_eq!(org.get(&path).await["options"]["silenced"], json!({"*": null}));
    assert_eq!(org.get("/api/v1/monitor/search?query=new").await["metadata"]["total_count"], 1);
    let gone = org.keyed(reqwest::Method::DELETE, &path).send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(gone["deleted_monitor_id"], made["id"]);
    assert_eq!(org.status(&path).await, (404, json!({"errors": ["Monitor not found"]})));
    assert_eq!(org.status_of_post("/api/v1/monitor", json!({"type": "log alert", "query": "query"})).await.0, 400);
    assert_eq!(org.sandbox.journal().executed["v1.CreateMonitor"], 2);
}
