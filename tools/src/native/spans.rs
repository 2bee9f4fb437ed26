//! Spans: search and aggregation.

use super::{
    Facts, Run,
    search::{Aggregation, Filter, Search, Sort, Store, aggregate, column, formed, limit, link, search},
    tool,
};
use crate::{CallContext, Column, Draft, Effect, TimeRange, Tool, answer::Form};
use async_trait::async_trait;
use datadog_client::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(SpansSearch), tool(SpansAggregate)]
}

static SPANS: Store = Store { subject: "spans", list: "v2.ListSpans", aggregate: Some("v2.AggregateSpans"), wrapped: true };

/// `spans_search`
struct SpansSearch;

/// Arguments of `spans_search`.
#[derive(Debug, Deserialize, JsonSchema)]
struct SearchArguments {
    /// e.g. service:web status:error; default all
    query: Option<String>,
    /// Start, e.g. 15m or RFC 3339; default 1h
    from: Option<String>,
    /// End, e.g. now-5m; default now
    to: Option<String>,
    /// Spans per page, default 50
    #[schemars(range(min = 1, max = 1_000))]
    limit: Option<u32>,
    /// newest (default) or oldest first
    sort: Option<String>,
}

#[async_trait]
impl Run for SpansSearch {
    type Arguments = SearchArguments;
    const FACTS: Facts = Facts {
        name: "spans_search",
        title: "Search spans",
        description: "Finds single APM spans: slow or failed requests and the traces they belong to. To count or compare use spans_aggregate.\n\
            Query: service:web status:error @duration:>500ms resource_name:\"GET /cart\" @http.status_code:[500 TO 599]\n\
            Also operation_name:, @_top_level:1 (service entries), trace_id:123; AND is implied, - excludes.\n\
            Next: trace_get with a trace_id; logs_search for the same service and time.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &["v2.ListSpans", "v2.AggregateSpans"],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, asked: SearchArguments) -> Result<Draft, Refusal> {
        let filter = Filter::of(cx, asked.query.as_deref(), asked.from.as_deref(), asked.to.as_deref())?;
        let link = ui(cx, &filter.query, filter.range);
        let sort = Sort::parse(asked.sort.as_deref())?;
        let mut draft =
            search(cx, Search { store: &SPANS, filter, sort, limit: limit(asked.limit), columns: columns(), elsewhere: &[] }).await?;
        draft.link = Some(link);
        Ok(draft)
    }
}

/// Columns shown by default. Durations are nanoseconds (`reference/pup.md` §5.4).
fn columns() -> Vec<Column> {
    vec![
        formed("attributes.start_timestamp", "time", Form::Time),
        column("attributes.service", "service"),
        column("attributes.operation_name", "operation"),
        column("attributes.resource_name", "resource"),
        formed("attributes.custom.duration", "duration", Form::Nanos),
        column("attributes.status", "status"),
        column("attributes.custom.http.status_code", "http"),
        column("attributes.custom.error.type", "error"),
        column("attributes.custom.error.message", "error_message"),
        formed("attributes.trace_id", "trace_id", Form::Id),
        formed("attributes.span_id", "span_id", Form::Id),
    ]
}

/// `spans_aggregate`
struct SpansAggregate;

/// Arguments of `spans_aggregate`.
#[derive(Debug, Deserialize, JsonSchema)]
struct AggregateArguments {
    /// e.g. service:web status:error; default all
    query: Option<String>,
    /// Values, e.g. count, p95(@duration); default count
    compute: Option<Vec<String>>,
    /// Facets, e.g. service, resource_name
    group_by: Option<Vec<String>>,
    /// Series in steps of, e.g. 5m or auto
    interval: Option<String>,
    /// Every point as a row
    points: Option<bool>,
    /// Start, e.g. 15m or RFC 3339; default 1h
    from: Option<String>,
    /// End, e.g. now-5m; default now
    to: Option<String>,
    /// Groups per facet, default 20
    #[schemars(range(min = 1, max = 10_000))]
    limit: Option<u32>,
}

#[async_trait]
impl Run for SpansAggregate {
    type Arguments = AggregateArguments;
    const FACTS: Facts = Facts {
        name: "spans_aggregate",
        title: "Aggregate spans",
        description: "Counts and latency over all matching spans, by group or over time: which service, endpoint or version is slow or failing, since when.\n\
            Query: service:web status:error resource_name:\"GET /cart\"\n\
            Compute: count, cardinality(trace_id), avg|sum|min|max|median|p75|p90|p95|p99(@duration).\n\
            Next: spans_search with the worst group's values in the query.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &["v2.AggregateSpans"],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, asked: AggregateArguments) -> Result<Draft, Refusal> {
        let filter = Filter::of(cx, asked.query.as_deref(), asked.from.as_deref(), asked.to.as_deref())?;
        let link = ui(cx, &filter.query, filter.range);
        let aggregation = Aggregation {
            store: &SPANS,
            filter,
            compute: asked.compute.unwrap_or_default(),
            group_by: asked.group_by.unwrap_or_default(),
            limit: asked.limit,
            interval: asked.interval,
            points: asked.points.unwrap_or(false),
            nanos: true,
            elsewhere: &[],
        };
        let mut draft = aggregate(cx, aggregation).await?;
        draft.link = Some(link);
        Ok(draft)
    }
}

/// The Trace Explorer with the same view.
fn ui(cx: &CallContext<'_>, query: &str, range: TimeRange) -> String {
    link(cx, "/apm/traces", query, range, ("start", "end"), &[("paused", "true")])
}
