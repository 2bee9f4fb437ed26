//! Reading a site from what a person or an operator wrote.

use super::{Bases, Inner, REGIONS, Region, Site, SiteError, Trust};
use std::sync::Arc;
use url::{Host, Url};

/// Host prefixes that people paste with the site's name and that are no vanity name.
const PASTED: &[&str] = &["app.", "api.", "www."];

/// Names Datadog keeps for its own services; a vanity name cannot be one of them.
const RESERVED: &[&str] = &["api", "app", "www", "mcp", "ip-ranges", "docs", "event-management-intake", "trace", "intake"];

pub(super) fn site(text: &str, trust: Trust) -> Result<Site, SiteError> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let refusal = match datadog(text) {
        Ok(site) => return Ok(site),
        Err(why) => why,
    };
    match trust {
        Trust::Operator => trusted(text),
        Trust::DatadogOnly => Err(SiteError(format!(
            "`{}` is no Datadog site ({refusal}). Valid: {}, a vanity host such as acme.datadoghq.com, or, with --trust-site, \
             an http(s) base URL.",
            crate::untrusted::shown(text, 80),
            Site::known().collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// A host of Datadog's domains, or why it is none.
fn datadog(text: &str) -> Result<Site, &'static str> {
    let lower = text.to_ascii_lowercase();
    let host = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")).unwrap_or(&lower);
    let host = host.strip_suffix('/').unwrap_or(host);
    if host.is_empty() {
        return Err("it is empty");
    }
    if let Some(region) = REGIONS.iter().find(|r| r.short.contains(&host)) {
        return build(region, None);
    }
    check_host(host)?;
    let host = PASTED.iter().find_map(|p| host.strip_prefix(p)).unwrap_or(host);
    if let Some(region) = REGIONS.iter().find(|r| r.site == host) {
        return build(region, None);
    }
    // The longest site wins, so that `acme.us5.datadoghq.com` is a vanity host of US5.
    let (region, label) = REGIONS
        .iter()
        .filter_map(|r| Some((r, host.strip_suffix(r.site)?.strip_suffix('.')?)))
        .max_by_key(|(r, _)| r.site.len())
        .ok_or("it is not under one of Datadog's domains")?;
    if label.contains('.') || RESERVED.contains(&label) {
        return Err("a vanity host is one name in front of a site");
    }
    if looks_like_a_region(label) {
        return Err("no such region is known");
    }
    build(region, Some(label))
}

/// Letters, digits, hyphens and single dots; no port, path, user info, punycode or trailing dot.
fn check_host(host: &str) -> Result<(), &'static str> {
    if host.len() > 253 {
        return Err("it is too long");
    }
    if !host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
        return Err("a site is a host name only: no port, path, user or special character");
    }
    for label in host.split('.') {
        if label.is_empty() || label.len() > 63 || label.starts_with('-') || label.ends_with('-') {
            return Err("it is no well-formed host name");
        }
        if label.starts_with("xn--") {
            return Err("punycode names are not accepted");
        }
    }
    Ok(())
}

/// `us4`, `eu2`, `ap3`: more likely a mistyped region than a company.
fn looks_like_a_region(label: &str) -> bool {
    ["us", "eu", "ap", "uk", "gov"]
        .iter()
        .any(|p| label.strip_prefix(p).is_some_and(|n| n.is_empty() || n.bytes().all(|b| b.is_ascii_digit())))
}

fn build(region: &'static Region, vanity: Option<&str>) -> Result<Site, &'static str> {
    let site = region.site;
    let url = |host: &str| Url::parse(&format!("https://{host}/")).map_err(|_| "it is no host name");
    let name = vanity.map_or_else(|| site.to_owned(), |label| format!("{label}.{site}"));
    // `us3.datadoghq.com` is a UI host itself; `datadoghq.com` has its UI on `app.`.
    let ui = match vanity {
        Some(_) => name.clone(),
        None if site.matches('.').count() > 1 => site.to_owned(),
        None => format!("app.{site}"),
    };
    let app = vanity.map_or_else(|| format!("app.{site}"), |_| name.clone());
    // Paging hosts are regional under names of their own. The specification ties two of them to a site (`navy` is its
    // default, `beige` the only one of the EU); for the others nothing does, and the API host is the best known one.
    let on_call = match site {
        "datadoghq.com" => "navy.oncall.datadoghq.com".to_owned(),
        "datadoghq.eu" => "beige.oncall.datadoghq.eu".to_owned(),
        _ => format!("api.{site}"),
    };
    let bases = Bases {
        api: url(&format!("api.{site}"))?,
        app: url(&app)?,
        logs_intake: url(&format!("http-intake.logs.{site}"))?,
        event_intake: url(&format!("event-management-intake.{site}"))?,
        ip_ranges: url(&format!("ip-ranges.{site}"))?,
        on_call: url(&on_call)?,
        browser_intake: url(&browser_intake(site))?,
    };
    Ok(Site(Arc::new(Inner { name, region: Some(region), ui: format!("https://{ui}"), bases })))
}

/// `us3.datadoghq.com` → `browser-intake-us3-datadoghq.com` (specification, `servers` of `v2.SubmitProductAnalyticsEvent`).
fn browser_intake(site: &str) -> String {
    match site.rsplit_once('.') {
        Some((name, top)) => format!("browser-intake-{}.{top}", name.replace('.', "-")),
        None => format!("browser-intake-{site}"),
    }
}

/// A base URL that the operator vouches for; a path in front of the API's paths is kept.
fn trusted(text: &str) -> Result<Site, SiteError> {
    let fail = |why: &str| {
        SiteError(format!(
            "`{}` cannot be used as a base URL: {why}. Write it as http://127.0.0.1:8126 or https://gateway.example.com/datadog.",
            crate::untrusted::shown(text, 80)
        ))
    };
    let url = Url::parse(text).map_err(|_| fail("it is no absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fail("only http and https are possible"));
    }
    if !matches!(url.host(), Some(Host::Domain(d)) if !d.is_empty()) && !matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_))) {
        return Err(fail("it names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        // The text may hold a password: it is not repeated.
        return Err(SiteError("the base URL carries a user name or password; give credentials by their own variables".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fail("a query or fragment has no place in it"));
    }
    let name = url.as_str().trim_end_matches('/').to_owned();
    let bases = Bases {
        api: url.clone(),
        app: url.clone(),
        logs_intake: url.clone(),
        event_intake: url.clone(),
        ip_ranges: url.clone(),
        on_call: url.clone(),
        browser_intake: url,
    };
    Ok(Site(Arc::new(Inner { ui: name.clone(), name, region: None, bases })))
}
