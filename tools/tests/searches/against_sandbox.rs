//! The story of the simulated org, followed with these tools.

use crate::upstream::{call, json, refusal, text, toolbox, toolbox_of};
use datadog_catalogue::Operation;
use datadog_client::{Cause, Configuration, Credential, CredentialKind, CredentialSource, Kind, Principal, Refusal, Secret, Site};
use datadog_sandbox::{Options, RateLimits, Sandbox, serve};
use datadog_tools::{CallError, Toolbox};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// An org on loopback that stops when it is dropped.
struct Org {
    base: String,
    sandbox: Sandbox,
    _stop: DropGuard,
}

impl Org {
    async fn start() -> Self {
        let sandbox = Sandbox::new(&Options { rate_limits: RateLimits::Off, ..Options::default() }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(serve(sandbox.clone(), listener, stop.clone()));
        Self { base, sandbox, _stop: stop.drop_guard() }
    }

    fn with_keys(&self) -> Toolbox {
        let keys = |text: &str| Some(Secret::new(text.to_owned()));
        toolbox(
            &self.base,
            Configuration { api_key: keys("fake-api-key-sandbox"), app_key: keys("fake-app-key-sandbox"), ..Configuration::default() },
        )
    }

    fn with_scoped_key(&self) -> Toolbox {
        let keys = |text: &str| Some(Secret::new(text.to_owned()));
        toolbox(
            &self.base,
            Configuration { api_key: keys("fake-api-key-sandbox"), app_key: keys("fake-app-key-scoped"), ..Configuration::default() },
        )
    }

    fn with_token(&self, token: &str) -> Toolbox {
        toolbox(&self.base, Configuration { bearer: Some(Secret::new(token.to_owned())), ..Configuration::default() })
    }
}

#[tokio::test]
async fn from_the_failing_service_to_the_plan_that_reads_the_whole_table() {
    let org = Org::start().await;
    let (toolbox, story) = (org.with_keys(), org.sandbox.story());

    let groups = text(&toolbox, "logs_aggregate", json!({"query": "status:error", "group_by": "service", "from": "2h"})).await;
    assert!(groups.contains("checkout"), "{groups}");
    let series = text(&toolbox, "logs_aggregate", json!({"query": "service:checkout status:error", "interval": "5m", "from": "2h"})).await;
    assert!(series.contains("count: min") && series.contains("shape"), "{series}");
    let logs = text(&toolbox, "logs_search", json!({"query": "service:checkout status:error", "limit": 10})).await;
    assert!(logs.contains("checkout"), "{logs}");

    let slow = text(
        &toolbox,
        "spans_aggregate",
        json!({"query": "service:checkout", "compute": ["count", "p95(@duration)"], "group_by": "resource_name", "from": "2h"}),
    )
    .await;
    assert!(slow.contains("p95(@duration)"), "{slow}");
    let spans = text(&toolbox, "spans_search", json!({"query": "service:checkout status:error", "limit": 5})).await;
    assert!(spans.contains("trace_id"), "{spans}");

    let samples = text(&toolbox, "dbm_samples_search", json!({"query": "@duration:>1s", "limit": 20})).await;
    assert!(samples.contains(&story.query_signature) && samples.contains("DataFileRead"), "{samples}");
    let plans = text(&toolbox, "dbm_plans_search", json!({"query": format!("@db.query_signature:{}", story.query_signature)})).await;
    assert!(plans.contains(&format!("Seq Scan on {}", story.table)) && plans.contains(&story.plan_signature), "{plans}");

    let events = text(&toolbox, "events_search", json!({"from": "1d"})).await;
    assert!(events.contains("title"), "{events}");
    let rum = text(&toolbox, "rum_events_search", json!({"query": "@type:error", "from": "2h"})).await;
    assert!(rum.contains("error"), "{rum}");
    if std::env::var_os("SHOW_ANSWERS").is_some() {
        for (name, answer) in [
            ("groups", groups),
            ("series", series),
            ("logs", logs),
            ("slow", slow),
            ("spans", spans),
            ("samples", samples),
            ("plans", plans),
            ("events", events),
            ("rum", rum),
        ] {
            println!("=== {name}\n{answer}\n");
        }
    }
}

#[tokio::test]
async fn a_misspelt_service_is_told_with_the_right_one() {
    let org = Org::start().await;
    let toolbox = org.with_keys();
    let answer = text(&toolbox, "logs_search", json!({"query": "service:chekout status:error"})).await;
    assert!(answer.contains("service:chekout has no logs in this range") && answer.contains("values of service: checkout ("), "{answer}");
    let answer = text(&toolbox, "spans_search", json!({"query": "service:chekout"})).await;
    assert!(answer.contains("values of service: checkout ("), "{answer}");
    let answer = text(&toolbox, "logs_search", json!({"query": "service:checkout @http.code:500"})).await;
    assert!(answer.contains("@http.status_code"), "{answer}");
    if std::env::var_os("SHOW_ANSWERS").is_some() {
        println!("{answer}");
    }
}

/// Ids of all records of a search, page by page.
async fn walk(toolbox: &Toolbox, tool: &str, mut arguments: Value, id: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..100 {
        let page = json(toolbox, tool, arguments.clone()).await;
        ids.extend(page["rows"].as_array().unwrap().iter().map(|row| row[id].as_str().unwrap_or_else(|| panic!("{row}")).to_owned()));
        match page["cursor"].as_str() {
            Some(cursor) => arguments["cursor"] = cursor.into(),
            None => return ids,
        }
    }
    panic!("the walk does not end");
}

#[tokio::test]
async fn every_record_is_reached_page_by_page() {
    let org = Org::start().await;
    let toolbox = org.with_keys();
    let now = jiff::Timestamp::now();
    let ago = |minutes: i64| (now - jiff::SignedDuration::from_mins(minutes)).to_string();
    for (tool, id, query) in [
        ("logs_search", "id", "service:checkout"),
        ("spans_search", "id", "service:checkout"),
        ("dbm_samples_search", "event_id", "service:checkout"),
    ] {
        for sort in ["newest", "oldest"] {
            let arguments = |limit: u32| json!({"query": query, "from": ago(30), "to": ago(1), "sort": sort, "limit": limit, "fields": [id], "max_tokens": 25_000});
            let whole = walk(&toolbox, tool, arguments(1_000), id).await;
            let paged = walk(&toolbox, tool, arguments(17), id).await;
            assert!(whole.len() > 34, "{tool}: {} records", whole.len());
            assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), whole.len(), "{tool} {sort}: a record came twice");
            assert_eq!(whole.iter().collect::<BTreeSet<_>>(), paged.iter().collect::<BTreeSet<_>>(), "{tool} {sort}");
            assert_eq!(whole.len(), paged.len(), "{tool} {sort}: a record came twice");
        }
    }
}

#[tokio::test]
async fn all_tiers_hold_at_least_what_one_holds() {
    let org = Org::start().await;
    let toolbox = org.with_keys();
    let now = jiff::Timestamp::now();
    let arguments = |tier: &str, limit: u32| json!({"query": "status:error", "from": (now - jiff::SignedDuration::from_mins(60)).to_string(), "to": now.to_string(), "storage_tier": tier, "limit": limit, "fields": ["id"], "max_tokens": 25_000});
    let all: BTreeSet<String> = walk(&toolbox, "logs_search", arguments("all", 23), "id").await.into_iter().collect();
    let indexed: BTreeSet<String> = walk(&toolbox, "logs_search", arguments("indexes", 1_000), "id").await.into_iter().collect();
    assert!(!indexed.is_empty() && indexed.is_subset(&all));
}

/// A sign-in session as the OAuth vault would give it.
#[derive(Debug)]
struct Session(Credential);

#[async_trait::async_trait]
impl CredentialSource for Session {
    async fn first(&self, _: &Principal, _: &Site, _: &Operation) -> Result<Credential, Refusal> {
        Ok(self.0.clone())
    }

    async fn fallback(&self, _: &Principal, _: &Site, _: &Operation, _: &Credential) -> Option<Credential> {
        None
    }

    async fn renewed(&self, _: &Principal, _: &Site, _: &Credential) -> Option<Credential> {
        None
    }
}

#[tokio::test]
async fn a_session_without_the_scope_is_told_how_to_get_it() {
    let org = Org::start().await;
    let scopes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let session = |refused: &[&str]| Credential {
        kind: CredentialKind::Oauth,
        org: "default".to_owned(),
        bearer: Some(Secret::new("fake-token-no-dbm".to_owned())),
        keys: None,
        granted: Some(scopes(&["logs_read_data", "apm_read"])),
        refused: scopes(refused),
    };
    for (refused_before, cause) in [(&[][..], Cause::ScopeNotGranted), (&["built_in_features", "dbm_read"][..], Cause::ScopeRefused)] {
        let toolbox = toolbox_of(&org.base, Arc::new(Session(session(refused_before))));
        let refused = refusal(&toolbox, "dbm_samples_search", json!({})).await;
        assert_eq!((refused.kind, refused.cause), (Kind::PermissionDenied, Some(cause)), "{refused:?}");
        assert!(refused.missing.iter().any(|name| name == "built_in_features"), "{refused:?}");
        let sign_in = refused.fixes.iter().any(|fix| fix.action == "auth_login" && fix.arguments.contains_key("extra_scopes"));
        assert_eq!(sign_in, cause == Cause::ScopeNotGranted, "{refused:?}");
    }
}

#[tokio::test]
async fn the_refusal_of_database_monitoring_is_explained_for_each_credential() {
    let org = Org::start().await;
    for (who, toolbox) in [("bearer", org.with_token("fake-token-no-dbm")), ("scoped key", org.with_scoped_key())] {
        for tool in ["dbm_samples_search", "dbm_plans_search"] {
            let refused = refusal(&toolbox, tool, json!({})).await;
            assert_eq!(refused.kind, Kind::PermissionDenied, "{who}: {refused:?}");
            assert_eq!(refused.status, Some(403));
            assert!(refused.missing.iter().any(|name| name == "built_in_features"), "{who}: {refused:?}");
            assert!(!refused.fixes.is_empty() && refused.who_can_fix.is_some(), "{who}: {refused:?}");
            if std::env::var_os("SHOW_ANSWERS").is_some() {
                println!("=== {who}\n{}\n", toolbox.refusal_text(&refused));
            }
        }
    }
    let allowed = call(&org.with_token("fake-token-readonly"), "dbm_samples_search", json!({"limit": 1})).await;
    assert!(!matches!(allowed, Err(CallError::Refused(_))), "{allowed:?}");
}
