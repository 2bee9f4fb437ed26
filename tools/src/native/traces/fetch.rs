//! Fetching a trace: the trace endpoint first, a search of its indexed spans where that cannot give it.

use super::{
    ids::TraceId,
    span::{Span, Trace},
};
use crate::{
    CallContext, Draft,
    native::{broke_at, plan},
};
use datadog_client::{Fix, Kind, Refusal, Reply};
use serde_json::{Value, json};

/// Preview of Datadog; 60 calls a minute, 413 when a trace is too large.
pub(super) const TRACE: &str = "v2.GetTraceByID";
/// 300 calls an hour.
pub(super) const SPANS: &str = "v2.ListSpans";
/// Spans of one search.
const PAGE: usize = 1_000;
/// Searches made for one trace.
const PAGES: usize = 8;
/// How far back spans are indexed by default.
const RETENTION: &str = "now-15d";

/// A trace as it came.
pub(super) enum Fetched {
    /// From the trace endpoint.
    Whole { reply: Reply, form: String },
    /// From a search of indexed spans.
    Indexed { events: Vec<Value>, last: Reply, more: bool, form: String, why: String },
}

impl Fetched {
    /// The spans, borrowed from the answer where it is the trace endpoint's.
    pub(super) fn trace(&self) -> Result<Trace<'_>, Refusal> {
        match self {
            Self::Whole { reply, .. } => Trace::read(&reply.body).map_err(|error| match reply.json() {
                Err(refusal) => refusal,
                Ok(_) => Refusal::new(Kind::UpstreamFailed, "Datadog's answer is no trace as it documents one.")
                    .because(broke_at(&error))
                    .on(TRACE),
            }),
            Self::Indexed { events, .. } => {
                Ok(Trace { spans: events.iter().cloned().filter_map(Span::of_event).collect(), truncated: false })
            }
        }
    }

    /// The id in the form that found it.
    pub(super) fn form(&self) -> &str {
        match self {
            Self::Whole { form, .. } | Self::Indexed { form, .. } => form,
        }
    }

    /// Says in the notes how it was fetched.
    pub(super) fn heed(&self, draft: &mut Draft) {
        match self {
            Self::Whole { reply, .. } => draft.heed(reply),
            Self::Indexed { last, more, why, .. } => {
                draft.notes.push(format!("Read from indexed spans because {why}: spans that no retention filter kept are missing, and starts are exact to the millisecond."));
                if *more {
                    draft.notes.push(format!("Only the first {} spans were read; more are indexed.", PAGE * PAGES));
                }
                draft.heed(last);
            }
        }
    }
}

/// Fetches a trace by any of its ids.
pub(super) async fn fetch(cx: &CallContext<'_>, id: &TraceId) -> Result<Fetched, Refusal> {
    let mut first: Option<Refusal> = None;
    for form in id.forms() {
        match cx.send(&plan(TRACE, json!({"trace_id": form}))?).await {
            Ok(reply) => {
                // An answer without spans is a trace that is not there; a body that is none is told apart later.
                if Trace::read(&reply.body).is_ok_and(|trace| trace.spans.is_empty()) {
                    first.get_or_insert_with(|| Refusal::new(Kind::NotFound, "The trace endpoint knows no spans of this trace.").on(TRACE));
                    continue;
                }
                return Ok(Fetched::Whole { reply, form: form.clone() });
            }
            Err(refusal) if refusal.kind == Kind::NotFound => {
                first.get_or_insert(refusal);
            }
            Err(refusal) if elsewhere(&refusal) => {
                first = Some(refusal);
                break;
            }
            Err(refusal) => return Err(refusal),
        }
    }
    let first = first.unwrap_or_else(|| Refusal::new(Kind::NotFound, "There is no such trace.").on(TRACE));
    cx.progress.report(1, Some(2), "The trace endpoint could not give it; searching its indexed spans");
    match search(cx, id, &first).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) if first.kind == Kind::NotFound => Err(unknown(id, first)),
        Ok(None) => Err(first.because("A search of indexed spans found none of this trace either.")),
        // The reason why the whole trace cannot be had is the one worth telling.
        Err(_) => Err(first),
    }
}

/// Refusals after which the indexed spans may still have it: too large, the preview not open to this org, failing.
fn elsewhere(refusal: &Refusal) -> bool {
    matches!(refusal.kind, Kind::TooLarge | Kind::PermissionDenied | Kind::UpstreamFailed | Kind::Timeout | Kind::RateLimited)
}

async fn search(cx: &CallContext<'_>, id: &TraceId, first: &Refusal) -> Result<Option<Fetched>, Refusal> {
    let query = id.query();
    let mut events: Vec<Value> = Vec::new();
    let mut cursor: Option<String> = None;
    for page in 1.. {
        let mut paging = json!({"limit": PAGE});
        if let Some(cursor) = &cursor {
            paging["cursor"] = cursor.as_str().into();
        }
        let body = json!({"data": {"type": "search_request", "attributes": {
            "filter": {"query": query, "from": RETENTION, "to": "now"}, "page": paging, "sort": "timestamp",
        }}});
        let reply = cx.send(&plan(SPANS, json!({"body": body}))?).await?;
        let mut answer = reply.json()?;
        cursor = answer.pointer("/meta/page/after").and_then(Value::as_str).filter(|after| !after.is_empty()).map(str::to_owned);
        let found = match answer.get_mut("data").map(Value::take) {
            Some(Value::Array(found)) => found,
            _ => Vec::new(),
        };
        let full = found.len() >= PAGE;
        events.extend(found);
        let more = full && cursor.is_some();
        if !more || page >= PAGES {
            if events.is_empty() {
                return Ok(None);
            }
            let why = match first.kind {
                Kind::NotFound => "the trace endpoint does not know it".to_owned(),
                Kind::TooLarge => "the trace is too large for the trace endpoint".to_owned(),
                _ => format!("the trace endpoint failed ({})", first.message.trim_end_matches('.')),
            };
            let form = id.forms().first().cloned().unwrap_or_default();
            return Ok(Some(Fetched::Indexed { events, last: reply, more, form, why }));
        }
        cx.progress.report(page as u64, Some(PAGES as u64), "Searching the trace's indexed spans");
    }
    Ok(None)
}

fn unknown(id: &TraceId, first: Refusal) -> Refusal {
    let mut refusal = first;
    refusal.message = format!("Datadog has no trace {}.", id.forms().join(" or "));
    refusal
        .because(
            "Neither the trace endpoint nor the indexed spans of the last 15 days have it: sampled out, past retention, or of another org.",
        )
        .fix(
            Fix::new("spans_search", "Finds a like request whose trace was kept, e.g. by resource and status.")
                .with("query", "status:error"),
        )
}
