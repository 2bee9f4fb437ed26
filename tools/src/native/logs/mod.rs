//! Logs: search over every storage tier, and aggregation.

mod retention;
mod search;
mod tiers;

use super::{
    Facts, Run,
    search::{Aggregation, Filter, Store, aggregate, link},
    tool,
};
use crate::{CallContext, Draft, Effect, TimeRange, Tool};
use async_trait::async_trait;
use datadog_client::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;
use tiers::Tier;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(search::LogsSearch), tool(LogsAggregate)]
}

static LOGS: Store = Store { subject: "logs", list: "v2.ListLogs", aggregate: Some("v2.AggregateLogs"), wrapped: false };

/// `logs_aggregate`
struct LogsAggregate;

/// Arguments of `logs_aggregate`.
#[derive(Debug, Deserialize, JsonSchema)]
struct AggregateArguments {
    /// e.g. service:web status:error; default all
    query: Option<String>,
    /// Values, e.g. count, p95(@duration); default count
    compute: Option<Vec<String>>,
    /// Facets, e.g. service, @http.status_code
    group_by: Option<Vec<String>>,
    /// Series step, e.g. 5m or auto
    interval: Option<String>,
    /// Every point as a row
    points: Option<bool>,
    /// Start, e.g. 15m or RFC 3339; default 1h
    from: Option<String>,
    /// End, e.g. now-5m; default now
    to: Option<String>,
    /// Per facet, default 20
    #[schemars(range(min = 1, max = 10_000))]
    limit: Option<u32>,
    /// indexes (default), flex or online-archives
    storage_tier: Option<String>,
}

#[async_trait]
impl Run for LogsAggregate {
    type Arguments = AggregateArguments;
    const FACTS: Facts = Facts {
        name: "logs_aggregate",
        title: "Aggregate logs",
        description: "Counts and statistics over all matching logs, by group or over time: how many, where, when.\n\
            Query: service:web status:(error OR warn) -host:a*\n\
            Compute: count, cardinality(@usr.id), avg|sum|min|max|median|p75|p90|p95|p99(@attribute).\n\
            Next: logs_search with the group's values in the query.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &["v2.AggregateLogs"],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, asked: AggregateArguments) -> Result<Draft, Refusal> {
        let Tier::One(tier) = Tier::parse(asked.storage_tier.as_deref())? else {
            return Err(Refusal::invalid(
                "logs_aggregate counts one tier per call: `storage_tier` must be indexes, flex or online-archives.",
            ));
        };
        let filter = Filter::of(cx, asked.query.as_deref(), asked.from.as_deref(), asked.to.as_deref())?.stored_in(tier);
        let link = ui(cx, &filter.query, filter.range, filter.tier);
        let aged = retention::check(cx, &filter);
        let aggregation = Aggregation {
            store: &LOGS,
            filter: filter.clone(),
            compute: asked.compute.unwrap_or_default(),
            group_by: asked.group_by.unwrap_or_default(),
            limit: asked.limit,
            interval: asked.interval,
            points: asked.points.unwrap_or(false),
            // The standard attribute is nanoseconds in logs as well.
            nanos: true,
            elsewhere: elsewhere(tier),
        };
        let (draft, aged) = futures::join!(aggregate(cx, aggregation), aged);
        let mut draft = draft?;
        draft.link = Some(link);
        draft.facts.push(format!("tier: {tier}"));
        draft.notes.extend(aged);
        Ok(draft)
    }
}

/// Tier to look into when another has nothing: logs may be kept in Flex alone (`peers.md` §3, lesson 8).
fn elsewhere(tier: &str) -> &'static [&'static str] {
    match tier {
        "indexes" => &["flex"],
        _ => &["indexes"],
    }
}

/// The Log Explorer with the same view.
fn ui(cx: &CallContext<'_>, query: &str, range: TimeRange, tier: Option<&str>) -> String {
    let storage = match tier {
        Some("flex") => Some(("storage", "flex_tier")),
        Some("online-archives") => Some(("storage", "online_archives")),
        _ => None,
    };
    let rest: Vec<(&str, &str)> = [("live", "false")].into_iter().chain(storage).collect();
    link(cx, "/logs", query, range, ("from_ts", "to_ts"), &rest)
}
