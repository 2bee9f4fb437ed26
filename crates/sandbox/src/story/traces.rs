//! The trace of one request, span by span, and the trace of the nightly reindex, which has thousands.

use super::World;
use super::lines::{code, route};
use super::requests::{Fate, Kind, Names, Request};
use super::spans::{SLOW_QUERY, Span, span_id};
use super::topology::{SERVICES, service};
use crate::dice::Dice;
use crate::json::{Attributes, Scalar};
use std::borrow::Cow;
use std::sync::Arc;

const MS: i64 = 1_000_000;

type Pairs = Vec<(&'static str, Scalar)>;

/// What sets one span apart from its siblings.
struct Part {
    number: u64,
    parent: u64,
    service: usize,
    operation: &'static str,
    resource: Cow<'static, str>,
    kind: &'static str,
    /// Milliseconds after the request began, and how long.
    from: i64,
    took: i64,
    error: bool,
    pairs: Pairs,
}

/// Adds the spans of `request`.
pub(crate) fn tell(world: &World, request: &Request, out: &mut Vec<Span>) {
    let names = request.names(world.seed);
    let mut dice = request.dice(world.seed, "trace");
    let parts = match request.kind {
        Kind::Checkout => checkout(world, request, &names, &mut dice),
        Kind::Cart => simple(
            request,
            &names,
            service::CART,
            "express.request",
            "POST /v1/carts/:id/items",
            Some(("redis.command", "HSET", "cache")),
            &mut dice,
        ),
        Kind::Browse => simple(
            request,
            &names,
            service::CATALOG,
            "fastapi.request",
            "GET /v2/products/{sku}",
            Some(("redis.command", "GET", "cache")),
            &mut dice,
        ),
        Kind::Search => simple(
            request,
            &names,
            service::CATALOG,
            "fastapi.request",
            "GET /v2/search",
            Some(("elasticsearch.query", "POST /plants-v12/_search", "elasticsearch")),
            &mut dice,
        ),
    };
    out.extend(parts.into_iter().map(|part| span(world, request, part, &mut dice)));
}

/// Storefront, one service behind it, and what that one asks.
fn simple(
    request: &Request,
    names: &Names,
    behind: usize,
    operation: &'static str,
    resource: &'static str,
    store: Option<(&'static str, &'static str, &'static str)>,
    dice: &mut Dice,
) -> Vec<Part> {
    let failed = request.fate == Fate::Hiccup;
    let took = if failed { dice.between(900, 2_800) } else { dice.between(14, 190) };
    let mut parts = front(request, names, behind, took);
    let reset = || vec![("error.type", "ConnectionResetError".into()), ("error.message", "connection reset by peer".into())];
    parts.push(Part {
        number: if behind == service::CART { 4 } else { 3 },
        parent: 2,
        service: behind,
        operation,
        resource: resource.into(),
        kind: "web",
        from: 4,
        took: (took - 8).max(3),
        error: failed,
        pairs: if failed { reset() } else { vec![("http.status_code", "200".into())] },
    });
    if let Some((operation, resource, kind)) = store {
        let parent = if behind == service::CART { 4 } else { 3 };
        parts.push(Part {
            number: 5,
            parent,
            service: behind,
            operation,
            resource: resource.into(),
            kind,
            from: 6,
            took: (took - 12).clamp(1, 40),
            error: failed,
            pairs: vec![("span.kind", "client".into())],
        });
    }
    parts
}

/// The storefront's own two spans.
fn front(request: &Request, names: &Names, behind: usize, took: i64) -> Vec<Part> {
    let (method, route, path) = route(request.kind, names);
    let status = code(request.kind, request.fate);
    let failed = status >= 500;
    let mut server: Pairs = vec![
        ("http.method", method.into()),
        ("http.route", route.into()),
        ("http.status_code", status.to_string().into()),
        ("http.url", format!("https://shop.larkspur.example{path}").into()),
        ("http.client_ip", names.ip.clone().into()),
        ("usr.id", names.customer.clone().into()),
        ("span.kind", "server".into()),
    ];
    let mut client: Pairs = vec![
        ("http.method", method.into()),
        ("http.status_code", status.to_string().into()),
        ("peer.service", SERVICES[behind].name.into()),
        ("span.kind", "client".into()),
    ];
    if failed {
        server.extend([
            ("error.type", "UpstreamTimeout".into()),
            ("error.message", format!("{} did not answer within 5000 ms", SERVICES[behind].name).into()),
        ]);
        client.extend([("error.type", "ETIMEDOUT".into()), ("error.message", "request timed out".into())]);
    }
    vec![
        Part {
            number: 1,
            parent: 0,
            service: service::STOREFRONT,
            operation: "web.request",
            resource: format!("{method} {route}").into(),
            kind: "web",
            from: 0,
            took,
            error: failed,
            pairs: server,
        },
        Part {
            number: 2,
            parent: 1,
            service: service::STOREFRONT,
            operation: "http.request",
            resource: format!("{method} {}", SERVICES[behind].name).into(),
            kind: "http",
            from: 2,
            took: took - 3,
            error: failed,
            pairs: client,
        },
    ]
}

fn checkout(world: &World, request: &Request, names: &Names, dice: &mut Dice) -> Vec<Part> {
    let story = &world.story;
    let lookup = request.lookup_ms(world.seed);
    let broken = matches!(request.fate, Fate::TimedOut);
    let reset = request.fate == Fate::Hiccup;
    let declined = request.fate == Fate::Declined;
    let paying = if reset { 712 } else { dice.between(70, 210) };
    let whole = if broken { 5_000 + dice.between(1, 19) } else { lookup + paying + dice.between(60, 110) };
    let bad_version = request.env == "prod" && request.at >= story.deployed;
    let statement: Cow<'static, str> = if bad_version {
        story.statement.clone().into()
    } else {
        "SELECT id, sku, quantity, expires_at FROM reservations WHERE sku = $1 AND released_at IS NULL FOR UPDATE".into()
    };
    let signature = if bad_version { story.query_signature.clone() } else { Dice::of(world.seed, "good-signature", 0).hex(16) };
    let sql = |table: &str, signature: String| -> Pairs {
        vec![
            ("db.system", "postgresql".into()),
            ("db.name", "orders".into()),
            ("db.instance", story.database_instance.clone().into()),
            ("db.sql.table", table.to_owned().into()),
            ("db.query_signature", signature.into()),
            ("_dd.dbm_trace_injected", "true".into()),
            ("peer.hostname", format!("{}.larkspur.internal", story.database_instance).into()),
            ("span.kind", "client".into()),
        ]
    };
    let mut parts = front(request, names, service::CHECKOUT, whole);
    let own: Pairs = vec![
        ("http.method", "POST".into()),
        ("http.route", "/v1/orders".into()),
        (
            "http.status_code",
            if broken {
                "503"
            } else if reset {
                "502"
            } else if declined {
                "402"
            } else {
                "201"
            }
            .into(),
        ),
        ("order.id", names.order.clone().into()),
        ("cart.id", names.cart.clone().into()),
        ("language", "jvm".into()),
        ("span.kind", "server".into()),
    ];
    let fault: Pairs = match request.fate {
        Fate::TimedOut => vec![
            ("error.type", "org.springframework.dao.QueryTimeoutException".into()),
            ("error.message", "ERROR: canceling statement due to statement timeout".into()),
            ("error.stack", super::lines::timeout_stack().into()),
            ("issue.id", story.issue_id.clone().into()),
        ],
        Fate::Hiccup => vec![("error.type", "java.net.SocketException".into()), ("error.message", "Connection reset".into())],
        _ => Vec::new(),
    };
    let with = |mut pairs: Pairs, more: &Pairs| {
        pairs.extend(more.iter().cloned());
        pairs
    };
    parts.push(Part {
        number: 3,
        parent: 2,
        service: service::CHECKOUT,
        operation: "servlet.request",
        resource: "POST /v1/orders".into(),
        kind: "web",
        from: 4,
        took: whole + if broken { 18 } else { -8 },
        error: broken || reset,
        pairs: with(own, &fault),
    });
    parts.push(Part {
        number: 4,
        parent: 3,
        service: service::CART,
        operation: "express.request",
        resource: "GET /v1/carts/:id".into(),
        kind: "web",
        from: 8,
        took: dice.between(3, 9),
        error: false,
        pairs: vec![("http.status_code", "200".into()), ("cart.id", names.cart.clone().into())],
    });
    parts.push(Part {
        number: 5,
        parent: 4,
        service: service::CART,
        operation: "redis.command",
        resource: "HGETALL".into(),
        kind: "cache",
        from: 9,
        took: 2,
        error: false,
        pairs: vec![("span.kind", "client".into())],
    });
    let lookup_fault: Pairs = if broken { fault.iter().take(2).cloned().collect() } else { Vec::new() };
    parts.push(Part {
        number: SLOW_QUERY,
        parent: 3,
        service: service::ORDERS_DB,
        operation: "postgresql.query",
        resource: statement,
        kind: "sql",
        from: 19,
        took: lookup,
        error: broken,
        pairs: with(sql("reservations", signature), &lookup_fault),
    });
    if broken {
        return parts;
    }
    let after = 19 + lookup + 4;
    parts.push(Part {
        number: 7,
        parent: 3,
        service: service::CHECKOUT,
        operation: "http.request",
        resource: "POST payment".into(),
        kind: "http",
        from: after,
        took: paying,
        error: reset,
        pairs: with(vec![("peer.service", "payment".into()), ("span.kind", "client".into())], &fault),
    });
    if reset {
        return parts;
    }
    let outcome = if declined { "402" } else { "200" };
    parts.push(Part {
        number: 8,
        parent: 7,
        service: service::PAYMENT,
        operation: "http.server.request",
        resource: "POST /v3/authorisations".into(),
        kind: "web",
        from: after + 2,
        took: paying - 4,
        error: false,
        pairs: vec![("http.status_code", outcome.into()), ("order.id", names.order.clone().into())],
    });
    parts.push(Part {
        number: 9,
        parent: 8,
        service: service::PAYMENT,
        operation: "http.request",
        resource: "POST api.stellapay.example".into(),
        kind: "http",
        from: after + 5,
        took: (paying - 12).max(2),
        error: false,
        pairs: vec![("peer.service", "stellapay".into()), ("http.status_code", outcome.into())],
    });
    if declined {
        return parts;
    }
    let insert = Dice::of(world.seed, "insert-signature", 0).hex(16);
    parts.push(Part {
        number: 10,
        parent: 3,
        service: service::ORDERS_DB,
        operation: "postgresql.query",
        resource: "INSERT INTO orders (id, customer_id, total_cents, currency) VALUES ($1, $2, $3, $4)".into(),
        kind: "sql",
        from: after + paying + 2,
        took: dice.between(1, 5),
        error: false,
        pairs: sql("orders", insert),
    });
    parts.push(Part {
        number: 11,
        parent: 3,
        service: service::CHECKOUT,
        operation: "kafka.produce",
        resource: "Produce Topic order.placed".into(),
        kind: "queue",
        from: after + paying + 9,
        took: 3,
        error: false,
        pairs: vec![("messaging.destination", "order.placed".into())],
    });
    parts.push(Part {
        number: 12,
        parent: 11,
        service: service::NOTIFICATION,
        operation: "kafka.consume",
        resource: "Consume Topic order.placed".into(),
        kind: "worker",
        from: after + paying + 21,
        took: dice.between(20, 120),
        error: false,
        pairs: vec![("order.id", names.order.clone().into()), ("mail.template", "order-confirmation".into())],
    });
    parts
}

fn span(world: &World, request: &Request, part: Part, dice: &mut Dice) -> Span {
    let version = request.version(part.service, world.story.deployed);
    let mut pod_dice = request.dice(world.seed, SERVICES[part.service].name);
    let pod = world.topology.pod(part.service, request.env, version, &mut pod_dice);
    let jitter = dice.between(0, 900_000);
    let mut pairs = part.pairs;
    pairs.extend([
        ("env", request.env.into()),
        ("version", version.into()),
        ("component", part.operation.split('.').next().unwrap_or_default().into()),
        ("runtime-id", pod.name.clone().into()),
        ("process_id", "1".into()),
    ]);
    Span {
        start: (request.at + part.from) * MS + part.number as i64,
        duration: part.took * MS + jitter,
        trace: request.trace,
        id: span_id(request.trace, part.number),
        parent: if part.parent == 0 { 0 } else { span_id(request.trace, part.parent) },
        service: SERVICES[part.service].name,
        operation: part.operation,
        resource: part.resource,
        kind: part.kind,
        error: part.error,
        env: request.env,
        host: Arc::clone(&pod.host),
        tags: Arc::clone(&pod.tags),
        attributes: Attributes::new(pairs),
    }
}

/// The nightly reindex of the catalogue: a root, batches, and documents below each batch.
pub(crate) fn huge_trace(world: &World) -> Vec<Span> {
    const PER_BATCH: usize = 100;
    let story = &world.story;
    let mut dice = Dice::of(world.seed, "huge", 0);
    let pod = world.topology.pod(service::CATALOG, "prod", SERVICES[service::CATALOG].version, &mut dice);
    let began = (world.now - 5 * 3_600_000) * MS;
    let make = |number: usize, parent: u64, operation, resource: Cow<'static, str>, kind, start, duration, pairs| Span {
        start,
        duration,
        trace: story.huge_trace,
        id: span_id(story.huge_trace, number as u64),
        parent,
        service: "catalog",
        operation,
        resource,
        kind,
        error: number % 4_999 == 17,
        env: "prod",
        host: Arc::clone(&pod.host),
        tags: Arc::clone(&pod.tags),
        attributes: Attributes::new(pairs),
    };
    let step = 14 * MS;
    let root = span_id(story.huge_trace, 0);
    let whole = step * story.huge_trace_spans as i64;
    let mut spans = Vec::with_capacity(story.huge_trace_spans);
    spans.push(make(
        0,
        0,
        "celery.run",
        "catalog.tasks.reindex_all".into(),
        "worker",
        began,
        whole,
        vec![("job.name", "nightly-reindex".into()), ("env", "prod".into())],
    ));
    let mut batch = root;
    for number in 1..story.huge_trace_spans {
        let start = began + step * number as i64;
        if number % PER_BATCH == 1 {
            batch = span_id(story.huge_trace, number as u64);
            let resource = format!("catalog.tasks.reindex_batch {}", number / PER_BATCH);
            spans.push(make(
                number,
                root,
                "celery.run",
                resource.into(),
                "worker",
                start,
                step * PER_BATCH as i64,
                vec![("batch.size", 99.into()), ("env", "prod".into())],
            ));
        } else {
            let took = dice.between(2, 13) * MS;
            spans.push(make(
                number,
                batch,
                "elasticsearch.query",
                "PUT /plants-v12/_doc/?".into(),
                "elasticsearch",
                start,
                took,
                vec![("db.system", "elasticsearch".into()), ("env", "prod".into())],
            ));
        }
    }
    spans
}
