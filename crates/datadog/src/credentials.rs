//! The kinds of credential and where one comes from for a request.

mod configured;

#[cfg(test)]
mod tests;

pub use configured::{Configuration, ConfiguredCredentials};

use crate::{Principal, Refusal, Secret, Site};
use async_trait::async_trait;
use datadog_catalogue::Operation;
use std::collections::BTreeSet;

/// API key with, for most operations, an application key.
#[derive(Debug, Clone)]
pub struct Keys {
    /// `DD-API-KEY`
    pub api: Secret,
    /// `DD-APPLICATION-KEY`
    pub app: Option<Secret>,
}

/// What a credential is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// A session from a browser sign-in.
    Oauth,
    /// A bearer token from the configuration (PAT, SAT, access token).
    Bearer,
    /// API and application key.
    Keys,
    /// A configured bearer token together with configured keys, as official clients send them.
    BearerAndKeys,
    /// Nothing: the few operations that anyone may call (IP ranges, OAuth discovery).
    None,
}

impl CredentialKind {
    /// The word used in refusals and `auth_status`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Oauth => "oauth",
            Self::Bearer => "bearer",
            Self::Keys => "keys",
            Self::BearerAndKeys => "bearer+keys",
            Self::None => "none",
        }
    }
}

/// What one request is sent with.
#[derive(Debug, Clone)]
pub struct Credential {
    /// What it is made of.
    pub kind: CredentialKind,
    /// Session name, `default` unless another was chosen.
    pub org: String,
    /// Bearer token.
    pub bearer: Option<Secret>,
    /// Keys.
    pub keys: Option<Keys>,
    /// Scopes the bearer token is known to have; `None` when unknown (configured tokens).
    pub granted: Option<BTreeSet<String>>,
    /// Scopes that were asked for at sign-in and refused by the server.
    pub refused: BTreeSet<String>,
}

impl Credential {
    /// The credential of operations that need none.
    #[must_use]
    pub fn none(org: &str) -> Self {
        Self { kind: CredentialKind::None, org: org.to_owned(), bearer: None, keys: None, granted: None, refused: BTreeSet::new() }
    }
}

/// Gives the credential for one operation: configured token and keys, later the OAuth session.
#[async_trait]
pub trait CredentialSource: Send + Sync + std::fmt::Debug {
    /// The credential to try first.
    async fn first(&self, who: &Principal, site: &Site, operation: &Operation) -> Result<Credential, Refusal>;

    /// Another identity to try once after `refused` was refused for a scope or because the route takes no OAuth.
    async fn fallback(&self, who: &Principal, site: &Site, operation: &Operation, refused: &Credential) -> Option<Credential>;

    /// A fresh credential after a 401 with `stale`, when one can be had without a person (refresh).
    async fn renewed(&self, who: &Principal, site: &Site, stale: &Credential) -> Option<Credential>;
}

/// Browser sign-in sessions, as [`ConfiguredCredentials`] uses them.
#[async_trait]
pub trait SessionSource: Send + Sync + std::fmt::Debug {
    /// The caller's session on this site, refreshed when it is near its end; `None` when there is none.
    /// Never starts a sign-in.
    async fn current(&self, who: &Principal, site: &Site) -> Result<Option<Credential>, Refusal>;

    /// Starts a sign-in, or joins the one under way; `sign_in_pending` when a person has yet to act.
    async fn sign_in(&self, who: &Principal, site: &Site, operation: &Operation) -> Result<Credential, Refusal>;

    /// A fresh credential after a 401 with `stale`, without a person.
    async fn renewed(&self, who: &Principal, site: &Site, stale: &Credential) -> Option<Credential>;
}

/// Whether anyone may call an operation: the specification lists no credential for it.
pub(crate) const fn is_open(operation: &Operation) -> bool {
    !operation.auth.api_key && !operation.auth.app_key && !operation.auth.bearer
}
