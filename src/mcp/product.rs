//! Datadog's tools as the surface of a server.

use super::{Failure, INSTRUCTIONS, Surface, ToolCall};
use async_trait::async_trait;
use datadog_client::{CallLimits, Refusal};
use datadog_tools::{Call, CallError, Effect, Output, Toolbox};
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, Implementation, MetaObject, Tool, ToolAnnotations};
use serde_json::json;
use std::sync::Arc;

/// More than this Claude Code does not take.
const MOST_CHARS: usize = 500_000;

/// Characters an estimated token of an answer has at most; with the largest budget an answer stays below what this makes.
const CHARS_PER_TOKEN: usize = 4;

/// A [`Toolbox`] behind the protocol.
#[derive(Debug)]
pub struct ToolboxSurface {
    toolbox: Toolbox,
    tools: Arc<[Tool]>,
}

impl ToolboxSurface {
    /// Prepares the list once. `max_tokens` is the largest budget of an answer.
    #[must_use]
    pub fn new(toolbox: Toolbox, max_tokens: usize) -> Self {
        let tools = toolbox.registry().listed().iter().map(|tool| describe(tool, max_tokens)).collect();
        Self { toolbox, tools }
    }

    /// The toolbox.
    #[must_use]
    pub fn toolbox(&self) -> &Toolbox {
        &self.toolbox
    }
}

/// A tool as the protocol describes it. All four hints are stated: a client's defaults for those left out are the worst case.
fn describe(tool: &datadog_tools::Tool, max_tokens: usize) -> Tool {
    let read = tool.effect == Effect::Read;
    let annotations = ToolAnnotations::new()
        .read_only(read)
        .destructive(tool.effect == Effect::Destructive)
        .idempotent(read || tool.idempotent)
        // What it reads was written by systems and people outside.
        .open_world(true);
    let mut described = Tool::new(tool.name.clone(), tool.description.clone(), Arc::clone(&tool.input_schema))
        .with_title(tool.title.clone())
        .with_annotations(annotations);
    described.output_schema.clone_from(&tool.output_schema);
    if sizeable(tool) {
        // Claude Code cuts an answer at 50,000 characters unless the tool says that it may be longer.
        let mut meta = MetaObject::new();
        meta.0.insert("anthropic/maxResultSizeChars".to_owned(), json!((max_tokens * CHARS_PER_TOKEN).min(MOST_CHARS)));
        described.meta = Some(meta);
    }
    described
}

/// Whether the caller sets the size of the answer.
fn sizeable(tool: &datadog_tools::Tool) -> bool {
    tool.input_schema.get("properties").is_some_and(|properties| properties.get("max_tokens").is_some())
}

#[async_trait]
impl Surface for ToolboxSurface {
    fn implementation(&self) -> Implementation {
        let mut implementation = Implementation::new("datadog-mcp", env!("CARGO_PKG_VERSION"));
        implementation.title = Some("Datadog".to_owned());
        implementation.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
        implementation
    }

    fn instructions(&self) -> Option<&str> {
        Some(INSTRUCTIONS)
    }

    fn tools(&self) -> Arc<[Tool]> {
        Arc::clone(&self.tools)
    }

    fn tool(&self, name: &str) -> Option<Tool> {
        let own = &self.toolbox.registry().listed_tool(name)?.name;
        self.tools.iter().find(|tool| tool.name == own.as_str()).cloned()
    }

    fn effect(&self, name: &str) -> Option<Effect> {
        self.toolbox.registry().listed_tool(name).map(|tool| tool.effect)
    }

    fn refusal_text(&self, refusal: &Refusal) -> String {
        self.toolbox.refusal_text(refusal)
    }

    async fn call_tool(&self, call: ToolCall<'_>) -> Result<CallToolResponse, Failure> {
        let limits = CallLimits { cancel: call.cx.ct.clone(), deadline: None };
        let name = call.request.name;
        let arguments = call.request.arguments.unwrap_or_default();
        let way = Call { who: call.who, limits: &limits, progress: call.progress, output: Output::Text };
        match self.toolbox.call(&way, &name, arguments).await {
            Ok(answer) => {
                let mut result = CallToolResult::success(vec![ContentBlock::text(answer.text)]);
                // Only with an output schema: some clients show a model the structure alone, others the text alone.
                result.structured_content = answer.structured;
                Ok(result.into())
            }
            Err(CallError::UnknownTool { nearest }) => Err(Failure::UnknownTool { nearest }),
            Err(CallError::Refused(refusal)) => Err(Failure::Refused(refusal)),
        }
    }
}
