//! `tools list|show|find`: what an agent would be offered.

use super::{App, call::send, print, terminal::Paint};
use crate::{
    cli::ToolsCommand,
    config::{Config, ConfigError},
    exit::Exit,
    mcp::Surface as _,
};
use datadog_tools::{CallError, Effect, Output, Tool, registry::Withheld};
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(super) async fn run(config: Config, command: ToolsCommand) -> anyhow::Result<Exit> {
    let paint = Paint(config.color);
    let app = App::open(config).await?;
    let exit = match command {
        ToolsCommand::List { json: true, .. } => {
            let tools = app.surface().tools();
            print(&serde_json::to_string_pretty(&json!({ "tools": &*tools }))?).map(|()| Exit::Ok)
        }
        ToolsCommand::List { all, .. } => print(&list(&app, all, paint)?).map(|()| Exit::Ok),
        ToolsCommand::Show { name } => show(&app, &name, paint),
        ToolsCommand::Find { words } => find(&app, &words.join(" ")).await,
    };
    app.close().await;
    exit
}

fn list(app: &App, all: bool, paint: Paint) -> anyhow::Result<String> {
    let registry = app.toolbox().registry();
    let tools = if all { registry.all() } else { registry.listed() };
    let width = tools.iter().map(|tool| tool.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for tool in tools {
        let why = match registry.withheld_tool(tool) {
            Some(Withheld::ReadOnly) => "  (withheld: read-only)",
            Some(Withheld::Excluded) => "  (withheld: excluded)",
            Some(Withheld::Secret) => "  (withheld: answers with key material)",
            None => "",
        };
        let name = paint.bold(&format!("{:width$}", tool.name));
        writeln!(text, "{name}  {:11}  {:14}  {}{why}", effect(tool.effect), tool.toolset, tool.title)?;
    }
    writeln!(text, "\n{} tools{}", tools.len(), if all { " exist" } else { " offered; --all shows those of every toolset" })?;
    Ok(text)
}

fn show(app: &App, name: &str, paint: Paint) -> anyhow::Result<Exit> {
    let registry = app.toolbox().registry();
    let tool = registry.reachable_tool(name).ok_or_else(|| {
        let near = registry.nearest(name);
        let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
        ConfigError::Value(format!("no tool is named `{name}`{hint}"))
    })?;
    print(&described(tool, paint)?)?;
    Ok(Exit::Ok)
}

fn described(tool: &Tool, paint: Paint) -> anyhow::Result<String> {
    let mut text =
        format!("{}  {}  {}\n{}\n\n{}\n\n", paint.bold(&tool.name), effect(tool.effect), tool.toolset, tool.title, tool.description.trim());
    text.push_str("Arguments\n");
    let required = tool.input_schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let properties = tool.input_schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, schema) in &properties {
        let need = if required.iter().any(|item| item == name) { " (required)" } else { "" };
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or("any");
        let default = schema.get("default").map_or_else(String::new, |value| format!(" = {value}"));
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        writeln!(text, "  {} {}{need}\n      {about}", paint.cyan(name), paint.dim(&format!("{kind}{default}")))?;
    }
    if !tool.operations.is_empty() {
        text.push_str("\nOperations\n");
        for operation in &tool.operations {
            let scopes = if operation.scopes.is_empty() { "no scope".to_owned() } else { operation.scopes.join(", ") };
            let permission = operation.permission.filter(|permission| !permission.names.is_empty());
            let permission = permission.map_or_else(String::new, |permission| format!("; permission {}", permission.names.join(", ")));
            writeln!(text, "  {} ({scopes}{permission})", operation.id)?;
        }
    }
    Ok(text)
}

/// The same search an agent has.
async fn find(app: &App, words: &str) -> anyhow::Result<Exit> {
    let arguments = json!({ "query": words });
    match send(app, "tools_find", arguments.as_object().cloned().unwrap_or_default(), Output::Text).await? {
        Ok(answer) => print(&answer.text).map(|()| Exit::Ok),
        Err(CallError::UnknownTool { .. }) => Err(ConfigError::Value("tools_find is not among the tools offered".to_owned()).into()),
        Err(CallError::Refused(refusal)) => print(&app.toolbox().refusal_text(&refusal)).map(|()| Exit::Refused),
    }
}

/// What a tool may do, in one word.
const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Write => "write",
        Effect::Destructive => "destructive",
    }
}
