//! A tool or an operation in the words an agent needs to call it.

use super::index::Entry;
use crate::{Effect, Registry, Tool, arguments, registry::Withheld};
use datadog_catalogue::{OAuth, Operation, Param, ParamType, PermissionRule, Place};
use std::fmt::Write as _;

/// Characters of a body's outline in a list of results, and when one is asked for by name.
const BRIEF_BODY: usize = 300;
const WHOLE_BODY: usize = 6_000;

/// Two or three lines.
pub(super) fn brief(entry: &Entry, registry: &Registry) -> String {
    match entry {
        Entry::Tool(tool) => format!("{}\n  arguments: {}", tool_head(tool, registry), arguments::outline(&own_arguments(tool))),
        Entry::Operation(operation) => operation_text(operation, registry, BRIEF_BODY),
    }
}

/// Everything that is known.
pub(super) fn whole(entry: &Entry, registry: &Registry) -> String {
    match entry {
        Entry::Tool(tool) => format!(
            "{}\n{}\n  input schema: {}",
            tool_head(tool, registry),
            tool.description,
            serde_json::Value::Object((*tool.input_schema).clone())
        ),
        Entry::Operation(operation) => operation_text(operation, registry, WHOLE_BODY),
    }
}

fn tool_head(tool: &Tool, registry: &Registry) -> String {
    let how = match registry.withheld_tool(tool) {
        Some(withheld) => withheld_words(withheld),
        None if registry.listed_tool(&tool.name).is_some() => "listed: call it directly",
        None => via(tool.effect),
    };
    format!("{} — tool, {}, toolset {} — {} ({how})", tool.name, effect_word(tool.effect), tool.toolset, tool.title)
}

fn own_arguments(tool: &Tool) -> serde_json::Map<String, serde_json::Value> {
    let mut schema = (*tool.input_schema).clone();
    if let Some(properties) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut) {
        for name in crate::answer::view_properties().keys() {
            properties.shift_remove(name);
        }
    }
    schema
}

fn operation_text(operation: &'static Operation, registry: &Registry, body: usize) -> String {
    let mut text = format!(
        "{} — operation, {} — {} {}",
        operation.id,
        effect_word(operation.kind.effect()),
        operation.method.as_str(),
        operation.path
    );
    let marks: Vec<&str> =
        [(operation.deprecated, "deprecated"), (operation.official && operation.unstable, "unstable"), (!operation.official, "unofficial")]
            .into_iter()
            .filter_map(|(is, word)| is.then_some(word))
            .collect();
    if !marks.is_empty() {
        let _infallible = write!(text, " [{}]", marks.join(", "));
    }
    let how = registry.withheld_operation(operation).map_or_else(|| via(operation.kind.effect()), withheld_words);
    let _infallible = write!(text, " ({how})");
    let needs = needs(operation);
    if !needs.is_empty() {
        let _infallible = write!(text, "\n  needs: {needs}");
    }
    if !operation.params.is_empty() {
        let _infallible = write!(text, "\n  arguments: {}", operation.params.iter().map(param).collect::<Vec<_>>().join(", "));
    }
    if let Some(facts) = operation.body {
        let outline = datadog_catalogue::body_outline(operation, body).unwrap_or_else(|| facts.schema.to_owned());
        let _infallible = write!(text, "\n  body{}: {outline}", if facts.required { " (required)" } else { "" });
    }
    text
}

/// Scopes and permissions, in words: `scope logs_read_data`, `permission a or b`, `keys only`.
fn needs(operation: &Operation) -> String {
    let mut needs = Vec::new();
    match operation.oauth {
        OAuth::No if operation.auth.app_key => needs.push("API and application key (no OAuth)".to_owned()),
        OAuth::No if operation.auth.api_key => needs.push("API key (no OAuth)".to_owned()),
        _ if !operation.scopes.is_empty() => needs.push(format!("scope {}", operation.scopes.join(" and "))),
        _ => {}
    }
    if let Some(permission) = operation.permission
        && permission.names != operation.scopes
    {
        let join = if permission.rule == PermissionRule::And { " and " } else { " or " };
        if !permission.names.is_empty() {
            needs.push(format!("permission {}", permission.names.join(join)));
        }
    }
    needs.join("; ")
}

fn param(param: &Param) -> String {
    let kind = match param.kind {
        _ if !param.values.is_empty() => param.values.join("|"),
        ParamType::Text(Some(format)) => format.to_owned(),
        ParamType::Text(None) => "string".to_owned(),
        ParamType::Integer => match (param.min, param.max) {
            (Some(min), Some(max)) => format!("integer {min}..{max}"),
            (None, Some(max)) => format!("integer ≤ {max}"),
            _ => "integer".to_owned(),
        },
        ParamType::Number => "number".to_owned(),
        ParamType::Boolean => "boolean".to_owned(),
        ParamType::TextList => "list of string".to_owned(),
        ParamType::IntegerList => "list of integer".to_owned(),
    };
    let mark = if param.required || param.place == Place::Path { " (required)" } else { "" };
    format!("{}: {kind}{mark}", param.name)
}

const fn via(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "via tools_call_read",
        Effect::Write | Effect::Destructive => "via tools_call_write",
    }
}

const fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Write => "write",
        Effect::Destructive => "destructive",
    }
}

const fn withheld_words(withheld: Withheld) -> &'static str {
    match withheld {
        Withheld::ReadOnly => "withheld: this server is read-only; its operator can start it with --allow-writes",
        Withheld::Excluded => "withheld: excluded by the operator",
        Withheld::Secret => "withheld: answers with key material; its operator can start it with --allow-secrets",
    }
}
