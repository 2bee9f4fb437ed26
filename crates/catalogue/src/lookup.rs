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
    let wanted = words(id);
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut scored: Vec<(usize, usize, &'static Operation)> = OPERATIONS
        .iter()
        .filter_map(|operation| {
            let has = words(name(operation));
            let shared = wanted.iter().filter(|word| has.contains(word)).count();
            // Half of the words at least: `List` alone would bring hundreds.
            (shared * 2 > wanted.len()).then_some((shared, has.len(), operation))
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(b.2.id.cmp(a.2.id)));
    scored.into_iter().take(CANDIDATES).map(|(_, _, operation)| operation).collect()
}

/// The words of an id in lower case, without its version and without a plural's `s`: `v2.ListAWSAccounts` → `list aws account`.
pub(crate) fn words(id: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = id.split_once('.').map_or(id, |(version, name)| if version.len() <= 2 { name } else { id }).chars().collect();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let starts = letter.is_uppercase()
            && before.is_some_and(|before| !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()));
        if (starts || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    for word in &mut words {
        if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
            word.pop();
        }
    }
    words
}
