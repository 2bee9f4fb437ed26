//! The org itself: its world, its accounts and what was done to it.

use crate::accounts::{Accounts, FakeCredential};
use crate::dispatch;
use crate::faults::{FaultRule, Faults};
use crate::journal::{Journal, Ledger};
use crate::limits::Limits;
use crate::options::Options;
use crate::products::monitors::Monitors;
use crate::recordings::{Recordings, RecordingsError};
use crate::story::{Story, World};
use crate::worlds::Worlds;
use axum::Router;
use std::sync::Arc;
use std::time::Instant;

/// A simulated Datadog org. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) worlds: Worlds,
    /// The sandbox's clock at its start, milliseconds.
    began: i64,
    pub(crate) accounts: Accounts,
    pub(crate) limits: Limits,
    pub(crate) faults: Faults,
    pub(crate) ledger: Ledger,
    pub(crate) recordings: Recordings,
    pub(crate) monitors: Monitors,
    started: Instant,
}

impl Sandbox {
    /// An org as `options` say. Its data is made when first asked for. Fails only when recordings cannot be read.
    pub fn new(options: &Options) -> Result<Self, RecordingsError> {
        let world = World::new(options.seed, options.size.requests(), options.now.as_millisecond());
        let monitors = Monitors::new(&world);
        let recordings = options.recordings.as_deref().map_or_else(|| Ok(Recordings::default()), Recordings::open)?;
        let inner = Inner {
            began: world.now,
            worlds: Worlds::new(world, options.renew_after),
            accounts: Accounts::new(&options.api_keys, &options.app_keys),
            limits: Limits::new(options.rate_limits),
            faults: Faults::default(),
            ledger: Ledger::default(),
            recordings,
            monitors,
            started: Instant::now(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The whole org as one axum router, for tests that bring their own server. [`crate::serve`] can do more: cut connections.
    pub fn router(&self) -> Router {
        Router::new().fallback(dispatch::answer).with_state(self.clone())
    }

    /// The credentials it accepts, in the order a person would want to see them. All are fakes.
    #[must_use]
    pub fn credentials(&self) -> Vec<FakeCredential> {
        self.inner.accounts.list()
    }

    /// The truth behind the telemetry (`GET /_sandbox/story`).
    #[must_use]
    pub fn story(&self) -> Story {
        self.inner.world().story.clone()
    }

    /// Adds a fault (`POST /_sandbox/faults`).
    pub fn add_fault(&self, rule: FaultRule) {
        self.inner.faults.add(rule);
    }

    /// Removes every fault (`DELETE /_sandbox/faults`).
    pub fn clear_faults(&self) {
        self.inner.faults.clear();
    }

    /// What was received so far (`GET /_sandbox/requests`).
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.inner.ledger.read()
    }

    /// Forgets what was received (`DELETE /_sandbox/requests`).
    pub fn forget_requests(&self) {
        self.inner.ledger.clear();
    }
}

impl Inner {
    /// The sandbox's clock: the story's present plus the time since the start, in milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.began + self.started.elapsed().as_millis() as i64
    }

    /// The world as it is told now.
    pub(crate) fn world(&self) -> Arc<World> {
        self.worlds.at(self.now(), |world| self.monitors.renew(world))
    }
}
