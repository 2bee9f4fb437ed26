//! What the searches over Datadog's event stores share: logs, spans, RUM events and events.

mod aggregate;
mod body;
mod buckets;
mod compute;
mod diagnosis;
mod found;
mod grid;
mod page;
mod query;
mod words;

pub(crate) use aggregate::{Aggregation, aggregate};
pub(crate) use body::{Filter, Sort, Store, request};
pub(crate) use diagnosis::{Diagnosis, diagnose, wider};
pub(crate) use found::Found;
pub(crate) use query::{has_key, joined};
pub(crate) use words::{DAY_MS, instant, plural};

use crate::{CallContext, Column, Draft, TimeRange, answer::Form};
use datadog_client::Refusal;
use page::Place;
use url::form_urlencoded;

/// Most records one request may ask for (`datadog-api.md` §0, event-like searches).
pub(crate) const MAX_LIMIT: u32 = 1_000;

/// Records asked for when the caller names no limit: about as many as the default budget shows.
pub(crate) const DEFAULT_LIMIT: u32 = 50;

/// Start of the range when the caller names none.
pub(crate) const DEFAULT_FROM: &str = "1h";

/// One search as a tool asks for it.
#[derive(Debug)]
pub(crate) struct Search {
    /// Where.
    pub(crate) store: &'static Store,
    /// What.
    pub(crate) filter: Filter,
    /// In which order.
    pub(crate) sort: Sort,
    /// Records of one page.
    pub(crate) limit: u32,
    /// Columns shown by default.
    pub(crate) columns: Vec<Column>,
    /// Other storage tiers to look into when nothing is found.
    pub(crate) elsewhere: &'static [&'static str],
}

/// Runs a search: one page of records, the place of the next one, and a diagnosis when there is nothing.
pub(crate) async fn search(cx: &CallContext<'_>, search: Search) -> Result<Draft, Refusal> {
    let Search { store, filter, sort, limit, columns, elsewhere } = search;
    let place = Place::of(cx.page);
    let reply = cx.send(&store.list(&filter, sort, limit, place.after.as_deref())?).await?;
    let found = Found::read(&reply, store.subject)?;
    let more = found.more(limit);
    let shown = found.records.len();
    let mut draft = Draft::raw(store.subject, found.records, columns);
    draft.heed(&reply);
    draft.range = Some(filter.range);
    draft.notes.extend(found.notes);
    draft.total = place.total(shown, more.is_some());
    draft.next = more.map(|after| place.then(&after, shown));
    if shown == 0 && place.is_first() {
        diagnose(cx, store, &filter, elsewhere).await.into_draft(&mut draft);
    }
    Ok(draft)
}

/// A link into the UI: `path` with the query, the range in milliseconds under the names that page uses, and `rest`.
pub(crate) fn link(cx: &CallContext<'_>, path: &str, query: &str, range: TimeRange, names: (&str, &str), rest: &[(&str, &str)]) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("query", query).append_pair(names.0, &range.from_ms.to_string()).append_pair(names.1, &range.to_ms.to_string());
    pairs.extend_pairs(rest);
    cx.client.site().ui(&format!("{path}?{}", pairs.finish()))
}

/// The limit within what one request may ask for.
pub(crate) fn limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
}

/// A column in plain form.
pub(crate) fn column(path: &str, name: &str) -> Column {
    formed(path, name, Form::Plain)
}

/// A column in a given form.
pub(crate) fn formed(path: &str, name: &str, form: Form) -> Column {
    Column { path: path.to_owned(), name: name.to_owned(), form }
}
