//! Datadog sites and the base URLs of their hosts.

use datadog_catalogue::Host;
use std::sync::Arc;
use url::Url;

/// Whether a base URL outside Datadog's domains may be used (`--trust-site`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Only Datadog's own domains.
    DatadogOnly,
    /// The operator vouches for the URL; it is used verbatim for every host family.
    Operator,
}

/// A Datadog site, parsed once; nothing else decides where a credential is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Site(Arc<str>);

/// Why a site was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SiteError(pub String);

impl Site {
    /// Parses `datadoghq.eu`, a vanity host (`acme.datadoghq.com`) or, with [`Trust::Operator`], a base URL.
    pub fn parse(text: &str, trust: Trust) -> Result<Self, SiteError> {
        let _ = (text, trust);
        Err(SiteError(String::new()))
    }

    /// Name as users write it, e.g. `datadoghq.com`, or the trusted base URL.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Base URL of a host family.
    #[must_use]
    pub fn base(&self, host: Host) -> Url {
        let _ = host;
        unimplemented!()
    }

    /// Link into the web UI: `path` begins with `/` and is already encoded.
    #[must_use]
    pub fn ui(&self, path: &str) -> String {
        let _ = path;
        String::new()
    }
}
