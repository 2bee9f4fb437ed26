//! `metrics_search`: names of active metrics by fragment, and by tags they are sent with.

use super::explorer;
use crate::{
    CallContext, Draft, Effect, Total,
    answer::{Column, Form},
    native::{Facts, Run, at_most, decode, plan},
};
use async_trait::async_trait;
use datadog_client::{Kind, Refusal, untrusted};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

const BY_NAME: &str = "v1.ListMetrics";
const BY_TAGS: &str = "v2.ListTagConfigurations";
/// Most names one page of the v2 list holds.
const PAGE: usize = 10_000;

pub(super) struct MetricsSearch;

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// Fragments of the name, all must occur, e.g. `http request errors`
    query: Option<String>,
    /// Only metrics sent with these tags, e.g. `env:prod AND service:web*`
    tags: Option<String>,
    /// Only metrics reporting in the last, e.g. `1h`; default `1h`; with `tags`
    window: Option<String>,
    /// Most metrics, e.g. `20`
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
}

#[async_trait]
impl Run for MetricsSearch {
    type Arguments = Arguments;

    const FACTS: Facts = Facts {
        name: "metrics_search",
        title: "Search metrics",
        description: "Finds names of metrics, before metrics_query. `query` takes fragments of the name, e.g. `postgresql queries`; \
            `tags` narrows to metrics sent with some tags, e.g. `service:checkout`. Then metric_describe for a metric's unit and tags, metrics_query for its values.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[BY_NAME, BY_TAGS],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: Arguments) -> Result<Draft, Refusal> {
        let query = arguments.query.unwrap_or_default();
        let words = words(&query);
        let mut notes = Vec::new();
        let tags = arguments.tags.as_deref().map(str::trim).filter(|tags| !tags.is_empty());
        let found = match (tags, words.iter().max_by_key(|word| word.len())) {
            (None, Some(longest)) => match names_like(cx, longest).await {
                Ok(names) => names.into_iter().map(|name| (name, None)).collect(),
                // The search by name is marked deprecated; the list of v2 takes its place where it is gone.
                Err(refusal) if refusal.kind == Kind::NotFound => listed(cx, None, arguments.window.as_deref(), &mut notes).await?,
                Err(refusal) => return Err(refusal),
            },
            _ => listed(cx, tags, arguments.window.as_deref(), &mut notes).await?,
        };
        let searched = found.len();
        let mut found: Vec<(String, Option<String>)> = found.into_iter().filter(|(name, _)| matches(name, &words)).collect();
        // Names that begin with the first word, then short ones: what is meant is seldom the longest name.
        let first = words.first().map_or("", String::as_str);
        found.sort_by(|(a, _), (b, _)| b.starts_with(first).cmp(&a.starts_with(first)).then_with(|| a.cmp(b)));
        found.dedup();
        let total = found.len();
        notes.extend(at_most(&mut found, arguments.limit));
        let records = found.into_iter().map(|(name, kind)| json!({"metric": name, "type": kind})).collect();
        let mut draft = Draft::rows(
            "metrics",
            records,
            ["metric", "type"].map(|name| Column { path: name.to_owned(), name: name.to_owned(), form: Form::Plain }).to_vec(),
        );
        draft.total = Total::Exact(total as u64);
        draft.link = Some(cx.client.site().ui(&format!(
            "/metric/summary?{}",
            url::form_urlencoded::Serializer::new(String::new()).append_pair("filter", &query).finish()
        )));
        if total == 0 {
            notes.push(nothing(searched, &words, tags.is_some()));
        }
        draft.notes = notes;
        Ok(draft)
    }
}

/// Why no name is listed. A search by name gives names that contain its longest fragment; every other search gives all.
fn nothing(searched: usize, words: &[String], tagged: bool) -> String {
    let try_next = if tagged { "fewer tags, a shorter fragment or a longer `window`" } else { "one shorter fragment" };
    match (searched, words.is_empty()) {
        (0, false) if !tagged => {
            let longest = words.iter().max_by_key(|word| word.len()).map_or("", String::as_str);
            format!("No active metric has `{}` in its name. Try {try_next}.", untrusted::shown(longest, 60))
        }
        (0, _) if tagged => format!("Datadog lists no active metric with these tags. Try {try_next}."),
        (0, _) => "Datadog lists no active metric.".to_owned(),
        (searched, _) => format!("{searched} active metrics were looked through; none has every word in its name. Try {try_next}."),
    }
}

/// Names that contain a fragment (v1.ListMetrics).
pub(super) async fn names_like(cx: &CallContext<'_>, fragment: &str) -> Result<Vec<String>, Refusal> {
    #[derive(Default, Deserialize)]
    struct Answer {
        results: Option<Results>,
    }
    #[derive(Default, Deserialize)]
    struct Results {
        metrics: Option<Vec<String>>,
    }
    let reply = cx.send(&plan(BY_NAME, json!({"q": format!("metrics:{fragment}")}))?).await?;
    let answer: Answer = decode(&reply, BY_NAME)?;
    Ok(answer.results.and_then(|results| results.metrics).unwrap_or_default())
}

/// Names and, where configured, types of metrics (v2.ListTagConfigurations), one page; a note when there are more.
async fn listed(
    cx: &CallContext<'_>,
    tags: Option<&str>,
    window: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, Option<String>)>, Refusal> {
    let mut arguments = json!({"page[size]": PAGE});
    if let Some(tags) = tags {
        arguments["filter[tags]"] = tags.into();
    }
    if let Some(window) = window {
        let range = crate::TimeRange::parse(window, "now", cx.now)?;
        arguments["window[seconds]"] = ((range.to_ms - range.from_ms) / 1_000).clamp(1, 2_592_000).into();
    }
    let reply = cx.send(&plan(BY_TAGS, arguments)?).await?;
    let answer = reply.json()?;
    let data = answer.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let more =
        answer.pointer("/meta/pagination/next_cursor").is_some_and(|cursor| cursor.as_str().is_some_and(|cursor| !cursor.is_empty()));
    if more && data.len() >= PAGE {
        notes.push(format!("Only the first {PAGE} active metrics were looked through; narrow by `tags`."));
    }
    let name = |entry: &Value| {
        let kind = entry.pointer("/attributes/metric_type").and_then(Value::as_str).map(str::to_owned);
        entry.get("id").and_then(Value::as_str).map(|id| (id.to_owned(), kind))
    };
    Ok(data.iter().filter_map(name).collect())
}

/// Fragments in lower case; `*` separates them as a space does.
fn words(query: &str) -> Vec<String> {
    query.split(|c: char| c.is_whitespace() || c == '*' || c == ',').filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect()
}

fn matches(name: &str, words: &[String]) -> bool {
    let name = name.to_ascii_lowercase();
    words.iter().all(|word| name.contains(word.as_str()))
}

/// Link to one metric.
pub(super) fn link(cx: &CallContext<'_>, metric: &str) -> String {
    explorer(cx.client.site(), metric, None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn nothing_found_is_told_as_it_is() {
        assert_eq!(nothing(0, &words("htp x"), false), "No active metric has `htp` in its name. Try one shorter fragment.");
        assert!(nothing(3, &words("a b"), false).starts_with("3 active metrics were looked through; none has every word"));
        assert!(nothing(0, &words("a"), true).starts_with("Datadog lists no active metric with these tags. Try fewer tags"));
    }

    #[test]
    fn every_word_must_occur() {
        assert_eq!(words(" HTTP*errors, x "), ["http", "errors", "x"]);
        assert!(matches("trace.HTTP.request.errors", &words("errors http")));
        assert!(!matches("trace.http.request.hits", &words("errors http")));
        assert!(matches("anything", &words("")));
    }
}
