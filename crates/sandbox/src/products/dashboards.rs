//! Dashboards: the list, which has no total, and one with its widgets.

use crate::call::{Call, Handler};
use crate::dice::Dice;
use crate::reply::{Answer, Reply};
use crate::story::World;
use crate::story::monitors::AUTHOR;
use crate::time::iso_offset;
use serde_json::{Value, json};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v1.ListDashboards" => list,
        "v1.GetDashboard" => get,
        _ => return None,
    })
}

/// Title, description, graphs as title and query.
type Row = (&'static str, Option<&'static str>, &'static [(&'static str, &'static str)]);

const ROWS: [Row; 9] = [
    (
        "Checkout",
        Some("Everything about placing orders. Owner: team orders."),
        &[
            ("Requests", "sum:trace.servlet.request.hits{service:checkout,env:prod} by {resource_name}.as_rate()"),
            ("Errors", "sum:trace.servlet.request.errors{service:checkout,env:prod} by {resource_name}.as_count()"),
            ("p95 latency", "p95:trace.servlet.request{service:checkout,env:prod} by {resource_name}"),
            ("Connections of the pool", "max:hikaricp.connections.active{service:checkout,env:prod} by {pod_name}"),
            ("Orders placed", "sum:shop.orders.placed{env:prod}.as_count()"),
        ],
    ),
    (
        "orders-db (PostgreSQL)",
        Some("Load, waits and scans of the orders database."),
        &[
            ("Connections", "avg:postgresql.connections{db:orders} by {database_instance}"),
            ("Sequential scans", "sum:postgresql.seq_scans{db:orders} by {table}.as_rate()"),
            ("Time by statement", "sum:postgresql.queries.time{db:orders} by {query_signature}.as_rate()"),
            ("CPU", "avg:system.cpu.user{instance-type:r6i.4xlarge} by {host}"),
        ],
    ),
    (
        "Storefront overview",
        Some("What customers see."),
        &[
            ("Requests", "sum:trace.web.request.hits{service:storefront,env:prod} by {resource_name}.as_rate()"),
            ("Errors", "sum:trace.web.request.errors{service:storefront,env:prod} by {resource_name}.as_count()"),
        ],
    ),
    (
        "Payments",
        None,
        &[
            ("Declined", "sum:shop.payment.declined{env:prod}.as_count()"),
            ("Latency", "p95:trace.http.server.request{service:payment,env:prod}"),
        ],
    ),
    ("Carts and Redis", None, &[("Memory", "avg:redis.mem.used{service:cart} by {env}")]),
    (
        "Catalogue and search",
        Some("Product pages, search, nightly reindex."),
        &[("Latency", "p95:trace.fastapi.request{service:catalog,env:prod}")],
    ),
    (
        "Kubernetes larkspur-prod",
        None,
        &[
            ("CPU by deployment", "sum:kubernetes.cpu.usage.total{kube_cluster_name:larkspur-prod} by {kube_deployment}"),
            ("Restarts", "sum:kubernetes.containers.restarts{kube_cluster_name:larkspur-prod} by {kube_deployment}"),
        ],
    ),
    (
        "Business: orders and revenue",
        Some("For the morning meeting."),
        &[("Orders", "sum:shop.orders.placed{env:prod}.as_count()"), ("Value", "sum:shop.orders.value{env:prod}.as_count()")],
    ),
    ("Mail delivery", None, &[("Bounced", "sum:shop.mail.bounced{env:prod}.as_count()")]),
];

fn head(world: &World, nth: usize) -> Value {
    let (title, about, _) = ROWS[nth];
    let mut dice = Dice::of(world.seed, "dashboard", nth as u64);
    let id = if nth == 0 { world.story.dashboard_id.clone() } else { format!("{}-{}-{}", dice.hex(3), dice.hex(3), dice.hex(3)) };
    let created = world.now - dice.between(100, 700) * 86_400_000;
    let slug: String = title.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    json!({
        "id": id, "title": title, "description": about, "layout_type": "ordered", "url": format!("/dashboard/{id}/{slug}"), "is_read_only": false,
        "created_at": iso_offset(created), "modified_at": iso_offset(created + dice.between(1, 90) * 86_400_000), "author_handle": AUTHOR.1, "deleted_at": Value::Null,
    })
}

fn list(call: &Call<'_>) -> Answer {
    let (count, start) = (call.page_size("count", 100, 10_000)?, call.offset("start")?);
    let none = call.flag("filter[deleted]") || call.flag("filter[shared]");
    let rows: Vec<Value> = (0..if none { 0 } else { ROWS.len() }).skip(start).take(count).map(|nth| head(call.world(), nth)).collect();
    Ok(Reply::json(&json!({ "dashboards": rows })))
}

fn get(call: &Call<'_>) -> Answer {
    let wanted = call.segment("dashboard_id");
    let world = call.world();
    let found = (0..ROWS.len()).map(|nth| (nth, head(world, nth))).find(|(_, head)| head["id"] == wanted);
    let (nth, mut dashboard) = found.ok_or_else(|| Reply::errors(404, &[&format!("Dashboard with ID {wanted} not found")]))?;
    let widgets: Vec<Value> = ROWS[nth]
        .2
        .iter()
        .enumerate()
        .map(|(at, (title, query))| {
            let id = Dice::of(world.seed, title, at as u64).below(1 << 52);
            json!({"id": id, "definition": {"title": title, "title_size": "16", "title_align": "left", "show_legend": true, "type": "timeseries", "requests": [{
                "formulas": [{"formula": "query1"}], "queries": [{"name": "query1", "data_source": "metrics", "query": query}], "response_format": "timeseries",
                "style": {"palette": "dog_classic", "line_type": "solid", "line_width": "normal"}, "display_type": "line"}]}})
        })
        .collect();
    for (name, value) in [
        ("widgets", json!(widgets)),
        ("author_name", json!(AUTHOR.0)),
        ("notify_list", Value::Null),
        ("restricted_roles", json!([])),
        ("template_variables", json!([{"name": "env", "prefix": "env", "available_values": ["prod", "staging"], "default": "prod"}])),
    ] {
        dashboard[name] = value;
    }
    if let Some(object) = dashboard.as_object_mut() {
        object.remove("deleted_at");
    }
    Ok(Reply::json(&dashboard))
}
