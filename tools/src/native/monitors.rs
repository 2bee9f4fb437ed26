//! Monitors: one monitor whole, with the groups that alert. The search is defined as data.

use crate::{
    CallContext, Content, Draft, Effect, Tool, Total,
    native::{Facts, Run, plan, tool},
};
use async_trait::async_trait;
use datadog_client::Refusal;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const GET: &str = "v1.GetMonitor";
/// Groups named one by one.
const GROUPS: usize = 40;
/// Fields of a monitor that say nothing to a reader or the same as another (datadog-api.md, "Token wasters").
const WASTE: [&str; 6] = ["created_at", "org_id", "deleted", "restricted_roles", "multi", "overall_state_modified"];

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(MonitorGet)]
}

struct MonitorGet;

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Id, e.g. `25641098`
    monitor_id: i64,
    /// Groups in these states too, e.g. `all`; default `alert,warn,no data`
    group_states: Option<String>,
    /// Answer size, e.g. `8000`
    #[expect(dead_code, reason = "the way of a call takes it out; `CallContext::budget` is what comes of it")]
    max_tokens: Option<usize>,
}

#[async_trait]
impl Run for MonitorGet {
    type Arguments = Arguments;

    const FACTS: Facts = Facts {
        name: "monitor_get",
        title: "Get a monitor",
        description: "One monitor whole: state, query, thresholds, message, the groups that alert and since when, downtimes. Ids come from monitors_search. \
            Next: metrics_query takes its `query` as it is (window and threshold are left out there), logs_search the query inside `logs(\"…\")`.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[GET],
        view: false,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: Arguments) -> Result<Draft, Refusal> {
        let states = arguments.group_states.as_deref().unwrap_or("alert,warn,no data");
        let reply =
            cx.send(&plan(GET, json!({"monitor_id": arguments.monitor_id, "group_states": states, "with_downtimes": true}))?).await?;
        let mut notes = Vec::new();
        let record = told(reply.json()?, &mut notes);
        let mut draft = Draft::new("monitor", Content::Record(record));
        draft.total = Total::Exact(1);
        draft.link = Some(cx.client.site().ui(&format!("/monitors/{}", arguments.monitor_id)));
        draft.notes = notes;
        draft.heed(&reply);
        Ok(draft)
    }
}

/// The monitor with what matters first, without what says nothing; the notes say what is left out.
fn told(monitor: Value, notes: &mut Vec<String>) -> Value {
    let Value::Object(mut monitor) = monitor else {
        return monitor;
    };
    let mut told = Map::new();
    for name in ["id", "name", "overall_state", "type", "query", "message", "priority", "tags"] {
        if let Some(value) = monitor.shift_remove(name).filter(|value| !value.is_null()) {
            told.insert(name.to_owned(), value);
        }
    }
    if let Some(thresholds) =
        monitor.get_mut("options").and_then(Value::as_object_mut).and_then(|options| options.shift_remove("thresholds"))
    {
        told.insert("thresholds".to_owned(), thresholds);
    }
    let state = monitor.shift_remove("state");
    if let Some(groups) = state.as_ref().and_then(|state| state.get("groups")).and_then(Value::as_object) {
        told.insert("groups".to_owned(), grouped(groups, notes));
    }
    let dropped: Vec<&str> = WASTE.into_iter().filter(|name| monitor.shift_remove(*name).is_some_and(|value| !value.is_null())).collect();
    // Null says the same as absent.
    told.extend(monitor.into_iter().filter(|(_, value)| !value.is_null()));
    if !dropped.is_empty() {
        notes.push(format!("Left out: {}.", dropped.join(", ")));
    }
    Value::Object(told)
}

/// Groups by state and by when they last triggered, newest first; times as ISO.
fn grouped(groups: &Map<String, Value>, notes: &mut Vec<String>) -> Value {
    let time = |group: &Value, name: &str| group.get(name).and_then(Value::as_i64).filter(|time| *time > 0);
    let iso = |time: i64| Timestamp::from_second(time).map_or_else(|_| time.to_string(), |time| time.to_string());
    let mut rows: Vec<(&String, &Value)> = groups.iter().collect();
    rows.sort_by_key(|(name, group)| (std::cmp::Reverse(time(group, "last_triggered_ts")), (*name).clone()));
    if rows.len() > GROUPS {
        notes.push(format!("{GROUPS} of {} groups are shown, those that triggered last; narrow with `group_states`.", rows.len()));
    }
    let row = |(name, group): (&String, &Value)| {
        let mut told = Map::new();
        told.insert("group".to_owned(), name.as_str().into());
        told.insert("status".to_owned(), group.get("status").cloned().unwrap_or_default());
        for (from, to) in
            [("last_triggered_ts", "last_triggered"), ("last_resolved_ts", "last_resolved"), ("last_nodata_ts", "last_nodata")]
        {
            if let Some(time) = time(group, from) {
                told.insert(to.to_owned(), iso(time).into());
            }
        }
        Value::Object(told)
    };
    rows.into_iter().take(GROUPS).map(row).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn what_matters_comes_first_and_waste_is_named() {
        let mut notes = Vec::new();
        let monitor = json!({
            "org_id": 1, "created_at": 5, "created": "2026-01-01T00:00:00Z", "deleted": null, "id": 9_007_199_254_740_993_i64, "name": "n", "overall_state": "Alert",
            "options": {"thresholds": {"critical": 2.0}, "notify_no_data": false}, "query": "q", "priority": null,
            "state": {"groups": {"host:a": {"status": "Alert", "last_triggered_ts": 100}, "host:b": {"status": "Warn", "last_triggered_ts": 200, "last_resolved_ts": 0}}},
        });
        let told = told(monitor, &mut notes);
        assert_eq!(
            told,
            json!({
                "id": 9_007_199_254_740_993_i64, "name": "n", "overall_state": "Alert", "query": "q", "thresholds": {"critical": 2.0},
                "groups": [{"group": "host:b", "status": "Warn", "last_triggered": "1970-01-01T00:03:20Z"}, {"group": "host:a", "status": "Alert", "last_triggered": "1970-01-01T00:01:40Z"}],
                "created": "2026-01-01T00:00:00Z", "options": {"notify_no_data": false},
            })
        );
        assert_eq!(notes, ["Left out: created_at, org_id."]);
    }

    #[test]
    fn many_groups_are_counted() {
        let groups: Map<String, Value> =
            (0..60).map(|n| (format!("host:{n}"), json!({"status": "Alert", "last_triggered_ts": n + 1}))).collect();
        let mut notes = Vec::new();
        let Value::Array(rows) = grouped(&groups, &mut notes) else { panic!("rows") };
        assert_eq!((rows.len(), &rows[0]["group"]), (40, &json!("host:59")));
        assert!(notes[0].starts_with("40 of 60 groups"));
    }
}
