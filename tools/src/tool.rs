//! What a tool is, and what it is given when it runs.

use crate::{Draft, Effect, TimeRange, answer::Page, registry::Registry};
use async_trait::async_trait;
use datadog_catalogue::Operation;
use datadog_client::{CallLimits, Client, Principal, Refusal, Reply, Request};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::{fmt, sync::Arc};

/// One tool as the registry holds it, native or defined in TOML.
#[derive(Clone)]
pub struct Tool {
    /// `<product>_<verb>`, e.g. `logs_search`.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// When to use it, the query syntax, what to do next.
    pub description: String,
    /// Toolset it belongs to, e.g. `core`.
    pub toolset: String,
    /// What it may do; hints, read-only mode and confirmation derive from it.
    pub effect: Effect,
    /// Repeating it changes nothing more.
    pub idempotent: bool,
    /// Operations it may call; their scopes and permissions explain refusals before a call.
    pub operations: Vec<&'static Operation>,
    /// JSON Schema 2020-12 of the arguments, `additionalProperties: false`.
    pub input_schema: Arc<Map<String, Value>>,
    /// JSON Schema of `structuredContent`, only where text and structure say the same.
    pub output_schema: Option<Arc<Map<String, Value>>>,
    /// What runs it.
    pub(crate) run: Arc<dyn NativeTool>,
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool")
            .field("name", &self.name)
            .field("toolset", &self.toolset)
            .field("effect", &self.effect)
            .finish_non_exhaustive()
    }
}

/// The running part of a tool.
#[async_trait]
pub trait NativeTool: Send + Sync {
    /// Runs with arguments that were coerced and checked against the tool's schema.
    async fn run(&self, cx: &CallContext<'_>, arguments: Map<String, Value>) -> Result<Draft, Refusal>;
}

/// What a tool is given when it runs.
#[derive(Clone, Copy)]
pub struct CallContext<'a> {
    /// Who calls.
    pub who: &'a Principal,
    /// The way to Datadog.
    pub client: &'a Client,
    /// Deadline and cancellation.
    pub limits: &'a CallLimits,
    /// Tells the caller how far it is.
    pub progress: &'a dyn Progress,
    /// The instant relative times are counted from; on a later page the instant of the first.
    pub now: Timestamp,
    /// Where to go on, when the caller gave a cursor.
    pub page: Option<&'a Page>,
    /// Estimated tokens that the rendered answer may take; a tool that lays out its own lines chooses them by it.
    pub budget: usize,
    /// All tools, for those that find and call others.
    pub registry: &'a Registry,
}

impl CallContext<'_> {
    /// Sends one request as this caller.
    pub async fn send(&self, request: &Request) -> Result<Reply, Refusal> {
        self.client.send(self.who, request, self.limits).await
    }

    /// Resolves `from`/`to`, or keeps the absolute range of the first page.
    pub fn range(&self, from: Option<&str>, to: Option<&str>, default_from: &str) -> Result<TimeRange, Refusal> {
        if let Some(range) = self.page.and_then(|page| page.range) {
            return Ok(range);
        }
        TimeRange::parse(from.unwrap_or(default_from), to.unwrap_or("now"), self.now)
    }
}

impl fmt::Debug for CallContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext").field("who", self.who).finish_non_exhaustive()
    }
}

/// Tells the caller how far a call is.
pub trait Progress: Send + Sync {
    /// `done` of `total` (when known), with one line for a person.
    fn report(&self, done: u64, total: Option<u64>, message: &str);
}

/// For callers that asked for no progress.
#[derive(Debug, Clone, Copy)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn report(&self, _: u64, _: Option<u64>, _: &str) {}
}
