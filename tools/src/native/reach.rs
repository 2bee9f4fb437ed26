//! `tools_call_read` and `tools_call_write`: the way to every tool and operation that is not listed.
//!
//! The toolbox looks through them: the call that runs is the one that is meant, with its own checks, cursor and rendering.

use super::{Facts, Run};
use crate::{CallContext, Draft, Effect, Tool};
use async_trait::async_trait;
use datadog_client::{Kind, Refusal};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Calls what only reads.
pub(crate) const READ: &str = "tools_call_read";
/// Calls what changes something.
pub(crate) const WRITE: &str = "tools_call_write";

/// The effect a tool of this file may have on what it calls; `None` for every other tool.
pub(crate) fn allowed(name: &str) -> Option<Effect> {
    match name {
        READ => Some(Effect::Read),
        WRITE => Some(Effect::Destructive),
        _ => None,
    }
}

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![super::tool(Read), super::tool(Write)]
}

struct Read;
struct Write;

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "the toolbox reads the arguments; the type makes the schema")]
pub(crate) struct Arguments {
    /// Tool or operation, e.g. `v1.ListSLOs`
    name: String,
    /// Its arguments; for an operation its parameters by their own names and `body`, e.g. {"limit": 5}
    arguments: Option<Map<String, Value>>,
}

const READ_FACTS: Facts = Facts {
    name: READ,
    title: "Call any read",
    description: "Calls any tool or API operation that only reads, by the name tools_find gave: {\"name\": \"v1.ListSLOs\", \
        \"arguments\": {\"limit\": 5}}. Path and query parameters go by their own names, a JSON body under `body`. \
        Answers rows like every tool.",
    toolset: "core",
    effect: Effect::Read,
    idempotent: true,
    operations: &[],
    view: true,
};

const WRITE_FACTS: Facts = Facts {
    name: WRITE,
    title: "Call any write",
    description: "Calls any tool or API operation that creates, changes or deletes, by the name tools_find gave: \
        {\"name\": \"v2.CreateDowntime\", \"arguments\": {\"body\": {…}}}. Sent at most once. Say what will change and get the person's \
        word first; read the thing before, and again after.",
    toolset: "core",
    effect: Effect::Destructive,
    idempotent: false,
    operations: &[],
    view: true,
};

#[async_trait]
impl Run for Read {
    type Arguments = Arguments;
    const FACTS: Facts = READ_FACTS;
    async fn run(&self, _: &CallContext<'_>, _: Arguments) -> Result<Draft, Refusal> {
        Err(not_looked_through())
    }
}

#[async_trait]
impl Run for Write {
    type Arguments = Arguments;
    const FACTS: Facts = WRITE_FACTS;
    async fn run(&self, _: &CallContext<'_>, _: Arguments) -> Result<Draft, Refusal> {
        Err(not_looked_through())
    }
}

fn not_looked_through() -> Refusal {
    Refusal::new(Kind::Internal, "This tool is looked through by the toolbox and never runs by itself.")
}
