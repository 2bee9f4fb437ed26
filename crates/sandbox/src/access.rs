//! Whether an identity may call an operation, from the facts of the catalogue; and how Datadog says no.

use crate::accounts::{Identity, Names, Presence, Presented};
use crate::reply::Reply;
use datadog_catalogue::{OAuth, Operation, PermissionRule};

/// The identity that acts, or the refusal. A valid bearer token comes first, keys act where it may not.
pub(crate) fn authorise(operation: &Operation, presented: Presented<'_>, presence: Presence) -> Result<Identity, Reply> {
    let anonymous = !operation.auth.api_key && !operation.auth.bearer;
    if anonymous {
        return Ok(Identity { kind: "none", scopes: Names::All, permissions: Names::All, api_key_only: true, role: "" });
    }
    let bearer = presence.bearer.map(|identity| may(operation, &identity).map(|()| identity));
    let keys = presence.keys.map(|identity| may(operation, &identity).map(|()| identity));
    match (bearer, keys) {
        (Some(Ok(identity)), _) | (_, Some(Ok(identity))) => Ok(identity),
        (Some(Err(refusal)), _) | (None, Some(Err(refusal))) => Err(refusal),
        (None, None) => Err(unknown(operation, presented)),
    }
}

/// Nobody was recognised.
fn unknown(operation: &Operation, presented: Presented<'_>) -> Reply {
    match (presented.bearer, presented.api_key) {
        (None, None) if operation.id == "v1.Validate" => Reply::errors(403, &["API key required"]),
        (None, Some(_)) => Reply::errors(403, &["Forbidden"]),
        _ => unauthorized(),
    }
}

fn unauthorized() -> Reply {
    Reply::errors(401, &["Unauthorized"])
}

fn may(operation: &Operation, who: &Identity) -> Result<(), Reply> {
    if who.kind == "bearer" && operation.oauth == OAuth::No {
        return Err(unauthorized());
    }
    if who.api_key_only {
        return if operation.auth.app_key { Err(unauthorized()) } else { Ok(()) };
    }
    let permission = operation.permission.filter(|permission| permission.rule != PermissionRule::Open && !permission.names.is_empty());
    let holds = |names: &Names| {
        permission.is_none_or(|permission| match permission.rule {
            PermissionRule::And => permission.names.iter().all(|name| names.has(name)),
            PermissionRule::Or | PermissionRule::Open => permission.names.iter().any(|name| names.has(name)),
        })
    };
    // An operation of the scoped class that names no scope is held to its permission (Database Monitoring).
    let granted = if operation.scopes.is_empty() && operation.oauth == OAuth::Scoped {
        holds(&who.scopes)
    } else {
        operation.scopes.iter().all(|scope| who.scopes.has(scope))
    };
    // `built_in_features` is no role permission, so no role lacks it.
    let role = holds(&who.permissions) || permission.is_some_and(|permission| permission.names.contains(&"built_in_features"));
    match (granted, role) {
        (true, true) => Ok(()),
        (false, _) if permission.is_some_and(|permission| permission.names.contains(&"built_in_features")) => {
            Err(Reply::errors(403, &["Missing required permission: 'built_in_features'"]))
        }
        _ => Err(Reply::errors(403, &["Forbidden", "Failed permission authorization checks"])),
    }
}
