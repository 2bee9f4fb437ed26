//! Who may do what, how refusals look, and rate limits.

use crate::org::{Org, SAMPLES, said, samples};
use datadog_sandbox::{Options, RateLimits};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn credentials_decide() {
    let org = Org::unlimited().await;
    let forbidden = json!({"errors": ["Forbidden", "Failed permission authorization checks"]});
    let unauthorized = json!({"errors": ["Unauthorized"]});
    let built_in = json!({"errors": ["Missing required permission: 'built_in_features'"]});
    let logs = (Method::GET, "/api/v2/logs/events", Value::Null);
    let dbm = (Method::POST, SAMPLES, samples("dbm_type:activity", 1));
    let incidents = (Method::GET, "/api/v2/incidents", Value::Null);
    let monitor = (Method::POST, "/api/v1/monitor", json!({"type": "metric alert", "query": "avg(last_5m):avg:system.load.1{*} > 9"}));
    let validate = (Method::GET, "/api/v1/validate", Value::Null);
    let none = Value::Null;
    for (who, (method, path, body), status, refusal) in [
        ("", &logs, 401, &unauthorized),
        ("token:fake-token-unheard-of", &logs, 401, &unauthorized),
        ("token:fake-token-expired", &logs, 401, &unauthorized),
        ("token:fake-token-admin", &logs, 200, &none),
        ("token:fake-token-admin", &dbm, 200, &none),
        ("token:fake-token-admin", &validate, 401, &unauthorized),
        ("token:fake-token-no-dbm", &logs, 200, &none),
        ("token:fake-token-no-dbm", &incidents, 200, &none),
        ("token:fake-token-no-dbm", &dbm, 403, &built_in),
        ("token:fake-token-no-dbm", &monitor, 403, &forbidden),
        ("token:fake-token-readonly", &dbm, 200, &none),
        ("token:fake-token-readonly", &monitor, 403, &forbidden),
        ("token:fake-token-viewer", &logs, 200, &none),
        ("token:fake-token-viewer", &incidents, 403, &forbidden),
        ("keys:fake-app-key-sandbox", &dbm, 200, &none),
        ("keys:fake-app-key-sandbox", &monitor, 200, &none),
        ("keys:fake-app-key-sandbox", &validate, 200, &none),
        ("keys:fake-app-key-scoped", &logs, 200, &none),
        ("keys:fake-app-key-scoped", &dbm, 403, &built_in),
        ("keys:fake-app-key-scoped", &incidents, 403, &forbidden),
        ("keys:fake-app-key-unheard-of", &logs, 403, &json!({"errors": ["Forbidden"]})),
        ("api-key", &logs, 401, &unauthorized),
        ("api-key", &validate, 200, &none),
        ("", &validate, 403, &json!({"errors": ["API key required"]})),
        ("both:fake-token-no-dbm", &dbm, 200, &none),
        ("both:fake-token-expired", &logs, 200, &none),
        ("both:fake-token-admin", &validate, 200, &none),
    ] {
        let mut request = match who.split_once(':') {
            Some(("token", token)) => org.bearer(token, method.clone(), path),
            Some(("both", token)) => org.keyed(method.clone(), path).header("Authorization", format!("Bearer {token}")),
            Some((_, key)) => org.bare(method.clone(), path).header("DD-API-KEY", "fake-api-key-sandbox").header("DD-APPLICATION-KEY", key),
            None if who == "api-key" => org.bare(method.clone(), path).header("DD-API-KEY", "fake-api-key-sandbox"),
            None => org.bare(method.clone(), path),
        };
        if !body.is_null() {
            request = request.json(body);
        }
        let (got, said) = said(request.send().await.unwrap()).await;
        assert_eq!(got, status, "{who} {path}: {said}");
        if !refusal.is_null() {
            assert_eq!(&said, refusal, "{who} {path}");
        }
    }
    let journal = serde_json::to_string(&org.sandbox.journal()).unwrap();
    assert!(!journal.contains("fake-token") && !journal.contains("fake-app-key"), "the journal holds a credential");
    assert!(journal.contains("\"bearer+keys\""));
}

#[tokio::test]
async fn every_listed_credential_is_told_apart() {
    let org = Org::unlimited().await;
    for credential in org.sandbox.credentials().into_iter().filter(|credential| credential.kind == "bearer") {
        let response = org.bearer(&credential.value, Method::GET, "/api/v2/current_user").send().await.unwrap();
        let expected = if credential.value == "fake-token-expired" { 401 } else { 200 };
        assert_eq!(response.status().as_u16(), expected, "{}", credential.value);
    }
}

#[tokio::test]
async fn buckets_run_empty_and_say_so() {
    let org = Org::start(Options::default()).await;
    for nth in 1..=10 {
        let response = org.keyed(Method::GET, "/api/v2/logs/events").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-ratelimit-name"], "logs_public_search_api");
        assert_eq!(response.headers()["x-ratelimit-limit"], "10");
        assert_eq!(response.headers()["x-ratelimit-remaining"], (10 - nth).to_string());
    }
    let response = org.keyed(Method::POST, "/api/v2/logs/events/search").json(&json!({})).send().await.unwrap();
    assert_eq!(response.status(), 429, "the same bucket for both methods");
    let reset: u64 = response.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&reset));
    assert_eq!(org.keyed(Method::GET, "/api/v1/monitor").send().await.unwrap().status(), 200, "another bucket");
    let limited = Org::start(Options { rate_limits: RateLimits::Each { limit: 1, period: 3_600 }, ..Options::default() }).await;
    assert_eq!(limited.status("/api/v1/hosts").await.0, 200);
    assert_eq!(limited.status("/api/v1/hosts").await.0, 429);
    assert_eq!(limited.sandbox.journal().executed["v1.ListHosts"], 1, "a limited request does not run");
}
