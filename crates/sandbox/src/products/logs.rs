//! Logs: search (v2 and v1) and aggregate, with storage tiers and their retention.

use super::aggregate_request;
use crate::aggregate::{self, Bucket};
use crate::call::{Call, Handler};
use crate::json;
use crate::reply::{Answer, JSON, Reply};
use crate::search::{self, Search};
use crate::story::event::Event;
use crate::time;
use serde_json::{Value, json};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v2.ListLogs" => |call| list(call, &Search::of_body(&call.body, call, Reply::invalid)?),
        "v2.ListLogsGet" => |call| list(call, &Search::of_query(call, Reply::invalid)?),
        "v2.AggregateLogs" => aggregate,
        "v1.ListLogs" => list_v1,
        _ => return None,
    })
}

const DAY: i64 = 86_400_000;

/// Where a log of this age is kept: indexes for 15 days, flex until 60, archives beyond. A search beyond a tier's
/// retention finds what is there and says nothing, as Datadog does.
fn tier(at: i64, now: i64) -> &'static str {
    match now - at {
        age if age < 15 * DAY => "indexes",
        age if age < 60 * DAY => "flex",
        _ => "online-archives",
    }
}

/// Which logs a search looks at.
fn reach<'a>(search: &'a Search, call: &'a Call<'_>) -> Result<impl Fn(&Event) -> bool + use<'a>, Reply> {
    let wanted = search.tier.as_deref().unwrap_or("indexes");
    if !["indexes", "flex", "online-archives"].contains(&wanted) {
        return Err(Reply::invalid("filter.storage_tier", "indexes, flex and online-archives are the tiers"));
    }
    let now = call.world().now;
    Ok(move |event: &Event| tier(event.at, now) == wanted && in_indexes(event, &search.indexes))
}

fn in_indexes(event: &Event, indexes: &[String]) -> bool {
    indexes.is_empty() || indexes.iter().any(|index| index == "*" || index == event.index)
}

fn list(call: &Call<'_>, search: &Search) -> Answer {
    let logs = call.world().logs();
    let (page, cursor) = search.page(logs, |event| event.at, reach(search, call)?);
    let mut out = String::with_capacity(page.len() * 2_500 + 500);
    out.push_str("{\"data\":[");
    for (nth, at) in page.iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        write(&mut out, &logs[*at], *at);
    }
    out.push(']');
    search::close(&mut out, call, "/api/v2/logs/events", search, cursor, false);
    Ok(Reply::text(JSON, out))
}

/// One event as v2 shows it; `service` is missing when unset.
fn write(out: &mut String, event: &Event, at: usize) {
    out.push_str("{\"id\":");
    json::text(out, &event.id(at));
    out.push_str(",\"type\":\"log\",\"attributes\":{\"timestamp\":");
    json::text(out, &time::iso(event.at));
    out.push_str(",\"status\":");
    json::text(out, event.status);
    if let Some(service) = event.service {
        out.push_str(",\"service\":");
        json::text(out, service);
    }
    out.push_str(",\"host\":");
    json::text(out, &event.host);
    out.push_str(",\"message\":");
    json::text(out, &event.message);
    out.push_str(",\"tags\":");
    json::texts(out, &event.tags);
    out.push_str(",\"attributes\":");
    event.attributes.write(out);
    out.push_str("}}");
}

fn aggregate(call: &Call<'_>) -> Answer {
    let search = Search::of_body(&json!({"filter": call.object()?.get("filter")}), call, Reply::invalid)?;
    let computes = aggregate_request::computes(&call.body, Reply::invalid)?;
    let groups = aggregate_request::groups(&call.body, Reply::invalid)?;
    let reach = reach(&search, call)?;
    let logs = call.world().logs();
    let matching: Vec<(i64, &Event)> = logs
        .iter()
        .filter(|event| (search.from..=search.to).contains(&event.at) && reach(event) && search.query.fits(*event))
        .map(|event| (event.at, event))
        .collect();
    let buckets = aggregate::buckets(&matching, &computes, &groups);
    let buckets: Vec<Value> = buckets.into_iter().map(|Bucket { by, computes }| json!({"by": by, "computes": computes})).collect();
    Ok(Reply::json(&json!({
        "meta": {"elapsed": 24, "request_id": search::request_id(call.now), "status": "done"},
        "data": {"buckets": buckets},
    })))
}

/// The older list: `{query, time:{from,to}, limit, startAt, sort}` → `logs[]` and `nextLogId`.
fn list_v1(call: &Call<'_>) -> Answer {
    let body = call.object()?;
    let text = |name: &str| body.get(name).cloned().unwrap_or(Value::Null);
    let time = text("time");
    let sort = match body.get("sort").and_then(Value::as_str) {
        Some("asc") => "timestamp",
        _ => "-timestamp",
    };
    let indexes = body.get("index").and_then(Value::as_str).map(|index| json!([index]));
    let request = json!({
        "filter": {"query": text("query"), "from": time["from"], "to": time["to"], "indexes": indexes},
        "page": {"limit": text("limit"), "cursor": text("startAt")},
        "sort": sort,
    });
    let search =
        Search::of_body(&request, call, |_, why| Reply::with(400, &json!({"error": {"code": "InvalidArgument", "message": why}})))?;
    let logs = call.world().logs();
    let (page, cursor) = search.page(logs, |event| event.at, reach(&search, call)?);
    let mut out = String::from("{\"logs\":[");
    for (nth, at) in page.iter().enumerate() {
        let event = &logs[*at];
        if nth > 0 {
            out.push(',');
        }
        let head = json!({"timestamp": time::iso(event.at), "host": &*event.host, "service": event.service, "message": event.message, "tags": &*event.tags});
        let head = head.to_string();
        json::put(&mut out, format_args!("{{\"id\":\"{}\",\"content\":{},\"attributes\":", event.id(*at), &head[..head.len() - 1]));
        event.attributes.write(&mut out);
        out.push_str("}}");
    }
    let tail = json!({"nextLogId": cursor, "requestId": search::request_id(call.now), "status": "done"}).to_string();
    json::put(&mut out, format_args!("],{}", &tail[1..]));
    Ok(Reply::text(JSON, out))
}
