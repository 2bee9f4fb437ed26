//! What a server offers, apart from how the protocol carries it.
#![expect(deprecated, reason = "clients of 2025-11-25 and before may set a log level; the fixture answers them")]

use async_trait::async_trait;
use datadog_client::{Principal, Refusal};
use datadog_tools::{Effect, Progress};
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, GetPromptRequestParams, GetPromptResponse,
        Implementation, LoggingLevel, Prompt, ReadResourceRequestParams, ReadResourceResponse, Resource, ResourceTemplate,
        ServerCapabilities, Tool,
    },
    service::{Peer, RequestContext, SubscriptionContext},
};
use std::{fmt, sync::Arc};

/// Tools, and for servers that have more than tools, [`Beyond`].
#[async_trait]
pub trait Surface: Send + Sync + fmt::Debug + 'static {
    /// Name, title and version.
    fn implementation(&self) -> Implementation;

    /// How an agent works with this server, in less than 2 kB.
    fn instructions(&self) -> Option<&str>;

    /// Every tool in a fixed order; the same for every connection.
    fn tools(&self) -> Arc<[Tool]>;

    /// A tool by the name a client may call it by: its own, or an alias.
    fn tool(&self, name: &str) -> Option<Tool>;

    /// What a tool may do; for the log.
    fn effect(&self, name: &str) -> Option<Effect>;

    /// What an agent reads of a refusal.
    fn refusal_text(&self, refusal: &Refusal) -> String;

    /// Calls a tool.
    async fn call_tool(&self, call: ToolCall<'_>) -> Result<CallToolResponse, Failure>;

    /// What is offered beyond tools; nothing unless a server says so, and then none of it is declared or answered.
    fn beyond(&self) -> Option<&dyn Beyond> {
        None
    }
}

/// One `tools/call`.
pub struct ToolCall<'a> {
    /// Who calls.
    pub who: &'a Principal,
    /// Name, arguments and, on a retry, the input that was asked for.
    pub request: CallToolRequestParams,
    /// The request's context: cancellation, era, client capabilities.
    pub cx: &'a RequestContext<RoleServer>,
    /// Where progress goes.
    pub progress: &'a dyn Progress,
}

/// Why a tool call has no result.
#[derive(Debug)]
pub enum Failure {
    /// No such tool: a protocol error that names the nearest ones.
    UnknownTool {
        /// Nearest names that are offered.
        nearest: Vec<String>,
    },
    /// What an agent can act on: a result with `isError`.
    Refused(Box<Refusal>),
    /// The request cannot be served as a tool call at all: a protocol error.
    Protocol(ErrorData),
}

/// Prompts, resources, completion, logging and subscriptions.
///
/// A [`Surface`] that returns this declares all of these capabilities.
#[async_trait]
pub trait Beyond: Send + Sync {
    /// What is declared; `tools` is among it.
    fn capabilities(&self) -> ServerCapabilities;

    /// Every prompt in a fixed order.
    fn prompts(&self) -> Vec<Prompt>;

    /// One prompt filled in.
    async fn prompt(&self, request: GetPromptRequestParams, cx: &RequestContext<RoleServer>) -> Result<GetPromptResponse, ErrorData>;

    /// Every resource in a fixed order.
    fn resources(&self) -> Vec<Resource>;

    /// Every resource template in a fixed order.
    fn resource_templates(&self) -> Vec<ResourceTemplate>;

    /// The content of a resource, or `None` when there is no such resource.
    async fn read(
        &self,
        request: &ReadResourceRequestParams,
        cx: &RequestContext<RoleServer>,
    ) -> Result<Option<ReadResourceResponse>, ErrorData>;

    /// Completions of an argument.
    async fn complete(&self, request: CompleteRequestParams) -> Result<CompleteResult, ErrorData>;

    /// Sets the log level of a peer of 2025-11-25 and before.
    fn set_level(&self, level: LoggingLevel);

    /// Subscribes a peer of 2025-11-25 and before to a resource.
    fn subscribe(&self, uri: &str, peer: &Peer<RoleServer>);

    /// Ends such a subscription.
    fn unsubscribe(&self, uri: &str);

    /// Serves one subscription of 2026-07-28 until it is cancelled.
    async fn listen(&self, cx: SubscriptionContext) -> Result<(), ErrorData>;
}

impl fmt::Debug for ToolCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall").field("who", self.who).field("name", &self.request.name).finish_non_exhaustive()
    }
}
