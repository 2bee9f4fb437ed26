//! Error tracking: issues with their counts and what they are, in one call.

use crate::{
    CallContext, Draft, Effect, TimeRange, Tool, Total,
    answer::Form,
    native::{Facts, Run, at_most, columns, plan, tool},
};
use async_trait::async_trait;
use datadog_client::{Refusal, Request};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use url::form_urlencoded::Serializer;

const SEARCH: &str = "v2.SearchIssues";
/// Issues Datadog answers at most; it has no second page.
const MOST: usize = 100;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(ErrorsSearch)]
}

struct ErrorsSearch;

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Event query, e.g. `service:checkout env:prod`
    query: Option<String>,
    /// Where errors come from, e.g. `trace`; default all
    track: Option<Track>,
    /// Start, e.g. `7d`; default `1d`
    from: Option<String>,
    /// End, e.g. `now`
    to: Option<String>,
    /// Order, e.g. `newest`; default `count`
    sort: Option<Sort>,
    /// Only these states, e.g. `["OPEN"]`
    states: Option<Vec<State>>,
    /// Most issues, e.g. `20`
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Track {
    #[default]
    All,
    Trace,
    Logs,
    Rum,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Count,
    Newest,
    Sessions,
    Priority,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum State {
    Open,
    Acknowledged,
    Resolved,
    Ignored,
    Excluded,
}

#[async_trait]
impl Run for ErrorsSearch {
    type Arguments = Arguments;

    const FACTS: Facts = Facts {
        name: "errors_search",
        title: "Search error issues",
        description: "Errors grouped into issues, most frequent first: what breaks, where in the code, since when and since which version. \
            `query` is event syntax: `service:checkout env:prod @error.type:TimeoutError`. `sort: newest` finds what a deploy broke. \
            Next: spans_search or logs_search `service:… @error.type:…` for single occurrences, trace_get for one.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[SEARCH],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: Arguments) -> Result<Draft, Refusal> {
        let range = cx.range(arguments.from.as_deref(), arguments.to.as_deref(), "1d")?;
        let query = arguments.query.as_deref().map(str::trim).filter(|query| !query.is_empty()).unwrap_or("*");
        let reply = cx.send(&request(&arguments, query, range)?).await?;
        let mut records = issues(reply.json()?);
        let count = records.len();
        let left = at_most(&mut records, arguments.limit);
        let mut draft = Draft::rows(
            "error issues",
            records,
            columns(&[
                ("id", "id", Form::Id),
                ("service", "service", Form::Plain),
                ("error_type", "type", Form::Plain),
                ("error_message", "message", Form::Plain),
                ("total_count", "count", Form::Plain),
                ("impacted_sessions", "sessions", Form::Plain),
                ("impacted_users", "users", Form::Plain),
                ("state", "state", Form::Plain),
                ("first_seen", "first_seen", Form::Time),
                ("last_seen", "last_seen", Form::Time),
                ("first_seen_version", "first_version", Form::Plain),
                ("last_seen_version", "last_version", Form::Plain),
                ("file_path", "file", Form::Plain),
                ("function_name", "function", Form::Plain),
            ]),
        );
        draft.total = if count < MOST { Total::Exact(count as u64) } else { Total::AtLeast(count as u64) };
        draft.range = Some(range);
        let link = Serializer::new(String::new())
            .append_pair("query", query)
            .append_pair("start", &range.from_ms.to_string())
            .append_pair("end", &range.to_ms.to_string())
            .finish();
        draft.link = Some(cx.client.site().ui(&format!("/error-tracking?{link}")));
        draft.notes.extend(left);
        if count >= MOST {
            draft.notes.push(format!("Datadog answers at most {MOST} issues and has no further page: narrow `query`, `from` or `states`."));
        }
        if count == 0 {
            draft.notes.push(nothing(cx, &arguments, query, range).await);
        }
        draft.heed(&reply);
        Ok(draft)
    }
}

/// Either a track or a persona must be given; the persona `ALL` covers every track.
fn request(arguments: &Arguments, query: &str, range: TimeRange) -> Result<Request, Refusal> {
    let order = match arguments.sort.unwrap_or_default() {
        Sort::Count => "TOTAL_COUNT",
        Sort::Newest => "FIRST_SEEN",
        Sort::Sessions => "IMPACTED_SESSIONS",
        Sort::Priority => "PRIORITY",
    };
    let mut attributes = json!({"query": query, "from": range.from_ms, "to": range.to_ms, "order_by": order});
    match arguments.track.unwrap_or_default() {
        Track::All => attributes["persona"] = "ALL".into(),
        Track::Trace => attributes["track"] = "trace".into(),
        Track::Logs => attributes["track"] = "logs".into(),
        Track::Rum => attributes["track"] = "rum".into(),
    }
    if let Some(states) = arguments.states.as_ref().filter(|states| !states.is_empty()) {
        let word = |state: &State| match state {
            State::Open => "OPEN",
            State::Acknowledged => "ACKNOWLEDGED",
            State::Resolved => "RESOLVED",
            State::Ignored => "IGNORED",
            State::Excluded => "EXCLUDED",
        };
        attributes["states"] = states.iter().map(word).collect();
    }
    plan(SEARCH, json!({"include": ["issue"], "body": {"data": {"type": "search_request", "attributes": attributes}}}))
}

/// Counts and what the issue is, which stand apart in the answer, as one record each.
fn issues(mut answer: Value) -> Vec<Value> {
    let included: HashMap<String, Map<String, Value>> = match answer.get_mut("included").map(Value::take) {
        Some(Value::Array(included)) => included
            .into_iter()
            .filter(|one| one.get("type").and_then(Value::as_str) == Some("issue"))
            .filter_map(|mut one| match one.get_mut("attributes").map(Value::take) {
                Some(Value::Object(attributes)) => Some((one.get("id")?.as_str()?.to_owned(), attributes)),
                _ => None,
            })
            .collect(),
        _ => HashMap::new(),
    };
    let Some(Value::Array(found)) = answer.get_mut("data").map(Value::take) else {
        return Vec::new();
    };
    let record = |mut one: Value| {
        let issue =
            one.pointer("/relationships/issue/data/id").or_else(|| one.get("id")).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut record = Map::new();
        record.insert("id".to_owned(), issue.as_str().into());
        if let Some(Value::Object(counts)) = one.get_mut("attributes").map(Value::take) {
            record.extend(counts);
        }
        record.extend(included.get(&issue).cloned().unwrap_or_default());
        Value::Object(record)
    };
    found.into_iter().map(record).collect()
}

/// Whether every track and a week have what the search did not find.
async fn nothing(cx: &CallContext<'_>, arguments: &Arguments, query: &str, range: TimeRange) -> String {
    let wide = TimeRange { from_ms: range.from_ms.min(range.to_ms - 7 * 86_400_000), to_ms: range.to_ms };
    let wider = Arguments { query: None, track: None, from: None, to: None, sort: None, states: None, limit: None };
    if wide == range && arguments.track.unwrap_or_default() == Track::All && arguments.states.is_none() {
        return "No issue matches in the whole range; check the names in `query` (services_search) or widen `from`.".to_owned();
    }
    let tried = match request(&wider, query, wide) {
        Ok(request) => cx.send(&request).await.and_then(|reply| reply.json()),
        Err(refusal) => Err(refusal),
    };
    match tried {
        Ok(answer) => match issues(answer).len() {
            0 => "Nor does any issue of any track and state match in 7 days; check the names in `query`.".to_owned(),
            count => format!("{count} issues match over 7 days, every track and state: set `from` to 7d, leave out `track` and `states`."),
        },
        Err(refusal) => format!("A wider range could not be read: {}", refusal.message),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_body_is_exact() {
        let arguments: Arguments = serde_json::from_value(json!({"sort": "newest", "states": ["OPEN", "ACKNOWLEDGED"]})).unwrap();
        let request = request(&arguments, "service:a", TimeRange { from_ms: 1, to_ms: 2 }).unwrap();
        assert_eq!(
            (request.path.as_str(), request.query.clone()),
            ("/api/v2/error-tracking/issues/search", vec![("include".to_owned(), "issue".to_owned())])
        );
        assert_eq!(
            request.body.unwrap(),
            json!({"data": {"type": "search_request", "attributes": {"query": "service:a", "from": 1, "to": 2, "order_by": "FIRST_SEEN", "persona": "ALL", "states": ["OPEN", "ACKNOWLEDGED"]}}})
        );
    }

    #[test]
    fn counts_and_issue_become_one_record() {
        let records = issues(json!({
            "data": [{"id": "a", "attributes": {"total_count": 3}, "relationships": {"issue": {"data": {"id": "a", "type": "issue"}}}}, {"id": "b", "attributes": {"total_count": 1}}],
            "included": [{"id": "a", "type": "issue", "attributes": {"service": "s", "error_type": "E"}}, {"id": "c", "type": "case"}],
        }));
        assert_eq!(
            records,
            vec![json!({"id": "a", "total_count": 3, "service": "s", "error_type": "E"}), json!({"id": "b", "total_count": 1})]
        );
    }
}
