//! Metrics: a list of series and a function of time for each, so that any range and step can be asked for.

use super::World;
use super::topology::{SERVICES, service};
use crate::dice::Dice;
use std::f64::consts::TAU;

/// Family, name, plural, short name.
pub(crate) type Unit = (&'static str, &'static str, &'static str, &'static str);

pub(crate) const PERCENT: Unit = ("percentage", "percent", "percent", "%");
pub(crate) const SECOND: Unit = ("time", "second", "seconds", "s");
pub(crate) const NANOSECOND: Unit = ("time", "nanosecond", "nanoseconds", "ns");
pub(crate) const BYTE: Unit = ("bytes", "byte", "bytes", "B");
pub(crate) const CORE: Unit = ("cpu", "nanocore", "nanocores", "ncores");
pub(crate) const REQUEST: Unit = ("network", "request", "requests", "req");
pub(crate) const CONNECTION: Unit = ("network", "connection", "connections", "conn");
pub(crate) const ROW: Unit = ("db", "row", "rows", "row");

/// One metric.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: String,
    /// `gauge`, `count` or `distribution`.
    pub(crate) kind: &'static str,
    pub(crate) unit: Option<Unit>,
    pub(crate) about: &'static str,
    pub(crate) integration: Option<&'static str>,
    pub(crate) series: Vec<Series>,
}

/// One tag set and its course.
#[derive(Debug)]
pub(crate) struct Series {
    /// `key:value`.
    pub(crate) tags: Vec<String>,
    course: Course,
    seed: u64,
}

/// How a value runs. Counts are per second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Course {
    base: f64,
    /// Share of the base that day and night take.
    swing: f64,
    /// Share of the base that chance takes.
    noise: f64,
    /// The base since the deploy, when the story changes it.
    since: Option<f64>,
    /// Share of steps without a value.
    gaps: f64,
}

const fn steady(base: f64) -> Course {
    Course { base, swing: 0.25, noise: 0.08, since: None, gaps: 0.0 }
}

const fn broken(base: f64, since: f64) -> Course {
    Course { since: Some(since), ..steady(base) }
}

impl Series {
    /// The value at `at`; counts per second.
    pub(crate) fn value(&self, at: i64, now: i64, deployed: i64) -> Option<f64> {
        const KEPT: i64 = 450 * 86_400_000;
        if at > now || at < now - KEPT {
            return None;
        }
        let mut dice = Dice::of(self.seed, "point", (at / 10_000) as u64);
        if self.course.gaps > 0.0 && dice.chance(self.course.gaps) {
            return None;
        }
        let base = match self.course.since {
            // The rollout took a minute.
            Some(since) if at >= deployed => self.course.base + (since - self.course.base) * ((at - deployed) as f64 / 60_000.0).min(1.0),
            _ => self.course.base,
        };
        let day = ((at as f64 / 86_400_000.0).fract() - 0.33) * TAU;
        let value = base * (1.0 + self.course.swing * day.sin() + self.course.noise * (dice.unit() * 2.0 - 1.0));
        Some((value.max(0.0) * 1e6).round() / 1e6)
    }
}

/// Collects metrics.
struct Maker<'a> {
    world: &'a World,
    metrics: Vec<Metric>,
}

impl Maker<'_> {
    fn add(&mut self, name: &str, kind: &'static str, unit: Option<Unit>, about: &'static str, series: Vec<(Vec<String>, Course)>) {
        let number = |nth: usize| Dice::of(self.world.seed, name, nth as u64).next();
        let series = series.into_iter().enumerate().map(|(nth, (tags, course))| Series { tags, course, seed: number(nth) }).collect();
        let integration = name
            .split('.')
            .next()
            .and_then(|head| ["system", "kubernetes", "postgresql", "redis"].into_iter().find(|known| *known == head));
        self.metrics.push(Metric { name: name.to_owned(), kind, unit, about, integration, series });
    }
}

fn tags(list: &[&str]) -> Vec<String> {
    list.iter().map(|tag| (*tag).to_owned()).collect()
}

/// Every metric of the org.
pub(crate) fn make(world: &World) -> Vec<Metric> {
    let mut maker = Maker { world, metrics: Vec::new() };
    traces(&mut maker);
    database(&mut maker);
    machines(&mut maker);
    shop(&mut maker);
    maker.metrics.sort_by(|a, b| a.name.cmp(&b.name));
    maker.metrics
}

/// Operation, service, resource, requests per second, errors per second before and since, seconds before and since.
type Traced = (&'static str, &'static str, &'static str, f64, (f64, f64), (f64, f64));

fn traces(maker: &mut Maker<'_>) {
    let rows: [Traced; 12] = [
        ("web.request", "storefront", "GET /products/:sku", 41.0, (0.02, 0.02), (0.09, 0.1)),
        ("web.request", "storefront", "GET /search", 18.0, (0.03, 0.03), (0.13, 0.14)),
        ("web.request", "storefront", "POST /api/cart/items", 9.0, (0.01, 0.01), (0.05, 0.05)),
        ("web.request", "storefront", "POST /api/checkout", 4.2, (0.02, 1.7), (0.42, 4.6)),
        ("http.request", "storefront", "POST checkout", 4.2, (0.02, 1.7), (0.41, 4.6)),
        ("http.request", "storefront", "GET catalog", 59.0, (0.05, 0.05), (0.08, 0.08)),
        ("http.request", "checkout", "POST payment", 3.9, (0.01, 0.01), (0.15, 0.15)),
        ("servlet.request", "checkout", "POST /v1/orders", 4.1, (0.02, 1.6), (0.38, 4.5)),
        ("servlet.request", "checkout", "GET /v1/orders/{id}", 2.2, (0.0, 0.04), (0.03, 0.9)),
        ("http.server.request", "payment", "POST /v3/authorisations", 3.9, (0.01, 0.01), (0.14, 0.14)),
        ("express.request", "cart", "POST /v1/carts/:id/items", 9.0, (0.01, 0.01), (0.01, 0.01)),
        ("fastapi.request", "catalog", "GET /v2/products/{sku}", 41.0, (0.02, 0.02), (0.04, 0.04)),
    ];
    for operation in ["web.request", "http.request", "servlet.request", "http.server.request", "express.request", "fastapi.request"] {
        let of = |value: &dyn Fn(&Traced) -> Course| -> Vec<(Vec<String>, Course)> {
            let mut list = Vec::new();
            for row in rows.iter().filter(|row| row.0 == operation) {
                for (env, share) in [("prod", 1.0), ("staging", 0.01)] {
                    let mut course = value(row);
                    (course.base, course.since) = (course.base * share, course.since.filter(|_| env == "prod").map(|since| since * share));
                    list.push((vec![format!("env:{env}"), format!("service:{}", row.1), format!("resource_name:{}", row.2)], course));
                }
            }
            list
        };
        maker.add(&format!("trace.{operation}.hits"), "count", Some(REQUEST), "Spans of the operation", of(&|row| steady(row.3)));
        maker.add(
            &format!("trace.{operation}.errors"),
            "count",
            Some(REQUEST),
            "Spans of the operation that failed",
            of(&|row| broken(row.4.0, row.4.1)),
        );
        let latency = rows.iter().filter(|row| row.0 == operation).flat_map(|row| {
            ["prod", "staging"].map(|env| {
                let course = if env == "prod" { broken(row.5.0, row.5.1) } else { steady(row.5.0) };
                (
                    vec![format!("env:{env}"), format!("service:{}", row.1), format!("resource_name:{}", row.2)],
                    Course { swing: 0.05, ..course },
                )
            })
        });
        let latency = latency.collect();
        maker.add(&format!("trace.{operation}"), "distribution", Some(SECOND), "Latency of the operation", latency);
    }
}

fn database(maker: &mut Maker<'_>) {
    let story = &maker.world.story;
    let signature = |label| Dice::of(maker.world.seed, label, 0).hex(16);
    // Signature, calls per second before and since, milliseconds of each before and since.
    let statements = [
        (story.query_signature.clone(), (0.0, 4.0), (3.0, 2_900.0)),
        (signature("good-signature"), (4.0, 0.0), (3.0, 3.0)),
        (signature("insert-signature"), (3.8, 2.3), (2.0, 2.2)),
        (signature("stock-signature"), (55.0, 55.0), (3.0, 9.0)),
        (signature("update-signature"), (6.0, 4.0), (5.0, 40.0)),
        (signature("report-signature"), (0.01, 0.01), (900.0, 1_600.0)),
    ];
    let query = |pick: &dyn Fn((f64, f64), (f64, f64)) -> Course| -> Vec<(Vec<String>, Course)> {
        statements
            .iter()
            .map(|(signature, calls, ms)| {
                let tags = vec![
                    "env:prod".into(),
                    "service:orders-db".into(),
                    "db:orders".into(),
                    "database_instance:orders-db-0".into(),
                    format!("query_signature:{signature}"),
                ];
                (tags, pick(*calls, *ms))
            })
            .collect()
    };
    let time = query(&|calls, ms| broken(calls.0 * ms.0 * 1e6, calls.1 * ms.1 * 1e6));
    let count = query(&|calls, _| broken(calls.0, calls.1));
    let rows = query(&|calls, _| broken(calls.0 * 3.0, calls.1 * 3.0));
    let errors = query(&|calls, ms| broken(0.0, if ms.1 > 2_000.0 { calls.1 * 0.4 } else { 0.0 }));
    maker.add("postgresql.queries.time", "count", Some(NANOSECOND), "Time spent in a statement", time);
    maker.add("postgresql.queries.count", "count", None, "Executions of a statement", count);
    maker.add("postgresql.queries.rows", "count", Some(ROW), "Rows that a statement returned", rows);
    maker.add("postgresql.queries.errors", "count", None, "Executions of a statement that failed", errors);
    let node = |at: usize| {
        tags(&["env:prod", "service:orders-db", "db:orders", ["database_instance:orders-db-0", "database_instance:orders-db-1"][at]])
    };
    let table = |name: &str| [node(0), vec![format!("table:{name}")]].concat();
    maker.add(
        "postgresql.connections",
        "gauge",
        Some(CONNECTION),
        "Open connections",
        vec![(node(0), broken(48.0, 94.0)), (node(1), steady(12.0))],
    );
    maker.add(
        "postgresql.percent_usage_connections",
        "gauge",
        None,
        "Share of the allowed connections in use",
        vec![(node(0), broken(0.45, 0.93)), (node(1), steady(0.11))],
    );
    maker.add("postgresql.replication_delay", "gauge", Some(SECOND), "How far the standby is behind", vec![(node(1), steady(0.8))]);
    maker.add(
        "postgresql.seq_scans",
        "count",
        None,
        "Tables read whole",
        vec![(table("reservations"), broken(0.02, 4.0)), (table("orders"), steady(0.01)), (table("stock"), steady(0.05))],
    );
    maker.add(
        "postgresql.index_scans",
        "count",
        None,
        "Look-ups by an index",
        vec![(table("reservations"), broken(10.0, 6.0)), (table("orders"), steady(22.0)), (table("stock"), steady(60.0))],
    );
    maker.add(
        "postgresql.rows_fetched",
        "count",
        Some(ROW),
        "Rows read",
        vec![(node(0), broken(900.0, 1_900_000.0)), (node(1), steady(400.0))],
    );
}

fn machines(maker: &mut Maker<'_>) {
    let host = |course: &dyn Fn(&str) -> Course| -> Vec<(Vec<String>, Course)> {
        let machines = maker.world.topology.machines.iter();
        machines
            .map(|machine| {
                let database = machine.kind.starts_with("r6i");
                (
                    vec![
                        format!("host:{}", machine.name),
                        format!("env:{}", machine.env),
                        format!("availability-zone:{}", machine.zone),
                        format!("instance-type:{}", machine.kind),
                    ],
                    course(if database { "db" } else { "node" }),
                )
            })
            .collect()
    };
    let idle = host(&|kind| if kind == "db" { broken(71.0, 9.0) } else { steady(62.0) });
    let user = host(&|kind| if kind == "db" { broken(21.0, 78.0) } else { steady(28.0) });
    let load = host(&|kind| if kind == "db" { broken(2.4, 17.0) } else { steady(1.9) });
    let usable = host(&|_| Course { gaps: 0.03, ..steady(9.1e9) });
    let disk = host(&|_| Course { swing: 0.0, noise: 0.002, ..steady(0.41) });
    maker.add("system.cpu.idle", "gauge", Some(PERCENT), "CPU time spent idle", idle);
    maker.add("system.cpu.user", "gauge", Some(PERCENT), "CPU time spent in programs", user);
    maker.add("system.load.1", "gauge", None, "Load average of a minute", load);
    maker.add("system.mem.usable", "gauge", Some(BYTE), "Memory that can be had", usable);
    maker.add("system.disk.in_use", "gauge", None, "Share of the disk in use", disk);
    let pods = |course: &dyn Fn(usize) -> Course| -> Vec<(Vec<String>, Course)> {
        let pods = maker.world.topology.pods.iter().filter(|pod| pod.service != service::ORDERS_DB);
        pods.map(|pod| {
            let name = SERVICES[pod.service].name;
            (
                vec![
                    format!("env:{}", pod.env),
                    format!("service:{name}"),
                    format!("kube_deployment:{name}"),
                    format!("pod_name:{}", pod.name),
                    format!("version:{}", pod.version),
                    format!("kube_cluster_name:larkspur-{}", pod.env),
                    format!("host:{}", pod.host),
                ],
                course(pod.service),
            )
        })
        .collect()
    };
    let cpu = pods(&|_| steady(2.1e8));
    let memory = pods(&|at| steady(if at == service::CHECKOUT { 1.3e9 } else { 4.4e8 }));
    let restarts = pods(&|_| steady(0.0));
    let heap: Vec<_> = pods(&|_| steady(9.0e8)).into_iter().filter(|(tags, _)| tags.iter().any(|tag| tag == "service:checkout")).collect();
    let active = heap.iter().map(|(tags, _)| (tags.clone(), broken(4.0, 20.0))).collect();
    let pending = heap.iter().map(|(tags, _)| (tags.clone(), broken(0.0, 24.0))).collect();
    maker.add("kubernetes.cpu.usage.total", "gauge", Some(CORE), "CPU of a pod", cpu);
    maker.add("kubernetes.memory.usage", "gauge", Some(BYTE), "Memory of a pod", memory);
    maker.add("kubernetes.containers.restarts", "gauge", None, "Restarts of containers", restarts);
    maker.add("jvm.heap_memory", "gauge", Some(BYTE), "Heap in use", heap);
    maker.add("hikaricp.connections.active", "gauge", Some(CONNECTION), "Connections of the pool in use", active);
    maker.add("hikaricp.connections.pending", "gauge", None, "Threads waiting for a connection", pending);
}

fn shop(maker: &mut Maker<'_>) {
    let both = |service: &str, course: Course| {
        vec![
            (vec!["env:prod".to_owned(), format!("service:{service}")], course),
            (vec!["env:staging".to_owned(), format!("service:{service}")], steady(0.01)),
        ]
    };
    let provider = |course| vec![(tags(&["env:prod", "service:payment", "provider:stellapay"]), course)];
    maker.add("redis.mem.used", "gauge", Some(BYTE), "Memory of the carts", both("cart", steady(3.1e9)));
    maker.add(
        "redis.mem.maxmemory",
        "gauge",
        Some(BYTE),
        "Memory allowed for the carts",
        both("cart", Course { swing: 0.0, noise: 0.0, ..steady(6.4e9) }),
    );
    maker.add("shop.orders.placed", "count", None, "Orders paid", both("checkout", broken(3.9, 2.2)));
    maker.add("shop.orders.value", "count", None, "Cents of orders paid", both("checkout", broken(21_000.0, 12_000.0)));
    maker.add("shop.cart.abandoned", "count", None, "Carts left at checkout", both("storefront", broken(0.9, 2.4)));
    maker.add("shop.payment.declined", "count", None, "Cards declined", provider(steady(0.19)));
    maker.add(
        "shop.stock.updates",
        "count",
        None,
        "Updates from the warehouse",
        vec![(tags(&["env:prod", "service:inventory"]), steady(12.0))],
    );
    maker.add("shop.mail.sent", "count", None, "Mails sent", both("notification", steady(4.0)));
    maker.add("shop.mail.bounced", "count", None, "Mails returned", both("notification", steady(0.03)));
    for feature in
        ["gallery", "recommendations", "express", "gift_wrap", "reviews", "wishlist", "newsletter", "store_finder", "returns", "loyalty"]
    {
        for measure in
            ["exposures", "clicks", "conversions", "errors", "opt_outs", "latency", "cache_hits", "cache_misses", "renders", "retries"]
        {
            maker.add(
                &format!("shop.feature.{feature}.{measure}"),
                "count",
                None,
                "Feature experiment",
                vec![(tags(&["env:prod", "service:storefront"]), Course { gaps: 0.2, ..steady(0.4) })],
            );
        }
    }
}
