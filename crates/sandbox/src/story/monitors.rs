//! The monitors of the org: one alerts because of the story, the others are as monitors are.

use super::World;
use crate::dice::Dice;
use crate::time::iso_offset;
use serde_json::{Value, json};

/// Who made things in this org.
pub(crate) const AUTHOR: (&str, &str, &str, u64) =
    ("Mira Sandvik", "mira@larkspur.example", "8d0f6c1e-52a3-4c7b-9e14-6a7f3b20c911", 1_200_345);

/// Name, type, query, message, tags, state, minutes since the state changed, groups.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], &'static str, i64, &'static [&'static str]);

const ROWS: [Row; 14] = [
    (
        "[checkout] p95 latency above 2 s in prod",
        "query alert",
        "percentile(last_10m):p95:trace.servlet.request{service:checkout,env:prod} > 2",
        "Orders take long. See the checkout dashboard. @slack-orders-alerts",
        &["service:checkout", "env:prod", "team:orders"],
        "Warn",
        33,
        &[],
    ),
    (
        "[orders-db] Connections near the limit",
        "metric alert",
        "avg(last_5m):avg:postgresql.percent_usage_connections{db:orders} by {database_instance} > 0.9",
        "Connections of {{database_instance.name}} run out. @slack-data-platform",
        &["service:orders-db", "env:prod", "team:data-platform"],
        "Warn",
        29,
        &["database_instance:orders-db-0", "database_instance:orders-db-1"],
    ),
    (
        "[orders-db] Replication lag",
        "metric alert",
        "max(last_5m):max:postgresql.replication_delay{db:orders} by {database_instance} > 30",
        "Replica lags. @slack-data-platform",
        &["service:orders-db", "env:prod", "team:data-platform"],
        "OK",
        4_320,
        &["database_instance:orders-db-1"],
    ),
    (
        "[storefront] 5xx rate above 2 % in prod",
        "query alert",
        "sum(last_10m):sum:trace.web.request.errors{service:storefront,env:prod}.as_count() / sum:trace.web.request.hits{service:storefront,env:prod}.as_count() > 0.2",
        "Customers see errors. @slack-web-alerts",
        &["service:storefront", "env:prod", "team:web"],
        "OK",
        9_000,
        &[],
    ),
    (
        "[payment] Declined payments unusual",
        "query alert",
        "avg(last_1h):anomalies(sum:shop.payment.declined{env:prod}.as_count(), 'agile', 3) >= 1",
        "More declines than usual. @slack-payments",
        &["service:payment", "env:prod", "team:payments"],
        "OK",
        2_880,
        &[],
    ),
    (
        "[payment] Provider errors in logs",
        "log alert",
        "logs(\"service:payment status:error env:prod\").index(\"payments\").rollup(\"count\").last(\"15m\") > 20",
        "stellapay fails. @pagerduty-payments",
        &["service:payment", "env:prod", "team:payments"],
        "OK",
        11_000,
        &[],
    ),
    (
        "[cart] Redis memory",
        "metric alert",
        "avg(last_15m):avg:redis.mem.used{service:cart,env:prod} / avg:redis.mem.maxmemory{service:cart,env:prod} > 0.85",
        "Carts fill Redis. @slack-orders-alerts",
        &["service:cart", "env:prod", "team:orders"],
        "OK",
        20_160,
        &[],
    ),
    (
        "[catalog] Nightly reindex did not run",
        "event-v2 alert",
        "events(\"source:catalog nightly-reindex finished\").rollup(\"count\").last(\"1d\") < 1",
        "The search index is stale. @slack-discovery",
        &["service:catalog", "env:prod", "team:discovery"],
        "OK",
        7_200,
        &[],
    ),
    (
        "[inventory] No stock updates received",
        "metric alert",
        "sum(last_30m):sum:shop.stock.updates{env:prod}.as_count() < 1",
        "Warehouse feed is silent. @slack-logistics",
        &["service:inventory", "env:prod", "team:logistics"],
        "OK",
        1_440,
        &[],
    ),
    (
        "[inventory] Staging feed",
        "metric alert",
        "sum(last_30m):sum:shop.stock.updates{env:staging}.as_count() < 1",
        "Feed of staging is silent.",
        &["service:inventory", "env:staging", "team:logistics"],
        "No Data",
        26_000,
        &[],
    ),
    (
        "[k8s] Pods restarting",
        "metric alert",
        "change(sum(last_5m),last_5m):sum:kubernetes.containers.restarts{kube_cluster_name:larkspur-prod} by {kube_deployment} > 3",
        "{{kube_deployment.name}} restarts. @slack-platform",
        &["env:prod", "team:platform"],
        "OK",
        600,
        &["kube_deployment:checkout", "kube_deployment:catalog", "kube_deployment:storefront"],
    ),
    (
        "[hosts] CPU saturated",
        "metric alert",
        "avg(last_15m):100 - avg:system.cpu.idle{env:prod} by {host} > 95",
        "Host {{host.name}} is saturated. @slack-platform",
        &["env:prod", "team:platform"],
        "OK",
        8_000,
        &[],
    ),
    (
        "[notification] Mail bounce rate",
        "query alert",
        "sum(last_1h):sum:shop.mail.bounced{env:prod}.as_count() / sum:shop.mail.sent{env:prod}.as_count() > 0.05",
        "Mails bounce. @slack-crm",
        &["service:notification", "env:prod", "team:crm"],
        "OK",
        3_000,
        &[],
    ),
    (
        "Shop home page from three continents",
        "synthetics alert",
        "no_query",
        "The home page does not load. @pagerduty-web",
        &["service:storefront", "env:prod", "team:web", "check_type:browser"],
        "OK",
        14_000,
        &["aws:eu-central-1", "aws:us-east-2", "aws:ap-northeast-1"],
    ),
];

/// Monitors as `GET /api/v1/monitor` shows them, with their groups under `state`.
pub(crate) fn make(world: &World) -> Vec<Value> {
    let story = &world.story;
    let mut monitors = vec![monitor(
        world,
        story.monitor_id,
        0,
        &(
            "",
            "query alert",
            "sum(last_5m):sum:trace.servlet.request.errors{service:checkout,env:prod}.as_count() / sum:trace.servlet.request.hits{service:checkout,env:prod}.as_count() * 100 > 5",
            "More than {{threshold}} % of checkouts fail in prod. Runbook: https://wiki.larkspur.example/runbooks/checkout-errors @pagerduty-orders @slack-orders-alerts",
            &["service:checkout", "env:prod", "team:orders", "severity:high"],
            "Alert",
            31,
            &["service:checkout"],
        ),
    )];
    monitors[0]["name"] = json!(story.monitor_name);
    monitors[0]["options"]["thresholds"] = json!({"critical": 5.0, "warning": 2.0});
    monitors[0]["priority"] = json!(1);
    for (nth, row) in ROWS.iter().enumerate() {
        let mut dice = Dice::of(world.seed, "monitor", nth as u64);
        monitors.push(monitor(world, 150_000_000 + dice.below(90_000_000), nth + 1, row));
    }
    monitors
}

fn monitor(world: &World, id: u64, nth: usize, row: &Row) -> Value {
    let (name, kind, query, message, tags, state, minutes, groups) = *row;
    let changed = world.now - minutes * 60_000;
    let created = world.now - (200 + nth as i64 * 17) * 86_400_000;
    let muted = nth == 10;
    let threshold = query.rsplit(['>', '<']).next().and_then(|text| text.trim().trim_start_matches('=').trim().parse::<f64>().ok());
    let groups: serde_json::Map<String, Value> = groups
        .iter()
        .map(|group| {
            let triggered = if state == "OK" { Value::Null } else { json!(changed / 1_000) };
            ((*group).to_owned(), json!({"name": group, "status": state, "last_triggered_ts": triggered, "last_nodata_ts": Value::Null, "last_notified_ts": triggered, "last_resolved_ts": Value::Null}))
        })
        .collect();
    json!({
        "id": id,
        "org_id": 1_200_001,
        "type": kind,
        "name": name,
        "message": message,
        "tags": tags,
        "query": query,
        "options": {
            "thresholds": threshold.map_or_else(|| json!({}), |critical| json!({"critical": critical})),
            "notify_no_data": state == "No Data", "notify_audit": false, "require_full_window": false, "include_tags": true,
            "new_host_delay": 300, "renotify_interval": 0, "silenced": if muted { json!({"*": (world.now + 7_200_000) / 1_000}) } else { json!({}) },
        },
        "multi": query.contains(" by {"),
        "created_at": created,
        "created": iso_offset(created),
        "modified": iso_offset(created + 86_400_000 * 3),
        "deleted": Value::Null,
        "restricted_roles": Value::Null,
        "priority": if nth.is_multiple_of(3) { json!(3) } else { Value::Null },
        "draft_status": "published",
        "overall_state_modified": iso_offset(changed),
        "overall_state": state,
        "creator": {"name": AUTHOR.0, "handle": AUTHOR.1, "email": AUTHOR.1, "id": AUTHOR.3},
        "matching_downtimes": [],
        "state": {"groups": groups},
    })
}
