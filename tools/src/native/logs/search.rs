//! `logs_search`: single logs, newest or oldest first, of one storage tier or all.

use super::{
    super::{
        Facts, Run,
        search::{Filter, Search, Sort, column, diagnose, formed, limit, search},
    },
    LOGS, elsewhere, retention,
    tiers::{self, Tier},
    ui,
};
use crate::{CallContext, Column, Draft, Effect, Total, answer::Form};
use async_trait::async_trait;
use datadog_client::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;

/// `logs_search`
pub(super) struct LogsSearch;

/// Arguments of `logs_search`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// e.g. service:web status:error; default all
    query: Option<String>,
    /// Start, e.g. 15m or RFC 3339; default 1h
    from: Option<String>,
    /// End, e.g. now-5m; default now
    to: Option<String>,
    /// Logs per page, default 50
    #[schemars(range(min = 1, max = 1_000))]
    limit: Option<u32>,
    /// newest (default) or oldest first
    sort: Option<String>,
    /// Index names, e.g. main; default all
    indexes: Option<Vec<String>>,
    /// indexes (default), flex, online-archives or all
    storage_tier: Option<String>,
}

#[async_trait]
impl Run for LogsSearch {
    type Arguments = Arguments;
    const FACTS: Facts = Facts {
        name: "logs_search",
        title: "Search logs",
        description: "Finds single logs: what a service said around an error. To count use logs_aggregate.\n\
            Query: service:web status:(error OR warn) -host:a* @http.status_code:[500 TO 599] \"timed out\"\n\
            Attributes have @, tags (env:prod) have not; AND is implied; trace_id:123 finds a trace's logs.\n\
            Next: fields or detail for attributes; trace_get with a trace id; spans_search for the same service and time.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &["v2.ListLogs", "v2.AggregateLogs"],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, asked: Arguments) -> Result<Draft, Refusal> {
        let mut filter = Filter::of(cx, asked.query.as_deref(), asked.from.as_deref(), asked.to.as_deref())?;
        filter.indexes = asked.indexes.unwrap_or_default();
        let (sort, limit) = (Sort::parse(asked.sort.as_deref())?, limit(asked.limit));
        match Tier::parse(asked.storage_tier.as_deref())? {
            Tier::All => {
                let mut draft = tiers::search(cx, &filter, sort, limit, columns()).await?;
                if draft.total == Total::Exact(0) {
                    diagnose(cx, &LOGS, &filter, &[]).await.into_draft(&mut draft);
                }
                draft.link = Some(ui(cx, &filter.query, filter.range, None));
                Ok(draft)
            }
            Tier::One(tier) => {
                let filter = filter.stored_in(tier);
                let elsewhere: &[&str] = if filter.indexes.is_empty() { elsewhere(tier) } else { &[] };
                let asked = Search { store: &LOGS, filter: filter.clone(), sort, limit, columns: columns(), elsewhere };
                let (draft, aged) = futures::join!(search(cx, asked), retention::check(cx, &filter));
                let mut draft = draft?;
                draft.link = Some(ui(cx, &filter.query, filter.range, filter.tier));
                draft.facts.push(format!("tier: {tier}"));
                draft.notes.extend(aged);
                Ok(draft)
            }
        }
    }
}

/// Columns shown by default.
pub(super) fn columns() -> Vec<Column> {
    vec![
        formed("attributes.timestamp", "time", Form::Time),
        column("attributes.status", "status"),
        column("attributes.service", "service"),
        column("attributes.host", "host"),
        column("attributes.message", "message"),
    ]
}
