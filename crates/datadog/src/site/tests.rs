#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Site {
    Site::parse(text, Trust::DatadogOnly).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn the_nine_public_sites_and_staging_are_known() {
    let known: Vec<_> = Site::known().collect();
    assert_eq!(known.len(), 9);
    for site in known.into_iter().chain(["datad0g.com"]) {
        let parsed = parse(site);
        assert_eq!(parsed.name(), site);
        assert_eq!(parsed.base(Host::Api).as_str(), format!("https://api.{site}/"));
        assert_eq!(parsed.base(Host::App).as_str(), format!("https://app.{site}/"));
        assert_eq!(parsed.base(Host::LogsIntake).as_str(), format!("https://http-intake.logs.{site}/"));
        assert_eq!(parsed.base(Host::EventIntake).as_str(), format!("https://event-management-intake.{site}/"));
        assert_eq!(parsed.base(Host::IpRanges).as_str(), format!("https://ip-ranges.{site}/"));
    }
}

#[test]
fn what_people_paste_and_abbreviate_is_understood() {
    let cases = [
        ("app.datadoghq.com", "datadoghq.com"),
        ("https://app.datadoghq.eu/", "datadoghq.eu"),
        ("http://api.us3.datadoghq.com", "us3.datadoghq.com"),
        ("WWW.DatadogHQ.com", "datadoghq.com"),
        (" us5.datadoghq.com\n", "us5.datadoghq.com"),
        ("us1", "datadoghq.com"),
        ("eu1", "datadoghq.eu"),
        ("EU", "datadoghq.eu"),
        ("us3", "us3.datadoghq.com"),
        ("us5", "us5.datadoghq.com"),
        ("ap1", "ap1.datadoghq.com"),
        ("ap2", "ap2.datadoghq.com"),
        ("uk1", "uk1.datadoghq.com"),
        ("gov", "ddog-gov.com"),
        ("us2-fed", "us2.ddog-gov.com"),
    ];
    for (text, want) in cases {
        assert_eq!(parse(text).name(), want, "{text}");
    }
}

#[test]
fn a_vanity_host_keeps_its_name_and_uses_the_site_behind_it() {
    let site = parse("https://Acme.datadoghq.com/");
    assert_eq!((site.name(), site.api_site(), site.region()), ("acme.datadoghq.com", "datadoghq.com", Some("US1")));
    assert_eq!(site.base(Host::Api).as_str(), "https://api.datadoghq.com/");
    assert_eq!(site.base(Host::App).as_str(), "https://acme.datadoghq.com/");
    assert_eq!(site.ui("/logs?query=a"), "https://acme.datadoghq.com/logs?query=a");
    let site = parse("acme.us5.datadoghq.com");
    assert_eq!((site.api_site(), site.region()), ("us5.datadoghq.com", Some("US5")));
    assert_eq!(site.base(Host::Api).as_str(), "https://api.us5.datadoghq.com/");
}

#[test]
fn ui_links_have_app_only_where_the_site_has_no_subdomain() {
    let cases = [
        ("datadoghq.com", "https://app.datadoghq.com/x"),
        ("datadoghq.eu", "https://app.datadoghq.eu/x"),
        ("ddog-gov.com", "https://app.ddog-gov.com/x"),
        ("us2.ddog-gov.com", "https://us2.ddog-gov.com/x"),
        ("us3.datadoghq.com", "https://us3.datadoghq.com/x"),
        ("uk1.datadoghq.com", "https://uk1.datadoghq.com/x"),
    ];
    for (site, want) in cases {
        assert_eq!(parse(site).ui("/x"), want);
    }
}

#[test]
fn regional_hosts_outside_the_pattern() {
    assert_eq!(parse("us1").base(Host::OnCall).as_str(), "https://navy.oncall.datadoghq.com/");
    assert_eq!(parse("eu1").base(Host::OnCall).as_str(), "https://beige.oncall.datadoghq.eu/");
    assert_eq!(parse("us1").base(Host::BrowserIntake).as_str(), "https://browser-intake-datadoghq.com/");
    assert_eq!(parse("us3").base(Host::BrowserIntake).as_str(), "https://browser-intake-us3-datadoghq.com/");
    assert_eq!(parse("eu1").base(Host::BrowserIntake).as_str(), "https://browser-intake-datadoghq.eu/");
}

const HOSTILE: &[&str] = &[
    "",
    "evil.com",
    "datadoghq.com.evil.com",
    "evildatadoghq.com",
    "datadoghq.com@evil.com",
    "x@datadoghq.com",
    "https://user:pw@datadoghq.com",
    "127.0.0.1",
    "169.254.169.254",
    "[::1]",
    "http://localhost:8126",
    "datadoghq.com.",
    ".datadoghq.com",
    "a..datadoghq.com",
    "xn--80ak6aa92e.datadoghq.com",
    "datadoghq.com:443",
    "datadoghq.com/api",
    "https://app.datadoghq.com/logs",
    "datadoghq.com?x",
    "datadoghq.com#x",
    "datadoghq.com\\@evil.com",
    "datadoghq.com%2eevil.com",
    "data doghq.com",
    "datadoghq.com\r\nHost: evil.com",
    "datadоghq.com", // a Cyrillic о
    "a.b.datadoghq.com",
    "mcp.datadoghq.com",
    "us4.datadoghq.com",
    "us1.datadoghq.com",
    "-a.datadoghq.com",
    "a_b.datadoghq.com",
    "ftp://datadoghq.com",
    "javascript:alert(1)",
    "https://https://datadoghq.com",
];

#[test]
fn everything_else_is_refused_with_the_valid_ones_named() {
    for text in HOSTILE {
        let error = Site::parse(text, Trust::DatadogOnly).err().unwrap_or_else(|| panic!("{text:?} was accepted"));
        assert!(error.0.contains("us5.datadoghq.com") && error.0.contains("--trust-site"), "{error}");
        assert!(!error.0.contains(['\r', '\n']), "{error}");
    }
}

#[test]
fn a_trusted_base_url_is_used_verbatim_for_every_host() {
    let site = Site::parse("http://127.0.0.1:8126", Trust::Operator).unwrap();
    assert_eq!((site.name(), site.region(), site.is_trusted_url()), ("http://127.0.0.1:8126", None, true));
    for host in [Host::Api, Host::App, Host::LogsIntake, Host::EventIntake, Host::IpRanges, Host::OnCall, Host::BrowserIntake] {
        assert_eq!(site.base(host).as_str(), "http://127.0.0.1:8126/");
    }
    assert_eq!(site.ui("/logs"), "http://127.0.0.1:8126/logs");
    let site = Site::parse("https://gateway.example.com/datadog/", Trust::Operator).unwrap();
    assert_eq!(site.name(), "https://gateway.example.com/datadog");
    assert_eq!(site.ui("/logs"), "https://gateway.example.com/datadog/logs");
    // A site of Datadog stays one.
    assert_eq!(Site::parse("datadoghq.eu", Trust::Operator).unwrap().region(), Some("EU1"));
}

#[test]
fn trust_has_limits_and_a_password_is_not_repeated() {
    for text in ["gateway:8080", "ftp://x", "file:///etc/passwd", "https://x/?a=b", "https://x/#f", "http://", "evil.com"] {
        assert!(Site::parse(text, Trust::Operator).is_err(), "{text}");
    }
    let error = Site::parse("https://me:fake-password@gateway.example.com", Trust::Operator).unwrap_err();
    assert!(!error.0.contains("fake-password"), "{error}");
}

#[test]
fn another_site_is_seen_where_it_is_named_as_the_place_to_go() {
    let us1 = parse("us1");
    assert_eq!(us1.other_site_of("api.us5.datadoghq.com"), Some("us5.datadoghq.com"));
    assert_eq!(us1.other_site_of("app.datadoghq.eu"), Some("datadoghq.eu"));
    assert_eq!(us1.other_site_of("app.datadoghq.com"), None);
    assert_eq!(us1.other_site_of("evil.test"), None);
    assert_eq!(us1.other_site_of("datadoghq.eu.evil.test"), None);
    assert_eq!(us1.other_site_in("This org lives on https://app.datadoghq.eu, go there."), Some("datadoghq.eu"));
    assert_eq!(us1.other_site_in("use us5.datadoghq.com."), Some("us5.datadoghq.com"));
    let eu = parse("eu1");
    for text in
        ["see docs.datadoghq.com", "write to support@datadoghq.com", "http://status.datadoghq.com", "app.datadoghq.eu or us3.datadoghq.com"]
    {
        assert_eq!(eu.other_site_in(text), None, "{text}");
    }
    assert!(eu.regional_hint().contains("EU1"));
}

proptest! {
    #[test]
    fn no_text_leads_outside_of_datadogs_domains(text in "[ -~]{0,40}|[a-z0-9.:/@-]{0,30}(datadoghq\\.com|ddog-gov\\.com|datadoghq\\.eu)[a-z0-9.:/@-]{0,10}") {
        if let Ok(site) = Site::parse(&text, Trust::DatadogOnly) {
            for host in [Host::Api, Host::App, Host::LogsIntake, Host::EventIntake, Host::IpRanges, Host::OnCall] {
                let url = site.base(host);
                prop_assert_eq!(url.scheme(), "https");
                prop_assert!(url.port().is_none() && url.username().is_empty() && url.path() == "/");
                let name = url.host_str().unwrap();
                prop_assert!(REGIONS.iter().any(|r| name.ends_with(&format!(".{}", r.site))), "{}", name);
            }
        }
    }
}
