//! Checks a definition against the catalogue, and makes a tool of it.

use super::format::{Argument, ArgumentType, Definition, RawColumn, RawTool};
use crate::{TimeRange, Tool, arguments, defined::Defined, registry};
use datadog_catalogue::{Effect, Operation, Place};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Arguments that every tool of rows has besides its own.
const RESERVED: [&str; 6] = ["fields", "max_tokens", "cursor", "detail", "from", "to"];

pub(super) fn check(toolset: &str, raw: RawTool) -> Result<Definition, String> {
    let name = &raw.name;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err(format!("tool name `{name}` must be 1 to 64 of a-z, 0-9 and _"));
    }
    let operation = datadog_catalogue::operation(&raw.operation).ok_or_else(|| {
        let ids = datadog_catalogue::operations().iter().map(|operation| operation.id);
        let hint = arguments::nearest(&raw.operation, ids).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        format!("tool `{name}`: there is no operation `{}`{hint}", raw.operation)
    })?;
    // A definition may call its effect graver than the catalogue does, never lighter: read-only mode relies on it.
    if raw.effect < operation.kind.effect() {
        return Err(format!("tool `{name}`: {} is {:?}, so effect cannot be {:?}", operation.id, operation.kind.effect(), raw.effect));
    }
    if raw.title.trim().is_empty() || raw.description.trim().is_empty() {
        return Err(format!("tool `{name}`: title and description must say something"));
    }
    if toolset.is_empty() || toolset == "all" || !toolset.chars().all(fits) {
        return Err(format!("toolset `{toolset}` must be made of a-z, 0-9 and _, and cannot be `all`"));
    }
    if registry::current_name(name) != name {
        return Err(format!("tool name `{name}` is an old name of `{}`", registry::current_name(name)));
    }
    if datadog_catalogue::returns_secret(operation) {
        return Err(format!(
            "tool `{name}`: {} answers with key material; it is reached by its own name only, with --allow-secrets",
            operation.id
        ));
    }
    if let Some(time) = &raw.time {
        TimeRange::parse(&time.default, "now", jiff::Timestamp::now())
            .map_err(|refusal| format!("tool `{name}`, time.default: {refusal}"))?;
    }
    for (argument, facts) in &raw.arguments {
        if argument.is_empty() || !argument.chars().all(fits) {
            return Err(format!("tool `{name}`: the argument name `{argument}` must be made of a-z, 0-9 and _"));
        }
        if let (Some(min), Some(max)) = (facts.min, facts.max)
            && min > max
        {
            return Err(format!("tool `{name}`, argument `{argument}`: min {min} is above max {max}"));
        }
        if let Some(default) = &facts.default {
            arguments::fits(default, &facts.schema()).map_err(|why| format!("tool `{name}`, argument `{argument}`: its default {why}"))?;
        }
        if RESERVED.contains(&argument.as_str()) {
            return Err(format!("tool `{name}`: the argument name `{argument}` is taken by the server"));
        }
        if let Some(to) = &facts.to {
            destination(operation, to).map_err(|why| format!("tool `{name}`, argument `{argument}`: {why}"))?;
        } else if !is_templated(&raw, argument) {
            return Err(format!(
                "tool `{name}`: the argument `{argument}` goes nowhere; give it `to`, or use it in `fixed` as {{{argument}}}"
            ));
        }
    }
    templates(&raw)?;
    for to in raw.fixed.keys().chain(raw.time.iter().flat_map(|time| [&time.from, &time.to])) {
        destination(operation, to).map_err(|why| format!("tool `{name}`: {why}"))?;
    }
    for param in operation.params.iter().filter(|param| param.required && param.place == Place::Path) {
        let to = format!("path.{}", param.name);
        let given = raw.fixed.contains_key(&to)
            || raw
                .arguments
                .values()
                .any(|argument| argument.to.as_deref() == Some(&to) && (argument.required || argument.default.is_some()));
        if !given {
            return Err(format!("tool `{name}`: nothing required goes to `{to}`"));
        }
    }
    Ok(Definition {
        toolset: toolset.to_owned(),
        idempotent: raw.idempotent.unwrap_or(raw.effect != Effect::Write),
        operation,
        subject: raw.subject.unwrap_or_else(|| "records".to_owned()),
        columns: raw.columns.into_iter().map(RawColumn::into_column).collect(),
        name: raw.name,
        title: raw.title,
        description: raw.description.trim().to_owned(),
        effect: raw.effect,
        rows: raw.rows,
        record: raw.record,
        drop: raw.drop,
        link: raw.link,
        then: raw.then,
        arguments: raw.arguments,
        time: raw.time,
        fixed: raw.fixed,
    })
}

/// Every `{name}` in `fixed` and `link` must be an argument; `link` knows the range too.
fn templates(raw: &RawTool) -> Result<(), String> {
    let ranged: &[&str] = if raw.time.is_some() { &["from_ms", "to_ms"] } else { &[] };
    let texts = raw.fixed.values().flat_map(texts_in).map(|text| (text, &[][..])).chain(raw.link.as_deref().map(|link| (link, ranged)));
    for (text, besides) in texts {
        for name in text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)) {
            if !raw.arguments.contains_key(name) && !besides.contains(&name) {
                return Err(format!("tool `{}`: {{{name}}} is no argument", raw.name));
            }
        }
    }
    Ok(())
}

fn texts_in(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts_in).collect(),
        Value::Object(object) => object.values().flat_map(texts_in).collect(),
        _ => Vec::new(),
    }
}

fn is_templated(raw: &RawTool, argument: &str) -> bool {
    let mark = format!("{{{argument}}}");
    raw.fixed.values().flat_map(texts_in).any(|text| text.contains(&mark))
}

fn destination(operation: &Operation, to: &str) -> Result<(), String> {
    let known = |place: Place, name: &str| {
        if operation.params.iter().any(|param| param.place == place && param.name == name) {
            return Ok(());
        }
        let names: Vec<&str> = operation.params.iter().filter(|param| param.place == place).map(|param| param.name).collect();
        Err(format!(
            "{} has no parameter `{name}` there; it has {}",
            operation.id,
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        ))
    };
    match to.split_once('.') {
        Some(("path", name)) => known(Place::Path, name),
        Some(("query", name)) => known(Place::Query, name),
        Some(("body", path)) if !path.is_empty() => {
            if operation.body.is_some() {
                Ok(())
            } else {
                Err(format!("{} takes no body", operation.id))
            }
        }
        _ => Err(format!("`{to}` must begin with path., query. or body.")),
    }
}

impl Definition {
    /// Makes the tool.
    pub(super) fn into_tool(self) -> Tool {
        let view = !self.record;
        let schema = self.input_schema();
        Tool {
            name: self.name.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            toolset: self.toolset.clone(),
            effect: self.effect,
            idempotent: self.idempotent,
            operations: vec![self.operation],
            input_schema: Arc::new(if view { arguments::with_view(schema) } else { arguments::with_budget(schema) }),
            output_schema: None,
            run: Arc::new(Defined(self)),
        }
    }

    fn input_schema(&self) -> Map<String, Value> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, argument) in &self.arguments {
            properties.insert(name.clone(), argument.schema());
            if argument.required {
                required.push(Value::from(name.as_str()));
            }
        }
        if let Some(time) = &self.time {
            let from = format!("Start, e.g. now-2h (default {})", time.default);
            properties.insert("from".to_owned(), json!({"type": "string", "description": from}));
            properties.insert("to".to_owned(), json!({"type": "string", "description": "End, e.g. now"}));
        }
        let mut schema = Map::new();
        schema.insert("type".to_owned(), Value::from("object"));
        schema.insert("properties".to_owned(), Value::Object(properties));
        if !required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(required));
        }
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        schema
    }
}

impl Argument {
    fn schema(&self) -> Value {
        let mut schema = Map::new();
        let kind = match self.kind {
            ArgumentType::String => "string",
            ArgumentType::Integer => "integer",
            ArgumentType::Number => "number",
            ArgumentType::Boolean => "boolean",
            ArgumentType::List => "array",
        };
        schema.insert("type".to_owned(), Value::from(kind));
        schema.insert("description".to_owned(), Value::from(self.description.as_str()));
        let values = (!self.values.is_empty()).then(|| Value::from(self.values.clone()));
        if self.kind == ArgumentType::List {
            let mut items = Map::new();
            items.insert("type".to_owned(), Value::from("string"));
            items.extend(values.map(|values| ("enum".to_owned(), values)));
            schema.insert("items".to_owned(), Value::Object(items));
        } else {
            schema.extend(values.map(|values| ("enum".to_owned(), values)));
        }
        schema.extend(self.default.clone().map(|default| ("default".to_owned(), default)));
        schema.extend(self.min.map(|min| ("minimum".to_owned(), Value::from(min))));
        schema.extend(self.max.map(|max| ("maximum".to_owned(), Value::from(max))));
        Value::Object(schema)
    }
}
