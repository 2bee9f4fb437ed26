//! Puts the facts together: what is merged, overridden and sorted before it is written.

use super::extra::Extra;
use super::source::Source;
use super::{Files, bodies, paging, render, scopes};
use anyhow::{Result, ensure};
use std::path::PathBuf;

/// All generated files.
pub(super) fn files(source: &Source, extra: &Extra) -> Result<Files> {
    let unofficial = extra.operations()?;
    let mut facts = source.operations.clone();
    facts.extend(unofficial.facts);
    facts.sort_by(|a, b| a.id.cmp(&b.id));
    for id in extra.returns_secret.iter().chain(&extra.starts_job).chain(extra.paging.keys()) {
        ensure!(facts.iter().any(|fact| &fact.id == id), "extra.toml names {id}, which is no operation");
    }
    for fact in &mut facts {
        fact.returns_secret |= extra.returns_secret.contains(&fact.id);
        if extra.starts_job.contains(&fact.id) {
            "job-post".clone_into(&mut fact.kind);
        }
        if let Some(paging) = extra.paging.get(&fact.id) {
            fact.paging = Some(paging.clone());
        } else if let (None, Some(spec)) = (&fact.paging, source.spec(&fact.id)) {
            fact.paging = paging::derive(fact, spec);
        }
    }
    let mut files = Files::new();
    for (path, text) in render::operations(&facts)? {
        files.insert(PathBuf::from(path), text.into_bytes());
    }
    files.insert(PathBuf::from("mod.rs"), render::module().into_bytes());
    files.insert(PathBuf::from("scopes.rs"), scopes::scopes(source, &facts)?.into_bytes());
    files.insert(PathBuf::from("rates.rs"), scopes::rates(source, &facts)?.into_bytes());
    files.insert(PathBuf::from("schemas.zst"), bodies::compressed(source, &facts, &unofficial.bodies)?);
    Ok(files)
}
