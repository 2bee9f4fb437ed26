//! `tools_find`: every tool of every toolset and every API operation, found by words.

mod describe;
mod index;

use super::{Facts, Run};
use crate::{CallContext, Content, Draft, Effect, Registry, Tool, Total};
use async_trait::async_trait;
use datadog_catalogue::Operation;
use datadog_client::Refusal;
use index::{Entry, Index};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    fmt::Write as _,
    sync::{Arc, OnceLock},
};

/// Found entries that are shown with their arguments when the caller names no number.
const DEFAULT_LIMIT: usize = 8;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![super::tool(Find { index: OnceLock::new() })]
}

struct Find {
    /// Made at the first search: a server that is never asked pays nothing.
    index: OnceLock<Index>,
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// Words, e.g. `mute host`, or a name for its full schema, e.g. `v1.MuteHost`
    query: String,
    /// Only reads or only writes
    effect: Option<Wanted>,
    /// Results, e.g. 8
    #[schemars(range(min = 1, max = 50))]
    limit: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Read,
    Write,
}

#[async_trait]
impl Run for Find {
    type Arguments = Arguments;

    const FACTS: Facts = Facts {
        name: "tools_find",
        title: "Find tools and API operations",
        description: "Use when no listed tool fits: searches every tool of every toolset and all of Datadog's ~1,900 API operations \
            by words, and shows name, effect, needed scopes and arguments.\n\
            Examples: `slo history`, `create downtime`, `users roles`; an exact name (`v2.ListIncidents`) gives its full schema.\n\
            Next: call it with tools_call_read (reads) or tools_call_write (changes).",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[],
        view: false,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: Arguments) -> Result<Draft, Refusal> {
        let index = self.index.get_or_init(|| Index::of(cx.registry));
        let query = arguments.query.trim();
        if let Some(entry) = exact(cx.registry, query) {
            let text = describe::whole(&entry, cx.registry);
            return Ok(words(text, Total::Exact(1)));
        }
        let limit = arguments.limit.unwrap_or(DEFAULT_LIMIT);
        let found =
            index.search(query, |entry| arguments.effect.is_none_or(|wanted| (wanted == Wanted::Read) == (entry.effect() == Effect::Read)));
        if found.is_empty() {
            return Err(Refusal::invalid(format!("No tool and no operation matches `{}`.", datadog_client::untrusted::shown(query, 80)))
                .because("Every word is looked for in names, paths, products and parameters; words of Datadog's API find most, e.g. `downtime`, `slo`, `incident todo`."));
        }
        let shown: Vec<String> = found.iter().take(limit).map(|entry| describe::brief(entry, cx.registry)).collect();
        let mut text = shown.join("\n");
        if found.len() > shown.len() {
            let _infallible = write!(text, "\n{} more match; raise `limit` or add a word.", found.len() - shown.len());
        }
        Ok(words(text, Total::Exact(found.len() as u64)))
    }
}

fn words(text: String, total: Total) -> Draft {
    let mut draft = Draft::new("tools and operations", Content::Words(text));
    draft.total = total;
    draft
}

fn exact(registry: &Registry, query: &str) -> Option<Entry> {
    if let Some(tool) = registry.reachable_tool(query) {
        return Some(Entry::Tool(Arc::clone(tool)));
    }
    // Only what looks like an id or a route: a plain word such as `query` is a search.
    let id = query.contains('.') || query.contains('/') || query.chars().filter(char::is_ascii_uppercase).count() >= 2;
    let operation: &'static Operation = if id { datadog_catalogue::operation_loosely(query).ok()? } else { return None };
    Some(Entry::Operation(operation))
}

#[cfg(test)]
mod tests;
