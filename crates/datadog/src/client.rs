//! Sending a request to Datadog: credential, rate gate, retries, capped reading.

use crate::{CredentialKind, CredentialSource, Principal, Refusal, Request, Secret, Site};
use bytes::Bytes;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How the client is set up.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// `datadog-mcp/0.1.0 (…)`
    pub user_agent: String,
    /// Deadline of one call, retries and waits included.
    pub deadline: Duration,
    /// Connect timeout.
    pub connect_timeout: Duration,
    /// Most bytes of one decoded answer.
    pub max_answer_bytes: u64,
    /// Proxy to use (`--proxy`), its credentials included.
    pub proxy: Option<Secret>,
    /// More root certificates in PEM form (the content of `SSL_CERT_FILE`).
    pub extra_roots_pem: Option<Vec<u8>>,
    /// Most tries of a read.
    pub max_tries: u32,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            user_agent: concat!("datadog-mcp/", env!("CARGO_PKG_VERSION")).to_owned(),
            deadline: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(5),
            max_answer_bytes: 64 << 20,
            proxy: None,
            extra_roots_pem: None,
            max_tries: 3,
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

/// The one way to Datadog.
#[derive(Debug, Clone)]
pub struct Client {
    site: Site,
    credentials: Arc<dyn CredentialSource>,
}

/// Which identity answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Kind of the credential that was accepted.
    pub kind: CredentialKind,
    /// Session name.
    pub org: String,
    /// Set when this is not the identity that was tried first: why the first was refused.
    pub instead_of: Option<String>,
}

/// What `X-RateLimit-*` said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateFacts {
    /// Bucket name, when given.
    pub name: Option<String>,
    /// Calls allowed per period.
    pub limit: u64,
    /// Calls left.
    pub remaining: u64,
    /// Seconds until the period ends.
    pub reset_s: u64,
}

/// A successful answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status (2xx).
    pub status: u16,
    /// `Content-Type`, lower case, without parameters.
    pub content_type: String,
    /// Decoded body.
    pub body: Bytes,
    /// Rate-limit headers.
    pub rate: Option<RateFacts>,
    /// Who acted.
    pub identity: Identity,
    /// Tries that were needed.
    pub tries: u32,
}

impl Reply {
    /// The body as JSON; an empty body is `null`; a cut or malformed one is an error, never an empty answer.
    pub fn json(&self) -> Result<Value, Refusal> {
        unimplemented!()
    }
}

impl Client {
    /// Builds the client; fails when the proxy or the certificates cannot be used.
    pub fn new(config: ClientConfig, site: Site, credentials: Arc<dyn CredentialSource>) -> Result<Self, Refusal> {
        let _ = config;
        Ok(Self { site, credentials })
    }

    /// The site it talks to.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Where credentials come from.
    #[must_use]
    pub fn credentials(&self) -> &Arc<dyn CredentialSource> {
        &self.credentials
    }

    /// Sends one request for one caller.
    ///
    /// Reads are tried up to `max_tries` times within the deadline; a write is sent at most once unless Datadog said
    /// that it did not run (429).
    pub async fn send(&self, who: &Principal, request: &Request, limits: &CallLimits) -> Result<Reply, Refusal> {
        let _ = (who, request, limits);
        unimplemented!()
    }
}
