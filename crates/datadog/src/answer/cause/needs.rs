//! What an operation needs and which of it a token can have: the facts behind a permission refusal.

use datadog_catalogue::{Obtainable, Operation, PermissionRule};
use std::collections::BTreeSet;

/// The two scopes of Database Monitoring: one on US1 and EU1, the other elsewhere; both are to be asked for (`reference/pup.md` §2).
pub(super) const DBM: [&str; 2] = ["built_in_features", "dbm_read"];

/// Scopes that an operation needs and a token with `granted` lacks, in the order of the specification; empty when the
/// token suffices as far as anyone knows. Where any of several will do, all of them are listed.
///
/// Permissions that no token can have are not counted: there the user's role decides.
#[must_use]
pub fn lacking_scopes(operation: &Operation, granted: &BTreeSet<String>) -> Vec<&'static str> {
    let mut lacking: Vec<&'static str> = Vec::new();
    let mut add = |name: &'static str| {
        if !granted.contains(name) && !lacking.contains(&name) {
            lacking.push(name);
        }
    };
    match operation.permission {
        // Any of them will do. The scopes that the specification lists are the same alternatives, where they overlap.
        Some(permission) if permission.rule == PermissionRule::Or => {
            let scopes: Vec<&'static str> = permission.names.iter().copied().filter(|name| can_be_asked_for(name)).collect();
            let same = operation.scopes.iter().any(|scope| permission.names.contains(scope));
            if !same {
                operation.scopes.iter().copied().for_each(&mut add);
            }
            // An alternative that is no scope may have been met by the role.
            let only_scopes = scopes.len() == permission.names.len();
            if (only_scopes || same) && !scopes.iter().any(|name| granted.contains(*name)) {
                scopes.into_iter().for_each(add);
            }
        }
        Some(permission) if permission.rule == PermissionRule::And => {
            operation.scopes.iter().copied().for_each(&mut add);
            permission.names.iter().copied().filter(|name| can_be_asked_for(name)).for_each(add);
        }
        _ => operation.scopes.iter().copied().for_each(add),
    }
    lacking
}

/// Everything that the operation is known to need, for people: alternatives are listed side by side.
pub(super) fn needed(operation: &Operation) -> Vec<String> {
    let mut names: Vec<String> = operation.scopes.iter().map(|name| (*name).to_owned()).collect();
    for name in operation.permission.iter().filter(|p| p.rule != PermissionRule::Open).flat_map(|p| p.names) {
        if !names.iter().any(|n| n == name) {
            names.push((*name).to_owned());
        }
    }
    names
}

/// Whether a sign-in can ask for the scope: catalogued, asked for by Datadog's own clients, or named as one by an operation.
pub(super) fn can_be_asked_for(name: &str) -> bool {
    datadog_catalogue::scope(name).is_some_and(|scope| scope.obtainable != Obtainable::NotKnown || scope.asked_by_operations)
}

/// Whether a name is a scope and no role permission, so that no role can lack it.
pub(super) fn is_scope_alone(name: &str) -> bool {
    can_be_asked_for(name) && datadog_catalogue::scope(name).is_some_and(|scope| !scope.role_permission)
}

pub(super) fn is_dbm(operation: &Operation) -> bool {
    operation.path.contains("type=databasequery")
}
