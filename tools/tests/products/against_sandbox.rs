//! The simulated org's incident, seen through these tools.

use crate::upstream::{refusal, text, toolbox};
use datadog_client::{Configuration, Kind, Secret};
use datadog_sandbox::{Options, RateLimits, Sandbox, serve};
use datadog_tools::Toolbox;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

struct Org {
    base: String,
    sandbox: Sandbox,
    _stop: DropGuard,
}

impl Org {
    async fn start() -> Self {
        let sandbox = Sandbox::new(&Options { rate_limits: RateLimits::Off, ..Options::default() }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(serve(sandbox.clone(), listener, stop.clone()));
        Self { base, sandbox, _stop: stop.drop_guard() }
    }

    fn toolbox(&self) -> Toolbox {
        let keys = |text: &str| Some(Secret::new(text.to_owned()));
        toolbox(
            &self.base,
            Configuration { api_key: keys("fake-api-key-sandbox"), app_key: keys("fake-app-key-sandbox"), ..Configuration::default() },
        )
    }
}

/// The answer, printed when somebody wants to read it.
async fn shown(toolbox: &Toolbox, tool: &str, arguments: Value) -> String {
    let answer = text(toolbox, tool, arguments.clone()).await;
    if std::env::var_os("SHOW_ANSWERS").is_some() {
        println!("=== {tool} {arguments}\n{answer}\n");
    }
    answer
}

fn holds(answer: &str, parts: &[&str]) {
    for part in parts {
        assert!(answer.contains(part), "`{part}` is missing in\n{answer}");
    }
}

#[tokio::test]
async fn from_the_alert_to_the_span_that_takes_the_time() {
    let org = Org::start().await;
    let (toolbox, story) = (org.toolbox(), org.sandbox.story());
    let number = story.incident_public_id.to_string();
    let monitor = story.monitor_id.to_string();

    let answer = shown(&toolbox, "incidents_search", json!({})).await;
    holds(&answer, &[&number, "SEV-2", "active", "query: state:active"]);
    for form in [json!(story.incident_public_id), json!(format!("IR-{number}")), json!(story.incident_id)] {
        let answer = shown(&toolbox, "incident_get", json!({"incident": form})).await;
        holds(&answer, &[&story.incident_id, "\"commander\":", &format!("/incidents/{number}")]);
    }
    let answer = shown(&toolbox, "monitors_search", json!({"query": "status:alert"})).await;
    holds(&answer, &[&monitor, &story.monitor_name, "Alert"]);
    let answer = shown(&toolbox, "monitor_get", json!({"monitor_id": story.monitor_id})).await;
    holds(&answer, &["\"overall_state\":\"Alert\"", "\"thresholds\":", &format!("/monitors/{monitor}")]);
    // A monitor's query is a metric query.
    let query = answer.split("\"query\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let answer = shown(&toolbox, "metrics_query", json!({"queries": [query], "from": "2h"})).await;
    holds(&answer, &["1 series", "shape", "came from a monitor"]);

    let answer = shown(&toolbox, "errors_search", json!({"query": format!("service:{}", story.service)})).await;
    holds(&answer, &[&story.issue_id, &story.bad_version]);
    let answer = shown(&toolbox, "trace_get", json!({"trace_id": story.trace_id})).await;
    holds(
        &answer,
        &[&format!("span_id={}", story.slow_span_id), "error origin: orders-db", "self time by service: orders-db", "All 6 spans"],
    );
    let same = shown(&toolbox, "trace_get", json!({"trace_id": story.trace_id_hex})).await;
    holds(&same, &["All 6 spans"]);
    let answer = shown(&toolbox, "trace_get", json!({"trace_id": story.trace_id, "span_id": story.slow_span_id})).await;
    holds(&answer, &[&story.query_signature, "above: checkout"]);

    let answer = shown(&toolbox, "services_search", json!({"query": story.service, "env": "prod"})).await;
    holds(&answer, &["1 service ", &story.service, "orders"]);
    let answer = shown(&toolbox, "hosts_search", json!({"query": "service:orders-db"})).await;
    holds(&answer, &["2 hosts", "service:orders-db"]);
    assert!(!answer.contains("gohai\""), "{answer}");
    let answer = shown(&toolbox, "dashboards_search", json!({"query": "CHECKOUT"})).await;
    holds(&answer, &[&story.dashboard_id, "searched 9 dashboards"]);
}

#[tokio::test]
async fn a_trace_of_twenty_thousand_spans_fits_and_says_what_it_left_out() {
    let org = Org::start().await;
    let (toolbox, story) = (org.toolbox(), org.sandbox.story());
    let answer = shown(&toolbox, "trace_get", json!({"trace_id": story.huge_trace_id})).await;
    holds(&answer, &["20000 spans", "alike: total", "error origin: catalog"]);
    assert!(answer.len() < 16_000, "{} bytes", answer.len());
    // Every span is on a line, behind one, or left out.
    let note = answer.lines().find(|line| line.contains("of 20000 spans of the trace shown")).unwrap();
    let counts: Vec<u64> = note.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    assert_eq!(counts[0] + counts[2..].iter().sum::<u64>(), counts[1], "{note}");
    let small = shown(&toolbox, "trace_get", json!({"trace_id": story.huge_trace_id, "max_tokens": 500})).await;
    assert!(small.len() < 2_500, "{} bytes:\n{small}", small.len());

    let errors = shown(&toolbox, "trace_get", json!({"trace_id": story.huge_trace_id, "errors_only": true})).await;
    holds(&errors, &["4 of 20000 spans of the trace shown, 19996 are filtered out"]);
    let wrong = refusal(&toolbox, "trace_get", json!({"trace_id": story.huge_trace_id, "service": "nope"})).await;
    assert!(wrong.datadog_said.unwrap().contains("catalog") && !wrong.why.unwrap().contains("catalog"));
    let wrong = refusal(&toolbox, "trace_get", json!({"trace_id": story.huge_trace_id, "span_id": "12"})).await;
    assert!(wrong.why.unwrap().contains("20000 spans"));
}

#[tokio::test]
async fn metrics_are_found_described_and_queried() {
    let org = Org::start().await;
    let toolbox = org.toolbox();
    let answer = shown(&toolbox, "metrics_search", json!({"query": "errors SERVLET"})).await;
    holds(&answer, &["1 metric ", "trace.servlet.request.errors"]);
    let answer = shown(&toolbox, "metrics_search", json!({"query": "servlet", "tags": "service:checkout"})).await;
    holds(&answer, &["trace.servlet.request.hits"]);
    let answer = shown(&toolbox, "metric_describe", json!({"metric": "trace.servlet.request.errors"})).await;
    holds(&answer, &["type: count", "service:", "env: prod"]);

    let arguments = json!({
        "queries": ["errors=sum:trace.servlet.request.errors{service:checkout,env:prod}.as_count()", "sum:trace.servlet.request.hits{service:checkout,env:prod}.as_count()"],
        "formulas": ["errors", "errors/b*100"], "from": "2h",
    });
    let answer = shown(&toolbox, "metrics_query", arguments).await;
    holds(&answer, &["2 series", "errors/b*100", "sum"]);
    let answer = shown(&toolbox, "metrics_query", json!({"queries": "avg:system.cpu.user{*} by {host}", "limit": 5, "from": "4h"})).await;
    holds(&answer, &["5 of 14 series", "cursor"]);
    let cursor = answer.split("cursor").nth(1).and_then(|rest| rest.split('"').find(|word| word.len() > 20)).unwrap_or_default().to_owned();
    assert!(!cursor.is_empty(), "{answer}");
    let rest = shown(
        &toolbox,
        "metrics_query",
        json!({"queries": "avg:system.cpu.user{*} by {host}", "limit": 5, "from": "4h", "cursor": cursor}),
    )
    .await;
    let hosts = |answer: &str| {
        answer.lines().filter(|line| line.starts_with("ip-")).map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(hosts(&rest).len(), 5, "{rest}");
    assert!(hosts(&rest).iter().all(|host| !hosts(&answer).contains(host)));
    let answer =
        shown(&toolbox, "metrics_query", json!({"queries": ["avg:system.cpu.user{*} by {host}"], "points": true, "interval": "10m"})).await;
    holds(&answer, &["points", "time", "series: 14 of 14"]);
}

#[tokio::test]
async fn a_query_without_series_is_explained() {
    let org = Org::start().await;
    let toolbox = org.toolbox();
    let answer = shown(&toolbox, "metrics_query", json!({"queries": ["avg:system.cpu.user{env:prdo}"]})).await;
    holds(&answer, &["no series found", "Metric system.cpu.user exists", "Tag env of system.cpu.user has no value prdo", "it has prod"]);
    let answer = shown(&toolbox, "metrics_query", json!({"queries": ["avg:system.cpu.user{service:x}"]})).await;
    holds(&answer, &["system.cpu.user has no tag service; it has"]);
    let answer = shown(&toolbox, "metrics_query", json!({"queries": ["avg:system.cpu.usr{*}"]})).await;
    holds(&answer, &["No active metric is named system.cpu.usr; similar: system.cpu.user"]);
    let none = refusal(&toolbox, "metric_describe", json!({"metric": "system.cpu.usr"})).await;
    assert_eq!(none.kind, Kind::NotFound);
    assert_eq!(none.fixes[0].action, "metrics_search");
    let none = refusal(&toolbox, "trace_get", json!({"trace_id": "12345678901234567"})).await;
    assert_eq!(none.kind, Kind::NotFound);
    assert!(none.why.unwrap().contains("Neither the trace endpoint nor the indexed spans"));
    let none = refusal(&toolbox, "incident_get", json!({"incident": "999999"})).await;
    assert_eq!(none.kind, Kind::NotFound);
    let none = refusal(&toolbox, "monitor_get", json!({"monitor_id": 1})).await;
    assert_eq!(none.kind, Kind::NotFound);
    for (tool, arguments, said) in [
        ("incidents_search", json!({"query": "state:active AND severity:SEV-5"}), "exist in all states"),
        ("hosts_search", json!({"query": "nowhere"}), "No host matches"),
        ("errors_search", json!({"query": "service:nope"}), "Nor does any issue"),
        ("services_search", json!({"query": "zzz", "env": "prod"}), "None of 8 services matches"),
        ("dashboards_search", json!({"query": "zzz"}), "try fewer"),
        ("metrics_search", json!({"query": "zzzz"}), "No active metric has `zzzz`"),
    ] {
        let answer = shown(&toolbox, tool, arguments).await;
        holds(&answer, &[said]);
    }
}
