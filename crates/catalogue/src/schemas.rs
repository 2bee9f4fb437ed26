//! Body schemas: kept compressed, decompressed at the first use, parsed one by one as they are asked for.

use crate::Operation;
use crate::generated::SCHEMAS;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

/// The decompressed text, at the first use.
static STORE: LazyLock<Store> = LazyLock::new(Store::new);

/// Lines `KEY<tab>JSON`, sorted by key: `body/v2.ListLogs` for an operation, `v2/LogsListRequest` for a component of a version.
struct Store {
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Store {
    fn new() -> Self {
        // The bytes are part of the program and a test decodes all of them, so an error cannot be met; it would read as "no schemas".
        let text = zstd::decode_all(SCHEMAS).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let mut lines: Vec<usize> = std::iter::once(0).chain(ends).collect();
        lines.pop();
        Self { text, lines }
    }

    fn line(&self, at: usize) -> Option<(&str, &str)> {
        self.text.get(at..)?.lines().next()?.split_once('\t')
    }

    fn get(&self, key: &str) -> Option<Value> {
        let found = self.lines.binary_search_by(|&at| self.line(at).map_or("", |(key, _)| key).cmp(key)).ok()?;
        let (_, json) = self.line(*self.lines.get(found)?)?;
        serde_json::from_str(json).ok()
    }
}

/// The schema of an operation's body: JSON Schema 2020-12, facts only (types, properties, required, enums, formats, bounds), self-contained.
///
/// Schemas used more than once, or within themselves, stand under `$defs`; the others where they are used. `None` when the operation takes no body.
/// Assembled at each call, which takes from microseconds to a few milliseconds (dashboards).
#[must_use]
pub fn body_schema(operation: &Operation) -> Option<Arc<Value>> {
    operation.body?;
    let root = STORE.get(&format!("body/{}", operation.id))?;
    let version = operation.id.split_once('.').map_or("", |(version, _)| version);
    let mut components = BTreeMap::new();
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    let mut wanted = count(&root, &mut uses);
    while let Some(name) = wanted.pop() {
        if components.contains_key(&name) {
            continue;
        }
        let component = STORE.get(&format!("{version}/{name}"))?;
        wanted.extend(count(&component, &mut uses));
        components.insert(name, component);
    }
    // A cycle is entered from outside and from within, so one of its schemas is used twice and stays under `$defs`: this ends.
    let single: BTreeSet<String> = uses.into_iter().filter(|(_, uses)| *uses == 1).map(|(name, _)| name).collect();
    let mut schema = inline(root, &mut components, &single);
    let shared: Vec<String> = components.keys().filter(|name| !single.contains(*name)).cloned().collect();
    let mut definitions = Map::new();
    for name in shared {
        if let Some(component) = components.remove(&name) {
            definitions.insert(name, inline(component, &mut components, &single));
        }
    }
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
    Some(Arc::new(schema))
}

/// Counts the references within a schema and names what they point at.
fn count(schema: &Value, uses: &mut BTreeMap<String, usize>) -> Vec<String> {
    let mut names = Vec::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        if let Some(name) = reference(value) {
            *uses.entry(name.to_owned()).or_default() += 1;
            names.push(name.to_owned());
            continue;
        }
        match value {
            Value::Object(members) => open.extend(members.values()),
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    names
}

/// The name that `{"$ref": "#/$defs/NAME"}` points at. A property that happens to be called `$ref` holds an object, not a text.
pub(crate) fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// Puts components that are used once in their only place.
fn inline(schema: Value, components: &mut BTreeMap<String, Value>, single: &BTreeSet<String>) -> Value {
    if let Some(name) = reference(&schema) {
        if !single.contains(name) {
            return schema;
        }
        let component = components.remove(name);
        return component.map_or_else(|| json!({}), |component| inline(component, components, single));
    }
    match schema {
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, inline(value, components, single))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| inline(item, components, single)).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{operation, operations};

    fn schema(id: &str) -> Value {
        Arc::unwrap_or_clone(body_schema(operation(id).unwrap()).unwrap())
    }

    #[test]
    fn every_body_has_a_schema_whose_references_resolve() {
        for operation in operations() {
            let schema = body_schema(operation);
            assert_eq!(schema.is_some(), operation.body.is_some(), "{}", operation.id);
            let Some(schema) = schema else { continue };
            let mut uses = BTreeMap::new();
            count(&schema, &mut uses);
            let empty = Map::new();
            let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&empty);
            let defined: Vec<&String> = definitions.keys().collect();
            let mut referenced: Vec<&String> = uses.keys().collect();
            referenced.sort();
            assert_eq!(defined, referenced, "{}: what is defined is what is used", operation.id);
        }
    }

    #[test]
    fn the_store_is_sorted_and_every_line_is_a_schema() {
        let keys: Vec<&str> = STORE.lines.iter().map(|&at| STORE.line(at).unwrap().0).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        assert!(keys.len() > 5_000);
        assert!(keys.iter().all(|key| STORE.get(key).is_some_and(|schema| schema.is_object())));
        assert_eq!(STORE.get("v2/NoSuchSchema"), None);
    }

    /// Facts only: no keyword that carries documentation, and no text long enough to be a sentence but for patterns and allowed values.
    #[test]
    fn no_sentence_is_in_the_schemas() {
        const KEYWORDS: [&str; 32] = [
            "type",
            "format",
            "enum",
            "default",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "minLength",
            "maxLength",
            "pattern",
            "minItems",
            "maxItems",
            "uniqueItems",
            "minProperties",
            "maxProperties",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "oneOf",
            "anyOf",
            "allOf",
            "readOnly",
            "writeOnly",
            "deprecated",
            "$ref",
            "$defs",
            "not",
            "const",
            "prefixItems",
            "contains",
        ];
        fn check(key: &str, schema: &Value) {
            let Value::Object(members) = schema else {
                assert!(schema.is_boolean(), "{key}: {schema}");
                return;
            };
            for (name, value) in members {
                assert!(KEYWORDS.contains(&name.as_str()), "{key}: {name}");
                match name.as_str() {
                    "properties" => value.as_object().unwrap().values().for_each(|property| check(key, property)),
                    "oneOf" | "anyOf" | "allOf" => value.as_array().unwrap().iter().for_each(|choice| check(key, choice)),
                    "items" | "additionalProperties" => check(key, value),
                    "enum" | "pattern" | "$ref" => {}
                    _ => {
                        let texts = value.as_array().map_or_else(|| vec![value], |values| values.iter().collect());
                        assert!(texts.iter().filter_map(|text| text.as_str()).all(|text| text.len() <= 80), "{key}: {name} {value}");
                    }
                }
            }
        }
        for &at in &STORE.lines {
            let (key, json) = STORE.line(at).unwrap();
            check(key, &serde_json::from_str(json).unwrap());
        }
    }

    #[test]
    fn schemas_say_what_the_specification_says() {
        let logs = schema("v2.ListLogs");
        assert_eq!(logs["properties"]["page"]["properties"]["limit"]["maximum"], 1000);
        assert_eq!(logs.get("$defs"), None, "nothing is shared in it");
        let tier = &logs["properties"]["filter"]["properties"]["storage_tier"]["enum"];
        assert_eq!(tier, &json!(["indexes", "online-archives", "flex"]));
        let list = schema("v2.SubmitLog");
        assert_eq!(list["type"], "array");
        // Within themselves: a group widget holds widgets.
        let dashboard = schema("v1.CreateDashboard");
        assert!(dashboard["$defs"].get("Widget").is_some());
        assert_eq!(dashboard["required"], json!(["title", "layout_type", "widgets"]));
        // A body that may be null somewhere says so.
        let nullable = &schema("v1.CreateMonitor")["properties"]["priority"]["type"];
        assert_eq!(nullable, &json!(["integer", "null"]));
    }

    #[test]
    fn the_database_samples_body_is_there() {
        let samples = schema("x.ListDatabaseQuerySamples");
        let list = &samples["properties"]["list"];
        assert_eq!(list["properties"]["limit"], json!({"type": "integer", "minimum": 1, "maximum": 1000}));
        assert_eq!(list["required"], json!(["indexes", "limit", "search", "time"]));
    }
}
