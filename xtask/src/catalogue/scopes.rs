//! Scopes, permissions and recorded rate limits as Rust source.

use super::facts::Fact;
use super::render::MARK;
use super::source::{RateLine, Source};
use anyhow::{Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The file of every scope and permission name that is known from anywhere.
pub(super) fn scopes(source: &Source, facts: &[Fact]) -> Result<String> {
    let catalogued: BTreeSet<&str> = source.v1.scopes().chain(source.v2.scopes()).collect();
    let asked: BTreeSet<&str> = facts.iter().flat_map(|fact| fact.scopes.iter().map(String::as_str)).collect();
    let permissions = facts.iter().filter_map(|fact| fact.permission.as_ref()).flat_map(|permission| &permission.names);
    let mut pup: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in &source.pup.opt_in_extra_scopes {
        pup.insert(&entry.scope, "OptIn");
    }
    for entry in source.pup.default_scopes.iter().chain(&source.pup.added_later_by_merged_pr) {
        pup.insert(&entry.scope, if entry.read_only_login == Some(true) { "ReadOnly" } else { "Default" });
    }
    let names: BTreeSet<&str> = catalogued
        .iter()
        .chain(&asked)
        .copied()
        .chain(permissions.map(String::as_str))
        .chain(pup.keys().copied())
        .chain(source.scopes.keys().map(String::as_str))
        .chain(source.gaps.iter().map(String::as_str))
        .chain(source.roles.keys().map(String::as_str))
        .collect();
    let mut text = format!(
        "//! Every scope and permission, sorted by name. {MARK}\n\nuse crate::scope::{{Access, Obtainable, Requested, Scope}};\n\n"
    );
    writeln!(text, "pub(crate) static SCOPES: [Scope; {}] = [", names.len())?;
    for name in names {
        let role = source.roles.get(name);
        let stated = source.scopes.get(name).map(|scope| scope.access.as_str()).or(role.map(|role| role.kind.as_str()));
        let access = match stated.unwrap_or_else(|| access_by_name(name)) {
            "read" => "Read",
            "write" => "Write",
            _ => "Other",
        };
        let obtainable = match (catalogued.contains(name), pup.contains_key(name)) {
            (true, _) => "Catalogued",
            (false, true) => "FirstPartyOnly",
            (false, false) => "NotKnown",
        };
        let requested = pup.get(name).map_or("Never", |requested| requested);
        writeln!(
            text,
            "    Scope {{ name: {name:?}, access: Access::{access}, obtainable: Obtainable::{obtainable}, requested_by_pup: Requested::{requested}, \
             role_permission: {}, asked_by_operations: {} }},",
            role.is_some(),
            asked.contains(name)
        )?;
    }
    text.push_str("];\n");
    Ok(text)
}

/// What a name says when no table does: `…_read` reads, anything else may write.
fn access_by_name(name: &str) -> &'static str {
    if name.ends_with("_read") { "read" } else { "other" }
}

/// The file of recorded rate limits: for each operation those of the newest year.
pub(super) fn rates(source: &Source, facts: &[Fact]) -> Result<String> {
    let mut text = format!("//! Recorded rate limits, sorted by operation. {MARK}\n\nuse crate::rate::RateHint;\n\n");
    writeln!(text, "pub(crate) static RATES: [(&str, RateHint); {}] = [", source.rates.len())?;
    for (id, lines) in &source.rates {
        ensure!(facts.iter().any(|fact| &fact.id == id), "rate_limits.json names {id}, which is no operation");
        // Of several in one year, a named bucket says more than none, and what was seen oftener more than what was seen once.
        let weight = |line: &&RateLine| (line.year.clone(), line.name.is_some(), line.n);
        let Some(line) = lines.iter().max_by_key(weight) else { continue };
        writeln!(
            text,
            "    ({id:?}, RateHint {{ name: {:?}, limit: {}, period_s: {} }}),",
            line.name.as_deref(),
            line.limit,
            line.period_s
        )?;
    }
    text.push_str("];\n");
    Ok(text)
}
