//! Scopes and permissions: which names exist, what they allow, and who can get them.

use crate::generated::scopes::SCOPES;

/// One name of an OAuth scope, of a role permission, or of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The name, e.g. `logs_read_data`.
    pub name: &'static str,
    /// What it lets its holder do.
    pub access: Access,
    /// Who can get it as an OAuth scope.
    pub obtainable: Obtainable,
    /// Whether Datadog's own command line asks for it (`reference/pup.md §2`).
    pub requested_by_pup: Requested,
    /// It is a permission of roles, as recorded in March 2026.
    pub role_permission: bool,
    /// At least one operation names it as a scope; for 16 names that is all that is known (`datadog-api.md`, class B).
    pub asked_by_operations: bool,
}

/// What a scope or permission lets its holder do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Read.
    Read,
    /// Create, change, delete or run.
    Write,
    /// Something that is neither, or that no source tells.
    Other,
}

/// Who can get a name as an OAuth scope. Datadog decides it per client on the server, so even a catalogued scope may be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Obtainable {
    /// One of the 109 scopes of the published catalogue.
    Catalogued,
    /// Not in the catalogue, but Datadog's own command line asks for it; for another client a refusal is normal.
    FirstPartyOnly,
    /// Nothing shows that anyone can get it; a permission of this kind is used through keys or through the user's role.
    NotKnown,
}

/// Whether Datadog's own command line asks for a scope at sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Requested {
    /// Always, in a read-only sign-in too.
    ReadOnly,
    /// By default.
    Default,
    /// When named.
    OptIn,
    /// Never.
    Never,
}

impl Scope {
    /// In the published catalogue of 109 scopes.
    #[must_use]
    pub const fn catalogued(&self) -> bool {
        matches!(self.obtainable, Obtainable::Catalogued)
    }
}

/// Every known scope and permission, sorted by name.
#[must_use]
pub fn scopes() -> &'static [Scope] {
    &SCOPES
}

/// What is known of a scope or permission.
#[must_use]
pub fn scope(name: &str) -> Option<&'static Scope> {
    SCOPES.binary_search_by(|scope| scope.name.cmp(name)).ok().and_then(|at| SCOPES.get(at))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::operations;

    #[test]
    fn the_table_is_sorted_and_counts_what_the_catalogue_has() {
        assert!(SCOPES.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(SCOPES.iter().filter(|scope| scope.catalogued()).count(), 109);
        assert_eq!(SCOPES.iter().filter(|scope| scope.role_permission).count(), 300);
        let pup = |wanted: &[Requested]| SCOPES.iter().filter(|scope| wanted.contains(&scope.requested_by_pup)).count();
        // 59 in August 2026, one more since.
        assert_eq!(pup(&[Requested::ReadOnly]), 60);
        assert_eq!(pup(&[Requested::ReadOnly, Requested::Default]), 119);
        assert_eq!(pup(&[Requested::OptIn]), 12);
    }

    #[test]
    fn every_name_that_an_operation_needs_is_known() {
        for operation in operations() {
            for name in operation.scopes {
                assert!(scope(name).is_some_and(|scope| scope.asked_by_operations), "{} {name}", operation.id);
            }
            for name in operation.permission.map_or(&[][..], |permission| permission.names) {
                assert!(scope(name).is_some(), "{} {name}", operation.id);
            }
        }
        assert_eq!(scope("no_such_scope"), None);
    }

    #[test]
    fn database_monitoring_has_two_names_and_neither_is_catalogued() {
        let built_in = scope("built_in_features").unwrap();
        assert!(!built_in.role_permission && !built_in.catalogued() && built_in.asked_by_operations);
        let dbm = scope("dbm_read").unwrap();
        assert!(dbm.role_permission && dbm.access == Access::Read);
        for scope in [built_in, dbm] {
            assert_eq!(scope.obtainable, Obtainable::FirstPartyOnly);
            assert_eq!(scope.requested_by_pup, Requested::ReadOnly);
        }
        assert_eq!(scope("logs_read_data").unwrap().obtainable, Obtainable::Catalogued);
    }
}
