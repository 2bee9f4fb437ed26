//! Prompts, resources, completion, logging and subscriptions as the suite's scenarios name them.
#![expect(deprecated, reason = "logging levels are deprecated and still part of the suite of 2025-11-25")]

use crate::{
    calls::PIXEL,
    input,
    surface::{Change, Fixture},
};
use async_trait::async_trait;
use datadog_mcp::mcp::{Beyond, Failure};
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CompleteRequestParams, CompleteResult, CompletionInfo, ContentBlock, GetPromptRequestParams, GetPromptResponse, GetPromptResult,
        InputRequiredResult, LoggingLevel, Prompt, PromptArgument, PromptMessage, ReadResourceRequestParams, ReadResourceResponse,
        ReadResourceResult, Resource, ResourceContents, ResourceTemplate, Role, ServerCapabilities,
    },
    service::{Peer, RequestContext, SubscriptionContext},
};
use serde_json::{Value, json};
use std::sync::PoisonError;

#[async_trait]
impl Beyond for Fixture {
    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::builder()
            .enable_logging()
            .enable_completions()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_tools()
            .enable_tool_list_changed()
            .build()
    }

    fn prompts(&self) -> Vec<Prompt> {
        let argument = |name: &str| PromptArgument::new(name).with_description("Any text").with_required(true);
        vec![
            Prompt::new("test_input_required_result_prompt", Some("Asks for its context"), None),
            Prompt::new("test_prompt_with_arguments", Some("Repeats two arguments"), Some(vec![argument("arg1"), argument("arg2")])),
            Prompt::new("test_prompt_with_embedded_resource", Some("Embeds a resource"), Some(vec![argument("resourceUri")])),
            Prompt::new("test_prompt_with_image", Some("Shows an image"), None),
            Prompt::new("test_simple_prompt", Some("Says one thing"), None),
        ]
    }

    async fn prompt(&self, request: GetPromptRequestParams, _cx: &RequestContext<RoleServer>) -> Result<GetPromptResponse, ErrorData> {
        let argument = |name: &str| {
            let given = request.arguments.as_ref().and_then(|arguments| arguments.get(name)).and_then(Value::as_str);
            given.map(str::to_owned).ok_or_else(|| ErrorData::invalid_params(format!("Missing argument: {name}"), None))
        };
        let say = |text: String| PromptMessage::new_text(Role::User, text);
        let messages = match request.name.as_str() {
            "test_simple_prompt" => vec![say("This is a simple prompt for testing.".to_owned())],
            "test_prompt_with_arguments" => {
                vec![say(format!("Prompt with arguments: arg1='{}', arg2='{}'", argument("arg1")?, argument("arg2")?))]
            }
            "test_prompt_with_embedded_resource" => {
                let content = ResourceContents::text("Embedded resource content for testing.", argument("resourceUri")?);
                let embedded = ContentBlock::resource(content.with_mime_type("text/plain"));
                vec![PromptMessage::new(Role::User, embedded), say("Please process the embedded resource above.".to_owned())]
            }
            "test_prompt_with_image" => {
                let image = PromptMessage::new(Role::User, ContentBlock::image(PIXEL, "image/png"));
                vec![image, say("Please analyze the image above.".to_owned())]
            }
            "test_input_required_result_prompt" => {
                let given = request.input_responses.as_ref().and_then(|answers| answers.get("user_context"));
                let Some(given) = given.filter(|given| given.is_object()) else {
                    let question = input::ask("What context should the prompt use?", "context", "string").map_err(protocol)?;
                    return Ok(InputRequiredResult::from_input_requests([("user_context".to_owned(), question)].into()).into());
                };
                vec![say(format!("Use this context: {}", given["content"]["context"].as_str().unwrap_or_default()))]
            }
            other => return Err(ErrorData::invalid_params(format!("Unknown prompt: {other}"), None)),
        };
        Ok(GetPromptResult::new(messages).into())
    }

    fn resources(&self) -> Vec<Resource> {
        vec![
            Resource::new("test://static-binary", "A pixel").with_mime_type("image/png"),
            Resource::new("test://static-text", "A sentence").with_mime_type("text/plain"),
            Resource::new("test://watched-resource", "Something to watch").with_mime_type("text/plain"),
        ]
    }

    fn resource_templates(&self) -> Vec<ResourceTemplate> {
        vec![ResourceTemplate::new("test://template/{id}/data", "Data by id").with_mime_type("application/json")]
    }

    async fn read(
        &self,
        request: &ReadResourceRequestParams,
        _cx: &RequestContext<RoleServer>,
    ) -> Result<Option<ReadResourceResponse>, ErrorData> {
        let uri = request.uri.as_str();
        let text = |words: &str, mime: &str| ResourceContents::text(words, uri).with_mime_type(mime);
        let contents = match uri {
            "test://static-text" => text("This is the content of the static text resource.", "text/plain"),
            "test://watched-resource" => text("Nothing happens here.", "text/plain"),
            "test://static-binary" => ResourceContents::blob(PIXEL, uri).with_mime_type("image/png"),
            _ => match uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data")) {
                Some(id) => {
                    text(&json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")}).to_string(), "application/json")
                }
                None => return Ok(None),
            },
        };
        Ok(Some(ReadResourceResult::new(vec![contents]).into()))
    }

    async fn complete(&self, request: CompleteRequestParams) -> Result<CompleteResult, ErrorData> {
        let values =
            ["paris", "park", "party"].into_iter().filter(|word| word.starts_with(&request.argument.value)).map(str::to_owned).collect();
        CompletionInfo::new(values).map(CompleteResult::new).map_err(|error| ErrorData::internal_error(error, None))
    }

    fn set_level(&self, level: LoggingLevel) {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = level;
    }

    fn subscribe(&self, uri: &str, _peer: &Peer<RoleServer>) {
        self.subscribed.lock().unwrap_or_else(PoisonError::into_inner).insert(uri.to_owned());
    }

    fn unsubscribe(&self, uri: &str) {
        self.subscribed.lock().unwrap_or_else(PoisonError::into_inner).remove(uri);
    }

    async fn listen(&self, cx: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.subscribe();
        loop {
            let change = tokio::select! {
                () = cx.cancelled() => return Ok(()),
                change = changes.recv() => change,
            };
            let told = match change {
                Ok(Change::Tools) => cx.sink().notify_tool_list_changed().await,
                Ok(Change::Prompts) => cx.sink().notify_prompt_list_changed().await,
                Err(_) => return Ok(()),
            };
            // A change the subscription did not ask for is refused by the sink, and that is fine.
            if told.is_err() && cx.request_context().ct.is_cancelled() {
                return Ok(());
            }
        }
    }
}

fn protocol(failure: Failure) -> ErrorData {
    match failure {
        Failure::Protocol(error) => error,
        other => ErrorData::internal_error(format!("{other:?}"), None),
    }
}
