//! JSON Schemas of argument structs in the form that every client takes: closed, inlined, without nullable unions.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

/// Schema of a struct of arguments; with the view arguments (`fields`, `max_tokens`, `cursor`, `detail`) when `view`.
#[must_use]
pub fn schema_of<T: JsonSchema>(view: bool) -> Map<String, Value> {
    let generator = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator();
    let mut schema = match generator.into_root_schema_for::<T>().to_value() {
        Value::Object(schema) => schema,
        _ => Map::new(),
    };
    for noise in ["$schema", "title", "description"] {
        schema.remove(noise);
    }
    for (_, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        simplify(property);
    }
    close(&mut schema);
    if view { with_view(schema) } else { schema }
}

/// Adds the view arguments to a schema.
#[must_use]
pub fn with_view(mut schema: Map<String, Value>) -> Map<String, Value> {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(crate::answer::view_properties());
    }
    schema
}

/// Adds `max_tokens` alone, for a tool that answers with one record.
#[must_use]
pub fn with_budget(mut schema: Map<String, Value>) -> Map<String, Value> {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(crate::answer::view_properties().into_iter().filter(|(name, _)| name == "max_tokens"));
    }
    schema
}

fn close(schema: &mut Map<String, Value>) {
    schema.entry("type").or_insert_with(|| Value::from("object"));
    schema.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
}

/// Takes out what a model does not need: titles, `null` alternatives, Rust's integer formats, `default: null`.
fn simplify(schema: &mut Value) {
    let Value::Object(object) = schema else {
        // A bare `true` is refused by some providers; an empty schema says the same.
        if schema.as_bool() == Some(true) {
            *schema = Value::Object(Map::new());
        }
        return;
    };
    object.remove("title");
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if object
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(|format| format.starts_with("int") || format.starts_with("uint") || format == "double" || format == "float")
    {
        object.remove("format");
    }
    if let Some(Value::Array(kinds)) = object.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if kinds.len() == 1 {
            let kind = kinds.remove(0);
            object.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    for combination in ["anyOf", "oneOf"] {
        let Some(Value::Array(options)) = object.get_mut(combination) else { continue };
        options.retain(|option| option.get("type").and_then(Value::as_str) != Some("null"));
        options.iter_mut().for_each(simplify);
        if let Some(values) = constants(options) {
            object.remove(combination);
            object.insert("type".to_owned(), Value::from("string"));
            object.insert("enum".to_owned(), values);
        } else if options.len() == 1
            && let Value::Object(only) = options.remove(0)
        {
            object.remove(combination);
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key).filter(|inner| inner.is_object()) {
            simplify(inner);
        }
    }
    for (_, property) in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        simplify(property);
    }
}

/// A union of documented constants is an `enum`; what the variants' docs say belongs into the property's description.
fn constants(options: &[Value]) -> Option<Value> {
    let values: Option<Vec<Value>> = options
        .iter()
        .map(|option| {
            option.get("const").cloned().map(|value| vec![value]).or_else(|| option.get("enum").and_then(Value::as_array).cloned())
        })
        .collect::<Option<Vec<_>>>()
        .map(|lists| lists.into_iter().flatten().collect());
    values.filter(|values| !values.is_empty()).map(Value::Array)
}
