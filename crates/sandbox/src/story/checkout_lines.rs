//! What `checkout` and `payment` write about one order, as it went.

use super::World;
use super::lines::{Line, euros, java, pool_stack, timeout_stack};
use super::requests::{Fate, Names, Request};
use super::topology::service;
use crate::dice::Dice;
use crate::json::Scalar;

type Pairs = Vec<(&'static str, Scalar)>;

/// The lines of one order.
pub(crate) fn checkout(world: &World, request: &Request, names: &Names, dice: &mut Dice) -> Vec<Line> {
    let lookup = request.lookup_ms(world.seed);
    match request.fate {
        Fate::TimedOut => {
            let mut lines = vec![gave_up(world, names, lookup, dice)];
            // Two of three also wait for a connection; half of those with a stack trace.
            if request.n % 3 != 1 {
                lines.push(no_connection(request, names, dice));
            }
            lines
        }
        Fate::Slow => vec![slow(world, names, lookup, dice), paid(names, request, lookup + 230)],
        Fate::Hiccup => vec![payment_lost(names, dice)],
        Fate::Declined => vec![paid(names, request, 210)],
        Fate::Fine => {
            let message = format!(
                "Order {} placed from cart {}: {} items, {} EUR, payment authorised in {} ms, stock reserved in {lookup} ms",
                names.order,
                names.cart,
                names.items,
                euros(names.cents),
                90 + request.n % 120
            );
            vec![line(250, "info", message, order("example.larkspur.checkout.order.PlaceOrder", names, dice)), paid(names, request, 210)]
        }
    }
}

fn line(after: i64, status: &'static str, message: String, pairs: Pairs) -> Line {
    Line { after, service: service::CHECKOUT, status, message, pairs }
}

/// What every line about an order has.
fn order(logger: &'static str, names: &Names, dice: &mut Dice) -> Pairs {
    let mut pairs = java(logger, dice);
    pairs.extend([
        ("order.id", names.order.clone().into()),
        ("order.items", names.items.into()),
        ("order.total_cents", names.cents.into()),
        ("order.currency", "EUR".into()),
        ("cart.id", names.cart.clone().into()),
        ("usr.id", names.customer.clone().into()),
        ("usr.session_id", names.session.clone().into()),
        ("http.request_id", names.request.clone().into()),
        ("http.method", "POST".into()),
        ("http.url_details.path", "/v1/orders".into()),
    ]);
    pairs
}

/// What every line about the lookup has.
fn lookup_pairs(world: &World, names: &Names, ms: i64, level: &'static str, dice: &mut Dice) -> Pairs {
    let mut pairs = order("example.larkspur.checkout.stock.StockService", names, dice);
    pairs.extend([
        ("db.system", "postgresql".into()),
        ("db.name", "orders".into()),
        ("db.instance", world.story.database_instance.clone().into()),
        ("db.operation", "SELECT".into()),
        ("db.sql.table", world.story.table.clone().into()),
        ("db.query_signature", world.story.query_signature.clone().into()),
        ("db.pool.name", "orders-pool".into()),
        ("duration", (ms * 1_000_000).into()),
        ("level", level.into()),
    ]);
    pairs
}

fn gave_up(world: &World, names: &Names, lookup: i64, dice: &mut Dice) -> Line {
    let mut pairs = lookup_pairs(world, names, lookup, "ERROR", dice);
    pairs.extend([
        ("error.kind", "org.springframework.dao.QueryTimeoutException".into()),
        ("error.message", "ERROR: canceling statement due to statement timeout".into()),
        ("error.stack", timeout_stack().into()),
    ]);
    let message = format!(
        "Reservation lookup for {} of order {} gave up after {lookup} ms: canceling statement due to statement timeout, cart {} stays open",
        names.sku, names.order, names.cart
    );
    line(lookup + 4, "error", message, pairs)
}

fn no_connection(request: &Request, names: &Names, dice: &mut Dice) -> Line {
    let queue = 9 + request.n % 29;
    let mut pairs = order("com.zaxxer.hikari.pool.HikariPool", names, dice);
    pairs.extend([
        ("level", "WARN".into()),
        ("db.pool.name", "orders-pool".into()),
        ("db.pool.active", 20.into()),
        ("db.pool.idle", 0.into()),
        ("db.pool.waiting", (queue as i64).into()),
    ]);
    if request.n.is_multiple_of(3) {
        pairs.extend([("error.kind", "java.sql.SQLTransientConnectionException".into()), ("error.stack", pool_stack().into())]);
    }
    let message = format!(
        "orders-pool - Connection is not available, request timed out after 3000 ms (total=20, active=20, idle=0, waiting={queue}) for order {}",
        names.order
    );
    line(3_004, "warn", message, pairs)
}

fn slow(world: &World, names: &Names, lookup: i64, dice: &mut Dice) -> Line {
    let message = format!(
        "Slow reservation lookup: {lookup} ms for {} of order {}, threshold is 500 ms, pool orders-pool has 17 of 20 connections in use",
        names.sku, names.order
    );
    line(lookup + 3, "warn", message, lookup_pairs(world, names, lookup, "WARN", dice))
}

fn payment_lost(names: &Names, dice: &mut Dice) -> Line {
    let stack = [
        "java.net.SocketException: Connection reset",
        "\tat java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:318)",
        "\tat example.larkspur.checkout.payment.PaymentClient.authorise(PaymentClient.java:90)",
    ];
    let mut pairs = order("example.larkspur.checkout.payment.PaymentClient", names, dice);
    pairs.extend([
        ("level", "ERROR".into()),
        ("error.kind", "java.net.SocketException".into()),
        ("error.message", "Connection reset".into()),
        ("error.stack", stack.join("\n").into()),
    ]);
    let message = format!(
        "Payment of order {} could not be authorised: connection to payment was reset after 712 ms, attempt 1 of 1, cart {} stays open",
        names.order, names.cart
    );
    line(800, "error", message, pairs)
}

fn paid(names: &Names, request: &Request, after: i64) -> Line {
    let declined = request.fate == Fate::Declined;
    let score = request.n % 40 + if declined { 50 } else { 3 };
    let took = 60 + request.n % 140;
    let outcome = if declined { "declined" } else { "authorised" };
    Line {
        after,
        service: service::PAYMENT,
        status: if declined { "warn" } else { "info" },
        message: format!(
            "payment of {} EUR for order {} {outcome} by provider stellapay in {took} ms, method card, 3-D Secure frictionless, risk score {score}",
            euros(names.cents),
            names.order
        ),
        pairs: vec![
            ("logger.name", "payment/authorise".into()),
            ("level", if declined { "warn" } else { "info" }.into()),
            ("caller", "authorise/handler.go:131".into()),
            ("payment.id", format!("pay_{}", &names.request[..18]).into()),
            ("payment.outcome", outcome.into()),
            ("payment.amount_cents", names.cents.into()),
            ("payment.currency", "EUR".into()),
            ("payment.method", "card".into()),
            ("payment.card.brand", "visa".into()),
            ("payment.card.last4", "0000".into()),
            ("payment.provider.name", "stellapay".into()),
            ("payment.provider.region", "eu-west".into()),
            ("payment.provider.attempts", 1.into()),
            ("payment.risk.score", (score as i64).into()),
            ("payment.risk.rules", "velocity:pass;country:pass;bin:pass;device:pass".into()),
            ("order.id", names.order.clone().into()),
            ("duration", (took as i64 * 1_000_000).into()),
            ("http.method", "POST".into()),
            ("http.status_code", if declined { 402 } else { 200 }.into()),
            ("http.url_details.path", "/v3/authorisations".into()),
            ("http.request_id", names.request.clone().into()),
            ("usr.id", names.customer.clone().into()),
        ],
    }
}
