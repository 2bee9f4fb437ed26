//! Real User Monitoring: search over what browsers and apps of users reported.

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
    vec![tool(RumEventsSearch)]
}

static RUM: Store = Store { subject: "RUM events", list: "v2.SearchRUMEvents", aggregate: Some("v2.AggregateRUMEvents"), wrapped: false };

/// `rum_events_search`
struct RumEventsSearch;

/// Arguments of `rum_events_search`.
#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// e.g. @type:error env:prod; default all
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
impl Run for RumEventsSearch {
    type Arguments = Arguments;
    const FACTS: Facts = Facts {
        name: "rum_events_search",
        title: "Search RUM events",
        description: "Finds what users met in browser or app: errors, slow views, actions, failed requests, sessions.\n\
            Query: @type:(error OR view OR action OR resource) @view.url_path:/cart* @error.message:*timeout*\n\
            Also @session.id:abc, @usr.id:42, @view.loading_time:>3s; AND is implied, - excludes.\n\
            Next: the same @session.id for a user's whole path; spans_search for the service behind.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &["v2.SearchRUMEvents", "v2.AggregateRUMEvents"],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, asked: Arguments) -> Result<Draft, Refusal> {
        let filter = Filter::of(cx, asked.query.as_deref(), asked.from.as_deref(), asked.to.as_deref())?;
        let link = link(cx, "/rum/sessions", &filter.query, filter.range, ("from_ts", "to_ts"), &[("live", "false")]);
        let sort = Sort::parse(asked.sort.as_deref())?;
        let mut draft =
            search(cx, Search { store: &RUM, filter, sort, limit: limit(asked.limit), columns: columns(), elsewhere: &[] }).await?;
        draft.link = Some(link);
        Ok(draft)
    }
}

/// Columns shown by default; those of other event types than the ones found are empty and dropped.
fn columns() -> Vec<Column> {
    vec![
        formed("attributes.timestamp", "time", Form::Time),
        column("attributes.attributes.type", "type"),
        column("attributes.attributes.application.name", "application"),
        formed("attributes.attributes.application.id", "application_id", Form::Id),
        column("attributes.service", "service"),
        column("attributes.attributes.view.url_path", "view"),
        column("attributes.attributes.action.name", "action"),
        column("attributes.attributes.error.message", "error"),
        column("attributes.attributes.resource.url", "resource"),
        column("attributes.attributes.resource.status_code", "http"),
        formed("attributes.attributes.resource.duration", "resource_duration", Form::Nanos),
        formed("attributes.attributes.view.loading_time", "loading_time", Form::Nanos),
        formed("attributes.attributes.session.id", "session", Form::Id),
    ]
}
