//! Progress notifications of one call: increasing, not too many, none after the result.

use datadog_tools::Progress;
use rmcp::{
    RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::Peer,
};
use std::time::Duration;
use tokio::sync::watch;

/// At most one notification in this time; what comes faster is replaced by the newest.
const PAUSE: Duration = Duration::from_millis(25);

#[derive(Debug, Clone)]
struct Update {
    done: u64,
    total: Option<u64>,
    message: String,
}

/// The reporting end that a tool holds.
#[derive(Debug)]
pub(super) struct Reporter(watch::Sender<Option<Update>>);

/// The end that writes notifications; run it beside the call.
#[derive(Debug)]
pub(super) struct Pump {
    updates: watch::Receiver<Option<Update>>,
    to: Option<(Peer<RoleServer>, ProgressToken)>,
}

/// Both ends. Without a token (the client asked for no progress) nothing is sent.
pub(super) fn channel(peer: &Peer<RoleServer>, token: Option<ProgressToken>) -> (Reporter, Pump) {
    let (sender, updates) = watch::channel(None);
    (Reporter(sender), Pump { updates, to: token.map(|token| (peer.clone(), token)) })
}

impl Progress for Reporter {
    fn report(&self, done: u64, total: Option<u64>, message: &str) {
        self.0.send_if_modified(|last| {
            // The protocol wants every value to be greater than the one before.
            let forward = last.as_ref().is_none_or(|last| done > last.done);
            if forward {
                *last = Some(Update { done, total, message: message.to_owned() });
            }
            forward
        });
    }
}

impl Pump {
    /// Sends until the [`Reporter`] is dropped; what was reported last is sent before it returns, so nothing follows the result.
    pub(super) async fn run(mut self) {
        let Some((peer, token)) = self.to else { return };
        while self.updates.changed().await.is_ok() {
            let Some(update) = self.updates.borrow_and_update().clone() else { continue };
            let mut param = ProgressNotificationParam::new(token.clone(), update.done as f64).with_message(update.message);
            if let Some(total) = update.total {
                param = param.with_total(total as f64);
            }
            if peer.notify_progress(param).await.is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = closed(&self.updates) => {}
            }
        }
    }
}

/// Waits until the reporting end is gone.
async fn closed(updates: &watch::Receiver<Option<Update>>) {
    let mut updates = updates.clone();
    while updates.changed().await.is_ok() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_does_not_grow_is_not_reported() {
        let (sender, updates) = watch::channel(None);
        let reporter = Reporter(sender);
        for done in [1, 3, 2, 3, 4] {
            reporter.report(done, None, &format!("step {done}"));
        }
        let last = updates.borrow().clone();
        assert!(last.is_some_and(|update| update.done == 4 && update.message == "step 4"));
        reporter.report(4, Some(4), "again");
        assert!(updates.borrow().as_ref().is_some_and(|update| update.total.is_none()));
    }
}
