//! Traces: one trace whole, as a tree within the budget however large it is.

mod choose;
mod draw;
mod fetch;
mod ids;
mod span;
mod tree;

use crate::{
    CallContext, Content, Draft, Effect, Tool, Total,
    answer::estimated_tokens,
    native::{Facts, Run, series::duration, tool},
};
use async_trait::async_trait;
use choose::{Choice, Wanted};
use datadog_client::{Fix, Refusal, untrusted};
use ids::{TraceId, span_ids};
use schemars::JsonSchema;
use serde::Deserialize;
use span::Span;
use tree::Tree;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(TraceGet)]
}

struct TraceGet;

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Decimal or hex id, e.g. `5023904817262048113`
    trace_id: String,
    /// Open this span: its tags and subtree, e.g. `9270756141854228302`
    span_id: Option<String>,
    /// Only spans of this service, e.g. `postgres`
    service: Option<String>,
    /// Only erring spans, e.g. `true`
    errors_only: Option<bool>,
    /// Answer size, e.g. `8000`
    #[expect(dead_code, reason = "the way of a call takes it out; `CallContext::budget` is what comes of it")]
    max_tokens: Option<usize>,
}

#[async_trait]
impl Run for TraceGet {
    type Arguments = Arguments;

    const FACTS: Facts = Facts {
        name: "trace_get",
        title: "Get a trace",
        description: "One request through every service: a tree with duration and self time of each span, errors, the critical path, where an error began and which service took the time. \
            Ids come from spans_search, logs_search (`dd.trace_id`) or errors_search. Large traces show what matters; open the rest by `span_id`, `service` or `errors_only`. \
            Next: logs_search `trace_id:…`, dbm_samples_search for a slow statement.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[fetch::TRACE, fetch::SPANS],
        view: false,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: Arguments) -> Result<Draft, Refusal> {
        let id = TraceId::parse(&arguments.trace_id)?;
        let fetched = fetch::fetch(cx, &id).await?;
        let trace = fetched.trace()?;
        let spans = trace.spans;
        let tree = Tree::of(&spans);
        let wanted = wanted(&arguments, &spans)?;
        let facts = facts(&spans, &tree);
        let link = cx.client.site().ui(&format!("/apm/trace/{}", fetched.form()));
        let budget = room(cx.budget, &facts, &link);
        let (lines, choice) = draw::draw(&spans, &tree, &wanted, budget, estimated_tokens);
        let mut draft = Draft::new("trace", Content::Lines(lines));
        draft.total = Total::Exact(1);
        draft.facts = facts;
        draft.link = Some(link);
        draft.notes = notes(&spans, &tree, &wanted, &choice);
        if trace.truncated {
            draft.notes.push("Datadog cut this trace itself: it is larger than its answers may be.".to_owned());
        }
        fetched.heed(&mut draft);
        Ok(draft)
    }
}

/// What the line of facts, the fence and the notes leave of the budget.
fn room(budget: usize, facts: &[String], link: &str) -> usize {
    /// The fence, the site, the notes of a large trace.
    const AROUND: usize = 170;
    let said: usize = facts.iter().map(|fact| estimated_tokens(fact) + 1).sum();
    (budget * 19 / 20).saturating_sub(said + estimated_tokens(link) + AROUND)
}

/// What of the trace is asked for.
fn wanted(arguments: &Arguments, spans: &[Span<'_>]) -> Result<Wanted, Refusal> {
    let under = match arguments.span_id.as_deref() {
        None => None,
        Some(text) => {
            let ids = span_ids(text);
            let found = spans.iter().position(|span| ids.contains(&span.id));
            Some(found.ok_or_else(|| {
                Refusal::invalid(format!("The trace has no span `{}`.", untrusted::shown(text, 40)))
                    .because(format!("It has {} spans; their ids stand in the tree as `span_id=`.", spans.len()))
                    .fix(Fix::new("trace_get", "Shows the tree.").with("trace_id", arguments.trace_id.clone()))
            })?)
        }
    };
    if let Some(service) = arguments.service.as_deref()
        && !spans.iter().any(|span| span.service == service)
    {
        let mut names: Vec<&str> = spans.iter().map(|span| span.service.as_ref()).collect();
        names.sort_unstable();
        names.dedup();
        let mut refusal = Refusal::invalid("No span of the trace is of that service.")
            .because(format!("The trace has {} services; what Datadog says of it names them.", names.len()));
        // Names are telemetry: they belong into the fence.
        refusal.datadog_said = Some(format!("services: {}", shown_names(&names)));
        return Err(refusal);
    }
    Ok(Wanted { under, service: arguments.service.clone(), errors_only: arguments.errors_only.unwrap_or(false) })
}

/// Up to thirty names, cleaned.
fn shown_names(names: &[&str]) -> String {
    let cleaned: Vec<String> = names.iter().take(30).map(|name| untrusted::shown(name, 60)).collect();
    if names.len() > 30 { format!("{} and {} more", cleaned.join(", "), names.len() - 30) } else { cleaned.join(", ") }
}

fn facts(spans: &[Span<'_>], tree: &Tree) -> Vec<String> {
    let mut services: Vec<&str> = spans.iter().map(|span| span.service.as_ref()).collect();
    services.sort_unstable();
    services.dedup();
    let erring = spans.iter().filter(|span| span.error).count();
    let mut facts = vec![format!("{} spans, {} services, {erring} errors", spans.len(), services.len())];
    if let Some(main) = tree.main {
        let start = spans.iter().map(|span| span.start).min().unwrap_or(0);
        let whole = spans.iter().map(Span::end).max().unwrap_or(0).saturating_sub(start);
        facts.push(format!("root {}", duration(spans[main].duration)));
        if whole > spans[main].duration {
            facts.push(format!("first to last span {}", duration(whole)));
        }
    }
    facts.push(draw::LEGEND.to_owned());
    facts
}

/// What is not shown, exactly, and how to see it.
fn notes(spans: &[Span<'_>], tree: &Tree, wanted: &Wanted, choice: &Choice) -> Vec<String> {
    let mut notes = Vec::new();
    let in_view = wanted.under.map_or(spans.len(), |under| tree.nodes[under].size);
    let of = if wanted.under.is_some() { "of this subtree" } else { "of the trace" };
    if choice.shown() == in_view {
        notes.push(if in_view == 1 { format!("The one span {of} is shown.") } else { format!("All {in_view} spans {of} are shown.") });
    } else {
        let mut parts = vec![format!("{} of {in_view} spans {of} shown", choice.shown())];
        if choice.behind() > 0 {
            parts.push(format!("{} stand behind a like sibling (×)", choice.behind()));
        }
        if choice.hidden() > 0 {
            parts.push(format!("{} are left out (+)", choice.hidden()));
        }
        if choice.filtered > 0 {
            parts.push(format!("{} are filtered out", choice.filtered));
        }
        notes.push(format!("{}.", parts.join(", ")));
        if choice.hidden() + choice.behind() > 0 {
            notes.push("Open a part with `span_id` (its children are then shown one by one), narrow with `service` or `errors_only`, or raise `max_tokens`.".to_owned());
        }
    }
    if tree.orphans > 0 {
        notes.push(format!(
            "{} spans name a parent that is not in the trace; they stand at the top. The trace may be incomplete.",
            tree.orphans
        ));
    }
    if tree.cycles > 0 {
        notes.push(format!("{} spans were their own ancestors; each circle was cut at its earliest span.", tree.cycles));
    }
    if tree.duplicates > 0 {
        notes.push(format!("{} spans share their id with an earlier one.", tree.duplicates));
    }
    notes
}
