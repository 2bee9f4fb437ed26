//! The body schemas of all operations as one compressed text: a line per component and per operation.
//!
//! Uncompressed: lines `v2/NAME<tab>JSON` for the components of a version and `body/ID<tab>JSON` for an operation's body, sorted by what stands before
//! the tab. The crate finds a line by bisection and parses only what is asked for.

use super::facts::Fact;
use super::schema::Components;
use super::source::Source;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;

/// High enough to be small, low enough to be quick; part of what makes the bytes what they are.
const LEVEL: i32 = 19;

/// The compressed text.
pub(super) fn compressed(source: &Source, facts: &[Fact], unofficial: &BTreeMap<String, Value>) -> Result<Vec<u8>> {
    let mut lines: BTreeMap<String, Value> = BTreeMap::new();
    let (mut v1, mut v2) = (Components::default(), Components::default());
    for fact in facts.iter().filter(|fact| fact.official) {
        let Some(body) = &fact.body else { continue };
        let spec = source.spec(&fact.id).with_context(|| format!("no specification for {}", fact.id))?;
        let request = spec.operation(&fact.method, &fact.path).and_then(|operation| operation.get("requestBody"));
        let content = request.and_then(|request| request.get("content")?.get(&body.content));
        let schema = content.and_then(|content| content.get("schema")).with_context(|| format!("no body schema for {}", fact.id))?;
        let components = if fact.id.starts_with("v1") { &mut v1 } else { &mut v2 };
        let schema = components.convert(spec, schema).with_context(|| fact.id.clone())?;
        lines.insert(format!("body/{}", fact.id), schema);
    }
    lines.extend(unofficial.iter().map(|(id, schema)| (format!("body/{id}"), schema.clone())));
    for (version, components) in [("v1", v1), ("v2", v2)] {
        lines.extend(components.schemas.into_iter().map(|(name, schema)| (format!("{version}/{name}"), schema)));
    }
    let mut text = String::new();
    for (key, schema) in &lines {
        text.push_str(key);
        text.push('\t');
        text.push_str(&serde_json::to_string(schema)?);
        text.push('\n');
    }
    Ok(zstd::encode_all(text.as_bytes(), LEVEL)?)
}
