//! The fixture's tools, as the suite's scenarios name them.
#![expect(deprecated, reason = "logging levels are deprecated and still part of the suite of 2025-11-25")]

use crate::{calls, input};
use async_trait::async_trait;
use datadog_client::Refusal;
use datadog_mcp::mcp::{Beyond, Failure, Surface, ToolCall};
use datadog_tools::{
    Effect,
    answer::{Sealer, refusal_text},
};
use rmcp::model::{CallToolResponse, Implementation, LoggingLevel, RequestStateCodec, Tool, ToolAnnotations};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use tokio::sync::broadcast;

/// What a subscription can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Tools,
    Prompts,
}

/// Content and state of the fixture.
#[derive(Debug)]
pub(crate) struct Fixture {
    tools: Arc<[Tool]>,
    pub(crate) codec: RequestStateCodec,
    pub(crate) level: Mutex<LoggingLevel>,
    pub(crate) subscribed: Mutex<BTreeSet<String>>,
    pub(crate) changes: broadcast::Sender<Change>,
    sealer: Sealer,
}

impl Fixture {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut tools: Vec<Tool> =
            PLAIN.iter().map(|(name, about)| tool(name, about, &json!({"type": "object", "additionalProperties": false}))).collect();
        let text = |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}, "required": [name], "additionalProperties": false});
        tools.push(tool("test_sampling", "Asks the client's model", &text("prompt")));
        tools.push(tool("test_elicitation", "Asks the client's user", &text("message")));
        tools.push(tool("json_schema_2020_12_tool", "Has a schema of many keywords", &many_keywords()));
        let region =
            json!({"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}, "required": ["region"]});
        tools.push(tool("test_x_mcp_header", "Takes an argument that clients mirror into a header", &region));
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            tools: tools.into(),
            codec: RequestStateCodec::try_new(*b"visibly fake key of the fixture!")?,
            level: Mutex::new(LoggingLevel::Debug),
            subscribed: Mutex::default(),
            changes: broadcast::channel(16).0,
            sealer: Sealer::new([0; 32]),
        })
    }
}

/// Tools without arguments.
const PLAIN: &[(&str, &str)] = &[
    ("test_simple_text", "Answers text"),
    ("test_image_content", "Answers an image"),
    ("test_audio_content", "Answers audio"),
    ("test_embedded_resource", "Answers an embedded resource"),
    ("test_multiple_content_types", "Answers text, an image and a resource"),
    ("test_tool_with_logging", "Logs while it runs"),
    ("test_error_handling", "Always fails"),
    ("test_tool_with_progress", "Reports progress"),
    ("test_elicitation_sep1034_defaults", "Asks with defaults"),
    ("test_elicitation_sep1330_enums", "Asks with every kind of choice"),
    ("test_reconnection", "Answers after a moment"),
    ("test_missing_capability", "Needs a client with sampling"),
    ("test_streaming_elicitation", "Asks its user while it runs"),
    ("test_logging_tool", "Logs when the request asks for it"),
    ("test_trigger_tool_change", "Says that the tools changed"),
    ("test_trigger_prompt_change", "Says that the prompts changed"),
    ("test_input_required_result_elicitation", "Asks a name"),
    ("test_input_required_result_sampling", "Asks the model a capital"),
    ("test_input_required_result_list_roots", "Asks for roots"),
    ("test_input_required_result_request_state", "Keeps state with the client"),
    ("test_input_required_result_multiple_inputs", "Asks three things at once"),
    ("test_input_required_result_multi_round", "Asks twice"),
    ("test_input_required_result_tampered_state", "Notices changed state"),
    ("test_input_required_result_capabilities", "Asks only what the client can answer"),
    ("test_panic", "Panics"),
    ("test_sleep", "Takes a minute, unless it is cancelled"),
];

fn tool(name: &'static str, about: &'static str, schema: &Value) -> Tool {
    let schema = schema.as_object().cloned().unwrap_or_default();
    let annotations = ToolAnnotations::new().read_only(true).destructive(false).idempotent(true).open_world(false);
    Tool::new(name, about, Arc::new(schema)).with_title(about).with_annotations(annotations)
}

fn many_keywords() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"}
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false
    })
}

#[async_trait]
impl Surface for Fixture {
    fn implementation(&self) -> Implementation {
        Implementation::new("conformance-fixture", env!("CARGO_PKG_VERSION"))
    }

    fn instructions(&self) -> Option<&str> {
        Some("For the conformance suite alone.")
    }

    fn tools(&self) -> Arc<[Tool]> {
        Arc::clone(&self.tools)
    }

    fn tool(&self, name: &str) -> Option<Tool> {
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }

    fn effect(&self, name: &str) -> Option<Effect> {
        self.tool(name).map(|_| Effect::Read)
    }

    fn refusal_text(&self, refusal: &Refusal) -> String {
        refusal_text(refusal, &self.sealer)
    }

    async fn call_tool(&self, call: ToolCall<'_>) -> Result<CallToolResponse, Failure> {
        if self.tool(&call.request.name).is_none() {
            return Err(Failure::UnknownTool { nearest: vec!["test_simple_text".to_owned()] });
        }
        if call.request.name.starts_with("test_input_required_result_") || call.request.name == "test_streaming_elicitation" {
            return input::call(self, &call);
        }
        calls::call(self, call).await
    }

    fn beyond(&self) -> Option<&dyn Beyond> {
        Some(self)
    }
}
