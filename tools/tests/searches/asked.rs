//! What these tools ask Datadog, and what they make of its answers.

use crate::upstream::{Asked, Upstream, json as as_json, refusal, text};
use datadog_client::Kind;
use serde_json::{Value, json};

fn log(id: &str, time: &str, service: &str, message: &str) -> Value {
    json!({"id": id, "type": "log", "attributes": {"timestamp": time, "status": "error", "service": service, "host": "h1", "message": message, "tags": [], "attributes": {"http": {"status_code": 500}}}})
}

fn page(records: &[Value], after: Option<&str>) -> (u16, String) {
    let meta = after.map_or_else(|| json!({"status": "done"}), |after| json!({"page": {"after": after}}));
    (200, json!({"data": records, "meta": meta}).to_string())
}

fn buckets(list: &Value) -> (u16, String) {
    (200, json!({"data": {"buckets": list}, "meta": {"status": "done"}}).to_string())
}

/// The cursor that an answer ends with.
fn cursor(text: &str) -> String {
    let at = text.find("cursor").unwrap_or_else(|| panic!("no cursor in:\n{text}"));
    let token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    text[at..].split(|c: char| !token(c)).find(|word| word.len() > 30).unwrap_or_else(|| panic!("no cursor in:\n{text}")).to_owned()
}

#[tokio::test]
async fn a_search_goes_on_where_it_stopped_over_the_same_range() {
    let upstream = Upstream::start(|asked| match asked.body()["page"]["cursor"].as_str() {
        None => page(&[log("a", "2026-11-20T10:00:03Z", "web", "one"), log("b", "2026-11-20T10:00:02Z", "web", "two")], Some("next")),
        Some(_) => page(&[log("c", "2026-11-20T10:00:01Z", "web", "three")], Some("stale")),
    })
    .await;
    let toolbox = upstream.toolbox();
    let arguments = json!({"query": "service:web", "limit": 2, "from": "2026-11-20T10:00:00Z", "to": "2026-11-20T10:30:00Z"});
    let first = text(&toolbox, "logs_search", arguments.clone()).await;
    assert!(first.contains("one") && first.contains("two"), "{first}");
    let mut again = arguments;
    again["cursor"] = cursor(&first).into();
    let second = text(&toolbox, "logs_search", again).await;
    assert!(second.contains("three") && !second.contains("cursor"), "{second}");
    let asked = upstream.asked();
    assert_eq!(asked[0].body["page"], json!({"limit": 2}));
    assert_eq!(asked[1].body["page"], json!({"limit": 2, "cursor": "next"}));
    assert_eq!(asked[0].body["filter"], asked[1].body["filter"]);
    assert!(first.contains("/logs?query=service%3Aweb&from_ts="), "{first}");
}

#[tokio::test]
async fn every_tier_is_searched_and_a_closed_one_is_named() {
    let upstream = Upstream::start(|asked| match asked.tier() {
        "indexes" => page(&[log("a", "2026-11-20T10:00:03Z", "web", "newest"), log("b", "2026-11-20T10:00:01Z", "web", "oldest")], None),
        "flex" => page(&[log("c", "2026-11-20T10:00:02Z", "web", "middle"), log("b", "2026-11-20T10:00:01Z", "web", "oldest")], None),
        _ => (400, json!({"errors": ["online archives are not enabled"]}).to_string()),
    })
    .await;
    let answer = text(&upstream.toolbox(), "logs_search", json!({"storage_tier": "all"})).await;
    let at = |word: &str| answer.find(word).unwrap_or_else(|| panic!("{word} is missing:\n{answer}"));
    assert!(at("newest") < at("middle") && at("middle") < at("oldest"), "{answer}");
    assert_eq!(answer.matches("oldest").count(), 1, "{answer}");
    assert!(answer.contains("indexes 2, flex 1") && answer.contains("online-archives was not searched"), "{answer}");
    assert_eq!(upstream.asked().len(), 3);
}

#[tokio::test]
async fn when_no_tier_answers_the_refusal_is_told() {
    let upstream = Upstream::start(|_| (400, json!({"errors": ["bad query"]}).to_string())).await;
    let refused = refusal(&upstream.toolbox(), "logs_search", json!({"storage_tier": "all", "query": "(("})).await;
    assert_eq!(refused.status, Some(400));
}

/// An org whose services are `checkout` and `cart`, whose logs have `@http.status_code`, and whose Flex tier has 7 logs.
fn shop(asked: &Asked) -> (u16, String) {
    if !asked.aggregates() {
        return if asked.query() == "*" { page(&[log("a", "2026-11-20T10:00:00Z", "cart", "hello")], None) } else { page(&[], None) };
    }
    if asked.tier() == "flex" {
        return buckets(&json!([{"by": {}, "computes": {"c0": 7}}]));
    }
    match asked.body()["group_by"][0]["facet"].as_str() {
        Some("service") => buckets(
            &json!([{"by": {"service": "cart"}, "computes": {"c0": 880}}, {"by": {"service": "checkout"}, "computes": {"c0": 1_203}}]),
        ),
        Some(_) => buckets(&json!([])),
        None => buckets(&json!([{"by": {}, "computes": {"c0": [{"time": "2026-11-20T09:00:00Z", "value": 0}]}}])),
    }
}

#[tokio::test]
async fn an_empty_answer_says_why() {
    let upstream = Upstream::start(shop).await;
    let answer = text(&upstream.toolbox(), "logs_search", json!({"query": "service:chekout @http.code:500"})).await;
    for part in [
        "service:chekout has no logs in this range",
        "values of service: checkout (1,203), cart (880)",
        "No logs in this range can be grouped by @http.code",
        "attributes like @http.code: @http.status_code",
        "none in the last 24 h either",
        "tier flex has 7 logs: call again with storage_tier=flex",
    ] {
        assert!(answer.contains(part), "{part:?} is missing:\n{answer}");
    }
    assert!(upstream.asked().len() <= 6, "one search and at most five questions");
    assert!(answer.starts_with("0 logs | "), "{answer}");
    let (ours, fenced) = (answer.find("service:chekout has"), answer.find("values of service"));
    assert!(fenced < ours && answer.find("</data-") > fenced, "what telemetry says stands in the fence:\n{answer}");
    let program = as_json(&upstream.toolbox(), "logs_search", json!({"query": "service:chekout"})).await;
    assert_eq!((&program["shown"], &program["rows"]), (&json!(0), &json!([])));
    assert_eq!(program["hints"][0], "values of service: checkout (1,203), cart (880)");
}

#[tokio::test]
async fn a_wider_range_with_data_is_offered() {
    let upstream = Upstream::start(|asked| {
        let day = asked.aggregates() && asked.body()["group_by"].is_null();
        if day {
            buckets(&json!([{"by": {}, "computes": {"c0": [{"time": "2026-11-20T08:00:00Z", "value": 1_200}, {"time": "2026-11-20T09:00:00Z", "value": 4}]}}]))
        } else if asked.aggregates() {
            buckets(&json!([{"by": {"service": "web"}, "computes": {"c0": 5}}]))
        } else {
            page(&[], None)
        }
    })
    .await;
    let answer = text(&upstream.toolbox(), "logs_search", json!({"query": "service:web boom", "from": "15m"})).await;
    assert!(answer.contains("1,204 logs in the last 24 h, last around 2026-11-20T09:00:00Z: call again with from=1d"), "{answer}");
    assert!(answer.contains("service:web alone finds 5 logs in this range"), "{answer}");
    assert!(!upstream.asked().iter().any(|asked| asked.tier() == "flex"), "the cause is found: no other tier is asked");
}

#[tokio::test]
async fn a_diagnosis_that_is_refused_does_not_spoil_the_answer() {
    let upstream =
        Upstream::start(|asked| if asked.aggregates() { (403, json!({"errors": ["Forbidden"]}).to_string()) } else { page(&[], None) })
            .await;
    let answer = text(&upstream.toolbox(), "logs_search", json!({"query": "service:web"})).await;
    assert!(answer.contains("could not be checked"), "{answer}");
}

#[tokio::test]
async fn partial_answers_say_so() {
    let upstream = Upstream::start(|_| {
        let body = json!({"data": [log("a", "2026-11-20T10:00:00Z", "web", "x")], "meta": {"status": "timeout", "page": {"after": "c"}, "warnings": [{"title": "Missing index", "detail": "foo"}]}});
        (200, body.to_string())
    })
    .await;
    let answer = text(&upstream.toolbox(), "logs_search", json!({})).await;
    assert!(answer.contains("timed out before all logs") && answer.contains("Missing index; foo") && answer.contains("cursor"), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_no_answer_is_never_zero_logs() {
    for body in ["{}", "[]", "", "{\"data\": [", "null"] {
        let upstream = Upstream::start(move |_| (200, body.to_owned())).await;
        let refused = refusal(&upstream.toolbox(), "logs_search", json!({})).await;
        assert_eq!(refused.kind, Kind::UpstreamFailed, "{body:?}: {refused:?}");
    }
}

#[tokio::test]
async fn groups_are_a_table_and_series_are_lines() {
    let upstream = Upstream::start(|asked| {
        let compute = if asked.body()["compute"][0]["type"] == "timeseries" {
            json!([{"time": "2026-11-20T10:00:00Z", "value": 2_000_000}, {"time": "2026-11-20T10:05:00Z", "value": 8_000_000}])
        } else {
            json!(1_500_000)
        };
        (200, json!({"data": [{"type": "bucket", "attributes": {"by": {"@http.route": "/cart"}, "compute": {"c0": compute}}}], "meta": {"status": "done"}}).to_string())
    })
    .await;
    let toolbox = upstream.toolbox();
    let table = text(&toolbox, "spans_aggregate", json!({"compute": "p95(duration)", "group_by": "@http.route"})).await;
    assert!(table.contains("p95(@duration)") && table.contains("/cart") && table.contains("1.5ms"), "{table}");
    let lines = text(&toolbox, "spans_aggregate", json!({"compute": "p95(duration)", "group_by": ["@http.route"], "interval": "5m"})).await;
    assert!(lines.contains("@http.route:/cart: min 2ms avg 5ms max 8ms at 2026-11-20T10:05:00Z last 8ms shape 09"), "{lines}");
    let points = text(
        &toolbox,
        "spans_aggregate",
        json!({"compute": "p95(duration)", "interval": "5m", "points": true, "group_by": ["@http.route"]}),
    )
    .await;
    assert!(points.contains("8ms") && points.contains("@http.route:/cart"), "{points}");
    let asked = upstream.asked();
    assert_eq!(asked[0].body["data"]["attributes"]["compute"], json!([{"aggregation": "pc95", "metric": "@duration", "type": "total"}]));
    assert_eq!(asked[1].body()["compute"][0]["interval"], "5m");
}

#[tokio::test]
async fn groups_of_several_facets_say_when_there_may_be_more() {
    let upstream = Upstream::start(|_| {
        let pairs = [("a", "ok"), ("a", "error"), ("b", "ok"), ("c", "ok")];
        let list: Vec<Value> = pairs.iter().map(|(a, b)| json!({"by": {"service": a, "status": b}, "computes": {"c0": 7}})).collect();
        buckets(&json!(list))
    })
    .await;
    let toolbox = upstream.toolbox();
    let cut = text(&toolbox, "logs_aggregate", json!({"group_by": ["service", "status"], "limit": 3})).await;
    assert!(cut.contains("Of service only the 3 largest values by count are shown") && !cut.starts_with("4 groups"), "{cut}");
    let whole = text(&toolbox, "logs_aggregate", json!({"group_by": ["service", "status"], "limit": 4})).await;
    assert!(!whole.contains("largest values") && whole.starts_with("4 groups"), "{whole}");
}

#[tokio::test]
async fn mistakes_are_refused_before_anything_is_sent() {
    let upstream = Upstream::start(|_| page(&[], None)).await;
    let toolbox = upstream.toolbox();
    for (tool, arguments, word) in [
        ("logs_search", json!({"sort": "best"}), "newest"),
        ("logs_search", json!({"storage_tier": "cold"}), "online-archives"),
        ("logs_search", json!({"from": "yesterday-ish"}), "from"),
        ("logs_search", json!({"service": "web"}), "service"),
        ("logs_aggregate", json!({"compute": "p96(@d)"}), "p96"),
        ("logs_aggregate", json!({"interval": "5x"}), "interval"),
        ("logs_aggregate", json!({"storage_tier": "all"}), "one tier"),
        ("spans_search", json!({"limit": 5_000}), "limit"),
        ("dbm_samples_search", json!({"sort": "x"}), "newest"),
    ] {
        let refused = refusal(&toolbox, tool, arguments.clone()).await;
        assert_eq!(refused.kind, Kind::InvalidArguments, "{tool} {arguments}");
        let all = format!("{} {}", refused.message, refused.why.unwrap_or_default());
        assert!(all.contains(word), "{tool} {arguments}: {all}");
    }
    assert!(upstream.asked().is_empty());
}

#[tokio::test]
async fn a_range_past_retention_is_said() {
    let upstream = Upstream::start(|asked| {
        if asked.path.starts_with("/api/v1/logs/config/indexes") {
            (200, json!({"indexes": [{"name": "main", "filter": {"query": "*"}, "num_retention_days": 15, "num_flex_logs_retention_days": 90}]}).to_string())
        } else {
            page(&[log("a", "2026-11-20T10:00:00Z", "web", "x")], None)
        }
    })
    .await;
    let toolbox = upstream.toolbox();
    let answer = text(&toolbox, "logs_search", json!({"from": "30d"})).await;
    assert!(answer.contains("past retention") && answer.contains("main 15 d") && answer.contains("storage_tier=flex"), "{answer}");
    let answer = text(&toolbox, "logs_search", json!({"from": "10d"})).await;
    assert!(!answer.contains("retention"), "{answer}");
    let before = upstream.asked().len();
    let _ = text(&toolbox, "logs_search", json!({"from": "1h"})).await;
    assert_eq!(upstream.asked().len(), before + 1, "a young range needs no look at the configuration");
}

#[tokio::test]
async fn an_unreadable_retention_is_said_for_old_ranges_only() {
    let upstream = Upstream::start(|asked| {
        if asked.path.starts_with("/api/v1/logs/config/indexes") {
            (403, json!({"errors": ["Forbidden"]}).to_string())
        } else {
            page(&[log("a", "2026-11-20T10:00:00Z", "web", "x")], None)
        }
    })
    .await;
    let toolbox = upstream.toolbox();
    assert!(text(&toolbox, "logs_search", json!({"from": "30d"})).await.contains("could not be read"));
    assert!(!text(&toolbox, "logs_search", json!({"from": "5d"})).await.contains("could not be read"));
}

#[tokio::test]
async fn plans_are_trees_and_samples_are_rows() {
    let upstream = Upstream::start(|asked| {
        let plan = asked.body["list"]["search"]["query"].as_str().unwrap_or_default().contains("dbm_type:plan");
        let mut db = json!({"instance": "db-1", "query_signature": "feedfacecafe", "statement": "SELECT 1", "wait_event": "DataFileRead", "wait_event_type": "IO"});
        if plan {
            db["plan"] = json!({"signature": "p1", "cost": 9, "definition": json!({"Plan": {"Node Type": "Seq Scan", "Relation Name": "orders", "Total Cost": 9.0, "Plan Rows": 3}}).to_string()});
        }
        let event = json!({"id": "e1", "event": {"timestamp": 1_795_341_600_000_i64, "host": "h", "service": "orders", "custom": {"duration": 1_500_000_000_i64, "db": db}}});
        (200, json!({"result": {"events": [event]}}).to_string())
    })
    .await;
    let toolbox = upstream.toolbox();
    let samples = text(&toolbox, "dbm_samples_search", json!({"query": "service:orders"})).await;
    for part in ["1.5s", "DataFileRead", "feedfacecafe", "SELECT 1"] {
        assert!(samples.contains(part), "{part}:\n{samples}");
    }
    let plans = text(&toolbox, "dbm_plans_search", json!({"query": "service:orders"})).await;
    assert!(
        plans.contains("Seq Scan on orders cost=9 rows=3") && plans.contains("plan p1") && plans.contains("1 different plan of 1 sample"),
        "{plans}"
    );
    assert_eq!(upstream.asked()[0].body["list"]["search"]["query"], "dbm_type:activity service:orders");
}
