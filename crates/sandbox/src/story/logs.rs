//! Log events: a few lines for each customer request, what the database writes by itself, and some hostile ones.

use super::checkout_lines::checkout;
use super::event::Event;
use super::lines::{self, Line, euros};
use super::requests::{Fate, Kind, Names, Request};
use super::topology::{SERVICES, service};
use super::{World, hostile, spans};
use crate::dice::Dice;
use crate::json::{Attributes, Scalar};
use std::sync::Arc;

/// Every log event, in no order.
pub(crate) fn make(world: &World) -> Vec<Event> {
    let mut events = Vec::with_capacity(world.requests().len() * 3 + 300);
    for request in world.requests() {
        for line in tell(world, request) {
            events.push(event(world, request, line));
        }
    }
    database(world, &mut events);
    events.extend(hostile::logs(world));
    events
}

/// The lines that one request leaves behind.
fn tell(world: &World, request: &Request) -> Vec<Line> {
    let names = request.names(world.seed);
    let mut dice = request.dice(world.seed, "logs");
    let mut lines = match request.kind {
        Kind::Browse => vec![browse(&names, &mut dice)],
        Kind::Search => vec![search(&names, &mut dice)],
        Kind::Cart => vec![cart(&names, &mut dice)],
        Kind::Checkout => checkout(world, request, &names, &mut dice),
    };
    let took = match request.fate {
        Fate::TimedOut => dice.between(5_001, 5_019),
        Fate::Hiccup => dice.between(900, 2_800),
        Fate::Slow => request.lookup_ms(world.seed) + dice.between(240, 390),
        _ if request.kind == Kind::Checkout => dice.between(280, 620),
        _ => dice.between(14, 190),
    };
    lines.push(lines::access(service::STOREFRONT, request.kind, request.fate, &names, took, &mut dice));
    lines
}

fn browse(names: &Names, dice: &mut Dice) -> Line {
    let (took, cache) = (dice.between(3, 60), if dice.chance(0.8) { "hit" } else { "miss" });
    let stock = dice.between(0, 140);
    Line {
        after: 9,
        service: service::CATALOG,
        status: "info",
        message: format!(
            "rendered product {} in {took} ms for locale de-DE: price {} EUR, {stock} in stock, cache {cache}, 14 reviews shown",
            names.sku,
            euros(names.cents)
        ),
        pairs: vec![
            ("logger.name", "catalog.views.product".into()),
            ("logger.thread_name", format!("uvicorn-worker-{}", dice.between(1, 8)).into()),
            ("logger.method_name", "product_detail".into()),
            ("product.sku", names.sku.clone().into()),
            ("product.price_cents", names.cents.into()),
            ("product.stock", stock.into()),
            ("product.category", "indoor/plants/green".into()),
            ("product.rating", 4.5.into()),
            ("cache.key", format!("product:v7:de-DE:{}", names.sku).into()),
            ("cache.result", cache.into()),
            ("cache.ttl_s", 300.into()),
            ("duration", (took * 1_000_000).into()),
            ("http.method", "GET".into()),
            ("http.status_code", 200.into()),
            ("http.url_details.path", format!("/v2/products/{}", names.sku).into()),
            ("http.request_id", names.request.clone().into()),
            ("http.client", "storefront/5.112.0 (node 24.11)".into()),
            ("experiment.name", "product-page-gallery-2026-q4".into()),
            ("experiment.variant", if dice.chance(0.5) { "control" } else { "wide" }.into()),
            ("usr.id", names.customer.clone().into()),
            ("usr.session_id", names.session.clone().into()),
        ],
    }
}

fn search(names: &Names, dice: &mut Dice) -> Line {
    let (took, hits) = (dice.between(12, 140), dice.between(0, 88));
    let term = names.sku.split('-').next().unwrap_or("ivy").to_lowercase();
    Line {
        after: 12,
        service: service::CATALOG,
        status: if hits == 0 { "warn" } else { "info" },
        message: format!(
            "search for '{term}' found {hits} products in {took} ms (index plants-v12, 3 shards, spelling not corrected), page 1 of {}",
            hits / 24 + 1
        ),
        pairs: vec![
            ("logger.name", "catalog.search".into()),
            ("logger.thread_name", format!("uvicorn-worker-{}", dice.between(1, 8)).into()),
            ("logger.method_name", "run_query".into()),
            ("search.term", term.into()),
            ("search.hits", hits.into()),
            ("search.page", 1.into()),
            ("search.index", "plants-v12".into()),
            ("search.filters", "in_stock=true;ships_to=DE;sort=relevance".into()),
            ("search.took_ms", took.into()),
            ("search.shards.total", 3.into()),
            ("search.shards.failed", 0.into()),
            ("search.cluster", "larkspur-search-prod.eu-central-1".into()),
            ("duration", (took * 1_000_000).into()),
            ("http.method", "GET".into()),
            ("http.status_code", 200.into()),
            ("http.url_details.path", "/v2/search".into()),
            ("http.request_id", names.request.clone().into()),
            ("http.client", "storefront/5.112.0 (node 24.11)".into()),
            ("usr.id", names.customer.clone().into()),
            ("usr.session_id", names.session.clone().into()),
        ],
    }
}

fn cart(names: &Names, dice: &mut Dice) -> Line {
    let took = dice.between(2, 24);
    Line {
        after: 6,
        service: service::CART,
        status: "info",
        message: format!(
            "cart {} of customer {} now holds {} items worth {} EUR: added 1 x {}, stored in {took} ms, expires in 14 days",
            names.cart,
            names.customer,
            names.items,
            euros(names.cents),
            names.sku
        ),
        pairs: vec![
            ("logger.name", "cart.items".into()),
            ("level", 30.into()),
            ("pid", 17.into()),
            ("cart.id", names.cart.clone().into()),
            ("cart.items", names.items.into()),
            ("cart.total_cents", names.cents.into()),
            ("cart.currency", "EUR".into()),
            ("cart.added.sku", names.sku.clone().into()),
            ("cart.added.quantity", 1.into()),
            ("redis.command", "HSET".into()),
            ("redis.node", format!("cart-redis-{}.larkspur.internal:6379", dice.below(3)).into()),
            ("redis.pool.idle", dice.between(2, 14).into()),
            ("duration", (took * 1_000_000).into()),
            ("http.method", "POST".into()),
            ("http.status_code", 201.into()),
            ("http.url_details.path", format!("/v1/carts/{}/items", names.cart).into()),
            ("http.request_id", names.request.clone().into()),
            ("http.client", "storefront/5.112.0 (node 24.11)".into()),
            ("usr.id", names.customer.clone().into()),
            ("usr.session_id", names.session.clone().into()),
        ],
    }
}

/// Gives a line its pod, time and trace.
fn event(world: &World, request: &Request, line: Line) -> Event {
    let mut dice = request.dice(world.seed, SERVICES[line.service].name);
    let version = request.version(line.service, world.story.deployed);
    let pod = world.topology.pod(line.service, request.env, version, &mut dice);
    let what = &SERVICES[line.service];
    let mut pairs = line.pairs;
    pairs.extend([
        ("dd.trace_id", request.trace.to_string().into()),
        ("dd.span_id", spans::span_id(request.trace, spans::of_service(line.service)).to_string().into()),
        ("dd.service", what.name.into()),
        ("dd.env", request.env.into()),
        ("dd.version", version.into()),
        ("hostname", pod.name.clone().into()),
        ("otel.trace_id", super::facts::hex_trace(request.trace, request.at).into()),
        ("otel.span_id", format!("{:016x}", spans::span_id(request.trace, spans::of_service(line.service))).into()),
        ("otel.trace_flags", "01".into()),
        ("otel.scope.name", format!("example.larkspur.{}", what.name).into()),
        ("baggage.channel", if request.n.is_multiple_of(3) { "app" } else { "web" }.into()),
        ("baggage.locale", "de-DE".into()),
        ("baggage.device", if request.n.is_multiple_of(2) { "phone" } else { "desktop" }.into()),
        ("baggage.feature_flags", "gallery-wide;express-checkout;gift-wrap;new-returns".into()),
        ("http.headers.x_forwarded_for", format!("203.0.113.{}, 10.4.{}.{}", request.n % 250, 16 + request.n % 40, request.n % 240).into()),
        ("otel.scope.version", version.into()),
        ("baggage.tenant", "larkspur-eu".into()),
        ("baggage.release_ring", if request.n.is_multiple_of(7) { "early" } else { "general" }.into()),
        ("network.destination.ip", format!("10.100.{}.{}", line.service, 10 + request.n % 200).into()),
        ("network.destination.port", 8_080.into()),
        ("network.client.geoip.country.iso_code", "DE".into()),
        ("network.client.geoip.country.name", "Germany".into()),
        ("network.client.geoip.city.name", (*dice.pick(&["Berlin", "Hamburg", "Leipzig", "Dresden"])).into()),
        ("network.client.geoip.timezone", "Europe/Berlin".into()),
        ("timestamp", (request.at + line.after).into()),
    ]);
    Event {
        at: request.at + line.after,
        own_id: None,
        status: line.status,
        service: Some(what.name),
        host: Arc::clone(&pod.host),
        index: if line.service == service::PAYMENT { "payments" } else { "main" },
        message: line.message,
        tags: Arc::clone(&pod.tags),
        attributes: Attributes::new(pairs),
    }
}

/// The database's own log: slow statements since the deploy, and checkpoints as ever.
fn database(world: &World, events: &mut Vec<Event>) {
    let story = &world.story;
    let mut push = |at: i64, status, message: String, mut pairs: Vec<(&'static str, Scalar)>| {
        let mut dice = Dice::of(world.seed, "postgres-log", at as u64);
        let pod = world.topology.pod(service::ORDERS_DB, "prod", SERVICES[service::ORDERS_DB].version, &mut dice);
        pairs.extend([
            ("db.name", "orders".into()),
            ("db.instance", pod.name.clone().into()),
            ("db.user", "checkout_rw".into()),
            ("db.application", "PostgreSQL JDBC Driver".into()),
            ("process.pid", dice.between(2_000, 60_000).into()),
            ("process.session", format!("{}.{}", dice.hex(8), dice.hex(5)).into()),
            ("process.line", dice.between(1, 400).into()),
            ("logger.name", "postgresql".into()),
        ]);
        events.push(Event {
            at,
            own_id: None,
            status,
            service: Some("orders-db"),
            host: Arc::clone(&pod.host),
            index: "main",
            message,
            tags: Arc::clone(&pod.tags),
            attributes: Attributes::new(pairs),
        });
    };
    for nth in 0..96 {
        let at = world.now - nth * 900_000 - 61_000;
        push(
            at,
            "info",
            format!(
                "checkpoint complete: wrote {} buffers ({}.{} %); write=269.{nth:03} s, sync=0.011 s, total=269.9 s",
                3_100 + nth * 7,
                1 + nth % 3,
                nth % 10
            ),
            vec![("checkpoint.buffers", (3_100 + nth * 7).into())],
        );
    }
    for request in world.requests().iter().filter(|request| matches!(request.fate, Fate::Slow | Fate::TimedOut)) {
        let ms = request.lookup_ms(world.seed);
        let parameters = format!("$1 = '{}'", request.names(world.seed).sku);
        let pairs = vec![
            ("duration", (ms * 1_000_000).into()),
            ("db.statement", story.statement.clone().into()),
            ("db.query_signature", story.query_signature.clone().into()),
            ("db.parameters", parameters.into()),
        ];
        push(request.at + ms, "warn", format!("duration: {ms}.{:03} ms  execute <unnamed>: {}", request.n % 1_000, story.statement), pairs);
    }
}
