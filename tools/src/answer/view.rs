//! The view arguments that every tool with rows takes: `fields`, `max_tokens`, `cursor`, `detail`.

use super::{Output, View, cursor::VIEW_ARGUMENTS};
use datadog_client::Refusal;
use serde_json::{Map, Value, json};

/// Fewer tokens than this cannot hold a facts line, a row and a note.
pub const MIN_TOKENS: usize = 200;

/// What a view is when the caller says nothing, and how far the caller may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewDefaults {
    /// Budget when the caller names none.
    pub tokens: usize,
    /// Largest budget; more is reduced to it.
    pub max_tokens: usize,
    /// Form of the rows.
    pub output: Output,
    /// Mask secrets.
    pub mask: bool,
}

impl Default for ViewDefaults {
    fn default() -> Self {
        Self { tokens: 4_000, max_tokens: 25_000, output: Output::Text, mask: true }
    }
}

/// Which view arguments a tool takes: notes name no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each argument")]
pub struct ViewArguments {
    /// `fields`.
    pub fields: bool,
    /// `max_tokens`.
    pub max_tokens: bool,
    /// `cursor`.
    pub cursor: bool,
    /// `detail`.
    pub detail: bool,
}

impl ViewArguments {
    /// All of them, as operations take them.
    pub const ALL: Self = Self { fields: true, max_tokens: true, cursor: true, detail: true };

    /// Those among the `properties` of a tool's input schema.
    #[must_use]
    pub fn of(schema: &Map<String, Value>) -> Self {
        let has = |name: &str| schema.get("properties").is_some_and(|properties| properties.get(name).is_some());
        Self { fields: has("fields"), max_tokens: has("max_tokens"), cursor: has("cursor"), detail: has("detail") }
    }
}

/// JSON Schema properties of the view arguments, in as few tokens as they can be understood from.
#[must_use]
pub fn view_properties() -> Map<String, Value> {
    let properties = json!({
        "fields": {"type": "array", "items": {"type": "string"}, "description": "Columns, e.g. [\"host\",\"http\"]; [\"*\"]: all"},
        "max_tokens": {"type": "integer", "description": "Answer size, e.g. 8000"},
        "cursor": {"type": "string", "description": "Goes on from the last answer"},
        "detail": {"enum": ["full"], "description": "Whole records as JSON"},
    });
    match properties {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

impl View {
    /// A view of these defaults.
    #[must_use]
    pub fn new(defaults: &ViewDefaults) -> Self {
        Self {
            fields: Vec::new(),
            max_tokens: defaults.tokens.clamp(MIN_TOKENS, defaults.max_tokens.max(MIN_TOKENS)),
            full: false,
            output: defaults.output,
            mask: defaults.mask,
        }
    }

    /// Takes the view arguments out of `arguments`; gives the view and the cursor.
    ///
    /// Lenient: `"a,b"` for `["a","b"]`, `"8000"` for 8000, `null` for absent; a budget outside the bounds is moved to the bound.
    pub fn take(arguments: &mut Map<String, Value>, defaults: &ViewDefaults) -> Result<(Self, Option<String>), Refusal> {
        let mut view = Self::new(defaults);
        let [fields, max_tokens, cursor, detail] = VIEW_ARGUMENTS.map(|name| arguments.shift_remove(name).unwrap_or_default());
        view.fields = fields_of(fields)?;
        if let Some(tokens) = budget_of(&max_tokens)? {
            view.max_tokens = tokens.clamp(MIN_TOKENS, defaults.max_tokens.max(MIN_TOKENS));
        }
        view.full = full_of(&detail)?;
        let cursor = match cursor {
            Value::Null => None,
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => Some(text),
            other => return Err(Refusal::invalid(format!("`cursor` must be the text that the last answer gave, not {other}."))),
        };
        Ok((view, cursor))
    }
}

fn fields_of(value: Value) -> Result<Vec<String>, Refusal> {
    let wrong = |value: &Value| {
        Refusal::invalid(format!("`fields` must be a list of column names, e.g. [\"host\",\"http\"] or [\"*\"], not {value}."))
    };
    let texts = match value {
        Value::Null => return Ok(Vec::new()),
        Value::String(text) => match serde_json::from_str::<Vec<String>>(&text) {
            Ok(list) => list,
            Err(_) => vec![text],
        },
        Value::Array(items) => {
            let mut texts = Vec::with_capacity(items.len());
            for item in items {
                match item {
                    Value::String(text) => texts.push(text),
                    other => return Err(wrong(&other)),
                }
            }
            texts
        }
        other => return Err(wrong(&other)),
    };
    Ok(texts.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn budget_of(value: &Value) -> Result<Option<usize>, Refusal> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().replace([',', '_'], "").parse().ok(),
        _ => None,
    };
    match number {
        Some(number) if number.is_finite() && number > 0.0 => Ok(Some(number as usize)),
        _ => Err(Refusal::invalid(format!("`max_tokens` must be a number of tokens above 0, e.g. 8000, not {value}."))),
    }
}

fn full_of(value: &Value) -> Result<bool, Refusal> {
    match value {
        Value::Null => Ok(false),
        Value::Bool(full) => Ok(*full),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "full" | "all" | "json" => Ok(true),
            "" | "default" | "compact" | "table" | "summary" => Ok(false),
            _ => Err(Refusal::invalid(format!("`detail` takes \"full\" (whole records as JSON) or nothing, not {value}."))),
        },
        _ => Err(Refusal::invalid(format!("`detail` takes \"full\" (whole records as JSON) or nothing, not {value}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(arguments: Value) -> Result<(View, Option<String>, Value), Refusal> {
        let Value::Object(mut map) = arguments else { return Err(Refusal::invalid("not a map")) };
        let (view, cursor) = View::take(&mut map, &ViewDefaults::default())?;
        Ok((view, cursor, Value::Object(map)))
    }

    #[test]
    fn takes_what_is_there_and_leaves_the_rest() {
        let (view, cursor, rest) =
            take(json!({"query": "a", "fields": ["host", "http"], "max_tokens": 9000, "cursor": "c", "detail": "full"})).unwrap();
        assert_eq!(view.fields, ["host", "http"]);
        assert_eq!((view.max_tokens, view.full, cursor.as_deref()), (9000, true, Some("c")));
        assert_eq!(rest, json!({"query": "a"}));
        let (view, cursor, _) = take(json!({})).unwrap();
        assert_eq!((view, cursor), (View::new(&ViewDefaults::default()), None));
    }

    #[test]
    fn is_lenient() {
        for (given, fields) in
            [(json!("a, b"), vec!["a", "b"]), (json!("[\"a\",\"b\"]"), vec!["a", "b"]), (json!("*"), vec!["*"]), (json!(null), vec![])]
        {
            assert_eq!(take(json!({"fields": given})).unwrap().0.fields, fields);
        }
        for (given, tokens) in
            [(json!("9,000"), 9000), (json!(1e9), 25_000), (json!(1), MIN_TOKENS), (json!(500.7), 500), (json!(null), 4000)]
        {
            assert_eq!(take(json!({"max_tokens": given})).unwrap().0.max_tokens, tokens);
        }
        for (given, full) in [(json!("Full"), true), (json!(true), true), (json!("default"), false), (json!(null), false)] {
            assert_eq!(take(json!({"detail": given})).unwrap().0.full, full);
        }
        assert_eq!(take(json!({"cursor": " "})).unwrap().1, None);
    }

    #[test]
    fn refuses_what_cannot_be_meant() {
        for arguments in [
            json!({"fields": 3}),
            json!({"fields": [1]}),
            json!({"max_tokens": "many"}),
            json!({"max_tokens": -1}),
            json!({"max_tokens": []}),
            json!({"cursor": 5}),
            json!({"detail": "half"}),
            json!({"detail": 2}),
        ] {
            let name = arguments.as_object().unwrap().keys().next().unwrap().clone();
            assert!(take(arguments).unwrap_err().message.starts_with(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn properties_are_small() {
        let text = serde_json::to_string(&view_properties()).unwrap();
        assert!(text.len() < 420, "{} bytes", text.len());
        for name in VIEW_ARGUMENTS {
            assert!(view_properties().contains_key(name));
        }
    }
}
