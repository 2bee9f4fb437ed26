#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::client::rate::Waits;
use crate::{Cause, Credential, CredentialKind, Keys, Kind, RateFacts, Refusal, Secret, Site, Trust, WhoCanFix};
use datadog_catalogue::{Operation, operation};
use serde_json::json;
use std::time::Duration;

const DBM: &str = "x.ListDatabaseQuerySamples";
const NAMED: &str = r#"{"errors":["Missing required permission: 'built_in_features'"]}"#;
const FORBIDDEN: &str = r#"{"errors":["Forbidden"]}"#;

fn op(id: &str) -> &'static Operation {
    operation(id).unwrap_or_else(|| panic!("{id}"))
}

fn session(granted: &[&str]) -> Credential {
    Credential {
        kind: CredentialKind::Oauth,
        bearer: Some(Secret::new("fake-session-token".to_owned())),
        granted: Some(granted.iter().map(|s| (*s).to_owned()).collect()),
        ..Credential::none("default")
    }
}

fn bearer(token: &str) -> Credential {
    Credential { kind: CredentialKind::Bearer, bearer: Some(Secret::new(token.to_owned())), ..Credential::none("default") }
}

fn keys() -> Credential {
    let keys = Keys { api: Secret::new("fake-api-key".to_owned()), app: Some(Secret::new("fake-app-key".to_owned())) };
    Credential { kind: CredentialKind::Keys, keys: Some(keys), ..Credential::none("default") }
}

fn refuse_with(id: &str, credential: &Credential, probe: Option<Probe>, status: u16, body: &str) -> Refusal {
    let site = Site::parse("datadoghq.com", Trust::DatadogOnly).unwrap();
    let failed = Failed { status, said: Said::read("application/json", body.as_bytes()), ..Failed::default() };
    let refusal = refusal(Situation { site: &site, operation: op(id), credential, probe }, &failed);
    assert_eq!(refusal.operation.as_deref(), Some(id));
    assert_eq!(refusal.status, Some(status));
    assert!(!refusal.fixes.is_empty(), "{refusal:?}");
    assert!(refusal.who_can_fix.is_some() || refusal.kind != Kind::PermissionDenied);
    let shown = format!("{refusal:?}");
    assert!(!shown.contains("fake-"), "{shown}");
    refusal
}

fn refused(id: &str, credential: &Credential, status: u16, body: &str) -> Refusal {
    refuse_with(id, credential, None, status, body)
}

fn scopes_of_login(refusal: &Refusal) -> Vec<String> {
    let fix = refusal.fixes.iter().find(|fix| fix.action == "auth_login").unwrap_or_else(|| panic!("{refusal:?}"));
    serde_json::from_value(fix.arguments["extra_scopes"].clone()).unwrap()
}

#[test]
fn the_case_that_started_the_project() {
    let refusal = refused(DBM, &session(&["logs_read_data"]), 403, NAMED);
    assert_eq!((refusal.kind, refusal.cause), (Kind::PermissionDenied, Some(Cause::ScopeNotGranted)));
    assert_eq!(refusal.missing, ["built_in_features"]);
    assert_eq!(scopes_of_login(&refusal), ["built_in_features", "dbm_read"]);
    assert_eq!(refusal.who_can_fix, Some(WhoCanFix::You));
    assert_eq!(refusal.datadog_said.as_deref(), Some("Missing required permission: 'built_in_features'"));
    assert!(refusal.fixes.iter().any(|fix| fix.action == "set_keys" && fix.why.contains("unscoped")));
    assert_eq!(refusal.credential.unwrap().kind, "oauth");
    // Datadog names nothing: the catalogue knows what is needed.
    let refusal = refused(DBM, &session(&["logs_read_data"]), 403, FORBIDDEN);
    assert_eq!(refusal.cause, Some(Cause::ScopeNotGranted));
    assert_eq!(scopes_of_login(&refusal), ["built_in_features", "dbm_read"]);
    // One of the two is there, the other is what this region wants.
    let refusal = refused(DBM, &session(&["dbm_read"]), 403, NAMED);
    assert_eq!((refusal.cause, scopes_of_login(&refusal)), (Some(Cause::ScopeNotGranted), vec!["built_in_features".to_owned()]));
}

#[test]
fn a_scope_that_sign_in_could_not_get() {
    let mut credential = session(&["logs_read_data"]);
    credential.refused.insert("built_in_features".to_owned());
    let refusal = refused(DBM, &credential, 403, NAMED);
    assert_eq!(refusal.cause, Some(Cause::ScopeRefused));
    assert_eq!(refusal.fixes[0].action, "set_keys");
    assert!(refusal.fixes[0].why.contains("unscoped"));
}

#[test]
fn a_permission_that_is_no_scope() {
    let body = r#"{"errors":["Missing required permission: 'rum_delete_data'"]}"#;
    let refusal = refused("v2.ListLogs", &session(&["logs_read_data"]), 403, body);
    assert_eq!((refusal.cause, &refusal.missing[..]), (Some(Cause::ScopeDoesNotExist), &["rum_delete_data".to_owned()][..]));
    assert_eq!(refusal.fixes[0].action, "set_keys");
}

#[test]
fn the_role_lacks_what_the_token_has() {
    for body in [FORBIDDEN, r#"{"errors":["Forbidden","Failed permission authorization checks"]}"#] {
        let refusal = refused("v1.ListMonitors", &session(&["monitors_read"]), 403, body);
        assert_eq!(refusal.cause, Some(Cause::RoleLacksPermission));
        assert_eq!(refusal.who_can_fix, Some(WhoCanFix::Admin));
        assert_eq!(refusal.fixes[0].arguments["permissions"], json!(["monitors_read"]));
    }
    let refusal = refused("v1.ListMonitors", &session(&["logs_read_data"]), 403, FORBIDDEN);
    assert_eq!((refusal.cause, scopes_of_login(&refusal)), (Some(Cause::ScopeNotGranted), vec!["monitors_read".to_owned()]));
}

#[test]
fn alternatives_need_one_and_lists_need_all() {
    // OR: either scope is enough.
    assert_eq!(
        refused("v2.ListCIAppTestEvents", &session(&["test_optimization_read"]), 403, FORBIDDEN).cause,
        Some(Cause::RoleLacksPermission)
    );
    let refusal = refused("v2.ListCIAppTestEvents", &session(&[]), 403, FORBIDDEN);
    assert_eq!(refusal.missing, ["ci_visibility_read", "test_optimization_read"]);
    let granted = |names: &[&str]| names.iter().map(|s| (*s).to_owned()).collect();
    for operation in datadog_catalogue::operations() {
        // With everything granted nothing lacks, and what lacks without anything can be asked for.
        let lacking = lacking_scopes(operation, &granted(&[]));
        assert_eq!(lacking_scopes(operation, &granted(&lacking)), Vec::<&str>::new(), "{}", operation.id);
    }
}

#[test]
fn what_the_facts_do_not_decide_is_unknown_and_says_both() {
    // The permission is no scope, and Datadog names nothing: role, or keys only.
    let gap = |name: &&str| {
        datadog_catalogue::scope(name).is_some_and(|s| s.obtainable == datadog_catalogue::Obtainable::NotKnown && !s.asked_by_operations)
    };
    let gapped = datadog_catalogue::operations()
        .iter()
        .find(|o| o.scopes.is_empty() && o.permission.is_some_and(|p| !p.names.is_empty() && p.names.iter().all(gap)))
        .unwrap();
    let refusal = refused(gapped.id, &session(&["logs_read_data"]), 403, FORBIDDEN);
    assert_eq!(refusal.cause, Some(Cause::Unknown));
    assert_eq!(refusal.fixes.iter().map(|f| f.action.as_str()).collect::<Vec<_>>(), ["ask_admin", "set_keys"]);
    // A configured token: nobody knows its scopes.
    let refusal = refused("v1.ListAPIKeys", &bearer("fake-opaque"), 403, FORBIDDEN);
    assert_eq!(refusal.cause, Some(Cause::Unknown));
    assert!(!refusal.missing.is_empty());
    assert!(refusal.fixes.iter().any(|fix| fix.action == "set_token") && refusal.fixes.iter().any(|fix| fix.action == "ask_admin"));
    // Keys: role, scoped key or wrong key.
    let refusal = refused("v1.ListMonitors", &keys(), 403, FORBIDDEN);
    assert_eq!((refusal.cause, &refusal.missing[..]), (Some(Cause::Unknown), &["monitors_read".to_owned()][..]));
    assert!(refusal.fixes.iter().any(|fix| fix.why.contains("US1")));
    // A role permission that Datadog names does not tell key from role.
    let body = r#"{"errors":["Missing required permission: 'dbm_read'"]}"#;
    assert_eq!(refused(DBM, &keys(), 403, body).cause, Some(Cause::Unknown));
}

#[test]
fn a_scope_that_no_role_has_is_missing_from_token_or_key() {
    let refusal = refused(DBM, &bearer("fake-opaque"), 403, NAMED);
    assert_eq!((refusal.cause, refusal.fixes[0].action.as_str()), (Some(Cause::ScopeNotGranted), "set_token"));
    assert_eq!(refusal.fixes[0].arguments["scopes"], json!(["built_in_features", "dbm_read"]));
    let refusal = refused(DBM, &keys(), 403, NAMED);
    assert_eq!(refusal.cause, Some(Cause::KeyLacksScope));
    assert!(refusal.fixes[0].why.contains("unscoped"));
    // Both travelled: which of them lacks it is not known.
    let both = Credential { kind: CredentialKind::BearerAndKeys, keys: keys().keys, ..bearer("fake-opaque") };
    assert_eq!(refused(DBM, &both, 403, NAMED).cause, Some(Cause::Unknown));
}

/// A JWT with this `exp`; its signature is nonsense.
fn jwt(exp: i64) -> String {
    use base64::Engine as _;
    let encode = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.ZmFrZQ", encode(r#"{"alg":"none"}"#.to_owned()), encode(format!(r#"{{"exp":{exp}}}"#)))
}

#[test]
fn a_401_is_decided_by_the_probe() {
    const BODY: &str = r#"{"errors":["Unauthorized"]}"#;
    let cause = |credential: &Credential, probe| refuse_with("v2.ListLogs", credential, Some(probe), 401, BODY).cause.unwrap();
    assert_eq!(cause(&session(&[]), Probe::Accepted), Cause::OauthNotAccepted);
    assert_eq!(cause(&session(&[]), Probe::Rejected), Cause::TokenExpired);
    assert_eq!(cause(&session(&[]), Probe::Unclear), Cause::Unknown);
    assert_eq!(cause(&bearer("fake-opaque"), Probe::Rejected), Cause::Unknown);
    assert_eq!(cause(&bearer(&jwt(1_600_000_000)), Probe::Rejected), Cause::TokenExpired);
    assert_eq!(cause(&bearer(&jwt(4_000_000_000)), Probe::Rejected), Cause::Unknown);
    assert_eq!(cause(&bearer("fake..a.b"), Probe::Rejected), Cause::Unknown);
    let expired = refuse_with("v2.ListLogs", &bearer("fake-opaque"), Some(Probe::Rejected), 401, r#"{"errors":["Token expired"]}"#);
    assert_eq!(expired.cause, Some(Cause::TokenExpired));
    let refusal = refused("v2.ListLogs", &keys(), 401, BODY);
    assert_eq!((refusal.kind, refusal.cause), (Kind::PermissionDenied, Some(Cause::Unknown)));
    assert!(refusal.why.unwrap().contains("US1"));
}

#[test]
fn wrong_site_and_product_off_are_datadogs_words() {
    let refusal = refused("v2.ListLogs", &keys(), 403, r#"{"errors":["This key belongs to us5.datadoghq.com"]}"#);
    assert_eq!((refusal.cause, refusal.fixes[0].arguments["site"].as_str()), (Some(Cause::WrongSite), Some("us5.datadoghq.com")));
    let refusal = refused("v2.ListLogs", &keys(), 403, r#"{"errors":["Cloud Cost is not enabled for this org"]}"#);
    assert_eq!((refusal.cause, refusal.who_can_fix), (Some(Cause::ProductOff), Some(WhoCanFix::Admin)));
}

#[test]
fn a_redirect_names_the_host_and_another_site_is_told() {
    let site = Site::parse("datadoghq.com", Trust::DatadogOnly).unwrap();
    let credential = keys();
    let situation = Situation { site: &site, operation: op("v2.ListLogs"), credential: &credential, probe: None };
    let refusal = redirected(situation, 302, Some("evil.test"), None);
    assert_eq!((refusal.kind, refusal.cause), (Kind::UpstreamFailed, None));
    assert!(refusal.message.contains("evil.test"));
    let refusal = redirected(situation, 307, Some("api.us5.datadoghq.com"), None);
    assert_eq!((refusal.kind, refusal.cause), (Kind::PermissionDenied, Some(Cause::WrongSite)));
    assert_eq!(refusal.fixes[0].arguments["site"], json!("us5.datadoghq.com"));
}

#[test]
fn each_status_has_its_kind() {
    let cases = [
        (400, Kind::InvalidArguments),
        (401, Kind::PermissionDenied),
        (402, Kind::PermissionDenied),
        (403, Kind::PermissionDenied),
        (404, Kind::NotFound),
        (405, Kind::InvalidArguments),
        (408, Kind::Timeout),
        (409, Kind::Conflict),
        (410, Kind::NotFound),
        (412, Kind::Conflict),
        (413, Kind::TooLarge),
        (415, Kind::InvalidArguments),
        (422, Kind::InvalidArguments),
        (429, Kind::RateLimited),
        (500, Kind::UpstreamFailed),
        (502, Kind::UpstreamFailed),
        (503, Kind::UpstreamFailed),
        (504, Kind::UpstreamFailed),
        (501, Kind::UpstreamFailed),
    ];
    for (status, kind) in cases {
        assert_eq!(refused("v2.ListLogs", &keys(), status, FORBIDDEN).kind, kind, "{status}");
    }
    // A write that failed on the other side may have run.
    for status in [408, 500, 503] {
        let refusal = refused("v2.CreateIncident", &keys(), status, FORBIDDEN);
        assert_eq!((refusal.kind, refusal.fixes[0].action.as_str()), (Kind::UpstreamFailed, "check"), "{status}");
    }
}

#[test]
fn a_rate_limit_tells_bucket_and_wait() {
    let site = Site::parse("datadoghq.com", Trust::DatadogOnly).unwrap();
    let credential = keys();
    let failed = Failed {
        status: 429,
        rate: Some(RateFacts { name: Some("logs_public_search_api".to_owned()), limit: 10, remaining: 0, reset_s: 37, period_s: 60 }),
        waits: Waits { reset: Some(Duration::from_millis(36_200)), retry_after: None },
        ..Failed::default()
    };
    let refusal = refusal(Situation { site: &site, operation: op("v2.ListLogs"), credential: &credential, probe: None }, &failed);
    assert_eq!((refusal.retry_after_s, refusal.bucket.as_deref()), (Some(37), Some("logs_public_search_api")));
    assert_eq!(refusal.message, "Datadog's rate limit of 10 calls per 60 s for v2.ListLogs is used up (logs_public_search_api)");
    assert_eq!(refusal.fixes[0].arguments["seconds"], json!(37));
}

#[test]
fn what_datadog_said_is_cleaned_and_capped() {
    let body = json!({"errors": [format!("\u{1b}[31m\u{202e}evil\u{200b} {}", "x".repeat(100_000))]}).to_string();
    let refusal = refused("v2.ListLogs", &keys(), 400, &body);
    let said = refusal.datadog_said.unwrap();
    assert!(said.starts_with("evil xxx") && said.chars().count() < 650, "{said}");
}
