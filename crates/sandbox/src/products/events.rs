//! The event stream: v2 search, list and get; v1 list and get.

use crate::call::{Call, Handler};
use crate::json;
use crate::reply::{Answer, JSON, Reply};
use crate::search::{self, Search};
use crate::story::event::Event;
use crate::time;
use serde_json::{Value, json};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v2.SearchEvents" => |call| Ok(list(call, &Search::of_body(&call.body, call, Reply::invalid)?)),
        "v2.ListEvents" => |call| Ok(list(call, &Search::of_query(call, Reply::invalid)?)),
        "v2.GetEvent" => get,
        "v1.ListEvents" => list_v1,
        "v1.GetEvent" => get_v1,
        _ => return None,
    })
}

fn list(call: &Call<'_>, search: &Search) -> Reply {
    let events = call.world().events();
    let (page, cursor) = search.page(events, |event| event.at, |_| true);
    let mut out = String::from("{\"data\":[");
    for (nth, at) in page.iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        write(&mut out, &events[*at], *at);
    }
    out.push(']');
    search::close(&mut out, call, "/api/v2/events", search, cursor, false);
    Reply::text(JSON, out)
}

/// One event; title, status and the rest stand in `attributes.attributes`.
fn write(out: &mut String, event: &Event, at: usize) {
    json::put(
        out,
        format_args!(
            "{{\"id\":\"{}\",\"type\":\"event\",\"attributes\":{{\"timestamp\":\"{}\",\"message\":",
            event.id(at),
            time::iso_seconds(event.at)
        ),
    );
    json::text(out, &event.message);
    out.push_str(",\"tags\":");
    json::texts(out, &event.tags);
    out.push_str(",\"attributes\":");
    event.attributes.write(out);
    out.push_str("}}");
}

fn text(event: &Event, path: &str) -> String {
    event.attributes.get(path).map(|value| value.view().text().into_owned()).unwrap_or_default()
}

fn get(call: &Call<'_>) -> Answer {
    let wanted = call.segment("event_id");
    let events = call.world().events();
    let at = events.iter().enumerate().position(|(at, event)| event.id(at) == wanted || text(event, "evt.id") == wanted);
    let at = at.ok_or_else(|| Reply::errors(404, &["Event not found"]))?;
    let mut out = String::from("{\"data\":");
    write(&mut out, &events[at], at);
    out.push('}');
    Ok(Reply::text(JSON, out))
}

/// The flat shape of v1; texts are Markdown, marked with `%%%`.
fn flat(event: &Event) -> Value {
    let id = text(event, "evt.id");
    let monitor = event.attributes.get("monitor.id").and_then(|id| id.view().number()).map(|id| id as u64);
    json!({
        "id": id.parse::<u64>().unwrap_or_default(), "id_str": id, "date_happened": event.at / 1_000, "title": text(event, "title"),
        "text": format!("%%%\n{}\n%%%", event.message), "alert_type": if event.status == "warn" { "warning" } else { event.status },
        "priority": "normal", "source": text(event, "sourcecategory"), "host": Value::Null, "tags": &*event.tags, "device_name": Value::Null,
        "is_aggregate": false, "comments": [], "monitor_id": monitor, "monitor_groups": [], "monitor_group_status": Value::Null,
        "resource": format!("/api/v1/events/{id}"), "url": format!("/event/event?id={id}"),
    })
}

fn list_v1(call: &Call<'_>) -> Answer {
    /// Events of one page.
    const PAGE: usize = 1_000;
    let (Some(start), Some(end)) = (call.seconds("start")?, call.seconds("end")?) else {
        return Err(Reply::errors(400, &["start and end are required, in seconds"]));
    };
    if start > end {
        return Err(Reply::errors(400, &["end param must be greater than start param"]));
    }
    let tags = call.params("tags");
    let sources = call.params("sources");
    let page = call.offset("page")?;
    let fits = |event: &&Event| {
        (start..=end).contains(&(event.at / 1_000))
            && tags.iter().all(|tag| event.tags.iter().any(|own| own == tag))
            && (sources.is_empty() || sources.iter().any(|source| event.tags.contains(&format!("source:{source}"))))
            && call.param("priority").is_none_or(|priority| priority == "normal")
    };
    let rows: Vec<Value> = call.world().events().iter().rev().filter(fits).skip(page * PAGE).take(PAGE).map(flat).collect();
    Ok(Reply::json(&json!({ "events": rows })))
}

fn get_v1(call: &Call<'_>) -> Answer {
    let wanted = call.segment("event_id");
    let found = call.world().events().iter().find(|event| text(event, "evt.id") == wanted);
    let event = found.ok_or_else(|| Reply::errors(404, &["No event matches that event_id"]))?;
    Ok(Reply::json(&json!({ "event": flat(event) })))
}
