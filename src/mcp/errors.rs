//! Protocol errors and error results: which failure becomes which.

use super::Failure;
use datadog_client::Refusal;
use datadog_tools::answer::refusal_structured;
use rmcp::{
    ErrorData,
    model::{CallToolResult, ContentBlock, ErrorCode, Tool},
};
use serde_json::json;

/// `-32601` for a method that this server does not offer.
pub(super) fn no_method(method: &str) -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("Method not found: {method}"), None)
}

/// `-32602` for a tool that is not offered, naming what comes near.
pub(super) fn unknown_tool(name: &str, nearest: &[String]) -> ErrorData {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    let hint = match nearest {
        [] => "tools/list names those that are offered; tools_find finds every other one.".to_owned(),
        [one] => format!("Did you mean {one}?"),
        several => format!("Did you mean one of {}?", several.join(", ")),
    };
    ErrorData::invalid_params(format!("Unknown tool: {shown}. {hint}"), Some(json!({ "nearest": nearest })))
}

/// `-32603` after a panic; says nothing of it, the log does.
pub(super) fn internal() -> ErrorData {
    ErrorData::internal_error("Internal error in the server; its log says more.", None)
}

/// A refusal as a tool result with `isError`: the text, and the same as structure.
///
/// Tools that declare an output schema get the text alone: clients validate `structuredContent` against the schema even when
/// `isError` is set, and would show their own complaint instead of the refusal.
pub(super) fn refused(refusal: &Refusal, text: String, tool: Option<&Tool>) -> CallToolResult {
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    if tool.is_none_or(|tool| tool.output_schema.is_none()) {
        result.structured_content = Some(refusal_structured(refusal));
    }
    result
}

/// One word for the log.
pub(super) fn outcome(failure: &Failure) -> String {
    match failure {
        Failure::UnknownTool { .. } => "unknown_tool".to_owned(),
        Failure::Protocol(error) => format!("protocol_error {}", error.code.0),
        Failure::Refused(refusal) => {
            serde_json::to_value(refusal.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default()
        }
    }
}
