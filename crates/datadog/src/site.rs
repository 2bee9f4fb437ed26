//! Datadog sites and the base URLs of their hosts; nothing else decides where a credential is sent.

mod parse;

#[cfg(test)]
mod tests;

use datadog_catalogue::Host;
use std::{fmt, hash, sync::Arc};
use url::Url;

/// The public sites with the region names Datadog uses for them (specification of October 2026, `servers`), and staging.
const REGIONS: &[Region] = &[
    Region { site: "datadoghq.com", name: "US1", short: &["us1", "us"] },
    Region { site: "us3.datadoghq.com", name: "US3", short: &["us3"] },
    Region { site: "us5.datadoghq.com", name: "US5", short: &["us5"] },
    Region { site: "datadoghq.eu", name: "EU1", short: &["eu1", "eu"] },
    Region { site: "ap1.datadoghq.com", name: "AP1", short: &["ap1"] },
    Region { site: "ap2.datadoghq.com", name: "AP2", short: &["ap2"] },
    Region { site: "uk1.datadoghq.com", name: "UK1", short: &["uk1", "uk"] },
    Region { site: "ddog-gov.com", name: "US1-FED", short: &["us1-fed", "gov"] },
    Region { site: "us2.ddog-gov.com", name: "US2-FED", short: &["us2-fed"] },
    Region { site: "datad0g.com", name: "staging", short: &[] },
];

/// Whether a base URL outside Datadog's domains may be used (`--trust-site`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Only Datadog's own domains.
    DatadogOnly,
    /// The operator vouches for the URL; it is used verbatim for every host family.
    Operator,
}

/// A Datadog site, parsed once. Cheap to clone.
///
/// Equality and hash are by [`Site::name`].
#[derive(Debug, Clone)]
pub struct Site(Arc<Inner>);

/// Why a site was not accepted: names the valid ones and `--trust-site`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SiteError(pub String);

/// One of Datadog's regions.
#[derive(Debug, PartialEq, Eq)]
struct Region {
    site: &'static str,
    name: &'static str,
    short: &'static [&'static str],
}

#[derive(Debug)]
struct Inner {
    name: String,
    /// `None` for a trusted base URL.
    region: Option<&'static Region>,
    /// Base of UI links, without a trailing slash.
    ui: String,
    bases: Bases,
}

/// Base URL per host family.
#[derive(Debug)]
struct Bases {
    api: Url,
    app: Url,
    logs_intake: Url,
    event_intake: Url,
    ip_ranges: Url,
    on_call: Url,
    browser_intake: Url,
}

impl Site {
    /// Parses `datadoghq.eu`, a short region name (`us5`), a vanity host (`acme.datadoghq.com`), an address pasted from
    /// the browser (`https://app.datadoghq.eu/`) or, with [`Trust::Operator`], an `http(s)` base URL.
    ///
    /// Everything else is refused: look-alikes, IP addresses, ports, paths, user info, punycode, trailing dots.
    pub fn parse(text: &str, trust: Trust) -> Result<Self, SiteError> {
        parse::site(text, trust)
    }

    /// Names of the public sites, in the order in which messages list them.
    pub fn known() -> impl Iterator<Item = &'static str> {
        REGIONS.iter().filter(|r| r.name != "staging").map(|r| r.site)
    }

    /// Name as users write it, e.g. `datadoghq.com`, or the trusted base URL.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The site behind the name: `datadoghq.com` for the vanity host `acme.datadoghq.com`; the base URL of a trusted one.
    #[must_use]
    pub fn api_site(&self) -> &str {
        self.0.region.map_or(&self.0.name, |r| r.site)
    }

    /// Region name (`US1`, `EU1`, …); `None` for a trusted base URL.
    #[must_use]
    pub fn region(&self) -> Option<&'static str> {
        self.0.region.map(|r| r.name)
    }

    /// Whether the operator vouched for a base URL outside Datadog's domains.
    #[must_use]
    pub fn is_trusted_url(&self) -> bool {
        self.0.region.is_none()
    }

    /// Base URL of a host family.
    #[must_use]
    pub fn base(&self, host: Host) -> Url {
        self.base_ref(host).clone()
    }

    pub(crate) fn base_ref(&self, host: Host) -> &Url {
        let bases = &self.0.bases;
        match host {
            Host::Api => &bases.api,
            Host::App => &bases.app,
            Host::LogsIntake => &bases.logs_intake,
            Host::EventIntake => &bases.event_intake,
            Host::IpRanges => &bases.ip_ranges,
            Host::OnCall => &bases.on_call,
            Host::BrowserIntake => &bases.browser_intake,
        }
    }

    /// Link into the web UI: `path` begins with `/` and is already encoded.
    #[must_use]
    pub fn ui(&self, path: &str) -> String {
        let slash = if path.starts_with('/') { "" } else { "/" };
        format!("{}{slash}{path}", self.0.ui)
    }

    /// What a person needs to know when a credential may belong to another region.
    #[must_use]
    pub fn regional_hint(&self) -> String {
        match self.0.region {
            Some(region) => format!(
                "this server talks to {} ({}); keys and tokens of another region are refused there. The region of an org \
                 shows in the address of Datadog in its browser (e.g. us5.datadoghq.com); set DD_SITE to it",
                region.site, region.name
            ),
            None => {
                format!("this server talks to {}, which its operator vouched for; check that it stands for the org's region", self.0.name)
            }
        }
    }

    /// The public site that a host (`api.us5.datadoghq.com`) belongs to, when it is another than this one.
    #[must_use]
    pub fn other_site_of(&self, host: &str) -> Option<&'static str> {
        let mine = self.0.region?;
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        // The longest site that the host ends with: `api.us5.datadoghq.com` is US5's, not US1's.
        let region = REGIONS
            .iter()
            .filter(|r| host.strip_suffix(r.site).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
            .max_by_key(|r| r.site.len())?;
        (region != mine).then_some(region.site)
    }

    /// Another public site that a text of Datadog names as the place to go to; `None` when it names none, or this one.
    ///
    /// Only API, UI and regional hosts count: `docs.datadoghq.com` and `support@datadoghq.com` stand in texts of every site.
    #[must_use]
    pub fn other_site_in(&self, text: &str) -> Option<&'static str> {
        let text = text.to_ascii_lowercase();
        let mut found = None;
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-')) {
            let word = word.trim_matches(['.', '-']);
            let bare = word.strip_prefix("app.").or_else(|| word.strip_prefix("api."));
            let Some(region) = REGIONS.iter().find(|r| Some(r.site) == bare || (r.site == word && r.site.matches('.').count() > 1)) else {
                continue;
            };
            match self.other_site_of(region.site) {
                None => return None,
                other => found = found.or(other),
            }
        }
        found
    }
}

impl PartialEq for Site {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Site {}

impl hash::Hash for Site {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}
