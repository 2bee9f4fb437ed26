//! Sending a request to Datadog: credential, rate gate, retries, capped reading.

mod contents;
mod exchange;
mod gate;
mod lost;
pub(crate) mod rate;
mod read;
mod reply;
mod transport;
mod wire;

pub use rate::RateFacts;
pub use reply::{Identity, Reply};

use crate::{CredentialSource, Kind, Principal, Refusal, Request, Secret, Site};
use datadog_catalogue::Effect;
use gate::Gates;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fmt, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use transport::Transport;

/// How the client is set up.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// `datadog-mcp/0.1.0 (…)`
    pub user_agent: String,
    /// Deadline of one call, retries and waits included.
    pub deadline: Duration,
    /// Connect timeout.
    pub connect_timeout: Duration,
    /// Longest silence inside of an answer's body.
    pub idle_timeout: Duration,
    /// Most bytes of one decoded answer.
    pub max_answer_bytes: u64,
    /// Proxy to use (`--proxy`), its credentials included.
    pub proxy: Option<Secret>,
    /// More root certificates in PEM form (the content of `SSL_CERT_FILE`).
    pub extra_roots_pem: Option<Vec<u8>>,
    /// Most tries of a read.
    pub max_tries: u32,
    /// Shortest and longest of the random waits between tries; they double from one to the next.
    pub backoff: (Duration, Duration),
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            user_agent: concat!("datadog-mcp/", env!("CARGO_PKG_VERSION")).to_owned(),
            deadline: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(20),
            max_answer_bytes: 64 << 20,
            proxy: None,
            extra_roots_pem: None,
            max_tries: 3,
            backoff: (Duration::from_millis(250), Duration::from_secs(8)),
        }
    }
}

/// Bounds of one call.
#[derive(Debug, Clone, Default)]
pub struct CallLimits {
    /// Fires when the caller gives up; the socket is dropped at once.
    pub cancel: CancellationToken,
    /// A shorter deadline than the client's.
    pub deadline: Option<Duration>,
}

/// The one way to Datadog. Cheap to clone; clones share connections and rate gates.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    site: Site,
    credentials: Arc<dyn CredentialSource>,
    config: ClientConfig,
    transport: Transport,
    gates: Gates,
    /// Makes identities out of credentials that tell nothing about them.
    hasher: std::hash::RandomState,
}

impl Client {
    /// Checks the configuration; fails when the proxy or the certificates cannot be used. Opens nothing.
    pub fn new(config: ClientConfig, site: Site, credentials: Arc<dyn CredentialSource>) -> Result<Self, Refusal> {
        let transport = Transport::new(config.clone(), &site)?;
        let hasher = std::hash::RandomState::new();
        Ok(Self(Arc::new(Inner { site, credentials, config, transport, gates: Gates::default(), hasher })))
    }

    /// The site it talks to.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.0.site
    }

    /// Where credentials come from.
    #[must_use]
    pub fn credentials(&self) -> &Arc<dyn CredentialSource> {
        &self.0.credentials
    }

    /// Reads the platform's certificates and builds the connection pool ahead of the first call. Takes milliseconds of
    /// CPU time; made for a blocking thread. Opens no connection.
    pub fn warm(&self) -> Result<(), Refusal> {
        self.0.transport.client().map(|_| ())
    }

    /// Sends one request for one caller.
    ///
    /// Reads are tried up to `max_tries` times within the deadline; a write is sent at most once unless Datadog said
    /// that it did not run (429, or a refused credential) or nothing of it was sent. Dropping the future, or firing
    /// `limits.cancel`, drops the socket.
    pub async fn send(&self, who: &Principal, request: &Request, limits: &CallLimits) -> Result<Reply, Refusal> {
        let allowed = limits.deadline.map_or(self.0.config.deadline, |shorter| shorter.min(self.0.config.deadline));
        let deadline = Instant::now() + allowed;
        let sent = AtomicBool::new(false);
        let call = exchange::Call::new(&self.0, who, request, deadline, &sent);
        let outcome = tokio::select! {
            biased;
            () = limits.cancel.cancelled() => Err(stopped(request, &sent, Kind::Cancelled, "the call was cancelled")),
            outcome = tokio::time::timeout_at(deadline, call.run()) => outcome.unwrap_or_else(|_| {
                let seconds = allowed.as_secs_f64();
                Err(stopped(request, &sent, Kind::Timeout, &format!("Datadog did not answer within {seconds} s")))
            }),
        };
        outcome.map_err(|refusal| if refusal.operation.is_some() { refusal } else { refusal.on(request.operation.id) })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("site", &self.0.site.name()).field("deadline", &self.0.config.deadline).finish_non_exhaustive()
    }
}

/// A call that ended before its answer; a write may have run.
fn stopped(request: &Request, sent: &AtomicBool, kind: Kind, message: &str) -> Refusal {
    let refusal = Refusal::new(kind, format!("{message} ({})", request.operation.id)).on(request.operation.id);
    if request.operation.kind.effect() != Effect::Read && sent.load(Ordering::Relaxed) {
        return refusal
            .because(crate::answer::MAYBE_DONE)
            .fix(crate::Fix::new("check", "read the object first; repeat the call only if nothing happened"));
    }
    match kind {
        Kind::Timeout => refusal
            .because("the query may be too heavy, or the connection too slow")
            .fix(crate::Fix::new("narrow", "ask for less: a shorter time range, a smaller limit, a narrower query")),
        _ => refusal,
    }
}

/// Whether a planned request makes a URL; for the table over all operations.
#[cfg(test)]
pub(crate) fn check_sendable(site: &Site, request: &Request) {
    let wire = wire::Wire::new(site, request, &crate::Credential::none("default"));
    assert!(wire.is_ok(), "{}: {:?}", request.operation.id, wire.err());
}
