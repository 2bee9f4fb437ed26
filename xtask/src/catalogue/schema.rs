//! OpenAPI schemas → JSON Schema 2020-12, facts only: no description, example or title, and no word of documentation.

use super::source::Spec;
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Defaults longer than this are left out: a default that long is text, not a fact.
const LONGEST_DEFAULT: usize = 40;

/// Keywords that are copied as they are, in the order they are written.
const PLAIN: [&str; 14] = [
    "format",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "writeOnly",
    "deprecated",
];

/// Component schemas by name, as far as they have been asked for.
#[derive(Debug, Default)]
pub(super) struct Components {
    pub(super) schemas: BTreeMap<String, Value>,
}

impl Components {
    /// The facts of a schema; the components that it refers to are taken in, and theirs.
    pub(super) fn convert(&mut self, spec: &Spec, schema: &Value) -> Result<Value> {
        let mut wanted = Vec::new();
        let facts = convert(spec, schema, &mut wanted)?;
        while let Some(name) = wanted.pop() {
            if self.schemas.contains_key(&name) {
                continue;
            }
            let schema = spec.components.schemas.get(&name).with_context(|| format!("no schema {name}"))?;
            let facts = convert(spec, schema, &mut wanted).with_context(|| name.clone())?;
            self.schemas.insert(name, facts);
        }
        Ok(facts)
    }
}

fn convert(spec: &Spec, schema: &Value, wanted: &mut Vec<String>) -> Result<Value> {
    let schema = schema.as_object().context("a schema that is no object")?;
    let nullable = schema.get("nullable") == Some(&Value::Bool(true));
    if let Some(reference) = schema.get("$ref") {
        let name = reference.as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/"));
        let name = name.with_context(|| format!("a reference to {reference}"))?;
        wanted.push(name.to_owned());
        let reference = json!({"$ref": format!("#/$defs/{name}")});
        return Ok(if nullable { json!({"anyOf": [reference, {"type": "null"}]}) } else { reference });
    }
    let mut facts = Map::new();
    if let Some(kind) = schema.get("type") {
        facts.insert("type".to_owned(), if nullable { json!([kind, "null"]) } else { kind.clone() });
    }
    for name in PLAIN {
        if let Some(value) = schema.get(name).filter(|value| *value != &Value::Bool(false)) {
            facts.insert(name.to_owned(), value.clone());
        }
    }
    let values = facts.get_mut("enum").and_then(Value::as_array_mut);
    if let Some(values) = values.filter(|values| nullable && !values.contains(&Value::Null)) {
        values.push(Value::Null);
    }
    // OpenAPI 3.0 says `exclusiveMinimum: true` beside `minimum`, JSON Schema gives the number itself.
    for (exclusive, inclusive) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        match schema.get(exclusive) {
            Some(Value::Bool(true)) => {
                if let Some(bound) = facts.shift_remove(inclusive) {
                    facts.insert(exclusive.to_owned(), bound);
                }
            }
            Some(Value::Number(bound)) => {
                facts.insert(exclusive.to_owned(), Value::Number(bound.clone()));
            }
            _ => {}
        }
    }
    if let Some(default) = schema.get("default").filter(|default| is_fact(default)) {
        facts.insert("default".to_owned(), default.clone());
    }
    // What the server alone writes may come back in an answer that is sent on, so it stays known, but it is never asked for.
    if schema.get("readOnly") == Some(&Value::Bool(true)) {
        facts.insert("readOnly".to_owned(), Value::Bool(true));
    }
    object(spec, schema, &mut facts, wanted)?;
    if let Some(items) = schema.get("items") {
        facts.insert("items".to_owned(), convert(spec, items, wanted)?);
    }
    for name in ["oneOf", "anyOf", "allOf"] {
        let Some(choices) = schema.get(name).and_then(Value::as_array) else { continue };
        let mut choices = choices.iter().map(|choice| convert(spec, choice, wanted)).collect::<Result<Vec<_>>>()?;
        if nullable && name != "allOf" {
            choices.push(json!({"type": "null"}));
        }
        facts.insert(name.to_owned(), Value::Array(choices));
    }
    if schema.contains_key("not") {
        bail!("`not` has no place in the facts yet");
    }
    Ok(Value::Object(facts))
}

fn object(spec: &Spec, schema: &Map<String, Value>, facts: &mut Map<String, Value>, wanted: &mut Vec<String>) -> Result<()> {
    let properties = schema.get("properties").and_then(Value::as_object);
    if let Some(properties) = properties {
        let mut converted = Map::new();
        for (name, property) in properties {
            converted.insert(name.clone(), convert(spec, property, wanted).with_context(|| name.clone())?);
        }
        facts.insert("properties".to_owned(), Value::Object(converted));
    }
    let written_by_server = |name: &Value| {
        let property = properties.and_then(|properties| properties.get(name.as_str()?));
        property.and_then(|property| spec.resolve(property)).is_some_and(|property| property.get("readOnly") == Some(&Value::Bool(true)))
    };
    if let Some(required) = schema.get("required").and_then(Value::as_array) {
        let required: Vec<&Value> = required.iter().filter(|name| !written_by_server(name)).collect();
        if !required.is_empty() {
            facts.insert("required".to_owned(), json!(required));
        }
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => {
            facts.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        Some(additional) if additional.as_object().is_some_and(|additional| !additional.is_empty()) => {
            facts.insert("additionalProperties".to_owned(), convert(spec, additional, wanted)?);
        }
        _ => {}
    }
    Ok(())
}

/// Whether a default is a fact: a number, a truth value, a short text.
fn is_fact(default: &Value) -> bool {
    match default {
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.len() <= LONGEST_DEFAULT,
        _ => false,
    }
}
