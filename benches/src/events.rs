//! Log events as a shop on Kubernetes writes them, the same on every machine: nested attributes, cluster tags, some stack traces.

use serde_json::{Value, json};

/// Time of the newest event, milliseconds: 2026-11-22T10:00:00Z.
const NEWEST_MS: i64 = 1_795_341_600_000;

/// How much an event carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// About 2.4 kB, as most services write.
    Usual,
    /// About 22 kB: a long stack trace and an order with all its lines.
    Heavy,
}

/// A service of the shop.
#[derive(Debug)]
struct Service {
    name: &'static str,
    language: &'static str,
    package: &'static str,
    team: &'static str,
}

const SERVICES: [Service; 5] = [
    Service { name: "cart-api", language: "java", package: "com.example.cart", team: "basket" },
    Service { name: "payment-gateway", language: "java", package: "com.example.payments", team: "money" },
    Service { name: "storefront", language: "nodejs", package: "storefront", team: "web" },
    Service { name: "stock-keeper", language: "go", package: "stockkeeper", team: "goods" },
    Service { name: "price-engine", language: "python", package: "price_engine", team: "goods" },
];

const ROUTES: [&str; 6] = ["/v3/carts", "/v3/payments/capture", "/v3/stock/holds", "/v3/prices/quote", "/v3/orders", "/v3/sessions"];

const BROWSERS: [&str; 3] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "shop-android/8.14.2 (Android 16; Pixel 9)",
];

const FAILURES: [(&str, &str); 3] = [
    ("java.net.SocketTimeoutException", "Read timed out waiting for ledger.money.svc:9443"),
    ("com.zaxxer.hikari.pool.PoolTimeoutException", "orders-pool: no connection within 2000 ms (active=40, idle=0, waiting=118)"),
    ("java.lang.IllegalStateException", "Hold expired before capture"),
];

/// A repeatable source of numbers (splitmix64).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len() as u64) as usize]
    }

    fn hex(&mut self, digits: usize) -> String {
        let parts: Vec<String> = (0..digits.div_ceil(16)).map(|_| format!("{:016x}", self.roll())).collect();
        let mut text = parts.concat();
        text.truncate(digits);
        text
    }
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plot {
    Access,
    Business,
    SlowQuery,
    Failure,
}

impl Plot {
    /// Of ten events five are requests, two business events, one a slow query and two failures.
    fn of(at: usize) -> Self {
        match at % 10 {
            3 | 8 => Self::Failure,
            5 => Self::SlowQuery,
            1 | 6 => Self::Business,
            _ => Self::Access,
        }
    }

    fn status(self) -> &'static str {
        match self {
            Self::Access | Self::Business => "info",
            Self::SlowQuery => "warn",
            Self::Failure => "error",
        }
    }
}

/// The event at a place of the answer, newest first: one element of `data` of `POST /api/v2/logs/events/search`
/// (`LogsListResponse` of Datadog's OpenAPI).
#[must_use]
pub fn event(at: usize, weight: Weight) -> Value {
    let mut dice = Dice(0x5EED_0000 + at as u64);
    let which = dice.below(SERVICES.len() as u64) as usize;
    let service = &SERVICES[which];
    let replica = dice.below(3);
    let plot = Plot::of(at);
    let took_ms = 2 + dice.below(900);
    let time_ms = NEWEST_MS - at as i64 * 1_871 - dice.below(1_500) as i64;
    let order = format!("ord-{}", 7_300_000 + dice.below(90_000));
    let (message, mut attributes) = match plot {
        Plot::Access => access(&mut dice, took_ms),
        Plot::Business => business(&mut dice, &order),
        Plot::SlowQuery => slow_query(&mut dice, took_ms),
        Plot::Failure => failure(&mut dice, service, &order, weight),
    };
    let common = json!({
        "trace_id": dice.hex(32),
        "span_id": dice.roll().to_string(),
        "dd": {"env": "prod", "service": service.name, "version": version(which)},
        "logger": {"name": format!("{}.{}", service.package, dice.pick(&["http", "orders", "db"])), "thread_name": format!("worker-{}", dice.below(16))},
        "usr": {"id": format!("u{}", 100_000 + dice.below(800_000)), "country": dice.pick(&["FR", "DE", "PL", "IE"])},
        "session_id": format!("{}-{}-{}", dice.hex(8), dice.hex(4), dice.hex(12)),
        "duration": took_ms * 1_000_000 + dice.below(1_000_000),
        "feature_flags": {"new_checkout": dice.below(2) == 0, "price_cache": "v2"},
    });
    for part in [common, if weight == Weight::Heavy { order_lines(&mut dice) } else { Value::Null }] {
        if let (Value::Object(attributes), Value::Object(part)) = (&mut attributes, part) {
            attributes.extend(part);
        }
    }
    json!({
        "id": format!("AwAAAZr{}AAABhB{}", dice.hex(10), dice.hex(28)),
        "type": "log",
        "attributes": {
            "status": plot.status(),
            "service": service.name,
            "host": host(which, replica),
            "timestamp": jiff::Timestamp::from_millisecond(time_ms).map(|time| format!("{time:.3}")).unwrap_or_default(),
            "message": message,
            "tags": tags(which, replica),
            "attributes": attributes,
        }
    })
}

fn version(which: usize) -> String {
    format!("4.{}.{}", 10 + which * 3, which)
}

fn host(which: usize, replica: u64) -> String {
    format!("ip-10-20-{}-{}.eu-central-1.compute.internal", 40 + which, 10 + replica * 31)
}

fn access(dice: &mut Dice, took_ms: u64) -> (String, Value) {
    let route = dice.pick(&ROUTES);
    let id = 10_000 + dice.below(80_000);
    let method = dice.pick(&["GET", "POST", "PUT"]);
    let code = *dice.pick(&[&200, &201, &204, &304]);
    let bytes = 80 + dice.below(20_000);
    let address = format!("198.51.100.{}", dice.below(255));
    let request = format!("{}-{}", dice.hex(8), dice.hex(8));
    let message = format!(
        "{address} {method} {route}/{id} -> {code} {bytes}B {took_ms}ms rid={request} upstream={}:8080",
        dice.pick(&["cart", "ledger", "stock"])
    );
    let attributes = json!({
        "http": {
            "method": method, "status_code": code, "version": "2", "request_id": request,
            "url": format!("https://shop.example.com{route}/{id}?lang=en"),
            "url_details": {"scheme": "https", "host": "shop.example.com", "path": format!("{route}/{id}"), "queryString": {"lang": "en"}},
            "useragent": dice.pick(&BROWSERS),
            "useragent_details": {"os": {"family": dice.pick(&["Windows", "iOS", "Android"])}, "browser": {"family": dice.pick(&["Chrome", "Mobile Safari", "Other"])}},
            "referer": "https://shop.example.com/basket",
        },
        "network": {
            "client": {"ip": address, "geoip": {"country": {"name": "Germany", "iso_code": "DE"}, "city": {"name": dice.pick(&["Berlin", "Hamburg", "Essen"])}}},
            "bytes_written": bytes,
        },
    });
    (message, attributes)
}

fn business(dice: &mut Dice, order: &str) -> (String, Value) {
    let lines = 1 + dice.below(12);
    let cents = 900 + dice.below(90_000);
    let carrier = dice.pick(&["dpd", "hermes", "posten"]);
    let hold = dice.hex(12);
    let message = format!(
        "Order {order} placed: {lines} lines, {}.{:02} EUR, carrier {carrier}, stock hold {hold} until capture",
        cents / 100,
        cents % 100
    );
    let attributes = json!({
        "event": {"name": "order.placed", "outcome": "success", "category": ["order", "stock"]},
        "order": {"id": order, "lines": lines, "total_cents": cents, "currency": "EUR", "carrier": carrier, "hold": hold, "coupon": Value::Null},
        "kafka": {"topic": "orders.placed.v2", "partition": dice.below(24), "offset": 91_000_000 + dice.below(4_000_000), "key": order},
        "billing": {"provider": "example-pay", "method": dice.pick(&["card", "invoice", "wallet"]), "authorization": format!("auth_{}", dice.hex(20)), "captured": false},
    });
    (message, attributes)
}

fn slow_query(dice: &mut Dice, took_ms: u64) -> (String, Value) {
    let took_ms = took_ms + 1_200;
    let rows = dice.below(40_000);
    let message = format!(
        "slow query on orders: {took_ms} ms, {rows} rows, SELECT h.sku, h.amount FROM holds h JOIN carts c ON c.id = h.cart_id WHERE c.state = 'open'"
    );
    let attributes = json!({
        "db": {
            "system": "postgresql", "name": "orders", "user": "orders_rw", "rows": rows, "duration_ms": took_ms, "signature": dice.hex(16),
            "statement": "SELECT h.sku, h.amount FROM holds h JOIN carts c ON c.id = h.cart_id WHERE c.state = ? AND h.expires_at < now() ORDER BY h.expires_at LIMIT ?",
            "pool": {"name": "orders-pool", "active": dice.below(40), "idle": dice.below(10), "waiting": dice.below(60)},
        },
    });
    (message, attributes)
}

fn failure(dice: &mut Dice, service: &Service, order: &str, weight: Weight) -> (String, Value) {
    let (kind, why) = FAILURES[dice.below(FAILURES.len() as u64) as usize];
    let attempt = 1 + dice.below(4);
    let route = dice.pick(&ROUTES);
    let code = *dice.pick(&[&500, &502, &503, &504]);
    let message = format!("{route} failed for {order} with {code} on attempt {attempt}: {kind}: {why}");
    let frames = if weight == Weight::Heavy { 190 } else { 9 };
    let attributes = json!({
        "error": {"kind": kind, "message": why, "stack": stack(dice, service, kind, why, frames)},
        "http": {"method": "POST", "status_code": code, "url_details": {"path": route, "host": "shop.example.com"}, "request_id": dice.hex(16)},
        "order": {"id": order},
        "retry": {"attempt": attempt, "backoff_ms": 100 << attempt, "budget_left": dice.below(5)},
    });
    (message, attributes)
}

fn stack(dice: &mut Dice, service: &Service, kind: &str, why: &str, frames: usize) -> String {
    let frame = |at: usize| {
        let (package, class, method) = match at % 5 {
            0 => (service.package, "PaymentClient", "capture"),
            1 => (service.package, "OrderFlow", "settle"),
            2 => ("org.springframework.web.servlet", "FrameworkServlet", "processRequest"),
            3 => ("org.apache.catalina.core", "ApplicationFilterChain", "doFilter"),
            _ => ("io.netty.channel", "AbstractChannelHandlerContext", "invokeChannelRead"),
        };
        format!("\n\tat {package}.{class}.{method}({class}.java:{})", 20 + dice.below(900))
    };
    format!("{kind}: {why}{}", (0..frames).map(frame).collect::<Vec<_>>().concat())
}

/// All lines of an order, as a service logs them when it dumps what it works on: about 16 kB.
fn order_lines(dice: &mut Dice) -> Value {
    let lines: Vec<Value> = (0..124)
        .map(|line| {
            json!({
                "line": line, "sku": format!("SKU-{}", dice.hex(8)), "amount": 1 + dice.below(5), "cents": dice.below(20_000),
                "warehouse": dice.pick(&["ber-1", "ham-2", "waw-1"]), "hold": {"id": dice.hex(12), "ok": dice.below(9) != 0},
            })
        })
        .collect();
    let dump: Vec<String> =
        (0..78).map(|at| format!("rule {at} {} -> {}", dice.pick(&["vat", "coupon", "bulk", "shipping"]), dice.hex(8))).collect();
    json!({"payload": {"lines": lines, "rules": dump.join("; ")}})
}

fn tags(which: usize, replica: u64) -> Vec<String> {
    let service = &SERVICES[which];
    // What belongs to a release is the same on its replicas, what belongs to a pod is not.
    let mut release = Dice(0xAB00 + which as u64);
    let mut pod = Dice(0xCD00 + which as u64 * 16 + replica);
    let set = format!("{}-{}", service.name, release.hex(10));
    let name = format!("{set}-{}", pod.hex(5));
    let version = version(which);
    vec![
        "env:prod".to_owned(),
        format!("service:{}", service.name),
        format!("version:{version}"),
        format!("source:{}", service.language),
        format!("team:{}", service.team),
        "kube_cluster_name:shop-eu-1".to_owned(),
        "kube_namespace:shop".to_owned(),
        format!("kube_deployment:{}", service.name),
        format!("kube_replica_set:{set}"),
        "kube_ownerref_kind:replicaset".to_owned(),
        format!("pod_name:{name}"),
        "pod_phase:running".to_owned(),
        format!("kube_container_name:{}", service.name),
        format!("container_id:{}", pod.hex(64)),
        format!("image_name:registry.example.com/shop/{}", service.name),
        format!("image_tag:{version}"),
        format!("git.commit.sha:{}", release.hex(40)),
        format!("git.repository_url:github.com/example/{}", service.name),
        format!("availability-zone:eu-central-1{}", ["a", "b", "c"][replica as usize]),
        "region:eu-central-1".to_owned(),
        "cloud_provider:aws".to_owned(),
        "instance-type:m7i.2xlarge".to_owned(),
        format!("display_container_name:{}_{name}", service.name),
        format!("instance-id:i-{}", pod.hex(17)),
        format!("kube_app_instance:{}-prod", service.name),
        "kube_qos:burstable".to_owned(),
        "orchestrator:kubernetes".to_owned(),
        format!("image_id:registry.example.com/shop/{}@sha256:{}", service.name, release.hex(64)),
        format!("container_name:k8s_{}_{name}_shop_{}", service.name, pod.hex(12)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn bytes(weight: Weight, count: usize) -> usize {
        (0..count).map(|at| event(at, weight).to_string().len()).sum::<usize>() / count
    }

    #[test]
    fn an_event_is_the_same_each_time_and_unlike_its_neighbour() {
        assert_eq!(event(7, Weight::Usual), event(7, Weight::Usual));
        assert_eq!(event(7, Weight::Heavy), event(7, Weight::Heavy));
        let ids: BTreeSet<String> = (0..500).map(|at| event(at, Weight::Usual)["id"].to_string()).collect();
        assert_eq!(ids.len(), 500);
    }

    #[test]
    fn sizes_are_those_that_the_figures_name() {
        for count in [10, 100, 1_000] {
            let mean = bytes(Weight::Usual, count);
            assert!((2_250..2_550).contains(&mean), "{count}: {mean}");
        }
        let mean = bytes(Weight::Heavy, 100);
        // A page of 1,000 must make the large answer.
        assert!((22_000..23_500).contains(&mean), "{mean}");
    }

    #[test]
    fn times_fall() {
        let times: Vec<String> = (0..200).map(|at| event(at, Weight::Usual)["attributes"]["timestamp"].to_string()).collect();
        assert!(times.is_sorted_by(|newer, older| newer > older), "{times:?}");
        assert_eq!(times[0].len(), "\"2026-11-22T10:00:00.000Z\"".len());
    }

    #[test]
    fn every_plot_and_nested_attributes_are_there() {
        let events: Vec<Value> = (0..10).map(|at| event(at, Weight::Usual)).collect();
        for pointer in [
            "/attributes/attributes/error/stack",
            "/attributes/attributes/db/pool/waiting",
            "/attributes/attributes/kafka/offset",
            "/attributes/attributes/http/url_details/host",
        ] {
            assert!(events.iter().any(|event| event.pointer(pointer).is_some()), "{pointer}");
        }
        assert!(events.iter().all(|event| event["attributes"]["tags"].as_array().is_some_and(|tags| tags.len() == 29)));
    }
}
