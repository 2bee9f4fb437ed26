//! Monitors: list, search, groups, get; create, change, mute and delete, which last as long as the sandbox.

use crate::call::{Call, Handler};
use crate::json::View;
use crate::query::{self, Searchable};
use crate::reply::{Answer, Reply};
use crate::story::World;
use crate::story::event::tag;
use crate::story::monitors::{self, AUTHOR};
use crate::time;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v1.ListMonitors" => list,
        "v1.SearchMonitors" => search,
        "v1.SearchMonitorGroups" => groups,
        "v1.GetMonitor" => get,
        "v1.CreateMonitor" => create,
        "v1.UpdateMonitor" => update,
        "v1.DeleteMonitor" => delete,
        "v1.ValidateMonitor" => |call| validated(call.object()?).map(|()| Reply::json(&json!({}))),
        "v1.CheckCanDeleteMonitor" => can_delete,
        _ => return None,
    })
}

/// The monitors as they are now.
#[derive(Debug)]
pub(crate) struct Monitors(Mutex<Vec<Value>>);

impl Monitors {
    pub(crate) fn new(world: &World) -> Self {
        Self(Mutex::new(monitors::make(world)))
    }

    /// Moves the times of the story's monitors to those of a world told anew; what was made or removed since stays so.
    pub(crate) fn renew(&self, world: &World) {
        let mut monitors = self.lock();
        for told in monitors::make(world) {
            if let Some(monitor) = monitors.iter_mut().find(|monitor| monitor["id"] == told["id"]) {
                for field in ["overall_state_modified", "state", "created", "created_at"] {
                    monitor[field] = told[field].clone();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A monitor as search sees it.
struct Found<'a> {
    monitor: &'a Value,
    tags: Vec<String>,
    id: String,
}

impl<'a> Found<'a> {
    fn new(monitor: &'a Value) -> Self {
        Self { monitor, tags: texts(&monitor["tags"]), id: monitor["id"].to_string() }
    }

    fn text(&self, field: &str) -> &'a str {
        self.monitor[field].as_str().unwrap_or_default()
    }
}

impl Searchable for Found<'_> {
    fn message(&self) -> &str {
        self.text("name")
    }

    fn key(&self, name: &str, see: &mut dyn FnMut(View<'_>) -> bool) -> bool {
        let value = match name {
            "status" => self.text("overall_state"),
            "type" => classification(self.text("type")),
            "title" | "name" => self.text("name"),
            "id" => &self.id,
            "notification" | "message" => self.text("message"),
            "query" | "metric" => self.text("query"),
            "tag" => return self.tags.iter().any(|tag| see(View::Text(tag))),
            "muted" => return see(View::Flag(muted(self.monitor))),
            "priority" => return self.monitor["priority"].as_u64().is_some_and(|priority| see(View::Text(&format!("p{priority}")))),
            _ => return tag(&self.tags, name, see),
        };
        see(View::Text(value))
    }

    fn attribute(&self, _: &str) -> Option<View<'_>> {
        None
    }

    fn attributes(&self, _: &mut dyn FnMut(View<'_>) -> bool) -> bool {
        false
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn muted(monitor: &Value) -> bool {
    monitor["options"]["silenced"].as_object().is_some_and(|silenced| !silenced.is_empty())
}

/// The word that search has for a monitor's type.
fn classification(kind: &str) -> &str {
    match kind {
        "query alert" | "metric alert" => "metric",
        other => other.split([' ', '-']).next().unwrap_or(other),
    }
}

fn not_found() -> Reply {
    Reply::errors(404, &["Monitor not found"])
}

/// The monitor without its groups, which only some answers have.
fn bare(monitor: &Value) -> Value {
    let mut monitor = monitor.clone();
    if let Some(object) = monitor.as_object_mut() {
        object.remove("state");
    }
    monitor
}

fn list(call: &Call<'_>) -> Answer {
    let monitors = call.inner.monitors.lock();
    let tags = call.params("monitor_tags");
    let scope = call.params("tags");
    let matching = monitors.iter().filter(|monitor| {
        let own = texts(&monitor["tags"]);
        call.param("name").is_none_or(|name| monitor["name"].as_str().is_some_and(|own| own.contains(name)))
            && tags.iter().chain(&scope).all(|tag| own.iter().any(|own| own == tag))
    });
    let with_groups = call.param("group_states").is_some();
    let shown = matching.map(|monitor| if with_groups { monitor.clone() } else { bare(monitor) });
    // Without a page every monitor comes.
    let page: Vec<Value> = if call.param("page").is_none() {
        shown.collect()
    } else {
        let size = call.page_size("page_size", 100, 1_000)?;
        shown.skip(call.offset("page")? * size).take(size).collect()
    };
    Ok(Reply::json(&Value::Array(page)))
}

/// Monitors that fit `query`, best state first as the UI sorts them.
fn matching<'a>(call: &Call<'_>, monitors: &'a [Value]) -> Result<Vec<&'a Value>, Reply> {
    let text = call.param("query").unwrap_or_default();
    let query = query::parse(text).map_err(|error| Reply::errors(400, &[&format!("Query parsing error: {error}")]))?;
    if let Some(status) = text.split_whitespace().find_map(|word| word.strip_prefix("status:")) {
        let status = status.trim_matches(['"', '(', ')']).to_lowercase();
        if !["alert", "warn", "no data", "no", "ok", "ignored", "skipped", "unknown"].contains(&status.as_str()) && !status.contains('*') {
            return Err(Reply::errors(400, &[&format!("Query parsing error: '{status}' is not a valid monitor status")]));
        }
    }
    let mut found: Vec<&Value> = monitors.iter().filter(|monitor| query.fits(&Found::new(monitor))).collect();
    let key = |monitor: &Value| monitor["name"].as_str().unwrap_or_default().to_owned();
    match call.param("sort").map(|sort| sort.split_once(',').unwrap_or((sort, "asc"))) {
        Some(("name", "desc")) => found.sort_by_key(|monitor| std::cmp::Reverse(key(monitor))),
        Some(("name", _)) => found.sort_by_key(|monitor| key(monitor)),
        _ => found.sort_by_key(|monitor| ["Alert", "Warn", "No Data", "OK"].iter().position(|state| monitor["overall_state"] == *state)),
    }
    Ok(found)
}

fn counted<T: Ord + Into<Value>>(values: impl Iterator<Item = T>) -> Value {
    let mut counts: BTreeMap<T, u64> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut counts: Vec<(T, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().map(|(name, count)| json!({"count": count, "name": name.into()})).collect()
}

fn counts(monitors: &[&Value]) -> Value {
    let text = |monitor: &&Value, field: &str| monitor[field].as_str().unwrap_or_default().to_owned();
    json!({
        "status": counted(monitors.iter().map(|monitor| text(monitor, "overall_state"))),
        "muted": counted(monitors.iter().map(|monitor| muted(monitor))),
        "tag": counted(monitors.iter().flat_map(|monitor| texts(&monitor["tags"]))),
        "type": counted(monitors.iter().map(|monitor| classification(&text(monitor, "type")).to_owned())),
    })
}

fn triggered(monitor: &Value) -> Value {
    if monitor["overall_state"] == "OK" {
        return Value::Null;
    }
    monitor["overall_state_modified"].as_str().and_then(|text| time::parse(text, 0)).map_or(Value::Null, |ms| json!(ms / 1_000))
}

fn paged(call: &Call<'_>, total: usize) -> Result<(usize, usize, Value), Reply> {
    let size = call.page_size("per_page", 30, 1_000)?;
    let page = call.offset("page")?;
    Ok((page * size, size, json!({"total_count": total, "page_count": total.div_ceil(size), "page": page, "per_page": size})))
}

fn search(call: &Call<'_>) -> Answer {
    let monitors = call.inner.monitors.lock();
    let found = matching(call, &monitors)?;
    let (skip, size, metadata) = paged(call, found.len())?;
    let row = |monitor: &&Value| {
        let query = monitor["query"].as_str().unwrap_or_default();
        let scope: Vec<&str> =
            query.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or(Vec::new(), |(scope, _)| scope.split(',').collect());
        let handles = monitor["message"].as_str().unwrap_or_default().split_whitespace().filter_map(|word| word.strip_prefix('@'));
        let notifications: Vec<Value> = handles.map(|handle| json!({"handle": handle, "name": handle})).collect();
        json!({
            "status": monitor["overall_state"], "scopes": scope, "classification": classification(monitor["type"].as_str().unwrap_or_default()),
            "creator": {"handle": AUTHOR.1, "id": AUTHOR.3, "name": AUTHOR.0}, "metrics": metrics(query), "notifications": notifications,
            "muted_until_ts": monitor["options"]["silenced"]["*"], "query": query, "id": monitor["id"], "last_triggered_ts": triggered(monitor),
            "name": monitor["name"], "tags": monitor["tags"], "org_id": monitor["org_id"], "priority": monitor["priority"],
            "overall_state_modified": monitor["overall_state_modified"], "restricted_roles": [], "type": monitor["type"],
        })
    };
    let rows: Vec<Value> = found.iter().skip(skip).take(size).map(row).collect();
    Ok(Reply::json(&json!({"counts": counts(&found), "monitors": rows, "metadata": metadata})))
}

/// Names of the metrics in a query: what stands between a colon and a brace.
fn metrics(query: &str) -> Vec<&str> {
    query.match_indices('{').filter_map(|(at, _)| query[..at].rsplit([':', ' ', '(']).next()).filter(|name| name.contains('.')).collect()
}

fn groups(call: &Call<'_>) -> Answer {
    let monitors = call.inner.monitors.lock();
    let found = matching(call, &monitors)?;
    let mut rows = Vec::new();
    for monitor in &found {
        for (name, group) in monitor["state"]["groups"].as_object().into_iter().flatten() {
            let tags = texts(&monitor["tags"]);
            let of = |prefix: &str| tags.iter().filter(|tag| tag.starts_with(prefix)).cloned().collect::<Vec<_>>();
            rows.push(json!({
                "status": group["status"], "last_nodata_ts": 0, "env_tags": of("env:"), "muted_remaining": Value::Null, "muted_until_ts": Value::Null,
                "all_tags": tags, "monitor_name": monitor["name"], "team_tags": of("team:"), "last_triggered_ts": group["last_triggered_ts"],
                "group": name, "downtimes": [], "monitor_id": monitor["id"], "priority": monitor["priority"], "muted": muted(monitor), "group_tags": [name],
            }));
        }
    }
    let (skip, size, metadata) = paged(call, rows.len())?;
    let page: Vec<Value> = rows.into_iter().skip(skip).take(size).collect();
    Ok(Reply::json(&json!({"counts": counts(&found), "groups": page, "metadata": metadata})))
}

/// The position of the monitor in the path.
fn position(call: &Call<'_>, monitors: &[Value]) -> Result<usize, Reply> {
    let id: u64 = call.segment("monitor_id").parse().map_err(|_| Reply::errors(400, &["The monitor id must be a number"]))?;
    monitors.iter().position(|monitor| monitor["id"] == id).ok_or_else(not_found)
}

fn get(call: &Call<'_>) -> Answer {
    let monitors = call.inner.monitors.lock();
    let monitor = &monitors[position(call, &monitors)?];
    let mut shown = if call.param("group_states").is_some() { monitor.clone() } else { bare(monitor) };
    if !call.flag("with_downtimes")
        && let Some(object) = shown.as_object_mut()
    {
        object.remove("matching_downtimes");
    }
    Ok(Reply::json(&shown))
}

fn validated(body: &Map<String, Value>) -> Result<(), Reply> {
    let bad = |parameter: &str, why: &str| {
        Err(Reply::errors(400, &[&format!("The value provided for parameter '{parameter}' is invalid: {why}")]))
    };
    match (body.get("type").and_then(Value::as_str), body.get("query").and_then(Value::as_str)) {
        (None, _) => bad("type", "it is required"),
        (_, None) => bad("query", "it is required"),
        (Some("synthetics alert"), _) => Ok(()),
        (_, Some(query)) if !query.contains(['>', '<', '=']) => bad("query", "invalid operator specified: "),
        _ => Ok(()),
    }
}

fn create(call: &Call<'_>) -> Answer {
    let body = call.object()?;
    validated(body)?;
    let mut monitors = call.inner.monitors.lock();
    let id = monitors.iter().filter_map(|monitor| monitor["id"].as_u64()).max().unwrap_or_default() + 11;
    let now = time::iso_offset(call.now);
    let mut monitor = json!({
        "id": id, "org_id": 1_200_001, "type": Value::Null, "name": "", "message": "", "tags": [], "query": "", "options": {}, "multi": false,
        "created_at": call.now, "created": now, "modified": now, "deleted": Value::Null, "priority": Value::Null, "restricted_roles": Value::Null,
        "draft_status": "published", "assets": [], "overall_state_modified": Value::Null, "overall_state": "No Data",
        "creator": {"name": AUTHOR.0, "handle": AUTHOR.1, "email": AUTHOR.1, "id": AUTHOR.3}, "matching_downtimes": [], "state": {"groups": {}},
    });
    apply(&mut monitor, body);
    monitor["options"]["silenced"] = monitor["options"].get("silenced").cloned().unwrap_or_else(|| json!({}));
    let shown = bare(&monitor);
    monitors.push(monitor);
    Ok(Reply::json(&shown))
}

/// Takes over what a body may set.
fn apply(monitor: &mut Value, body: &Map<String, Value>) {
    for field in ["type", "name", "message", "tags", "query", "priority", "restricted_roles"] {
        if let Some(value) = body.get(field) {
            monitor[field] = value.clone();
        }
    }
    for (name, value) in body.get("options").and_then(Value::as_object).into_iter().flatten() {
        monitor["options"][name] = value.clone();
    }
    monitor["multi"] = json!(monitor["query"].as_str().is_some_and(|query| query.contains(" by {")));
}

fn update(call: &Call<'_>) -> Answer {
    let body = call.object()?;
    let mut monitors = call.inner.monitors.lock();
    let at = position(call, &monitors)?;
    let monitor = &mut monitors[at];
    apply(monitor, body);
    monitor["modified"] = json!(time::iso_offset(call.now));
    Ok(Reply::json(&bare(monitor)))
}

fn delete(call: &Call<'_>) -> Answer {
    let mut monitors = call.inner.monitors.lock();
    let at = position(call, &monitors)?;
    let gone = monitors.remove(at);
    Ok(Reply::json(&json!({"deleted_monitor_id": gone["id"]})))
}

fn can_delete(call: &Call<'_>) -> Answer {
    let monitors = call.inner.monitors.lock();
    let wanted: Vec<u64> = call.params("monitor_ids").into_iter().filter_map(|id| id.parse().ok()).collect();
    let known: Vec<u64> = wanted.into_iter().filter(|id| monitors.iter().any(|monitor| monitor["id"] == *id)).collect();
    if known.is_empty() { Err(not_found()) } else { Ok(Reply::json(&json!({"data": {"ok": known}, "errors": Value::Null}))) }
}
