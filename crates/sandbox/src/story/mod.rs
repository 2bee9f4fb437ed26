//! The seeded story: an online shop, a deploy that defeats an index, and everything that follows from it.
//!
//! Larkspur sells plants. Some forty minutes before the sandbox started, `checkout` 2.31.0 went out. Its lookup of stock
//! reservations wraps the indexed column in `lower()`, so PostgreSQL reads the whole table. Lookups take seconds, the
//! connection pool runs dry, checkouts time out, customers see errors, a monitor alerts and an incident is declared.

mod checkout_lines;
pub(crate) mod dbm;
pub(crate) mod event;
pub(crate) mod events;
mod facts;
mod hostile;
mod lines;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod monitors;
pub(crate) mod requests;
pub(crate) mod rum;
pub(crate) mod spans;
pub(crate) mod topology;
mod traces;

pub use facts::Story;
pub(crate) use traces::huge_trace;

use event::Event;
use requests::Request;
use spans::Spans;
use std::sync::OnceLock;
use topology::Topology;

/// Everything the org contains, made when first asked for and shared from then on.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    /// Milliseconds; what every time in the story is relative to.
    pub(crate) now: i64,
    pub(crate) story: Story,
    pub(crate) topology: Topology,
    /// How many customer requests are told.
    scale: usize,
    requests: OnceLock<Vec<Request>>,
    logs: OnceLock<Vec<Event>>,
    spans: OnceLock<Spans>,
    dbm: OnceLock<Vec<Event>>,
    rum: OnceLock<Vec<Event>>,
    events: OnceLock<Vec<Event>>,
    metrics: OnceLock<Vec<metrics::Metric>>,
}

impl World {
    pub(crate) fn new(seed: u64, scale: usize, now: i64) -> Self {
        let story = Story::new(seed, now);
        Self {
            seed,
            now,
            topology: Topology::new(seed, &story.commit),
            story,
            scale,
            requests: OnceLock::new(),
            logs: OnceLock::new(),
            spans: OnceLock::new(),
            dbm: OnceLock::new(),
            rum: OnceLock::new(),
            events: OnceLock::new(),
            metrics: OnceLock::new(),
        }
    }

    /// The same story, told relative to another present.
    pub(crate) fn told_at(&self, now: i64) -> Self {
        Self::new(self.seed, self.scale, now)
    }

    /// Customer requests, oldest first.
    pub(crate) fn requests(&self) -> &[Request] {
        self.requests.get_or_init(|| requests::make(self, self.scale))
    }

    /// Log events, oldest first.
    pub(crate) fn logs(&self) -> &[Event] {
        self.logs.get_or_init(|| event::sorted(logs::make(self)))
    }

    /// Retained spans, oldest first.
    pub(crate) fn spans(&self) -> &Spans {
        self.spans.get_or_init(|| spans::make(self))
    }

    /// Database activity samples and explain plans, oldest first.
    pub(crate) fn dbm(&self) -> &[Event] {
        self.dbm.get_or_init(|| event::sorted(dbm::make(self)))
    }

    /// RUM events, oldest first.
    pub(crate) fn rum(&self) -> &[Event] {
        self.rum.get_or_init(|| event::sorted(rum::make(self)))
    }

    /// Events of the event stream, oldest first.
    pub(crate) fn events(&self) -> &[Event] {
        self.events.get_or_init(|| event::sorted(events::make(self)))
    }

    /// Metrics and their series.
    pub(crate) fn metrics(&self) -> &[metrics::Metric] {
        self.metrics.get_or_init(|| metrics::make(self))
    }
}
