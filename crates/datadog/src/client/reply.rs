//! A successful answer.

use super::RateFacts;
use crate::json::JsonError;
use crate::{CredentialKind, Fix, Kind, Refusal, WhoCanFix};
use bytes::Bytes;
use datadog_catalogue::Operation;
use serde::Deserialize;
use serde_json::Value;

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

/// A successful answer. Cheap to clone: the body is shared.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The operation that was called.
    pub operation: &'static Operation,
    /// HTTP status (2xx, or 304 for a request with `If-None-Match`).
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
    /// Datadog's request id.
    pub request_id: Option<String>,
    /// Datadog's clock when it answered (`Date`).
    pub date: Option<jiff::Timestamp>,
}

impl Reply {
    /// An answer that did not come over the network: a recording, or one that a test makes up.
    #[must_use]
    pub fn recorded(operation: &'static Operation, status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            operation,
            status,
            content_type: content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
            body: body.into(),
            rate: None,
            identity: Identity { kind: CredentialKind::None, org: "default".to_owned(), instead_of: None },
            tries: 1,
            request_id: None,
            date: None,
        }
    }

    /// The body as JSON; an empty body is `null`; a cut or malformed one is an error, never an empty answer.
    pub fn json(&self) -> Result<Value, Refusal> {
        self.decode()
    }

    /// The body as a type of its own, by the same rules as [`Reply::json`]: what is large need not become a tree first.
    pub fn decode<'a, T: Deserialize<'a> + Send>(&'a self) -> Result<T, Refusal> {
        if self.content_type.contains("html") && !self.body.trim_ascii().is_empty() {
            return Err(self.unreadable("it is an HTML page"));
        }
        crate::json::decode(&self.body).map_err(|error| match error {
            JsonError::TooDeep => self.unreadable(&error.to_string()),
            _ if self.content_type.contains("json") || self.content_type.is_empty() => self.unreadable(&error.to_string()),
            _ => self.unreadable(&format!("{error}; its type is {}", crate::untrusted::shown(&self.content_type, 60))),
        })
    }

    /// The refusal for a success that says nothing usable. None of the body is repeated: it may hold what a tool masks.
    fn unreadable(&self, why: &str) -> Refusal {
        let mut refusal =
            Refusal::new(Kind::UpstreamFailed, format!("Datadog's answer to {} cannot be read as JSON: {why}", self.operation.id))
                .because(format!("status {}, {} bytes; nothing was taken from it", self.status, self.body.len()))
                .fix(Fix::new("repeat", "repeat the call; if it stays, check that DD_SITE and any proxy in between are right"))
                .on(self.operation.id);
        refusal.status = Some(self.status);
        refusal.who_can_fix = Some(WhoCanFix::Datadog);
        refusal.request_id.clone_from(&self.request_id);
        refusal
    }
}
