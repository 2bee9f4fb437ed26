//! Who may use the org: keys, bearer tokens, their scopes and the permissions of the role behind them.

use datadog_catalogue::{Effect, Operation, operations};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, RwLock};

/// One credential that the sandbox accepts (or, for the expired one, knows). Visibly fake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FakeCredential {
    /// `api_key`, `app_key` or `bearer`.
    pub kind: &'static str,
    /// The value to send.
    pub value: String,
    /// What it is good for.
    pub about: &'static str,
}

/// Names, or every name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Names {
    All,
    Only(Arc<BTreeSet<&'static str>>),
}

impl Names {
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }
}

/// What a credential may do.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// `bearer` or `keys`.
    pub(crate) kind: &'static str,
    /// Scopes of the token or application key.
    pub(crate) scopes: Names,
    /// Permissions of the role of the user behind it.
    pub(crate) permissions: Names,
    /// Only an API key came, which is enough for few operations.
    pub(crate) api_key_only: bool,
    pub(crate) role: &'static str,
}

/// The accounts of an org. Sign-in adds and revokes tokens here.
#[derive(Debug)]
pub(crate) struct Accounts {
    api_keys: Vec<String>,
    app_keys: HashMap<String, Identity>,
    tokens: RwLock<HashMap<String, Token>>,
    listed: Vec<FakeCredential>,
}

#[derive(Debug, Clone)]
struct Token {
    identity: Identity,
    expired: bool,
}

/// What came with a request.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Presented<'a> {
    pub(crate) api_key: Option<&'a str>,
    pub(crate) app_key: Option<&'a str>,
    pub(crate) bearer: Option<&'a str>,
}

impl Presented<'_> {
    /// Which kinds came, for the journal; never the values.
    pub(crate) const fn word(self) -> &'static str {
        match (self.bearer.is_some(), self.api_key.is_some(), self.app_key.is_some()) {
            (true, true, true) => "bearer+keys",
            (true, false, false) => "bearer",
            (true, _, _) => "bearer+partial-keys",
            (false, true, true) => "keys",
            (false, true, false) => "api-key",
            (false, false, true) => "app-key",
            (false, false, false) => "none",
        }
    }
}

/// The identities that a request's credentials stand for.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    pub(crate) bearer: Option<Identity>,
    pub(crate) keys: Option<Identity>,
}

impl Accounts {
    pub(crate) fn new(api_keys: &[String], application_keys: &[String]) -> Self {
        let reading = |effect: Effect| effect == Effect::Read;
        let read: BTreeSet<&str> = names(|op| op.scopes, reading);
        let read_permissions: BTreeSet<&str> = names(|op| op.permission.map_or(&[], |permission| permission.names), reading);
        let only = |set: &BTreeSet<&'static str>| Names::Only(Arc::new(set.clone()));
        let dbm = ["built_in_features", "dbm_read"];
        let with_dbm: BTreeSet<&str> = read.iter().copied().chain(dbm).collect();
        let without_dbm: BTreeSet<&str> = read.iter().copied().filter(|name| !dbm.contains(name)).collect();
        let viewer: BTreeSet<&str> =
            read_permissions.iter().copied().filter(|name| !["incident_read", "rum_apps_read"].contains(name)).collect();
        let scoped: BTreeSet<&str> = SCOPED_KEY.into_iter().collect();
        let bearer = |scopes, permissions, role| Identity { kind: "bearer", scopes, permissions, api_key_only: false, role };
        let keys = |scopes| Identity { kind: "keys", scopes, permissions: Names::All, api_key_only: false, role: "Sandbox Admin Role" };
        let tokens = [
            ("fake-token-admin", bearer(Names::All, Names::All, "Sandbox Admin Role"), false, "every scope, every permission"),
            (
                "fake-token-no-dbm",
                bearer(only(&without_dbm), Names::All, "Sandbox Admin Role"),
                false,
                "every read scope except built_in_features and dbm_read",
            ),
            (
                "fake-token-readonly",
                bearer(only(&with_dbm), only(&read_permissions), "Sandbox Read Only Role"),
                false,
                "every read scope, Database Monitoring too",
            ),
            (
                "fake-token-viewer",
                bearer(Names::All, only(&viewer), "Sandbox Viewer Role"),
                false,
                "every scope, but its role may not read incidents or RUM, and may change nothing",
            ),
            ("fake-token-expired", bearer(Names::All, Names::All, "Sandbox Admin Role"), true, "always answered with 401"),
        ];
        let listed = |kind, value: &str, about| FakeCredential { kind, value: value.to_owned(), about };
        let mut list: Vec<FakeCredential> = api_keys.iter().map(|key| listed("api_key", key, "goes with an application key")).collect();
        list.extend(application_keys.iter().map(|key| listed("app_key", key, "unscoped: may do everything")));
        list.push(listed(
            "app_key",
            "fake-app-key-scoped",
            "scoped to reading logs, metrics, spans, monitors, events, hosts and dashboards",
        ));
        list.extend(tokens.iter().map(|(value, _, _, about)| listed("bearer", value, about)));
        let mut by_app_key: HashMap<String, Identity> = application_keys.iter().map(|key| (key.clone(), keys(Names::All))).collect();
        by_app_key.insert("fake-app-key-scoped".to_owned(), keys(only(&scoped)));
        Self {
            api_keys: api_keys.to_vec(),
            app_keys: by_app_key,
            tokens: RwLock::new(
                tokens.into_iter().map(|(value, identity, expired, _)| (value.to_owned(), Token { identity, expired })).collect(),
            ),
            listed: list,
        }
    }

    pub(crate) fn list(&self) -> Vec<FakeCredential> {
        self.listed.clone()
    }

    /// Who the credentials stand for; what is unknown or expired stands for nobody.
    pub(crate) fn recognise(&self, presented: Presented<'_>) -> Presence {
        let tokens = self.tokens.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let bearer =
            presented.bearer.and_then(|token| tokens.get(token)).filter(|token| !token.expired).map(|token| token.identity.clone());
        let known = presented.api_key.is_some_and(|key| self.api_keys.iter().any(|own| own == key));
        let keys = match presented.app_key {
            _ if !known => None,
            Some(key) => self.app_keys.get(key).cloned(),
            None => Some(Identity { kind: "keys", scopes: Names::All, permissions: Names::All, api_key_only: true, role: "" }),
        };
        Presence { bearer, keys }
    }
}

/// What the scoped application key may do.
const SCOPED_KEY: [&str; 9] = [
    "logs_read_data",
    "logs_read_index_data",
    "metrics_read",
    "timeseries_query",
    "apm_read",
    "monitors_read",
    "events_read",
    "hosts_read",
    "dashboards_read",
];

fn names(of: impl Fn(&'static Operation) -> &'static [&'static str], when: impl Fn(Effect) -> bool) -> BTreeSet<&'static str> {
    operations().iter().filter(|op| when(op.effect())).flat_map(of).copied().collect()
}
