//! Dashboards: Datadog lists them page by page and searches none, so the words are matched here over all pages.

use crate::{
    CallContext, Draft, Effect, Tool, Total,
    answer::Form,
    native::{Facts, Run, at_most, columns, plan, search::plural, tool},
};
use async_trait::async_trait;
use datadog_client::{Refusal, Reply};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

const LIST: &str = "v1.ListDashboards";
/// Dashboards asked for at once; what a page really holds is seen from the answer.
const PAGE: usize = 1_000;
/// Fewer than Datadog's default page proves the last one.
const DEFAULT_PAGE: usize = 100;
/// Pages read for one search.
const PAGES: usize = 15;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(DashboardsSearch)]
}

struct DashboardsSearch;

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Words in title, description or author, e.g. `checkout latency`
    query: Option<String>,
    /// Most dashboards, e.g. `20`
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
}

#[async_trait]
impl Run for DashboardsSearch {
    type Arguments = Arguments;

    const FACTS: Facts = Facts {
        name: "dashboards_search",
        title: "Search dashboards",
        description: "Dashboards by words of title, description or author: what a team already watches for a service. Every word must occur, e.g. `postgres prod`. \
            Next: tools_call_read `v1.GetDashboard` for its widgets, whose queries go into metrics_query or logs_search.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[LIST],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: Arguments) -> Result<Draft, Refusal> {
        let query = arguments.query.unwrap_or_default();
        let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        let (dashboards, whole, reply) = all(cx).await?;
        let read = dashboards.len();
        let mut found = matching(dashboards, &words);
        let count = found.len() as u64;
        let left = at_most(&mut found, arguments.limit);
        let mut draft = Draft::rows(
            "dashboards",
            found,
            columns(&[
                ("id", "id", Form::Id),
                ("title", "title", Form::Plain),
                ("description", "description", Form::Plain),
                ("author_handle", "author", Form::Plain),
                ("modified_at", "modified", Form::Time),
            ]),
        );
        draft.total = if whole { Total::Exact(count) } else { Total::AtLeast(count) };
        draft.facts.push(format!("searched {}", plural(read as u64, "dashboards")));
        draft.link =
            Some(cx.client.site().ui(&format!("/dashboard/lists?{}", Serializer::new(String::new()).append_pair("q", &query).finish())));
        draft.notes.extend(left);
        if count > 0 {
            draft.notes.push(format!("A dashboard stands at {}.", cx.client.site().ui("/dashboard/<id>")));
        }
        if !whole {
            draft.notes.push(format!("Only the first {read} dashboards were read; there are more, and Datadog has no search for them."));
        }
        if count == 0 && read > 0 {
            draft.notes.push("No title, description or author has every word; try fewer.".to_owned());
        }
        draft.heed(&reply);
        Ok(draft)
    }
}

/// Every dashboard, whether that is all of them, and the last reply.
async fn all(cx: &CallContext<'_>) -> Result<(Vec<Value>, bool, Reply), Refusal> {
    let mut all: Vec<Value> = Vec::new();
    let mut page = 1;
    loop {
        let reply = cx.send(&plan(LIST, json!({"count": PAGE, "start": all.len()}))?).await?;
        let mut answer = reply.json()?;
        let found = match answer.get_mut("dashboards").map(Value::take) {
            Some(Value::Array(found)) => found,
            _ => Vec::new(),
        };
        let count = found.len();
        all.extend(found);
        if count < DEFAULT_PAGE {
            return Ok((all, true, reply));
        }
        if page == PAGES {
            return Ok((all, false, reply));
        }
        page += 1;
        cx.progress.report(all.len() as u64, None, "Reading the list of dashboards");
    }
}

/// Dashboards that have every word, those with all of them in the title first, then the last modified.
fn matching(dashboards: Vec<Value>, words: &[String]) -> Vec<Value> {
    let text = |one: &Value, name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let mut found: Vec<(bool, String, Value)> = dashboards
        .into_iter()
        .filter_map(|one| {
            let title = text(&one, "title");
            let rest = format!("{title}\n{}\n{}", text(&one, "description"), text(&one, "author_handle"));
            words
                .iter()
                .all(|word| rest.contains(word))
                .then(|| (words.iter().all(|word| title.contains(word)), text(&one, "modified_at"), one))
        })
        .collect();
    found.sort_by(|a, b| (b.0, &b.1).cmp(&(a.0, &a.1)));
    found.into_iter().map(|(_, _, one)| one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn titles_come_first_and_every_word_counts() {
        let one = |id: &str, title: &str, description: Value, modified: &str| json!({"id": id, "title": title, "description": description, "modified_at": modified, "author_handle": "jane@example.com"});
        let all = vec![
            one("a", "Other", json!("Postgres in PROD"), "2026-03"),
            one("b", "Prod Postgres", Value::Null, "2026-01"),
            one("c", "Postgres prod 2", Value::Null, "2026-02"),
            one("d", "Postgres", Value::Null, "2026-09"),
        ];
        let ids = |words: &[&str]| {
            matching(all.clone(), &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(&["postgres", "prod"]), ["c", "b", "a"]);
        assert_eq!(ids(&["jane"]).len(), 4);
        assert_eq!(ids(&[]), ["d", "a", "c", "b"]);
    }
}
