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

impl Part {
    fn new(
        number: u64,
        parent: u64,
        service: usize,
        operation: &'static str,
        resource: impl Into<Cow<'static, str>>,
        kind: &'static str,
    ) -> Self {
        Self { number, parent, service, operation, resource: resource.into(), kind, from: 0, took: 1, error: false, pairs: Vec::new() }
    }

    fn ran(mut self, from: i64, took: i64) -> Self {
        (self.from, self.took) = (from, took.max(1));
        self
    }

    fn failed(mut self, error: bool) -> Self {
        self.error = error;
        self
    }

    fn with(mut self, pairs: Pairs) -> Self {
        self.pairs = pairs;
        self
    }
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
            ("redis.command", "HSET", "cache"),
            &mut dice,
        ),
        Kind::Browse => simple(
            request,
            &names,
            service::CATALOG,
            "fastapi.request",
            "GET /v2/products/{sku}",
            ("redis.command", "GET", "cache"),
            &mut dice,
        ),
        Kind::Search => simple(
            request,
            &names,
            service::CATALOG,
            "fastapi.request",
            "GET /v2/search",
            ("elasticsearch.query", "POST /plants-v12/_search", "elasticsearch"),
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
    store: (&'static str, &'static str, &'static str),
    dice: &mut Dice,
) -> Vec<Part> {
    let failed = request.fate == Fate::Hiccup;
    let took = if failed { dice.between(900, 2_800) } else { dice.between(14, 190) };
    let mut parts = front(request, names, behind, took);
    let number = if behind == service::CART { 4 } else { 3 };
    let said = if failed {
        vec![("error.type", "ConnectionResetError".into()), ("error.message", "connection reset by peer".into())]
    } else {
        vec![("http.status_code", "200".into())]
    };
    let (store, asked, kind) = store;
    parts.push(Part::new(number, 2, behind, operation, resource, "web").ran(4, took - 8).failed(failed).with(said));
    parts.push(
        Part::new(5, number, behind, store, asked, kind)
            .ran(6, (took - 12).min(40))
            .failed(failed)
            .with(vec![("span.kind", "client".into())]),
    );
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
        Part::new(1, 0, service::STOREFRONT, "web.request", format!("{method} {route}"), "web").ran(0, took).failed(failed).with(server),
        Part::new(2, 1, service::STOREFRONT, "http.request", format!("{method} {}", SERVICES[behind].name), "http")
            .ran(2, took - 3)
            .failed(failed)
            .with(client),
    ]
}

fn checkout(world: &World, request: &Request, names: &Names, dice: &mut Dice) -> Vec<Part> {
    let lookup = request.lookup_ms(world.seed);
    let broken = request.fate == Fate::TimedOut;
    let reset = request.fate == Fate::Hiccup;
    let declined = request.fate == Fate::Declined;
    let paying = if reset { 712 } else { dice.between(70, 210) };
    let whole = if broken { 5_000 + dice.between(1, 19) } else { lookup + paying + dice.between(60, 110) };
    let code = match request.fate {
        Fate::TimedOut => "503",
        Fate::Hiccup => "502",
        Fate::Declined => "402",
        Fate::Slow | Fate::Fine => "201",
    };
    let fault = fault(world, request);
    let mut own: Pairs = vec![
        ("http.method", "POST".into()),
        ("http.route", "/v1/orders".into()),
        ("http.status_code", code.into()),
        ("order.id", names.order.clone().into()),
        ("cart.id", names.cart.clone().into()),
        ("language", "jvm".into()),
        ("span.kind", "server".into()),
    ];
    own.extend(fault.iter().cloned());
    let mut parts = front(request, names, service::CHECKOUT, whole);
    let served = whole + if broken { 18 } else { -8 };
    let cart = vec![("http.status_code", "200".into()), ("cart.id", names.cart.clone().into())];
    parts.extend([
        Part::new(3, 2, service::CHECKOUT, "servlet.request", "POST /v1/orders", "web").ran(4, served).failed(broken || reset).with(own),
        Part::new(4, 3, service::CART, "express.request", "GET /v1/carts/:id", "web").ran(8, dice.between(3, 9)).with(cart),
        Part::new(5, 4, service::CART, "redis.command", "HGETALL", "cache").ran(9, 2).with(vec![("span.kind", "client".into())]),
        reservation(world, request, lookup).failed(broken),
    ]);
    if broken {
        return parts;
    }
    let after = 19 + lookup + 4;
    let mut client: Pairs = vec![("peer.service", "payment".into()), ("span.kind", "client".into())];
    client.extend(fault);
    parts.push(Part::new(7, 3, service::CHECKOUT, "http.request", "POST payment", "http").ran(after, paying).failed(reset).with(client));
    if reset {
        return parts;
    }
    let outcome = if declined { "402" } else { "200" };
    let answered = vec![("http.status_code", outcome.into()), ("order.id", names.order.clone().into())];
    let provider = vec![("peer.service", "stellapay".into()), ("http.status_code", outcome.into())];
    parts.push(
        Part::new(8, 7, service::PAYMENT, "http.server.request", "POST /v3/authorisations", "web")
            .ran(after + 2, paying - 4)
            .with(answered),
    );
    parts.push(
        Part::new(9, 8, service::PAYMENT, "http.request", "POST api.stellapay.example", "http").ran(after + 5, paying - 12).with(provider),
    );
    if declined {
        return parts;
    }
    let insert = "INSERT INTO orders (id, customer_id, total_cents, currency) VALUES ($1, $2, $3, $4)";
    let signature = Dice::of(world.seed, "insert-signature", 0).hex(16);
    let produced = vec![("messaging.destination", "order.placed".into())];
    let mailed = vec![("order.id", names.order.clone().into()), ("mail.template", "order-confirmation".into())];
    let paid = after + paying;
    parts.extend([
        Part::new(10, 3, service::ORDERS_DB, "postgresql.query", insert, "sql")
            .ran(paid + 2, dice.between(1, 5))
            .with(sql(world, "orders", signature)),
        Part::new(11, 3, service::CHECKOUT, "kafka.produce", "Produce Topic order.placed", "queue").ran(paid + 9, 3).with(produced),
        Part::new(12, 11, service::NOTIFICATION, "kafka.consume", "Consume Topic order.placed", "worker")
            .ran(paid + 21, dice.between(20, 120))
            .with(mailed),
    ]);
    parts
}

/// What the checkout service says about its failure, if it failed.
fn fault(world: &World, request: &Request) -> Pairs {
    match request.fate {
        Fate::TimedOut => vec![
            ("error.type", "org.springframework.dao.QueryTimeoutException".into()),
            ("error.message", "ERROR: canceling statement due to statement timeout".into()),
            ("error.stack", super::lines::timeout_stack().into()),
            ("issue.id", world.story.issue_id.clone().into()),
        ],
        Fate::Hiccup => vec![("error.type", "java.net.SocketException".into()), ("error.message", "Connection reset".into())],
        _ => Vec::new(),
    }
}

/// Attributes of a statement.
fn sql(world: &World, table: &str, signature: String) -> Pairs {
    let instance = &world.story.database_instance;
    vec![
        ("db.system", "postgresql".into()),
        ("db.name", "orders".into()),
        ("db.instance", instance.clone().into()),
        ("db.sql.table", table.to_owned().into()),
        ("db.query_signature", signature.into()),
        ("_dd.dbm_trace_injected", "true".into()),
        ("peer.hostname", format!("{instance}.larkspur.internal").into()),
        ("span.kind", "client".into()),
    ]
}

/// The lookup of reservations: by index before the deploy, over the whole table since.
fn reservation(world: &World, request: &Request, lookup: i64) -> Part {
    let story = &world.story;
    let bad = request.env == "prod" && request.at >= story.deployed;
    let (statement, signature): (Cow<'static, str>, String) = if bad {
        (story.statement.clone().into(), story.query_signature.clone())
    } else {
        (super::dbm::GOOD_STATEMENT.into(), Dice::of(world.seed, "good-signature", 0).hex(16))
    };
    let mut pairs = sql(world, &story.table, signature);
    pairs.extend(fault(world, request).into_iter().take(2).filter(|_| request.fate == Fate::TimedOut));
    Part::new(SLOW_QUERY, 3, service::ORDERS_DB, "postgresql.query", statement, "sql").ran(19, lookup).with(pairs)
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
