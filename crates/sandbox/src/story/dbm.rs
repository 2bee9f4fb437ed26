//! Database Monitoring: activity samples and explain plans of PostgreSQL.

use super::World;
use super::event::Event;
use super::requests::Fate;
use super::topology::{SERVICES, service};
use crate::dice::Dice;
use crate::json::{Attributes, Scalar};
use serde_json::json;
use std::sync::Arc;

/// The reservation lookup as it was before the deploy, with the index in use.
pub(crate) const GOOD_STATEMENT: &str =
    "SELECT id, sku, quantity, expires_at FROM reservations WHERE sku = $1 AND released_at IS NULL FOR UPDATE";

/// A statement with its everyday cost.
struct Statement {
    text: String,
    signature: String,
    user: &'static str,
    /// Milliseconds it usually runs.
    usual: (i64, i64),
    rows: i64,
}

/// Samples and plans of the last day.
pub(crate) fn make(world: &World) -> Vec<Event> {
    let mut events = Vec::new();
    let everyday = everyday(world);
    for nth in 0..420_u64 {
        let mut dice = Dice::of(world.seed, "activity", nth);
        let statement = dice.pick(&everyday);
        let at = world.now - dice.between(4_000, if nth % 2 == 0 { 3_600_000 } else { 86_400_000 });
        let took = dice.between(statement.usual.0, statement.usual.1);
        let wait = *dice.pick(&[("CPU", "CPU"), ("CPU", "CPU"), ("ClientRead", "Client"), ("WALWrite", "IO")]);
        events.push(activity(world, &mut dice, at, statement, took, wait, None));
    }
    let slow = Statement {
        text: world.story.statement.clone(),
        signature: world.story.query_signature.clone(),
        user: "checkout_rw",
        usual: (1_400, 5_000),
        rows: 3,
    };
    for request in world.requests().iter().filter(|request| matches!(request.fate, Fate::Slow | Fate::TimedOut)) {
        let mut dice = request.dice(world.seed, "dbm");
        let ms = request.lookup_ms(world.seed);
        let wait = *dice.pick(&[
            ("DataFileRead", "IO"),
            ("DataFileRead", "IO"),
            ("DataFileRead", "IO"),
            ("transactionid", "Lock"),
            ("tuple", "Lock"),
        ]);
        events.push(activity(world, &mut dice, request.at + ms / 2, &slow, ms, wait, Some(request.trace)));
    }
    for minutes in (1..39).step_by(4) {
        events.push(plan(world, world.now - minutes * 60_000, &slow, &world.story.plan_signature, &scan(world), 48_211.6));
    }
    let good = everyday.first().map(|statement| (statement, Dice::of(world.seed, "good-plan", 0).hex(16)));
    if let Some((statement, signature)) = good {
        for hours in 1..20 {
            events.push(plan(world, world.now - hours * 3_600_000, statement, &signature, &lookup(world), 8.44));
        }
    }
    events
}

fn everyday(world: &World) -> Vec<Statement> {
    let signature = |label| Dice::of(world.seed, label, 0).hex(16);
    vec![
        Statement { text: GOOD_STATEMENT.into(), signature: signature("good-signature"), user: "checkout_rw", usual: (1, 6), rows: 3 },
        Statement {
            text: "INSERT INTO orders (id, customer_id, total_cents, currency) VALUES ($1, $2, $3, $4)".into(),
            signature: signature("insert-signature"),
            user: "checkout_rw",
            usual: (1, 5),
            rows: 1,
        },
        Statement {
            text: "SELECT sku, available FROM stock WHERE sku = ANY($1)".into(),
            signature: signature("stock-signature"),
            user: "inventory_ro",
            usual: (1, 9),
            rows: 12,
        },
        Statement {
            text: "UPDATE stock SET available = available - $1 WHERE sku = $2".into(),
            signature: signature("update-signature"),
            user: "inventory_rw",
            usual: (2, 14),
            rows: 1,
        },
        Statement {
            text: "DELETE FROM reservations WHERE expires_at < now() AND released_at IS NULL".into(),
            signature: signature("expire-signature"),
            user: "inventory_rw",
            usual: (30, 210),
            rows: 44,
        },
        Statement {
            text: "SELECT date_trunc($1, created_at), count(*), sum(total_cents) FROM orders WHERE created_at > $2 GROUP BY 1".into(),
            signature: signature("report-signature"),
            user: "reporting_ro",
            usual: (400, 1_900),
            rows: 24,
        },
    ]
}

fn common(statement: &Statement, instance: &str) -> Vec<(&'static str, Scalar)> {
    vec![
        ("db.statement", statement.text.clone().into()),
        ("db.query_signature", statement.signature.clone().into()),
        ("db.instance", instance.to_owned().into()),
        ("db.name", "orders".into()),
        ("db.user", statement.user.into()),
        ("db.application", if statement.user == "checkout_rw" { "checkout" } else { "inventory" }.into()),
        (
            "db.metadata.tables",
            statement
                .text
                .split_whitespace()
                .skip_while(|word| !matches!(*word, "FROM" | "INTO" | "UPDATE"))
                .nth(1)
                .unwrap_or_default()
                .to_owned()
                .into(),
        ),
        ("db.metadata.commands", statement.text.split(' ').next().unwrap_or_default().to_owned().into()),
        ("ddsource", "postgres".into()),
    ]
}

fn activity(
    world: &World,
    dice: &mut Dice,
    at: i64,
    statement: &Statement,
    took: i64,
    wait: (&'static str, &'static str),
    trace: Option<u64>,
) -> Event {
    let mut pairs = common(statement, &world.story.database_instance);
    pairs.extend([
        ("dbm_type", "activity".into()),
        ("duration", (took * 1_000_000).into()),
        ("db.wait_event", wait.0.into()),
        ("db.wait_event_type", wait.1.into()),
        ("db.state", "active".into()),
        ("db.rows", statement.rows.into()),
        ("db.pid", dice.between(2_000, 60_000).into()),
        ("db.backend_type", "client backend".into()),
        ("db.query_start", crate::time::iso(at - took / 2).into()),
        ("network.client.ip", format!("10.4.{}.{}", dice.between(16, 63), dice.between(2, 250)).into()),
    ]);
    if let Some(trace) = trace {
        pairs.extend([
            ("dd.trace_id", trace.to_string().into()),
            ("dd.span_id", super::spans::span_id(trace, super::spans::SLOW_QUERY).to_string().into()),
        ]);
    }
    event(world, at, "activity", statement, pairs)
}

fn plan(world: &World, at: i64, statement: &Statement, signature: &str, definition: &serde_json::Value, cost: f64) -> Event {
    let mut pairs = common(statement, &world.story.database_instance);
    pairs.extend([
        ("dbm_type", "plan".into()),
        ("db.plan.definition", definition.to_string().into()),
        ("db.plan.cost", cost.into()),
        ("db.plan.signature", signature.to_owned().into()),
        ("db.plan.collection_errors", "".into()),
        ("duration", (statement.usual.1 * 1_000_000).into()),
        ("db.rows", statement.rows.into()),
    ]);
    event(world, at, "plan", statement, pairs)
}

fn event(world: &World, at: i64, kind: &str, statement: &Statement, pairs: Vec<(&'static str, Scalar)>) -> Event {
    let mut dice = Dice::of(world.seed, "primary", 0);
    let mut pod = world.topology.pod(service::ORDERS_DB, "prod", SERVICES[service::ORDERS_DB].version, &mut dice);
    // Writes, and reads that lock rows, run on the primary.
    if let Some(primary) = world.topology.pods.iter().find(|pod| pod.name == world.story.database_instance) {
        pod = primary;
    }
    let mut tags = pod.tags.to_vec();
    tags.push(format!("dbm_type:{kind}"));
    tags.push("dbms:postgres".to_owned());
    Event {
        at,
        own_id: None,
        status: "info",
        service: Some(if statement.user.starts_with("checkout") { "checkout" } else { "inventory" }),
        host: Arc::clone(&pod.host),
        index: "databasequery",
        message: statement.text.clone(),
        tags: tags.into(),
        attributes: Attributes::new(pairs),
    }
}

/// The plan since the deploy: the whole table is read.
fn scan(world: &World) -> serde_json::Value {
    json!({"Plan": {"Node Type": "LockRows", "Startup Cost": 0.0, "Total Cost": 48_211.6, "Plan Rows": 3, "Plan Width": 48, "Plans": [
        {"Node Type": "Seq Scan", "Relation Name": world.story.table, "Alias": world.story.table, "Startup Cost": 0.0, "Total Cost": 48_211.57,
            "Plan Rows": 3, "Plan Width": 48, "Filter": "((released_at IS NULL) AND (lower((sku)::text) = lower($1)))"}]}})
}

/// The plan before it: the partial index is used.
fn lookup(world: &World) -> serde_json::Value {
    json!({"Plan": {"Node Type": "LockRows", "Startup Cost": 0.43, "Total Cost": 8.44, "Plan Rows": 3, "Plan Width": 48, "Plans": [
        {"Node Type": "Index Scan", "Index Name": world.story.index, "Relation Name": world.story.table, "Alias": world.story.table,
            "Startup Cost": 0.43, "Total Cost": 8.41, "Plan Rows": 3, "Plan Width": 48, "Index Cond": "((sku)::text = $1)"}]}})
}
