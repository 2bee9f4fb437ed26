//! Events: alerts, deploys, configuration changes and what integrations and people reported.

use super::{
    Facts, Run,
    search::{Filter, Search, Sort, Store, column, formed, limit, link, search},
    tool,
};
use crate::{CallContext, Column, Draft, Effect, Tool, answer::Form};
use async_trait::async_trait;
use datadog_client::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(EventsSearch)]
}

static EVENTS: Store = Store { subject: "events", list: "v2.SearchEvents", aggregate: None, wrapped: false };

/// `events_search`
struct EventsSearch;

/// Arguments of `events_search`.
#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// e.g. source:alert status:error; default all
    query: Option<String>,
    /// Start, e.g. 15m or RFC 3339; default 1h
    from: Option<String>,
    /// End, e.g. now-5m; default now
    to: Option<String>,
    /// Events per page, default 50
    #[schemars(range(min = 1, max = 1_000))]
    limit: Option<u32>,
    /// newest (default) or oldest first
    sort: Option<String>,
}

#[async_trait]
impl Run for EventsSearch {
    type Arguments = Arguments;
    const FACTS: Facts = Facts {
        name: "events_search",
        title: "Search events",
        description: "Finds what changed or alerted: deploys, monitor alerts, configuration changes, Kubernetes and cloud events. Ask it first when something broke: what happened just before?\n\
            Query: source:(deploy OR alert) service:web status:error tags:env:prod \"rollout\"\n\
            Words match title and message; AND is implied, - excludes.\n\
            Next: monitor_get with a monitor_id; logs_search around the event's time.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &["v2.SearchEvents"],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, asked: Arguments) -> Result<Draft, Refusal> {
        let filter = Filter::of(cx, asked.query.as_deref(), asked.from.as_deref(), asked.to.as_deref())?;
        let link = link(cx, "/event/explorer", &filter.query, filter.range, ("from_ts", "to_ts"), &[("live", "false")]);
        let sort = Sort::parse(asked.sort.as_deref())?;
        let mut draft =
            search(cx, Search { store: &EVENTS, filter, sort, limit: limit(asked.limit), columns: columns(), elsewhere: &[] }).await?;
        draft.link = Some(link);
        Ok(draft)
    }
}

/// Columns shown by default: attributes are nested twice (`datadog-api.md` §2).
fn columns() -> Vec<Column> {
    vec![
        formed("attributes.timestamp", "time", Form::Time),
        column("attributes.attributes.title", "title"),
        column("attributes.attributes.source_type_name", "source"),
        column("attributes.attributes.status", "status"),
        column("attributes.attributes.service", "service"),
        formed("attributes.attributes.monitor_id", "monitor_id", Form::Id),
        column("attributes.message", "message"),
        column("attributes.tags", "tags"),
    ]
}
