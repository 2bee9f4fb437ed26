//! `dbm_plans_search`: explain plans, each different one once, as an indented tree.

use super::{
    super::{
        Facts, Run,
        search::{Filter, Sort, instant, limit, plural},
    },
    db,
    fetch::{self, Place},
    nothing, samples, tree, typed, ui,
};
use crate::{CallContext, Content, Draft, Effect, Total};
use async_trait::async_trait;
use datadog_client::{Refusal, untrusted};
use serde_json::{Value, json};

/// `dbm_plans_search`
pub(super) struct DbmPlansSearch;

/// Most characters of a statement or of a plan that is no tree.
const MOST: usize = 800;

#[async_trait]
impl Run for DbmPlansSearch {
    type Arguments = samples::Arguments;
    const FACTS: Facts = Facts {
        name: "dbm_plans_search",
        title: "Search explain plans",
        description: "Finds explain plans of slow database queries: each different plan once, with its tree of nodes, cost and rows. Shows table scans, missing indexes, and when a plan changed.\n\
            Query: service:orders @db.query_signature:abc @db.plan.signature:def @db.instance:orders\n\
            Next: two plans for one query_signature mean that it changed: compare their times with events_search. Whole plan: dbm_samples_search with dbm_type:plan in the query and detail full.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[super::LIST],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, asked: samples::Arguments) -> Result<Draft, Refusal> {
        let query = typed(asked.query.as_deref(), "plan");
        let range = Filter::of(cx, None, asked.from.as_deref(), asked.to.as_deref())?.range;
        let place = Place::of(cx);
        let first = place.is_first();
        let (reply, found) = fetch::page(cx, &query, range, Sort::parse(asked.sort.as_deref())?, limit(asked.limit), place).await?;
        let plans = distinct(&found.records);
        let lines: Vec<String> = plans.iter().flat_map(Plan::lines).collect();
        let mut draft =
            if lines.is_empty() { Draft::rows("explain plans", Vec::new(), Vec::new()) } else { Draft::new("", Content::Lines(lines)) };
        draft.heed(&reply);
        draft.range = Some(range);
        draft.total = if plans.is_empty() { found.total } else { Total::Unknown };
        if !plans.is_empty() {
            let (different, samples) = (plural(plans.len() as u64, "different plans"), found.records.len() as u64);
            draft.facts.push(format!("{different} of {}", plural(samples, "samples")));
        }
        draft.notes.extend(found.notes);
        draft.next = found.next.map(|place| json!(place));
        draft.link = Some(ui(cx, &query, range));
        if first && found.records.is_empty() {
            nothing::diagnose(cx, &query, "plan", range).await.into_draft(&mut draft);
        }
        Ok(draft)
    }
}

/// One plan and the samples that have it.
struct Plan<'r> {
    record: &'r Value,
    samples: usize,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
}

/// Plans in the order they were found first, by query and plan signature; without signatures by definition.
fn distinct(records: &[Value]) -> Vec<Plan<'_>> {
    let mut plans: Vec<(Vec<Option<&str>>, Plan<'_>)> = Vec::new();
    for record in records {
        let key = match db(record, "plan/signature") {
            Some(signature) => vec![db(record, "query_signature"), Some(signature)],
            None => vec![db(record, "query_signature"), None, db(record, "plan/definition")],
        };
        let time = fetch::time_of(record);
        if let Some((_, plan)) = plans.iter_mut().find(|(known, _)| *known == key) {
            plan.samples += 1;
            plan.first_ms = plan.first_ms.min(time).or(plan.first_ms).or(time);
            plan.last_ms = plan.last_ms.max(time);
        } else {
            plans.push((key, Plan { record, samples: 1, first_ms: time, last_ms: time }));
        }
    }
    plans.into_iter().map(|(_, plan)| plan).collect()
}

impl Plan<'_> {
    fn lines(&self) -> Vec<String> {
        let record = self.record;
        let mut head = vec![format!("plan {}", db(record, "plan/signature").unwrap_or("without signature"))];
        if let Some(cost) = record.pointer("/event/custom/db/plan/cost").filter(|cost| !cost.is_null()) {
            head.push(format!("cost {}", plain(cost)));
        }
        head.push(plural(self.samples as u64, "samples"));
        head.extend(match (self.first_ms, self.last_ms) {
            (Some(first), Some(last)) if first != last => Some(format!("{} to {}", instant(first), instant(last))),
            (_, last) => last.map(instant),
        });
        let mut lines = vec![head.join(", ")];
        let whence: Vec<String> = [
            ("db", db(record, "instance")),
            ("host", text(record, "/event/host")),
            ("service", text(record, "/event/service")),
            ("user", db(record, "user")),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| format!("{name} {value}")))
        .collect();
        if !whence.is_empty() {
            lines.push(format!("  {}", whence.join(", ")));
        }
        if let Some(signature) = db(record, "query_signature") {
            lines.push(format!("  query_signature {signature}"));
        }
        if let Some(statement) = db(record, "statement") {
            lines.push(format!("  statement {}", one_line(statement)));
        }
        match db(record, "plan/definition") {
            Some(definition) => match tree::outline(definition) {
                Some(nodes) => lines.extend(nodes.into_iter().map(|node| format!("  {node}"))),
                None => lines.push(format!("  {}", one_line(definition))),
            },
            None => lines.push("  Datadog has no definition of this plan.".to_owned()),
        }
        lines
    }
}

fn text<'r>(record: &'r Value, pointer: &str) -> Option<&'r str> {
    record.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    untrusted::cap(&words, MOST).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(signature: &str, ms: i64) -> Value {
        json!({"event": {"timestamp": ms, "host": "db-1", "custom": {"db": {"query_signature": "q", "statement": "SELECT *\n  FROM t", "plan": {
            "signature": signature, "cost": 12.5, "definition": "{\"Plan\":{\"Node Type\":\"Seq Scan\",\"Relation Name\":\"t\",\"Total Cost\":12.5,\"Plan Rows\":3}}"}}}}})
    }

    #[test]
    fn each_plan_is_shown_once() {
        let records = [plan("a", 1_700_000_060_000), plan("b", 1_700_000_030_000), plan("a", 1_700_000_000_000)];
        let plans = distinct(&records);
        assert_eq!(plans.len(), 2);
        assert_eq!(
            plans[0].lines(),
            [
                "plan a, cost 12.5, 2 samples, 2023-11-14T22:13:20Z to 2023-11-14T22:14:20Z",
                "  host db-1",
                "  query_signature q",
                "  statement SELECT * FROM t",
                "  Seq Scan on t cost=12.5 rows=3",
            ]
        );
    }

    #[test]
    fn a_record_without_anything_is_shown() {
        assert_eq!(distinct(&[json!({})])[0].lines(), ["plan without signature, 1 sample", "  Datadog has no definition of this plan."]);
    }
}
