//! Log events as a shop on Kubernetes writes them, made from a seed: nested attributes, 18–25 tags, some stack traces.

#![allow(clippy::format_push_string, clippy::needless_pass_by_value, reason = "tests")]

use serde_json::{Map, Value, json};

const SERVICES: [(&str, &str, &str); 6] = [
    ("checkout", "java", "com.shop.checkout"),
    ("payments", "java", "com.shop.payments"),
    ("catalogue", "go", "catalogue"),
    ("web-store", "nodejs", "web-store"),
    ("inventory", "python", "inventory"),
    ("shipping", "java", "com.shop.shipping"),
];
const STATUSES: [&str; 10] = ["info", "info", "info", "info", "info", "warn", "warn", "error", "error", "info"];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "okhttp/4.12.0",
    "kube-probe/1.31",
];

/// xorshift64*: the same events on every machine.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 33) % n
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    fn hex(&mut self, chars: usize) -> String {
        let mut text = String::new();
        while text.len() < chars {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(chars);
        text
    }
}

/// `count` records of a log search, newest first.
pub(super) fn events(count: usize) -> Vec<Value> {
    let mut dice = Dice::new(42);
    (0..count).map(|at| event(at, &mut dice)).collect()
}

fn event(at: usize, dice: &mut Dice) -> Value {
    let which = dice.below(6) as usize;
    let (service, source, package) = SERVICES[which];
    let pod = dice.below(3);
    let status = *dice.pick(&STATUSES);
    let millis = 1_763_784_900_000_i64 - at as i64 * 2_317 - dice.below(900) as i64;
    let time = jiff::Timestamp::from_millisecond(millis).map(|time| format!("{time:.3}")).unwrap_or_default();
    let host = format!("ip-10-42-{}-{}.eu-west-1.compute.internal", which * 3, 11 + pod * 37);
    let trace = dice.hex(32);
    let span = dice.next().to_string();
    let order = 480_000 + dice.below(20_000);
    let took = 3 + dice.below(2_400);
    let (message, special) = story(service, package, status, order, took, dice);
    let mut attributes = Map::new();
    attributes.insert("timestamp".into(), json!(millis));
    attributes.insert("level".into(), json!(status.to_uppercase()));
    attributes.insert("logger".into(), json!({"name": format!("{package}.{}", dice.pick(&["RequestHandler", "OrderService", "HttpClient"])), "thread_name": format!("http-nio-8080-exec-{}", dice.below(12))}));
    attributes
        .insert("dd".into(), json!({"trace_id": trace, "span_id": span, "env": "prod", "service": service, "version": version(which)}));
    attributes.insert("mdc".into(), json!({"correlation_id": format!("{}-{}", dice.hex(8), dice.hex(12)), "tenant": dice.pick(&["ie", "de", "fr"]), "shard": dice.below(16)}));
    attributes.insert("process".into(), json!({"pid": 1, "runtime": {"name": source, "version": "21.0.5"}}));
    attributes.insert("duration".into(), json!(took * 1_000_000 + dice.below(1_000_000)));
    if let Value::Object(special) = special {
        attributes.extend(special);
    }
    json!({
        "id": format!("AwAAA{}{}", dice.hex(12), "AAAAYGVmMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw".get(..30).unwrap_or_default()),
        "type": "log",
        "attributes": {
            "service": service, "host": host, "status": status, "timestamp": time,
            "message": message, "tags": tags(which, pod, source), "attributes": attributes,
        }
    })
}

fn version(which: usize) -> String {
    format!("2026.11.{}-{}", 12 + which, 100 + which * 7)
}

fn story(service: &str, package: &str, status: &str, order: u64, took: u64, dice: &mut Dice) -> (String, Value) {
    let request = format!("{}-{}-4{}-a{}-{}", dice.hex(8), dice.hex(4), dice.hex(3), dice.hex(3), dice.hex(12));
    let path = dice.pick(&["/api/v2/orders", "/api/v2/cart/items", "/api/v2/payments/authorize", "/api/v2/stock/reserve"]).to_string();
    let code = match status {
        "error" => *dice.pick(&[500, 502, 504]),
        "warn" => *dice.pick(&[409, 429, 200]),
        _ => *dice.pick(&[200, 200, 201]),
    };
    let http = json!({
        "method": if code == 201 { "POST" } else { *dice.pick(&["GET", "POST"]) }, "status_code": code,
        "url": format!("https://shop.example.com{path}/{order}"), "url_details": {"path": format!("{path}/{order}"), "host": "shop.example.com", "scheme": "https"},
        "useragent": dice.pick(&AGENTS), "useragent_details": {"browser": {"family": dice.pick(&["Chrome", "Mobile Safari", "Other"])}, "device": {"category": dice.pick(&["Desktop", "Mobile", "Other"])}},
        "referer": format!("https://shop.example.com/checkout/step-{}", 1 + dice.below(4)), "request_id": request, "version": "1.1", "status_category": "OK",
    });
    let network = json!({"client": {"ip": format!("203.0.113.{}", dice.below(250)), "port": 30_000 + dice.below(30_000), "geoip": {"country": {"name": "Ireland", "iso_code": "IE"}, "city": {"name": dice.pick(&["Dublin", "Cork", "Galway"])}, "as": {"number": "AS64496", "name": "Example Networks"}}}, "bytes_written": dice.below(9_000)});
    let usr = json!({"id": format!("u-{}", 10_000 + dice.below(40_000)), "plan": dice.pick(&["free", "plus", "business"])});
    match status {
        "error" => {
            let (kind, why) = *dice.pick(&[
                ("java.sql.SQLTransientConnectionException", "HikariPool-1 - Connection is not available, request timed out after 30000ms"),
                ("java.net.SocketTimeoutException", "Read timed out while calling payments.prod.svc.cluster.local:8443"),
            ]);
            let message = format!(
                "Request {path}/{order} failed after {took} ms for order {order}: {kind}: {why} (attempt {} of 3)",
                1 + dice.below(3)
            );
            let stack = stack(kind, why, package, took);
            (message, json!({"http": http, "network": network, "usr": usr, "error": {"kind": kind, "message": why, "stack": stack}}))
        }
        "warn" => {
            let message = format!(
                "Slow query on orders_db: SELECT o.id, o.total FROM orders o WHERE o.region = 'eu' AND o.state IN ('open','held') took {took} ms, {} rows",
                dice.below(5_000)
            );
            let signature = dice.hex(16);
            (
                message,
                json!({"db": {"instance": "orders_db", "user": service, "rows": dice.below(5_000), "query_signature": signature, "statement": "SELECT o.id, o.total FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.region = ? AND o.state IN (?)"}, "usr": usr}),
            )
        }
        _ => match dice.below(3) {
            0 => (
                format!(
                    "{} {path}/{order} HTTP/1.1 {code} {} bytes in {took} ms, client 203.0.113.{}, request {request}",
                    http["method"].as_str().unwrap_or("GET"),
                    dice.below(9_000),
                    dice.below(250)
                ),
                json!({"http": http, "network": network}),
            ),
            1 => (
                format!(
                    "{{\"event\":\"order_placed\",\"order\":{order},\"items\":{},\"total\":\"{}.{:02} EUR\",\"carrier\":\"{}\",\"took_ms\":{took}}}",
                    1 + dice.below(9),
                    dice.below(400),
                    dice.below(100),
                    dice.pick(&["dhl", "ups", "gls"])
                ),
                json!({"http": http, "usr": usr, "order": {"id": order, "items": 1 + dice.below(9)}}),
            ),
            _ => (
                format!(
                    "Reserved stock for order {order} in warehouse {} ({} of {} lines, {took} ms)",
                    dice.pick(&["DUB-2", "FRA-1", "AMS-4"]),
                    1 + dice.below(4),
                    4 + dice.below(4)
                ),
                json!({"order": {"id": order, "items": 1 + dice.below(9)}, "usr": usr, "network": network}),
            ),
        },
    }
}

fn stack(kind: &str, why: &str, package: &str, took: u64) -> String {
    let mut stack = format!("{kind}: {why}\n");
    let frames = [
        ("Handler.handle", 88),
        ("service.OrderService.place", 214),
        ("service.OrderService.reserve", 131),
        ("client.PaymentsClient.call", 57),
        ("db.Repository.load", 42),
    ];
    for (frame, line) in frames {
        stack.push_str(&format!("\tat {package}.{frame}({}.java:{line})\n", frame.split('.').next_back().unwrap_or("Main")));
    }
    for (frame, line) in [
        ("filter.OncePerRequestFilter.doFilter", 116),
        ("servlet.FrameworkServlet.service", 885),
        ("servlet.DispatcherServlet.doDispatch", 1089),
        ("method.InvocableHandlerMethod.doInvoke", 255),
    ] {
        stack.push_str(&format!("\tat org.springframework.web.{frame}({}.java:{line})\n", frame.split('.').nth(1).unwrap_or("Main")));
    }
    stack.push_str("\tat java.base/java.lang.Thread.run(Thread.java:1583)\n");
    if took.is_multiple_of(3) {
        stack.push_str("Caused by: java.net.ConnectException: Connection refused\n\t... 31 more");
    }
    stack
}

fn tags(which: usize, pod: u64, source: &str) -> Vec<String> {
    let (service, _, _) = SERVICES[which];
    let mut dice = Dice::new(1_000 + which as u64 * 10 + pod);
    let mut set = Dice::new(2_000 + which as u64);
    let replica_set = format!("{service}-{}", set.hex(10));
    let pod_name = format!("{replica_set}-{}", dice.hex(5));
    let version = version(which);
    let mut tags = vec![
        "env:prod".to_owned(),
        format!("service:{service}"),
        format!("version:{version}"),
        "kube_cluster_name:shop-prod-eu1".to_owned(),
        format!("kube_namespace:{}", if which < 3 { "shop-core" } else { "shop-edge" }),
        format!("kube_deployment:{service}"),
        format!("kube_replica_set:{replica_set}"),
        format!("pod_name:{pod_name}"),
        format!("kube_container_name:{service}"),
        format!("container_name:k8s_{service}_{pod_name}"),
        format!("container_id:{}", dice.hex(64)),
        format!("image_name:registry.example.com/shop/{service}"),
        format!("short_image:{service}"),
        format!("image_tag:{version}"),
        format!("git.commit.sha:{}", set.hex(40)),
        format!("git.repository_url:github.com/example/{service}"),
        format!("availability-zone:eu-west-1{}", ["a", "b", "c"][pod as usize]),
        "region:eu-west-1".to_owned(),
        "cloud_provider:aws".to_owned(),
        format!("source:{source}"),
        "datacenter:eu1".to_owned(),
        "kube_ownerref_kind:replicaset".to_owned(),
        format!("kube_ownerref_name:{replica_set}"),
        format!("image_id:registry.example.com/shop/{service}@sha256:{}", set.hex(64)),
    ];
    if which.is_multiple_of(2) {
        tags.push(format!("team:{}", ["orders", "goods", "logistics"][which / 2]));
    }
    if pod == 2 {
        tags.push("kube_qos:burstable".to_owned());
        tags.push("pod_phase:running".to_owned());
    }
    tags
}
