//! One value against one property schema: the smallest change that makes it fit, or why none does.

use super::nearest;
use serde_json::{Number, Value};

/// Makes `value` fit `schema`, or says in a clause (`must be …, not …`) why it cannot.
pub(super) fn coerce(value: Value, schema: &Value) -> Result<Value, String> {
    if let Some(options) = alternatives(schema) {
        return any_of(&value, options);
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return one_of(&value, values);
    }
    let value = match schema.get("type").and_then(Value::as_str) {
        Some("integer") => integer(value, schema)?,
        Some("number") => number(value, schema)?,
        Some("boolean") => boolean(&value)?,
        Some("string") => text(value)?,
        Some("array") => return list(value, schema),
        Some("object") => object(value)?,
        _ => return Ok(value),
    };
    bounded(value, schema)
}

/// A property's type in few words: `integer 1..1000`, `newest|oldest`, `list of string`.
pub(super) fn describe(schema: &Value) -> String {
    if let Some(options) = alternatives(schema) {
        return options.iter().map(describe).collect::<Vec<_>>().join(" or ");
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().map(plain).collect::<Vec<_>>().join("|");
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => match schema.get("items") {
            Some(items) => format!("list of {}", describe(items)),
            None => "list".to_owned(),
        },
        Some(kind @ ("integer" | "number")) => match (schema.get("minimum"), schema.get("maximum")) {
            (Some(min), Some(max)) => format!("{kind} {}..{}", plain(min), plain(max)),
            (Some(min), None) => format!("{kind} ≥ {}", plain(min)),
            (None, Some(max)) => format!("{kind} ≤ {}", plain(max)),
            (None, None) => kind.to_owned(),
        },
        Some(kind) => kind.to_owned(),
        None => "any value".to_owned(),
    }
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array)
}

/// An alternative of the value's own type wins over one that needs a coercion.
fn any_of(value: &Value, options: &[Value]) -> Result<Value, String> {
    let kind = kind_of(value);
    let own = options.iter().filter(|option| option.get("type").and_then(Value::as_str).is_some_and(|t| t == kind));
    for option in own.chain(options) {
        if let Ok(fit) = coerce(value.clone(), option) {
            return Ok(fit);
        }
    }
    let wanted = options.iter().map(describe).collect::<Vec<_>>().join(" or ");
    Err(format!("must be {wanted}, not {}", show(value)))
}

fn one_of(value: &Value, values: &[Value]) -> Result<Value, String> {
    let given = plain(value);
    if let Some(exact) = values.iter().find(|allowed| **allowed == *value || plain(allowed).eq_ignore_ascii_case(given.trim())) {
        return Ok(exact.clone());
    }
    let names: Vec<String> = values.iter().map(plain).collect();
    let hint = nearest(&given, names.iter().map(String::as_str)).map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Err(format!("must be one of {}, not {}{hint}", names.join(", "), show(value)))
}

fn integer(value: Value, schema: &Value) -> Result<Value, String> {
    let wrong = |value: &Value| format!("must be {}, not {}", describe(schema), show(value));
    match &value {
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(value),
        // 10.0 is what some clients send for 10; beyond 2^53 a float no longer says which integer was meant.
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 => Ok(Value::from(float as i64)),
            _ => Err(wrong(&value)),
        },
        Value::String(text) => {
            let text = text.trim();
            text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).map_err(|_| wrong(&value))
        }
        Value::Array(items) if items.len() == 1 => integer(items[0].clone(), schema),
        _ => Err(wrong(&value)),
    }
}

fn number(value: Value, schema: &Value) -> Result<Value, String> {
    match &value {
        Value::Number(_) => Ok(value),
        Value::String(text) => text
            .trim()
            .parse::<f64>()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::Number)
            .ok_or_else(|| format!("must be {}, not {}", describe(schema), show(&value))),
        _ => Err(format!("must be {}, not {}", describe(schema), show(&value))),
    }
}

fn boolean(value: &Value) -> Result<Value, String> {
    let as_word = plain(value).trim().to_ascii_lowercase();
    match as_word.as_str() {
        "true" | "1" | "yes" => Ok(Value::Bool(true)),
        "false" | "0" | "no" => Ok(Value::Bool(false)),
        _ => Err(format!("must be true or false, not {}", show(value))),
    }
}

fn text(value: Value) -> Result<Value, String> {
    match value {
        Value::String(_) => Ok(value),
        Value::Number(number) => Ok(Value::String(number.to_string())),
        Value::Bool(flag) => Ok(Value::String(flag.to_string())),
        Value::Array(mut items) if items.len() == 1 => text(items.remove(0)),
        other => Err(format!("must be a string, not {}", show(&other))),
    }
}

fn list(value: Value, schema: &Value) -> Result<Value, String> {
    let items = match value {
        Value::Array(items) => items,
        // A list written as JSON text is taken as the list; other text is one element, commas and all.
        Value::String(text) if text.trim_start().starts_with('[') => match serde_json::from_str::<Vec<Value>>(&text) {
            Ok(items) => items,
            Err(_) => vec![Value::String(text)],
        },
        other => vec![other],
    };
    let max = schema.get("maxItems").and_then(Value::as_u64).unwrap_or(u64::MAX);
    if items.len() as u64 > max {
        return Err(format!("takes at most {max} elements, not {}", items.len()));
    }
    let Some(element) = schema.get("items") else {
        return Ok(Value::Array(items));
    };
    items
        .into_iter()
        .map(|item| coerce(item, element))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
        .map_err(|why| format!("element {why}"))
}

fn object(value: Value) -> Result<Value, String> {
    match value {
        Value::Object(_) => Ok(value),
        Value::String(ref text) => match serde_json::from_str::<Value>(text) {
            Ok(parsed @ Value::Object(_)) => Ok(parsed),
            _ => Err(format!("must be a JSON object, not {}", show(&value))),
        },
        other => Err(format!("must be a JSON object, not {}", show(&other))),
    }
}

fn bounded(value: Value, schema: &Value) -> Result<Value, String> {
    let out = |value: &Value| Err(format!("must be {}, not {}", describe(schema), show(value)));
    if let Value::Number(number) = &value {
        let (Some(number), min, max) = (number.as_f64(), limit(schema, "minimum"), limit(schema, "maximum")) else {
            return out(&value);
        };
        if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
            return out(&value);
        }
    }
    if let Value::String(text) = &value
        && let Some(max) = schema.get("maxLength").and_then(Value::as_u64)
        && text.chars().count() as u64 > max
    {
        return Err(format!("may have at most {max} characters"));
    }
    Ok(value)
}

fn limit(schema: &Value, name: &str) -> Option<f64> {
    schema.get(name).and_then(Value::as_f64)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The value as an error shows it: short and without control characters.
fn show(value: &Value) -> String {
    let text = value.to_string();
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    if text.chars().count() > 60 {
        shown.push('…');
    }
    shown
}
