//! The shapes of answers, query syntax on real data, sizes.

use crate::org::{Org, SAMPLES, list, samples};
use datadog_sandbox::{Options, Sandbox, Size};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn logs_are_realistic_in_size() {
    let org = Org::unlimited().await;
    let logs = org.logs("*", 100).await;
    assert_eq!(logs.len(), 100);
    let tokens = tiktoken_rs::o200k_base().unwrap();
    let count = |text: &str| tokens.encode_ordinary(text).len();
    let sample = &logs[..40];
    let whole: usize = sample.iter().map(|log| count(&log.to_string())).sum::<usize>() / sample.len();
    let message: usize = sample.iter().map(|log| count(log["attributes"]["message"].as_str().unwrap())).sum::<usize>() / sample.len();
    println!("{whole} tokens an event, {message} of them in the message");
    assert!((700..=950).contains(&whole), "{whole} tokens an event");
    assert!((30..=50).contains(&message), "{message} tokens a message");
    for log in &logs {
        let tags = log["attributes"]["tags"].as_array().unwrap().len();
        assert!((13..=25).contains(&tags), "{tags} tags");
        assert_eq!(log["type"], "log");
        assert!(log["attributes"]["timestamp"].as_str().unwrap().ends_with('Z'));
    }
    assert!(logs.iter().any(|log| log.pointer("/attributes/attributes/error/stack").is_some()), "no stack trace among a hundred");
}

#[tokio::test]
async fn queries_find_what_they_say_and_nothing_else() {
    let org = Org::unlimited().await;
    for (query, some) in [
        ("service:checkout status:error", true),
        ("service:checkout status:error version:2.30.4 @error.kind:*QueryTimeout*", false),
        ("service:checkuot", false),
        ("@http.status_code:504 service:storefront", true),
        ("http.status_code:504", false),
        ("@http.status_code:[500 TO 599] -service:storefront", false),
        ("\"canceling statement due to statement timeout\"", true),
        ("env:prod @duration:>4s service:orders-db", true),
        ("env:prod @duration:>60s", false),
        ("@sandbox.hostile:true", true),
        ("service:(payment OR cart) status:warn", true),
        ("kube_deployment:check*", true),
        ("_exists_:@error.stack", true),
    ] {
        assert_eq!(!org.logs(query, 5).await.is_empty(), some, "logs {query}");
    }
    for (query, some) in [
        ("service:checkout operation_name:servlet.request", true),
        ("operation_name:postgresql.query @duration:>1s", true),
        ("resource_name:\"POST /api/checkout\" status:error", true),
        ("resource_name:\"POST /api/checkuot\"", false),
        ("@db.query_signature:*", true),
        ("type:sql env:staging @duration:>1s", false),
    ] {
        assert_eq!(!org.spans(query, 5).await.is_empty(), some, "spans {query}");
    }
}

#[tokio::test]
async fn aggregates_differ_as_datadog_s_do() {
    let org = Org::unlimited().await;
    let body = json!({"filter": {"query": "*", "from": "now-4h", "to": "now"}, "compute": [{"aggregation": "count"}, {"aggregation": "pc95", "metric": "@duration"}],
        "group_by": [{"facet": "service", "limit": 3, "sort": {"type": "measure", "aggregation": "count", "order": "desc"}}]});
    let logs = org.post("/api/v2/logs/analytics/aggregate", body.clone()).await;
    let buckets = list(&logs["data"]["buckets"]);
    assert_eq!(buckets.len(), 3);
    let counts: Vec<i64> = buckets.iter().map(|bucket| bucket["computes"]["c0"].as_i64().unwrap()).collect();
    assert!(counts.is_sorted_by(|a, b| a >= b));
    assert_eq!(buckets[0]["by"]["service"], "storefront");
    let spans = org.post("/api/v2/spans/analytics/aggregate", json!({"data": {"type": "aggregate_request", "attributes": body}})).await;
    let buckets = list(&spans["data"]);
    assert_eq!(buckets[0]["type"], "bucket");
    assert!(buckets[0]["attributes"]["compute"]["c1"].as_f64().unwrap() > 0.0);
    let series =
        json!({"filter": {"from": "now-2h", "to": "now"}, "compute": [{"aggregation": "count", "type": "timeseries", "interval": "10m"}]});
    let series = org.post("/api/v2/logs/analytics/aggregate", series).await;
    let points = list(&series["data"]["buckets"][0]["computes"]["c0"]);
    assert!((11..=14).contains(&points.len()) && points[0]["value"].is_i64());
    for compute in [json!({"aggregation": "frob"}), json!({"aggregation": "avg"})] {
        assert_eq!(org.status_of_post("/api/v2/logs/analytics/aggregate", json!({"compute": [compute]})).await.0, 400);
    }
}

#[tokio::test]
async fn dbm_answers_in_the_older_shape() {
    let org = Org::unlimited().await;
    let answer = org.post(SAMPLES, samples("dbm_type:plan", 3)).await;
    let events = list(&answer["result"]["events"]);
    assert_eq!(events.len(), 3);
    let plan = events[0]["event"]["custom"]["db"]["plan"]["definition"].as_str().unwrap();
    let plan: serde_json::Value = serde_json::from_str(plan).unwrap();
    assert!(plan["Plan"]["Node Type"].is_string());
    assert_eq!(org.status_of_post(SAMPLES, samples("*", 1_001)).await.0, 400);
    assert_eq!(org.status_of_post("/api/v1/logs-analytics/list", samples("*", 1)).await.0, 404, "the type is part of the address");
}

#[test]
fn worlds_are_made_quickly_and_alike() {
    let options = Options { seed: 7, ..Options::default() };
    let (a, b) = (Sandbox::new(&options).unwrap(), Sandbox::new(&options).unwrap());
    assert_eq!(a.story(), b.story());
    assert_ne!(a.story(), Sandbox::new(&Options { seed: 8, ..options.clone() }).unwrap().story());
    assert_eq!(Options::default().size, Size::Small);
}

#[tokio::test]
async fn a_small_org_is_there_at_once() {
    let org = Org::unlimited().await;
    let began = Instant::now();
    org.logs("*", 1).await;
    // Generous: an unoptimised build on a busy machine.
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_org_grows_with_its_size() {
    let org = Org::start(Options { size: Size::Requests(5_000), ..Options::default() }).await;
    let mut count = 0;
    for tier in ["indexes", "flex", "online-archives"] {
        let body = json!({"filter": {"from": "now-400d", "to": "now", "storage_tier": tier}, "compute": [{"aggregation": "count"}]});
        count += org.post("/api/v2/logs/analytics/aggregate", body).await["data"]["buckets"][0]["computes"]["c0"].as_i64().unwrap();
    }
    assert!((11_500..14_000).contains(&count), "{count} logs of 5,000 requests");
}
