//! Database Monitoring samples and plans, through the list endpoint that no specification names (`reference/pup.md` §5.1).

use crate::call::{Call, Handler};
use crate::json::put;
use crate::reply::{Answer, JSON, Reply};
use crate::search::{self, Search};
use crate::time;
use serde_json::{Value, json};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    (operation == "x.ListDatabaseQuerySamples").then_some(list)
}

fn refuse(field: &str, why: &str) -> Reply {
    Reply::errors(400, &[&format!("Field '{field}' is invalid: {why}")])
}

fn list(call: &Call<'_>) -> Answer {
    let list = &call.body["list"];
    if !list.is_object() {
        return Err(refuse("list", "an object is needed"));
    }
    if !list["indexes"].as_array().is_some_and(|indexes| indexes.iter().any(|index| index == "databasequery")) {
        return Err(refuse("list.indexes", "databasequery is the index"));
    }
    let ascending = list["sorts"].pointer("/0/time/order").and_then(Value::as_str) == Some("asc");
    let request = json!({
        "filter": {"query": list["search"]["query"], "from": list["time"]["from"], "to": list["time"]["to"]},
        "page": {"limit": list["limit"]},
        "sort": if ascending { "timestamp" } else { "-timestamp" },
    });
    let search = Search::of_body(&request, call, refuse)?;
    let samples = call.world().dbm();
    let (page, _) = search.page(samples, |event| event.at, |_| true);
    let mut out = String::from("{\"status\":\"done\",\"result\":{\"events\":[");
    for (nth, at) in page.iter().enumerate() {
        let event = &samples[*at];
        let id = event.id(*at);
        if nth > 0 {
            out.push(',');
        }
        let head =
            json!({"id": id, "timestamp": time::iso(event.at), "host": &*event.host, "service": event.service, "status": event.status,
            "source": "postgres", "message": event.message, "tags": &*event.tags})
            .to_string();
        put(
            &mut out,
            format_args!(
                "{{\"columns\":[],\"datadog.index\":\"databasequery\",\"event_id\":\"{id}\",\"event\":{},\"custom\":",
                &head[..head.len() - 1]
            ),
        );
        event.attributes.write(&mut out);
        out.push_str("}}");
    }
    let tail = json!({"requestId": search::request_id(call.now), "hitCount": page.len(), "elapsed": 38, "type": "list"}).to_string();
    put(&mut out, format_args!("]}},{}", &tail[1..]));
    Ok(Reply::text(JSON, out))
}
