//! Which requests wait for an answer, and how the connection comes to its end.

use rmcp::model::RequestId;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Asks a running server to stop: first gently, then at once.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Take no more requests, finish those that run.
    pub gently: CancellationToken,
    /// Leave now.
    pub at_once: CancellationToken,
}

/// Requests that were taken and not answered yet. A clone shares the state.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    /// No more requests are taken: the client closed its end, or the process was asked to stop.
    pub(super) closing: CancellationToken,
    waiting: Arc<Mutex<HashSet<RequestId>>>,
    settled: Arc<Notify>,
}

impl Flow {
    pub(super) fn new(closing: CancellationToken) -> Self {
        Self { closing, waiting: Arc::default(), settled: Arc::default() }
    }

    pub(super) fn taken(&self, id: RequestId) {
        self.lock().insert(id);
    }

    /// The answer was written, or the client cancelled and none will be.
    pub(super) fn done(&self, id: &RequestId) {
        let mut waiting = self.lock();
        waiting.remove(id);
        if waiting.is_empty() {
            self.settled.notify_waiters();
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().len()
    }

    /// Returns when nothing waits for an answer.
    pub(super) async fn settled(&self) {
        loop {
            let notified = self.settled.notified();
            tokio::pin!(notified);
            // Registered before the count is read, so that an answer in between is not missed.
            notified.as_mut().enable();
            if self.waiting() == 0 {
                return;
            }
            notified.await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<RequestId>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
