//! Cursors, pages and their limits.

use crate::org::{Org, list};
use datadog_sandbox::{Options, RateLimits};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

/// Walks a POST search to its end; every id once.
async fn walk(org: &Org, path: &str, wrap: bool, sort: &str, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let mut page = json!({"limit": limit});
        if !cursor.is_null() {
            page["cursor"] = cursor;
        }
        let mut body = json!({"filter": {"query": "*", "from": "now-2h", "to": "now"}, "page": page, "sort": sort});
        if wrap {
            body = json!({"data": {"type": "search_request", "attributes": body}});
        }
        let answer = org.post(path, body).await;
        let rows = list(&answer["data"]);
        ids.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        cursor = answer["meta"]["page"]["after"].clone();
        if rows.len() < limit {
            assert!(cursor.is_null());
            return ids;
        }
        assert!(answer["links"]["next"].as_str().unwrap().contains("cursor"));
    }
}

#[tokio::test]
async fn cursors_walk_every_record_once_in_both_orders() {
    let org = Org::unlimited().await;
    for (path, wrap) in [
        ("/api/v2/logs/events/search", false),
        ("/api/v2/spans/events/search", true),
        ("/api/v2/events/search", false),
        ("/api/v2/rum/events/search", false),
    ] {
        let down = walk(&org, path, wrap, "-timestamp", 137).await;
        let mut up = walk(&org, path, wrap, "timestamp", 1_000).await;
        up.reverse();
        assert_eq!(down.iter().collect::<HashSet<_>>().len(), down.len(), "{path}: an id came twice");
        assert!(down.len() > 20, "{path}: {} records", down.len());
        // The window of the two walks differs by the time between them.
        let seen: HashSet<&String> = down.iter().collect();
        let shared = up.iter().filter(|id| seen.contains(id)).count();
        assert!(shared + 30 >= down.len(), "{path}: {shared} of {}", down.len());
    }
}

#[tokio::test]
async fn links_next_goes_on_with_get() {
    let org = Org::unlimited().await;
    let first = org.get("/api/v2/logs/events?filter[query]=service:storefront&filter[from]=now-6h&page[limit]=5").await;
    let next = first["links"]["next"].as_str().unwrap();
    let second = org.get(next.split_once(&org.address.to_string()).unwrap().1).await;
    let ids = |page: &Value| list(&page["data"]).iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&second).len(), 5);
    assert!(ids(&first).iter().all(|id| !ids(&second).contains(id)));
}

#[tokio::test]
async fn limits_and_bad_fields_are_refused_in_each_product_s_shape() {
    let org = Org::unlimited().await;
    for (body, field) in [
        (json!({"page": {"limit": 1_001}}), "page.limit"),
        (json!({"page": {"limit": 0}}), "page.limit"),
        (json!({"page": {"cursor": "nonsense"}}), "invalid cursor"),
        (json!({"sort": "size"}), "sort"),
        (json!({"filter": {"query": "service:("}}), "filter.query"),
        (json!({"filter": {"from": "yesterday"}}), "filter.from"),
        (json!({"filter": {"from": "now", "to": "now-1h"}}), "filter.from,to"),
        (json!({"filter": {"storage_tier": "attic"}}), "filter.storage_tier"),
    ] {
        let (status, said) = org.status_of_post("/api/v2/logs/events/search", body.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert!(said["errors"][0].as_str().unwrap().contains(field), "{said}");
        let (status, said) =
            org.status_of_post("/api/v2/spans/events/search", json!({"data": {"type": "search_request", "attributes": body}})).await;
        if field != "filter.storage_tier" {
            assert!([400, 422].contains(&status), "{body}");
            assert!(said["errors"][0]["detail"].as_str().unwrap().contains(field), "{said}");
        }
    }
    let bare = org.status_of_post("/api/v2/spans/events/search", json!({"filter": {}})).await;
    assert_eq!(bare.0, 400, "spans want data.attributes");
    for path in [
        "/api/v1/monitor?page=0&page_size=1001",
        "/api/v1/monitor/search?per_page=0",
        "/api/v2/incidents?page[size]=101",
        "/api/v1/hosts?count=1001",
        "/api/v2/metrics?page[size]=10001",
        "/api/v1/monitor?page=x",
    ] {
        assert_eq!(org.status(path).await.0, 400, "{path}");
    }
}

#[tokio::test]
async fn tiers_keep_what_they_keep() {
    let org = Org::unlimited().await;
    let count = async |tier: &str, from: &str| {
        let body = json!({"filter": {"from": from, "to": "now", "storage_tier": tier}, "compute": [{"aggregation": "count"}]});
        org.post("/api/v2/logs/analytics/aggregate", body).await["data"]["buckets"][0]["computes"]["c0"].as_i64().unwrap_or(0)
    };
    let (indexed, flex, archived) =
        (count("indexes", "now-400d").await, count("flex", "now-400d").await, count("online-archives", "now-400d").await);
    assert!(indexed > 2_000 && flex > 50 && archived > 50, "{indexed} {flex} {archived}");
    assert_eq!(count("flex", "now-1h").await, 0, "flex has only what is older");
    assert!((indexed - count("indexes", "now-15d").await).abs() < 5, "beyond retention nothing is indexed, and nothing says so");
}

#[tokio::test]
async fn a_story_that_has_aged_is_told_again_with_the_same_ids() {
    let org = Org::start(Options { rate_limits: RateLimits::Off, renew_after: Duration::from_millis(300), ..Options::default() }).await;
    let before = org.sandbox.story();
    let first = org.get("/api/v2/logs/events?filter[from]=now-6h&page[limit]=5").await;
    let monitor = format!("/api/v1/monitor/{}", before.monitor_id);
    let changed = org.get(&monitor).await["overall_state_modified"].clone();
    tokio::time::sleep(Duration::from_millis(350)).await;
    let after = org.sandbox.story();
    assert!(after.now > before.now);
    assert_eq!(
        (&after.trace_id, &after.query_signature, &after.incident_id),
        (&before.trace_id, &before.query_signature, &before.incident_id)
    );
    assert!(!org.logs(&format!("trace_id:{}", after.trace_id), 1).await.is_empty());
    assert_ne!(org.get(&monitor).await["overall_state_modified"], changed);
    let cursor = first["meta"]["page"]["after"].as_str().unwrap();
    assert_eq!(org.status(&format!("/api/v2/logs/events?page[cursor]={cursor}")).await.0, 400, "its cursors have expired");
}
