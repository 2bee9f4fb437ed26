//! The world and its renewal: a sandbox that runs for hours tells its story anew, so that `now-15m` always finds something.

use crate::story::World;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The world as it is told at present.
#[derive(Debug)]
pub(crate) struct Worlds {
    present: RwLock<Arc<World>>,
    /// Milliseconds after which it is told again.
    renew_after: i64,
}

impl Worlds {
    pub(crate) fn new(world: World, renew_after: Duration) -> Self {
        Self { present: RwLock::new(Arc::new(world)), renew_after: i64::try_from(renew_after.as_millis()).unwrap_or(i64::MAX) }
    }

    /// The world at `now`. When it has aged, the same story is told relative to `now`, with the same ids, and `renewed` is called with it.
    pub(crate) fn at(&self, now: i64, renewed: impl FnOnce(&World)) -> Arc<World> {
        let fresh = |world: &World| now.saturating_sub(world.now) < self.renew_after;
        let present = Arc::clone(&self.present.read().unwrap_or_else(PoisonError::into_inner));
        if fresh(&present) {
            return present;
        }
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        if !fresh(&present) {
            *present = Arc::new(present.told_at(now));
            renewed(&present);
        }
        Arc::clone(&present)
    }
}
