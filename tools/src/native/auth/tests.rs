#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{Status, reach::unusable};
use crate::{Registry, Selection};
use datadog_client::{Credential, CredentialKind, Secret};
use std::collections::BTreeSet;

fn session(scopes: &[&str]) -> Credential {
    Credential {
        kind: CredentialKind::Oauth,
        bearer: Some(Secret::new("fake-token".to_owned())),
        granted: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        ..Credential::none("default")
    }
}

fn cause(tool: &str, credential: &Credential, permissions: Option<&[&str]>) -> Option<String> {
    let registry = Registry::build(Selection::default(), None).unwrap();
    let held = permissions.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    unusable(registry.reachable_tool(tool).unwrap(), credential, held.as_ref())
        .map(|found| format!("{} {}", found.cause, found.missing.join(",")))
}

#[test]
fn a_missing_scope_closes_the_tools_that_need_it() {
    assert_eq!(cause("logs_search", &session(&["logs_read_data"]), None), None);
    assert_eq!(cause("logs_search", &session(&[]), None).unwrap(), "scope_not_granted logs_read_data");
    // Either scope opens Database Monitoring: which one depends on the site.
    assert_eq!(cause("dbm_samples_search", &session(&["dbm_read"]), None), None);
    assert_eq!(cause("dbm_samples_search", &session(&["logs_read_data"]), None).unwrap(), "scope_not_granted built_in_features,dbm_read");
    let mut refused = session(&[]);
    refused.refused.insert("logs_read_data".to_owned());
    assert_eq!(cause("logs_search", &refused, None).unwrap(), "scope_refused logs_read_data");
}

#[test]
fn a_role_without_the_permission_closes_them_too() {
    let granted = session(&["monitors_read"]);
    assert_eq!(cause("monitors_search", &granted, Some(&["monitors_read"])), None);
    assert_eq!(cause("monitors_search", &granted, Some(&["metrics_read"])).unwrap(), "role_lacks_permission monitors_read");
}

#[test]
fn what_is_not_known_is_not_claimed() {
    let token = Credential { kind: CredentialKind::Bearer, granted: None, ..session(&[]) };
    for tool in ["logs_search", "dbm_samples_search", "monitors_search"] {
        assert_eq!(cause(tool, &token, None), None, "{tool}");
    }
}

#[test]
fn the_structure_has_all_that_the_output_schema_requires() {
    let bare = Status {
        signed_in: false,
        site: "datadoghq.com".to_owned(),
        org: "default".to_owned(),
        credential: "none".to_owned(),
        identity: None,
        scopes: None,
        refused_scopes: Vec::new(),
        cannot_use: Vec::new(),
        notes: Vec::new(),
    };
    let structure = serde_json::to_value(&bare).unwrap();
    let schema = crate::arguments::schema_of::<Status>(false);
    for name in schema["required"].as_array().unwrap() {
        assert!(structure.get(name.as_str().unwrap()).is_some(), "{name}");
    }
    for name in structure.as_object().unwrap().keys() {
        assert!(schema["properties"].get(name).is_some(), "{name}");
    }
}
