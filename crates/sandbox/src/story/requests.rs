//! What customers did: the plan that logs, spans and RUM events are told from, so that they agree with each other.

use super::World;
use super::topology::{SERVICES, service};
use crate::dice::Dice;

/// One customer request from the browser to the last service.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Milliseconds when it reached the storefront.
    pub(crate) at: i64,
    pub(crate) kind: Kind,
    pub(crate) env: &'static str,
    pub(crate) trace: u64,
    /// Dice number for everything else about it.
    pub(crate) n: u64,
    pub(crate) fate: Fate,
    /// Its trace was kept.
    pub(crate) traced: bool,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Browse,
    Search,
    Cart,
    Checkout,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    /// The provider declined the card: a 402 that is nobody's fault.
    Declined,
    /// Slow for the story's reason, but answered.
    Slow,
    /// Timed out for the story's reason.
    TimedOut,
    /// A fault that has nothing to do with the story.
    Hiccup,
}

impl Request {
    pub(crate) fn dice(&self, seed: u64, label: &str) -> Dice {
        Dice::of(seed, label, self.n)
    }

    /// Version of `service` that served it.
    pub(crate) fn version(&self, service: usize, deployed: i64) -> &'static str {
        let what = &SERVICES[service];
        if service == service::CHECKOUT && self.env == "prod" && self.at < deployed { what.previous } else { what.version }
    }

    /// Milliseconds that the reservation lookup takes.
    pub(crate) fn lookup_ms(&self, seed: u64) -> i64 {
        let mut dice = self.dice(seed, "lookup");
        match self.fate {
            Fate::Slow => dice.between(1_400, 4_400),
            Fate::TimedOut => 5_000 + dice.between(1, 9),
            _ => dice.between(1, 6),
        }
    }

    /// Cart, order and customer of the request.
    pub(crate) fn names(&self, seed: u64) -> Names {
        let mut dice = self.dice(seed, "names");
        Names {
            cart: format!("c-{}", dice.hex(10)),
            order: format!("LK-{}", 480_000 + dice.below(90_000)),
            customer: format!("cus_{}", dice.hex(12)),
            session: dice.uuid(),
            request: dice.uuid(),
            sku: format!("{}-{}", dice.pick(&["FERN", "CACTUS", "MONSTERA", "OLIVE", "BASIL", "ORCHID", "IVY"]), 100 + dice.below(900)),
            items: dice.between(1, 6),
            cents: dice.between(890, 21_900),
            ip: format!("203.0.113.{}", dice.between(1, 254)),
        }
    }
}

/// Names that the telemetry of one request shares.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) cart: String,
    pub(crate) order: String,
    pub(crate) customer: String,
    pub(crate) session: String,
    pub(crate) request: String,
    pub(crate) sku: String,
    pub(crate) items: i64,
    pub(crate) cents: i64,
    pub(crate) ip: String,
}

/// Traces kept at most, besides those of failures.
const TRACES_KEPT: f64 = 1_500.0;

/// `scale` requests of all ages, and the checkouts of the story's last forty minutes.
pub(crate) fn make(world: &World, scale: usize) -> Vec<Request> {
    let story = &world.story;
    let keep = TRACES_KEPT / scale.max(1) as f64;
    let mut requests = Vec::with_capacity(scale + scale / 16 + 80);
    for n in 0..scale as u64 {
        let mut dice = Dice::of(world.seed, "request", n);
        let ago = age(&mut dice);
        let kind = match dice.below(100) {
            0..36 => Kind::Browse,
            36..54 => Kind::Search,
            54..78 => Kind::Cart,
            _ => Kind::Checkout,
        };
        let env = if dice.chance(0.07) { "staging" } else { "prod" };
        requests.push(request(world, &mut dice, n, world.now - ago, kind, env, keep));
    }
    // Enough checkouts after the deploy for rates and percentiles to mean something.
    let extra = 60 + scale / 16;
    for n in 0..extra as u64 {
        let mut dice = Dice::of(world.seed, "story-checkout", n);
        let at = story.deployed + 60_000 + dice.below((world.now - story.deployed - 70_000) as u64) as i64;
        requests.push(request(world, &mut dice, 1 << 40 | n, at, Kind::Checkout, "prod", keep));
    }
    requests.push(Request {
        at: world.now - 12 * 60_000,
        kind: Kind::Checkout,
        env: "prod",
        trace: story.trace,
        n: 1 << 41,
        fate: Fate::TimedOut,
        traced: true,
    });
    requests.sort_by_key(|request| request.at);
    requests
}

fn request(world: &World, dice: &mut Dice, n: u64, at: i64, kind: Kind, env: &'static str, keep: f64) -> Request {
    let broken = kind == Kind::Checkout && env == "prod" && at > world.story.deployed + 45_000;
    let fate = match dice.below(1_000) {
        0..420 if broken => Fate::TimedOut,
        420..780 if broken => Fate::Slow,
        780..830 if kind == Kind::Checkout => Fate::Declined,
        990..1_000 => Fate::Hiccup,
        _ => Fate::Fine,
    };
    let trace = dice.next() | 1;
    let recent = at > world.now - 15 * 86_400_000;
    let traced = recent && (fate != Fate::Fine && fate != Fate::Declined || dice.chance(keep));
    Request { at, kind, env, trace, n, fate, traced }
}

/// Milliseconds ago: mostly the last hours, some days, and a tail beyond the retention of indexes and flex.
fn age(dice: &mut Dice) -> i64 {
    const HOUR: i64 = 3_600_000;
    let hours = match dice.below(100) {
        0..30 => (0, 1),
        30..58 => (1, 4),
        58..82 => (4, 24),
        82..93 => (24, 14 * 24),
        93..97 => (15 * 24 + 1, 55 * 24),
        _ => (62 * 24, 300 * 24),
    };
    dice.between(hours.0 * HOUR + 1_000, hours.1 * HOUR - 1)
}
