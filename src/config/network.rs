//! Proxy and certificates as the environment gives them.

use super::{ConfigError, Variables};
use datadog_client::Secret;

/// The proxy of `HTTPS_PROXY` (or `ALL_PROXY`) for `host`, unless `NO_PROXY` lists it.
pub(super) fn proxy_of(variables: &Variables, host: &str) -> Result<Option<Secret>, ConfigError> {
    let either = |upper: &str| -> Result<Option<String>, ConfigError> {
        let own = variables.secret(upper)?;
        let lower = variables.secret(&upper.to_ascii_lowercase())?;
        Ok(own.or(lower).map(str::to_owned))
    };
    if either("NO_PROXY")?.is_some_and(|list| excluded(&list, host)) {
        return Ok(None);
    }
    Ok(either("HTTPS_PROXY")?.or(either("ALL_PROXY")?).map(Secret::new))
}

/// Whether a `NO_PROXY` list holds the host: `*`, the host itself, or a domain it lies in, with or without a leading dot.
fn excluded(list: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        let domain = entry.split(':').next().unwrap_or_default().trim_start_matches('.');
        entry == "*" || (!domain.is_empty() && (host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))))
    })
}

/// More root certificates: the content of the file that `SSL_CERT_FILE` names.
pub(super) fn extra_roots(variables: &Variables) -> Result<Option<Vec<u8>>, ConfigError> {
    let Some(path) = variables.text("SSL_CERT_FILE")? else { return Ok(None) };
    fs_err::read(path).map(Some).map_err(|error| ConfigError::Value(format!("SSL_CERT_FILE: {error}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_lists_hosts_and_domains() {
        for (list, host, out) in [
            ("*", "api.datadoghq.com", true),
            ("datadoghq.com", "api.datadoghq.com", true),
            (".datadoghq.com", "api.datadoghq.com", true),
            ("localhost, api.DATADOGHQ.com:443", "api.datadoghq.com", true),
            ("doghq.com", "api.datadoghq.com", false),
            ("datadoghq.eu", "api.datadoghq.com", false),
            ("", "api.datadoghq.com", false),
        ] {
            assert_eq!(excluded(list, host), out, "{list}");
        }
    }

    #[test]
    fn the_proxy_comes_from_either_spelling() {
        let variables = Variables::from_pairs([("https_proxy", "http://p:1"), ("NO_PROXY", "internal")]);
        assert_eq!(proxy_of(&variables, "api.datadoghq.com").unwrap().unwrap().expose(), "http://p:1");
        assert!(proxy_of(&variables, "x.internal").unwrap().is_none());
    }
}
