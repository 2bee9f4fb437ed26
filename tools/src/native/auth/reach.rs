//! Whether an identity can use a tool, told from the catalogue before a call.

use crate::Tool;
use datadog_catalogue::{OAuth, Operation, PermissionRule};
use datadog_client::{Credential, CredentialKind, lacking_scopes};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

// A tool that an identity cannot use; a plain comment, since a docstring would stand in the schema of every client's list.
// `cause` is named as refusals name it: `scope_not_granted`, `scope_refused`, `oauth_not_accepted`, `role_lacks_permission`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Unusable {
    pub(super) tool: String,
    pub(super) cause: String,
    pub(super) missing: Vec<String>,
    pub(super) why: String,
}

/// Why `tool` cannot be used; judged by the first operation it calls, `None` when nothing known speaks against it.
pub(super) fn unusable(tool: &Tool, credential: &Credential, permissions: Option<&BTreeSet<String>>) -> Option<Unusable> {
    let operation = tool.operations.first()?;
    let (cause, missing, why) = judge(operation, credential, permissions)?;
    Some(Unusable { tool: tool.name.clone(), cause: cause.to_owned(), missing, why })
}

fn judge(
    operation: &Operation,
    credential: &Credential,
    permissions: Option<&BTreeSet<String>>,
) -> Option<(&'static str, Vec<String>, String)> {
    let bearer_only = matches!(credential.kind, CredentialKind::Oauth | CredentialKind::Bearer);
    if bearer_only && operation.oauth == OAuth::No {
        return Some(("oauth_not_accepted", Vec::new(), "it takes keys only; set DD_API_KEY and DD_APP_KEY.".to_owned()));
    }
    if let Some(granted) = credential.granted.as_ref().filter(|_| bearer_only) {
        let missing: Vec<String> = lacking_scopes(operation, granted).into_iter().map(str::to_owned).collect();
        if !missing.is_empty() {
            let refused = missing.iter().any(|scope| credential.refused.contains(scope));
            let cause = if refused { "scope_refused" } else { "scope_not_granted" };
            let why = format!("the session lacks the scope {}.", missing.join(" or "));
            return Some((cause, missing, why));
        }
    }
    let names = operation.permission.filter(|permission| permission.rule != PermissionRule::Open)?.names;
    let held = permissions?;
    // A permission that is no role permission (`built_in_features`, `hosts_read`) cannot be told from the role.
    let known = |name: &&&str| datadog_catalogue::scope(name).is_some_and(|scope| scope.role_permission);
    if !names.iter().all(|name| known(&name)) {
        return None;
    }
    let all = operation.permission.is_some_and(|permission| permission.rule == PermissionRule::And);
    let missing: Vec<String> = names.iter().filter(|name| !held.contains(**name)).map(|name| (*name).to_owned()).collect();
    let lacks = if all { !missing.is_empty() } else { missing.len() == names.len() };
    lacks.then(|| {
        let why = format!("the user's role lacks {}; a Datadog admin can grant it.", missing.join(if all { " and " } else { " or " }));
        ("role_lacks_permission", missing, why)
    })
}
