//! RUM: events (search, list, aggregate) and applications.

use super::aggregate_request;
use crate::aggregate::{self, Bucket};
use crate::call::{Call, Handler};
use crate::json;
use crate::reply::{Answer, JSON, Reply};
use crate::search::{self, Search};
use crate::story::event::Event;
use crate::story::monitors::AUTHOR;
use crate::time;
use serde_json::{Value, json};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v2.SearchRUMEvents" => |call| Ok(list(call, &Search::of_body(&call.body, call, Reply::invalid)?)),
        "v2.ListRUMEvents" => |call| Ok(list(call, &Search::of_query(call, Reply::invalid)?)),
        "v2.AggregateRUMEvents" => aggregate,
        "v2.GetRUMApplications" => |call| Ok(Reply::json(&json!({"data": [application(call)]}))),
        "v2.GetRUMApplication" => get,
        _ => return None,
    })
}

fn list(call: &Call<'_>, search: &Search) -> Reply {
    let events = call.world().rum();
    let (page, cursor) = search.page(events, |event| event.at, |_| true);
    let mut out = String::from("{\"data\":[");
    for (nth, at) in page.iter().enumerate() {
        let event = &events[*at];
        if nth > 0 {
            out.push(',');
        }
        json::put(
            &mut out,
            format_args!(
                "{{\"id\":\"{}\",\"type\":\"rum\",\"attributes\":{{\"timestamp\":\"{}\",\"service\":\"storefront-web\",\"tags\":",
                event.id(*at),
                time::iso(event.at)
            ),
        );
        json::texts(&mut out, &event.tags);
        out.push_str(",\"attributes\":");
        event.attributes.write(&mut out);
        out.push_str("}}");
    }
    out.push(']');
    search::close(&mut out, call, "/api/v2/rum/events", search, cursor, false);
    Reply::text(JSON, out)
}

fn aggregate(call: &Call<'_>) -> Answer {
    let search = Search::of_body(&json!({"filter": call.object()?.get("filter")}), call, Reply::invalid)?;
    let computes = aggregate_request::computes(&call.body, Reply::invalid)?;
    let groups = aggregate_request::groups(&call.body, Reply::invalid)?;
    let events = call.world().rum().iter();
    let matching: Vec<(i64, &Event)> = events
        .filter(|event| (search.from..=search.to).contains(&event.at) && search.query.fits(*event))
        .map(|event| (event.at, event))
        .collect();
    let buckets = aggregate::buckets(&matching, &computes, &groups).into_iter();
    let buckets: Vec<Value> = buckets.map(|Bucket { by, computes }| json!({"by": by, "computes": computes})).collect();
    Ok(Reply::json(
        &json!({"meta": {"elapsed": 31, "request_id": search::request_id(call.now), "status": "done"}, "data": {"buckets": buckets}}),
    ))
}

fn application(call: &Call<'_>) -> Value {
    let id = &call.world().story.rum_application_id;
    let created = call.world().now - 420 * 86_400_000;
    json!({"type": "rum_application", "id": id, "attributes": {
        "application_id": id, "name": "storefront-web", "type": "browser", "is_active": true, "org_id": 1_200_001, "created_at": created,
            "updated_at": created + 86_400_000,
        "created_by_handle": AUTHOR.1, "updated_by_handle": AUTHOR.1, "tags": [], "product_analytics_replay_sample_rate": 0,
        "product_scales": {"rum_event_processing_scale": {"state": "ALL", "last_modified_at": created},
            "product_analytics_retention_scale": {"state": "NONE", "last_modified_at": created}},
    }})
}

fn get(call: &Call<'_>) -> Answer {
    if call.segment("id") == call.world().story.rum_application_id {
        Ok(Reply::json(&json!({"data": application(call)})))
    } else {
        Err(Reply::errors(404, &["Application not found"]))
    }
}
