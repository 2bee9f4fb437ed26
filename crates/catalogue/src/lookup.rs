//! Finds an operation by its id, exactly or as a person would write it.

use crate::generated::operations::OPERATIONS;
use crate::{Method, Operation, route};

/// At most this many candidates are offered for an id that names no operation.
const CANDIDATES: usize = 8;

/// Every operation, sorted by id: 1,896 official ones and the unofficial ones (`x.…`).
#[must_use]
pub fn operations() -> &'static [Operation] {
    &OPERATIONS
}

/// The operation of exactly this id, e.g. `v2.ListLogs`.
#[must_use]
pub fn operation(id: &str) -> Option<&'static Operation> {
    OPERATIONS.binary_search_by(|operation| operation.id.cmp(id)).ok().and_then(|at| OPERATIONS.get(at))
}

/// The operation that an id, written as a person would write it, means.
///
/// Case does not matter; without a version (`ListLogs`) the newest one is meant; `GET /api/v2/metrics` (a path or a template) is taken too.
/// When nothing is meant for certain, the error holds up to eight operations whose ids share words with what was asked, best first;
/// it is empty when none does.
pub fn operation_loosely(id: &str) -> Result<&'static Operation, Vec<&'static Operation>> {
    let id = id.trim();
    if let Some(found) = operation(id) {
        return Ok(found);
    }
    if let Some(found) = by_method_and_path(id) {
        return Ok(found);
    }
    // Official versions come before `x.`, and the newest of them is the last: v2 before v1 before x.
    let rank = |operation: &Operation| if operation.official { operation.id.get(..2) } else { None };
    let named = OPERATIONS
        .iter()
        .filter(|operation| operation.id.eq_ignore_ascii_case(id) || name(operation).eq_ignore_ascii_case(id))
        .max_by_key(|operation| rank(operation));
    named.ok_or_else(|| candidates(id))
}

/// Whether the answer of an operation holds usable key material (an API or application key, an access token, a client secret).
///
/// Judged by hand from the specification's answers (`datadog-api.md` §3) and kept in `extra.toml`.
#[must_use]
pub const fn returns_secret(operation: &Operation) -> bool {
    operation.returns_secret
}

/// The id without its version.
fn name(operation: &Operation) -> &'static str {
    operation.id.split_once('.').map_or(operation.id, |(_, name)| name)
}

fn by_method_and_path(text: &str) -> Option<&'static Operation> {
    let (method, path) = text.split_once(' ')?;
    route(Method::parse(method)?, path.trim())
}

/// Operations that share words with `id`, those that share most first.
fn candidates(id: &str) -> Vec<&'static Operation> {
    let version = id.split_once('.').filter(|(version, _)| ["v1", "v2", "x"].contains(&version.to_lowercase().as_str()));
    let wanted = split(version.map_or(id, |(_, name)| name));
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut scored: Vec<(usize, usize, &'static Operation)> = OPERATIONS
        .iter()
        .filter_map(|operation| {
            let has = split(name(operation));
            let shared = wanted.iter().filter(|word| has.contains(word)).count();
            // Half of the words at least: `List` alone would bring hundreds.
            (shared * 2 > wanted.len()).then_some((shared, has.len(), operation))
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(b.2.id.cmp(a.2.id)));
    scored.into_iter().take(CANDIDATES).map(|(_, _, operation)| operation).collect()
}

/// The words by which an operation can be searched for, lower case, plurals without their `s`, each once: those of its id, its section, its path and
/// its parameters. Facts only; how they are weighed is the searcher's business.
#[must_use]
pub fn words(operation: &Operation) -> Vec<String> {
    let params = operation.params.iter().flat_map(|param| split(param.name));
    let all = split(name(operation)).into_iter().chain(split(operation.tag)).chain(split(operation.path)).chain(params);
    let mut words = Vec::new();
    for word in all {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// `ListAWSAccounts` → `list`, `aws`, `account`; anything that is no letter or digit separates words too.
fn split(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let starts =
            letter.is_uppercase() && before.is_some_and(|before| !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()));
        if starts || !letter.is_alphanumeric() {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    for word in &mut words {
        if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
            word.pop();
        }
    }
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn loosely(id: &str) -> Result<&'static str, Vec<&'static str>> {
        let ids = |candidates: Vec<&'static Operation>| candidates.into_iter().map(|operation| operation.id).collect();
        operation_loosely(id).map(|operation| operation.id).map_err(ids)
    }

    #[test]
    fn every_id_finds_its_operation() {
        for one in operations() {
            assert!(std::ptr::eq(operation(one.id).unwrap(), one));
            assert_eq!(loosely(&one.id.to_uppercase()), Ok(one.id));
        }
        assert_eq!(operation("v2.listlogs"), None);
        assert_eq!(operation(""), None);
    }

    #[test]
    fn an_id_without_a_version_means_the_newest() {
        assert_eq!(loosely("ListLogs"), Ok("v2.ListLogs"));
        assert_eq!(loosely(" v1.listlogs "), Ok("v1.ListLogs"));
        assert_eq!(loosely("listhosts"), Ok("v1.ListHosts"));
        assert_eq!(loosely("ListDatabaseQuerySamples"), Ok("x.ListDatabaseQuerySamples"));
        assert_eq!(loosely("get /api/v1/monitor/12"), Ok("v1.GetMonitor"));
        assert_eq!(loosely("POST /api/v2/incidents/{incident_id}/relationships/todos"), Ok("v2.CreateIncidentTodo"));
    }

    #[test]
    fn what_names_nothing_brings_candidates() {
        let candidates = loosely("SearchLogs").unwrap_err();
        assert!(!candidates.is_empty() && candidates.len() <= CANDIDATES, "{candidates:?}");
        let candidates = loosely("v2.ListMonitor").unwrap_err();
        assert!(candidates.contains(&"v1.ListMonitors"), "{candidates:?}");
        assert_eq!(loosely("qwertz"), Err(Vec::new()));
        assert_eq!(loosely(""), Err(Vec::new()));
        assert_eq!(loosely("…"), Err(Vec::new()));
    }

    #[test]
    fn words_are_those_of_the_id_the_section_the_path_and_the_parameters() {
        let words = words(operation("v2.ListAWSAccounts").unwrap());
        for word in ["list", "aws", "account", "integration", "api"] {
            assert!(words.iter().any(|one| one == word), "{word} in {words:?}");
        }
        assert_eq!(split("GetOAuth2WellKnownSites"), ["get", "o", "auth2", "well", "known", "site"]);
        assert_eq!(split("page[limit]"), ["page", "limit"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn no_text_breaks_the_finder(text in "\\PC{0,40}") {
            prop_assert!(operation_loosely(&text).map_or_else(|candidates| candidates.len() <= CANDIDATES, |_| true));
            prop_assert!(split(&text).iter().all(|word| !word.is_empty()));
        }
    }
}
