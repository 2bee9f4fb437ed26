#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::{Kind, Trust};
use datadog_catalogue::operation;
use std::sync::{Arc, Mutex};

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn both() -> Configuration {
    Configuration {
        bearer: Some(secret("fake-token")),
        api_key: Some(secret("fake-api-key")),
        app_key: Some(secret("fake-app-key")),
        ..Configuration::default()
    }
}

fn keys() -> Configuration {
    Configuration { bearer: None, ..both() }
}

fn site() -> Site {
    Site::parse("datadoghq.com", Trust::DatadogOnly).unwrap()
}

async fn first(source: &ConfiguredCredentials, id: &str) -> Result<Credential, Refusal> {
    source.first(&Principal::local(), &site(), operation(id).unwrap()).await
}

/// A session source that remembers whether a sign-in was started.
#[derive(Debug, Default)]
struct Sessions {
    session: Option<Credential>,
    signed_in: Mutex<u32>,
}

fn session() -> Credential {
    Credential {
        kind: CredentialKind::Oauth,
        bearer: Some(secret("fake-session-token")),
        granted: Some(BTreeSet::new()),
        ..Credential::none("default")
    }
}

#[async_trait]
impl SessionSource for Sessions {
    async fn current(&self, _: &Principal, _: &Site) -> Result<Option<Credential>, Refusal> {
        Ok(self.session.clone())
    }

    async fn sign_in(&self, _: &Principal, _: &Site, _: &Operation) -> Result<Credential, Refusal> {
        *self.signed_in.lock().unwrap() += 1;
        Err(Refusal::new(Kind::SignInPending, "open the page"))
    }

    async fn renewed(&self, _: &Principal, _: &Site, _: &Credential) -> Option<Credential> {
        self.session.clone()
    }
}

#[tokio::test]
async fn a_configured_token_travels_with_configured_keys() {
    let source = ConfiguredCredentials::new(both()).unwrap();
    let credential = first(&source, "v2.ListLogs").await.unwrap();
    assert_eq!(credential.kind, CredentialKind::BearerAndKeys);
    assert_eq!(credential.bearer.unwrap().expose(), "fake-token");
    assert_eq!(credential.keys.unwrap().app.unwrap().expose(), "fake-app-key");
    // Operations that take an API key alone take no bearer token.
    let credential = first(&source, "v2.SubmitLog").await.unwrap();
    assert_eq!((credential.kind, credential.bearer.is_none()), (CredentialKind::Keys, true));
    // And some take nothing.
    assert_eq!(first(&source, "v1.GetIPRanges").await.unwrap().kind, CredentialKind::None);
}

#[tokio::test]
async fn nothing_configured_says_what_to_set() {
    let source = ConfiguredCredentials::new(Configuration { api_key: Some(secret("")), ..Configuration::default() }).unwrap();
    assert!(!source.any_configured());
    let refusal = first(&source, "v2.ListLogs").await.unwrap_err();
    assert_eq!(refusal.kind, Kind::SignInRequired);
    let text = serde_json::to_string(&refusal).unwrap();
    for name in ["DD_API_KEY", "DD_APP_KEY", "DD_ACCESS_TOKEN", "DD_BEARER_TOKEN", "DD_SITE"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    // An API key without an application key goes as far as it goes.
    let source = ConfiguredCredentials::new(Configuration { app_key: None, ..keys() }).unwrap();
    assert_eq!(first(&source, "v2.SubmitLog").await.unwrap().kind, CredentialKind::Keys);
    assert!(first(&source, "v2.ListLogs").await.unwrap_err().message.contains("application key"));
    assert!(ConfiguredCredentials::new(Configuration { api_key: None, ..keys() }).unwrap_err().message.contains("DD_API_KEY is not"));
}

#[tokio::test]
async fn a_session_goes_before_keys_and_keys_before_a_new_sign_in() {
    let op = operation("v2.ListLogs").unwrap();
    let with = |configuration, session| {
        let sessions = Arc::new(Sessions { session, ..Sessions::default() });
        (ConfiguredCredentials::new(configuration).unwrap().with_sessions(sessions.clone()), sessions)
    };
    let (source, _) = with(keys(), Some(session()));
    assert_eq!(first(&source, "v2.ListLogs").await.unwrap().kind, CredentialKind::Oauth);
    assert_eq!(first(&source, "v2.SubmitLog").await.unwrap().kind, CredentialKind::Keys);
    let other = source.fallback(&Principal::local(), &site(), op, &session()).await.unwrap();
    assert_eq!((other.kind, other.bearer.is_none()), (CredentialKind::Keys, true));
    assert!(source.renewed(&Principal::local(), &site(), &session()).await.is_some());

    let (source, sessions) = with(keys(), None);
    assert_eq!(first(&source, "v2.ListLogs").await.unwrap().kind, CredentialKind::Keys);
    assert_eq!(*sessions.signed_in.lock().unwrap(), 0);

    let (source, sessions) = with(Configuration::default(), None);
    assert_eq!(first(&source, "v2.ListLogs").await.unwrap_err().kind, Kind::SignInPending);
    assert_eq!(*sessions.signed_in.lock().unwrap(), 1);

    let (source, _) = with(Configuration { key_fallback: false, ..keys() }, Some(session()));
    assert!(source.fallback(&Principal::local(), &site(), op, &session()).await.is_none());

    // What was configured went together already.
    let source = ConfiguredCredentials::new(both()).unwrap();
    let credential = first(&source, "v2.ListLogs").await.unwrap();
    assert!(source.fallback(&Principal::local(), &site(), op, &credential).await.is_none());
    assert!(source.renewed(&Principal::local(), &site(), &credential).await.is_none());
}

#[test]
fn what_no_header_can_carry_is_refused_and_not_shown() {
    for (text, word) in [
        ("fake-canary\n", "line break"),
        ("fake-canary\r\nX-Evil: 1", "line break"),
        ("fake canary", "space"),
        ("fäke-canary", "ASCII"),
        ("fake-canary\u{0}", "control"),
    ] {
        for configuration in [
            Configuration { bearer: Some(secret(text)), ..Configuration::default() },
            Configuration { api_key: Some(secret(text)), ..Configuration::default() },
            Configuration { app_key: Some(secret(text)), api_key: Some(secret("fake-api-key")), ..Configuration::default() },
        ] {
            let refusal = ConfiguredCredentials::new(configuration).unwrap_err();
            let shown = format!("{refusal:?} {refusal} {}", serde_json::to_string(&refusal).unwrap());
            assert!(shown.contains(word), "{shown}");
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}

#[test]
fn debug_shows_no_secret() {
    let source = ConfiguredCredentials::new(both()).unwrap();
    let shown = format!("{source:?} {:?} {:?}", both(), session());
    assert!(!shown.contains("fake-"), "{shown}");
    assert!(shown.contains("[redacted]"));
}
