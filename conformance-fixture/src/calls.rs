//! Tools that answer in one go, or ask the client on the way as before 2026-07-28.
#![expect(deprecated, reason = "the suite of 2025-11-25 still asks for sampling and logging")]

use crate::surface::{Change, Fixture};
use datadog_client::{Kind, Refusal};
use datadog_mcp::mcp::{Failure, ToolCall};
use rmcp::{
    ErrorData,
    model::{
        CallToolResponse, CallToolResult, ClientCapabilities, ContentBlock, CreateMessageRequestParams, ElicitRequestParams, LoggingLevel,
        LoggingMessageNotificationParam, ProtocolVersion, ResourceContents, SamplingMessage,
    },
};
use serde_json::{Value, json};
use std::{sync::PoisonError, time::Duration};

/// One red pixel, PNG.
pub(crate) const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
/// No samples, WAV.
const SILENCE: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

const STEP: Duration = Duration::from_millis(50);

pub(crate) async fn call(fixture: &Fixture, call: ToolCall<'_>) -> Result<CallToolResponse, Failure> {
    let name = call.request.name.clone();
    let text = |words: &str| vec![ContentBlock::text(words)];
    let content = match name.as_ref() {
        "test_simple_text" => text("This is a simple text response for testing."),
        "test_image_content" => vec![ContentBlock::image(PIXEL, "image/png")],
        "test_audio_content" => vec![ContentBlock::audio(SILENCE, "audio/wav")],
        "test_embedded_resource" => vec![resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")],
        "test_multiple_content_types" => vec![
            ContentBlock::text("Multiple content types test:"),
            ContentBlock::image(PIXEL, "image/png"),
            resource("test://mixed-content-resource", "application/json", r#"{"test":"data","value":123}"#),
        ],
        "test_tool_with_logging" | "test_logging_tool" => {
            logging(fixture, &call).await;
            text("logged")
        }
        "test_error_handling" => {
            let refusal = Refusal::new(Kind::UpstreamFailed, "This tool intentionally returns an error for testing");
            return Err(Failure::Refused(Box::new(refusal)));
        }
        "test_tool_with_progress" => {
            for (done, words) in [(0, "begun"), (50, "half"), (100, "done")] {
                call.progress.report(done, Some(100), words);
                tokio::time::sleep(STEP).await;
            }
            text("progressed")
        }
        "test_sampling" => text(&sampling(&call).await?),
        "test_elicitation" => {
            let fields = json!({"username": {"type": "string", "description": "User's response"}, "email": {"type": "string", "description": "User's email address"}});
            text(&format!("User response: {}", elicitation(&call, fields, &["username", "email"]).await?))
        }
        "test_elicitation_sep1034_defaults" => text(&format!("Elicitation completed: {}", elicitation(&call, defaults(), &[]).await?)),
        "test_elicitation_sep1330_enums" => text(&format!("Elicitation completed: {}", elicitation(&call, choices(), &[]).await?)),
        "test_reconnection" => {
            tokio::time::sleep(STEP).await;
            text("answered after a moment")
        }
        "test_missing_capability" => {
            let declared = call.cx.client_capabilities().is_some_and(|capabilities| capabilities.sampling.is_some());
            if !declared {
                let needed = ClientCapabilities::builder().enable_sampling().build();
                return Err(Failure::Protocol(ErrorData::missing_required_client_capability(needed)));
            }
            text("the client declares sampling")
        }
        "test_trigger_tool_change" | "test_trigger_prompt_change" => {
            let change = if name.contains("tool_change") { Change::Tools } else { Change::Prompts };
            let told = fixture.changes.send(change).unwrap_or_default();
            text(&format!("told {told}"))
        }
        "test_panic" => panicking(),
        "test_sleep" => {
            tokio::select! {
                () = call.cx.ct.cancelled() => return Err(Failure::Refused(Box::new(Refusal::new(Kind::Cancelled, "The call was cancelled")))),
                () = tokio::time::sleep(Duration::from_secs(60)) => text("slept"),
            }
        }
        _ => text("ok"),
    };
    Ok(CallToolResult::success(content).into())
}

/// What the panic isolation is tested with; the text stands for data that must not reach a log.
#[expect(clippy::panic, reason = "this is what it is for")]
fn panicking() -> Vec<ContentBlock> {
    panic!("{}", ["fixture", "payload", "of", "a", "panic"].join("-"))
}

fn resource(uri: &str, mime: &str, text: &str) -> ContentBlock {
    ContentBlock::resource(ResourceContents::text(text, uri).with_mime_type(mime))
}

/// Logs three lines: to peers of 2025-11-25 from the level they set, to later ones when the request names a level.
async fn logging(fixture: &Fixture, call: &ToolCall<'_>) {
    let modern = call.cx.protocol_version().is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str());
    let least = if modern { call.cx.meta.log_level() } else { Some(*fixture.level.lock().unwrap_or_else(PoisonError::into_inner)) };
    for words in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        if least.is_some_and(|least| (least as u8) <= LoggingLevel::Info as u8) {
            let param = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(words));
            if call.cx.peer.notify_logging_message(param).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(STEP).await;
    }
}

fn argument<'a>(call: &'a ToolCall<'_>, name: &str) -> &'a str {
    call.request.arguments.as_ref().and_then(|arguments| arguments.get(name)).and_then(Value::as_str).unwrap_or_default()
}

async fn sampling(call: &ToolCall<'_>) -> Result<String, Failure> {
    let params = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(argument(call, "prompt"))], 100);
    let said = call.cx.peer.create_message(params).await.map_err(|error| failed(&error))?;
    let text = said.message.content.first().and_then(|content| content.as_text()).map(|text| text.text.clone()).unwrap_or_default();
    Ok(format!("LLM response: {text}"))
}

async fn elicitation(call: &ToolCall<'_>, fields: Value, required: &[&str]) -> Result<String, Failure> {
    let schema = json!({"type": "object", "properties": fields, "required": required});
    let message = match argument(call, "message") {
        "" => "Please fill this in",
        message => message,
    };
    let requested_schema = serde_json::from_value(schema).map_err(|error| failed(&error))?;
    let params = ElicitRequestParams::FormElicitationParams { meta: None, message: message.to_owned(), requested_schema };
    let result = call.cx.peer.create_elicitation(params).await.map_err(|error| failed(&error))?;
    Ok(format!("action={}, content={}", json!(result.action), json!(result.content)))
}

fn failed(error: &dyn std::error::Error) -> Failure {
    Failure::Refused(Box::new(Refusal::new(Kind::UpstreamFailed, error.to_string())))
}

fn defaults() -> Value {
    json!({
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": true}
    })
}

fn choices() -> Value {
    let titled = |word: &str| -> Value { (1..=3).map(|n| json!({"const": format!("value{n}"), "title": format!("{word} {n}")})).collect() };
    json!({
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {"type": "string", "oneOf": titled("Option")},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled("Choice")}}
    })
}
