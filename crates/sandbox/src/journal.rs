//! What the sandbox received, for tests that count: which requests came, with what kind of credential, and which ran.

use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

/// The journal as read at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Journal {
    /// Requests in the order of arrival, at most the last [`Journal::KEPT`].
    pub requests: Vec<Received>,
    /// How often each operation really ran (a request refused, limited or lost to a fault beforehand did not).
    pub executed: BTreeMap<String, u64>,
}

impl Journal {
    /// How many requests are remembered.
    pub const KEPT: usize = 10_000;
}

/// One request. Never holds a credential's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Received {
    /// HTTP method.
    pub method: String,
    /// Path as sent, still encoded.
    pub path: String,
    /// Query string as sent.
    pub query: String,
    /// The operation it means, if any, e.g. `v2.ListLogs`.
    pub operation: Option<&'static str>,
    /// `none`, `keys`, `api-key`, `app-key`, `bearer`, `bearer+keys`, `bearer+partial-keys`.
    pub credential: &'static str,
    /// `User-Agent`.
    pub user_agent: String,
    /// Bytes of its body.
    pub body_bytes: usize,
    /// Kind of the fault that met it.
    pub fault: Option<&'static str>,
}

/// The journal as it is written.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    requests: VecDeque<Received>,
    executed: BTreeMap<String, u64>,
}

impl Ledger {
    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn received(&self, request: Received) {
        let mut pages = self.pages();
        if pages.requests.len() == Journal::KEPT {
            pages.requests.pop_front();
        }
        pages.requests.push_back(request);
    }

    pub(crate) fn executed(&self, operation: &str) {
        *self.pages().executed.entry(operation.to_owned()).or_default() += 1;
    }

    pub(crate) fn read(&self) -> Journal {
        let pages = self.pages();
        Journal { requests: pages.requests.iter().cloned().collect(), executed: pages.executed.clone() }
    }

    pub(crate) fn clear(&self) {
        *self.pages() = Pages::default();
    }
}
