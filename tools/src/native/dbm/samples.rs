//! `dbm_samples_search`: what queries ran, for whom, and what they waited for.

use super::{
    super::{
        Facts, Run,
        search::{Filter, Sort, column, formed, limit},
    },
    fetch::{self, Place},
    nothing, typed, ui,
};
use crate::{CallContext, Column, Draft, Effect, answer::Form};
use async_trait::async_trait;
use datadog_client::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// `dbm_samples_search`
pub(super) struct DbmSamplesSearch;

/// Arguments of both searches.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// e.g. service:orders @duration:>1s; default all
    pub(super) query: Option<String>,
    /// Start, e.g. 15m or RFC 3339; default 1h
    pub(super) from: Option<String>,
    /// End, e.g. now-5m; default now
    pub(super) to: Option<String>,
    /// Samples per page, default 50
    #[schemars(range(min = 1, max = 1_000))]
    pub(super) limit: Option<u32>,
    /// newest (default) or oldest first
    pub(super) sort: Option<String>,
}

#[async_trait]
impl Run for DbmSamplesSearch {
    type Arguments = Arguments;
    const FACTS: Facts = Facts {
        name: "dbm_samples_search",
        title: "Search database query samples",
        description: "Finds samples of running database queries: slow statements, what they waited for (locks, IO), which user and host sent them.\n\
            Query: service:orders env:prod @duration:>1s @db.wait_event_type:Lock @db.query_signature:abc @db.instance:orders @db.user:app\n\
            Next: dbm_plans_search with @db.query_signature; trace_get with the sample's trace_id.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[super::LIST],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, asked: Arguments) -> Result<Draft, Refusal> {
        let query = typed(asked.query.as_deref(), "activity");
        let range = Filter::of(cx, None, asked.from.as_deref(), asked.to.as_deref())?.range;
        let place = Place::of(cx);
        let first = place.is_first();
        let (reply, found) = fetch::page(cx, &query, range, Sort::parse(asked.sort.as_deref())?, limit(asked.limit), place).await?;
        let nothing_found = first && found.records.is_empty();
        let columns = columns(fetch::time_path(&found.records));
        let mut draft = Draft::rows("query samples", found.records, columns);
        draft.heed(&reply);
        draft.range = Some(range);
        draft.total = found.total;
        draft.notes.extend(found.notes);
        draft.next = found.next.map(|place| json!(place));
        draft.link = Some(ui(cx, &query, range));
        if nothing_found {
            nothing::diagnose(cx, &query, "activity", range).await.into_draft(&mut draft);
        }
        Ok(draft)
    }
}

/// Columns shown by default: `event.custom.db` is attested, the rest follows the shape of v1 log lists.
fn columns(time: &str) -> Vec<Column> {
    vec![
        formed(time, "time", Form::Time),
        column("event.custom.db.instance", "db"),
        column("event.host", "host"),
        column("event.service", "service"),
        column("event.custom.db.user", "user"),
        formed("event.custom.duration", "duration", Form::Nanos),
        column("event.custom.db.wait_event_type", "wait_type"),
        column("event.custom.db.wait_event", "wait"),
        column("event.custom.db.rows", "rows"),
        formed("event.custom.db.query_signature", "query_signature", Form::Id),
        formed("event.custom.dd.trace_id", "trace_id", Form::Id),
        column("event.custom.db.statement", "statement"),
    ]
}
