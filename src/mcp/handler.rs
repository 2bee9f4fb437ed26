//! Answers every method of the protocol for a [`Surface`]: dispatch, pages, errors, cache hints, panic isolation, the log line.
#![expect(deprecated, reason = "clients of 2025-11-25 and before may set a log level; the fixture answers them")]

use super::{Failure, Surface, ToolCall, VERSIONS, errors, pages, progress};
use datadog_client::{Kind, Principal, Refusal};
use futures::FutureExt;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult, ContentBlock,
        CustomRequest, CustomResult, DiscoverResult, GetPromptRequestParams, GetPromptResponse, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, MetaObject, PaginatedRequestParams, ProtocolVersion,
        ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig, SetLevelRequestParams, SubscribeRequestParams,
        SubscriptionFilter, Tool, UnsubscribeRequestParams,
    },
    service::{RequestContext, SubscriptionContext},
};
use serde_json::json;
use std::{borrow::Cow, future::Future, panic::AssertUnwindSafe, sync::Arc, time::Instant};

/// Serves a [`Surface`]; a clone shares everything, and holds nothing of a connection.
#[derive(Debug)]
pub struct Server<S> {
    surface: Arc<S>,
    who: Principal,
    page: usize,
}

impl<S> Clone for Server<S> {
    fn clone(&self) -> Self {
        Self { surface: Arc::clone(&self.surface), who: self.who.clone(), page: self.page }
    }
}

impl<S: Surface> Server<S> {
    /// A server whose every call is made by `who`: the single user of a stdio process.
    #[must_use]
    pub fn new(surface: Arc<S>, who: Principal) -> Self {
        Self { surface, who, page: pages::PAGE }
    }

    /// Lists in pages of `size` instead of 100.
    #[must_use]
    pub fn with_page_size(mut self, size: usize) -> Self {
        self.page = size.max(1);
        self
    }

    /// `_meta` with the server's name and version, which results of 2026-07-28 carry and older ones do not.
    fn meta(&self, cx: &RequestContext<RoleServer>) -> Option<MetaObject> {
        is_modern(cx).then(|| {
            let mut meta = MetaObject::new();
            meta.0.insert("io.modelcontextprotocol/serverInfo".to_owned(), json!(self.surface.implementation()));
            meta
        })
    }

    /// Runs a handler so that a panic ends this request alone.
    async fn isolated<T>(&self, method: &str, handler: impl Future<Output = Result<T, ErrorData>>) -> Result<T, ErrorData> {
        AssertUnwindSafe(handler).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(method, "a handler panicked");
            Err(errors::internal())
        })
    }

    /// Calls the tool; a panic becomes a refusal, since without an answer a client would wait for ever.
    async fn run(&self, request: CallToolRequestParams, cx: &RequestContext<RoleServer>) -> Result<CallToolResponse, Failure> {
        let (reporter, pump) = progress::channel(&cx.peer, cx.meta.get_progress_token());
        let call = async move {
            let call = ToolCall { who: &self.who, request, cx, progress: &reporter };
            AssertUnwindSafe(self.surface.call_tool(call)).catch_unwind().await
        };
        let (result, ()) = futures::join!(call, pump.run());
        result.unwrap_or_else(|_| {
            let refusal = Refusal::new(Kind::Internal, "The tool failed inside this server.")
                .because("A defect in datadog-mcp, not in your call; its log on stderr says where.");
            Err(Failure::Refused(Box::new(refusal)))
        })
    }

    fn log(&self, name: &str, known: bool, started: Instant, outcome: &str, bytes: usize) {
        // The name of a tool that does not exist is the client's text: it stays out of the log.
        let tool = if known { name } else { "?" };
        let effect = self.surface.effect(name).map_or("?", |effect| match effect {
            datadog_tools::Effect::Read => "read",
            datadog_tools::Effect::Write => "write",
            datadog_tools::Effect::Destructive => "destructive",
        });
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(target: "datadog_mcp::call", tool, effect, outcome, ms, bytes, "call");
    }
}

/// Whether the request is one of 2026-07-28 or later. Dates compare as text.
fn is_modern(cx: &RequestContext<RoleServer>) -> bool {
    cx.protocol_version().is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

fn text_bytes(result: &CallToolResult) -> usize {
    result.content.iter().filter_map(ContentBlock::as_text).map(|text| text.text.len()).sum()
}

impl<S: Surface> ServerHandler for Server<S> {
    fn get_info(&self) -> ServerConfig {
        let capabilities = match self.surface.beyond() {
            Some(beyond) => beyond.capabilities(),
            None => ServerCapabilities::builder().enable_tools().build(),
        };
        let config = ServerConfig::new(capabilities).with_server_info(self.surface.implementation());
        match self.surface.instructions() {
            Some(text) => config.with_instructions(text),
            None => config,
        }
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(VERSIONS)
    }

    async fn discover(&self, _cx: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let mut result = DiscoverResult::from_server_info(VERSIONS.to_vec(), self.get_info());
        result.ttl_ms = pages::TTL_MS;
        // What is offered depends on who runs it: never to be shared between users.
        result.cache_scope = CacheScope::Private;
        Ok(result)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let (tools, next) = pages::page("tools", &self.surface.tools(), self.page, request)?;
        let mut result = ListToolsResult::with_all_items(tools).with_ttl_ms(pages::TTL_MS).with_cache_scope(CacheScope::Private);
        result.next_cursor = next;
        result.meta = self.meta(&cx);
        Ok(result)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.surface.tool(name)
    }

    async fn call_tool(&self, request: CallToolRequestParams, cx: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let started = Instant::now();
        let name = request.name.clone();
        let tool = self.surface.tool(&name);
        let outcome = self.run(request, &cx).await;
        let word = outcome.as_ref().err().map_or_else(|| "ok".to_owned(), errors::outcome);
        let mut response = match outcome {
            Ok(response) => response,
            Err(Failure::Refused(refusal)) => errors::refused(&refusal, self.surface.refusal_text(&refusal), tool.as_ref()).into(),
            Err(Failure::UnknownTool { nearest }) => {
                self.log(&name, tool.is_some(), started, &word, 0);
                return Err(errors::unknown_tool(&name, &nearest));
            }
            Err(Failure::Protocol(error)) => {
                self.log(&name, tool.is_some(), started, &word, 0);
                return Err(error);
            }
        };
        let mut bytes = 0;
        if let CallToolResponse::Complete(result) = &mut response {
            bytes = text_bytes(result);
            if let Some(meta) = self.meta(&cx) {
                result.meta.get_or_insert_default().0.extend(meta.0);
            }
        }
        self.log(&name, tool.is_some(), started, &word, bytes);
        Ok(response)
    }

    async fn on_custom_request(&self, request: CustomRequest, cx: RequestContext<RoleServer>) -> Result<CustomResult, ErrorData> {
        // A known method arrives here when its parameters have not the shape the protocol gives them.
        match request.method.as_str() {
            "tools/call" => Err(ErrorData::invalid_params("tools/call needs params: {\"name\": string, \"arguments\"?: object}.", None)),
            // 2026-07-28 has no such method.
            "initialize" if !is_modern(&cx) => {
                Err(ErrorData::invalid_params("initialize needs params: {protocolVersion, capabilities, clientInfo}.", None))
            }
            "tools/list" | "server/discover" => Err(ErrorData::invalid_params(format!("Malformed params of {}.", request.method), None)),
            "prompts/get" | "prompts/list" | "resources/list" | "resources/read" | "resources/templates/list" | "completion/complete"
                if self.surface.beyond().is_some() =>
            {
                Err(ErrorData::invalid_params(format!("Malformed params of {}.", request.method), None))
            }
            other => Err(errors::no_method(&other.chars().filter(|c| !c.is_control()).take(80).collect::<String>())),
        }
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let beyond = self.surface.beyond().ok_or_else(|| errors::no_method("prompts/list"))?;
        let (prompts, next) = pages::page("prompts", &beyond.prompts(), self.page, request)?;
        let mut result = ListPromptsResult::with_all_items(prompts).with_ttl_ms(pages::TTL_MS).with_cache_scope(CacheScope::Private);
        result.next_cursor = next;
        result.meta = self.meta(&cx);
        Ok(result)
    }

    async fn get_prompt(&self, request: GetPromptRequestParams, cx: RequestContext<RoleServer>) -> Result<GetPromptResponse, ErrorData> {
        let beyond = self.surface.beyond().ok_or_else(|| errors::no_method("prompts/get"))?;
        self.isolated("prompts/get", beyond.prompt(request, &cx)).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let beyond = self.surface.beyond().ok_or_else(|| errors::no_method("resources/list"))?;
        let (resources, next) = pages::page("resources", &beyond.resources(), self.page, request)?;
        let mut result = ListResourcesResult::with_all_items(resources).with_ttl_ms(pages::TTL_MS).with_cache_scope(CacheScope::Private);
        result.next_cursor = next;
        result.meta = self.meta(&cx);
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let beyond = self.surface.beyond().ok_or_else(|| errors::no_method("resources/templates/list"))?;
        let (templates, next) = pages::page("templates", &beyond.resource_templates(), self.page, request)?;
        let mut result =
            ListResourceTemplatesResult::with_all_items(templates).with_ttl_ms(pages::TTL_MS).with_cache_scope(CacheScope::Private);
        result.next_cursor = next;
        result.meta = self.meta(&cx);
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let beyond = self.surface.beyond().ok_or_else(|| errors::no_method("resources/read"))?;
        let found = self.isolated("resources/read", beyond.read(&request, &cx)).await?;
        found.ok_or_else(|| ErrorData::resource_not_found("Resource not found", Some(json!({ "uri": request.uri }))))
    }

    async fn complete(&self, request: CompleteRequestParams, _cx: RequestContext<RoleServer>) -> Result<CompleteResult, ErrorData> {
        let beyond = self.surface.beyond().ok_or_else(|| errors::no_method("completion/complete"))?;
        self.isolated("completion/complete", beyond.complete(request)).await
    }

    async fn set_level(&self, request: SetLevelRequestParams, cx: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        match self.surface.beyond() {
            Some(beyond) if !is_modern(&cx) => {
                beyond.set_level(request.level);
                Ok(())
            }
            _ => Err(errors::no_method("logging/setLevel")),
        }
    }

    async fn subscribe(&self, request: SubscribeRequestParams, cx: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let beyond = self.surface.beyond().ok_or_else(|| errors::no_method("resources/subscribe"))?;
        beyond.subscribe(&request.uri, &cx.peer);
        Ok(())
    }

    async fn unsubscribe(&self, request: UnsubscribeRequestParams, _cx: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let beyond = self.surface.beyond().ok_or_else(|| errors::no_method("resources/unsubscribe"))?;
        beyond.unsubscribe(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        self.surface.beyond().map(|beyond| requested.supported_by(&beyond.capabilities()))
    }

    async fn listen(&self, cx: SubscriptionContext) -> Result<(), ErrorData> {
        let beyond = self.surface.beyond().ok_or_else(|| errors::no_method("subscriptions/listen"))?;
        self.isolated("subscriptions/listen", beyond.listen(cx)).await
    }
}
