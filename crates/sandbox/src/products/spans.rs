//! Spans: search and aggregate. Bodies are wrapped in `data.attributes`, measures stand under `compute` (not `computes`).

use super::aggregate_request;
use crate::aggregate::{self, Bucket};
use crate::call::{Call, Handler};
use crate::dice::Dice;
use crate::json::{self, key};
use crate::reply::{Answer, JSON_API, Reply};
use crate::search::{self, Search};
use crate::story::spans::Span;
use crate::time;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v2.ListSpans" => |call| Ok(list(call, &Search::of_body(wrapped(call, "search_request")?, call, refuse)?)),
        "v2.ListSpansGet" => |call| Ok(list(call, &Search::of_query(call, refuse)?)),
        "v2.AggregateSpans" => aggregate,
        _ => return None,
    })
}

fn refuse(field: &str, why: &str) -> Reply {
    let status = if field == "filter.from,to" { 422 } else { 400 };
    Reply::detailed(status, "Generic Error", &format!("invalid_argument(Field '{field}' is invalid: {why})"))
}

/// `data.attributes` of a body whose `data.type` is `kind`.
fn wrapped<'a>(call: &'a Call<'_>, kind: &str) -> Result<&'a Value, Reply> {
    let data = &call.body["data"];
    if data["type"].as_str() != Some(kind) || !data["attributes"].is_object() {
        return Err(refuse("data", &format!("an object of type {kind} with attributes is needed")));
    }
    Ok(&data["attributes"])
}

fn at(span: &Span) -> i64 {
    span.start / 1_000_000
}

fn list(call: &Call<'_>, search: &Search) -> Reply {
    let spans = &call.world().spans().list;
    let (page, cursor) = search.page(spans, at, |_| true);
    let mut out = String::with_capacity(page.len() * 2_500 + 500);
    out.push_str("{\"data\":[");
    for (nth, at) in page.iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        write(&mut out, &spans[*at]);
    }
    out.push(']');
    search::close(&mut out, call, "/api/v2/spans/events", search, cursor, true);
    Reply::text(JSON_API, out)
}

fn write(out: &mut String, span: &Span) {
    let mut id = [0_u8; 15];
    id[..7].copy_from_slice(&span.start.to_be_bytes()[1..]);
    id[7..].copy_from_slice(&span.id.to_be_bytes());
    let hash = format!("{:016x}", Dice::of(0, &span.resource, 0).next());
    let reason = if span.error { "error_sampling" } else { "diversity_sampling" };
    let fields: [(&str, &str); 13] = [
        ("end_timestamp", &time::iso((span.start + span.duration) / 1_000_000)),
        ("env", span.env),
        ("host", &span.host),
        ("ingestion_reason", "auto"),
        ("parent_id", &span.parent.to_string()),
        ("resource_hash", &hash),
        ("resource_name", &span.resource),
        ("retained_by", reason),
        ("service", span.service),
        ("span_id", &span.id.to_string()),
        ("start_timestamp", &time::iso(at(span))),
        ("trace_id", &span.trace.to_string()),
        ("type", span.kind),
    ];
    json::put(out, format_args!("{{\"id\":\"{}\",\"type\":\"spans\",\"attributes\":{{\"custom\":", URL_SAFE_NO_PAD.encode(id)));
    let custom = out.len();
    span.attributes.write(out);
    let rest = if out.len() - custom > 2 { "," } else { "" };
    out.insert_str(custom + 1, &format!("\"duration\":{}{rest}", span.duration));
    let mut first = false;
    for (name, value) in fields {
        key(out, name, &mut first);
        json::text(out, value);
    }
    out.push_str(",\"single_span\":false,\"tags\":");
    json::texts(out, &span.tags);
    out.push_str("}}");
}

fn aggregate(call: &Call<'_>) -> Answer {
    let body = wrapped(call, "aggregate_request")?;
    let search = Search::of_body(&json!({"filter": body["filter"]}), call, refuse)?;
    let computes = aggregate_request::computes(body, refuse)?;
    let groups = aggregate_request::groups(body, refuse)?;
    let spans = &call.world().spans().list;
    let matching: Vec<(i64, &Span)> = spans
        .iter()
        .filter(|span| (search.from..=search.to).contains(&at(span)) && search.query.fits(*span))
        .map(|span| (at(span), span))
        .collect();
    let buckets = aggregate::buckets(&matching, &computes, &groups);
    let data: Vec<Value> = buckets
        .into_iter()
        .enumerate()
        .map(|(nth, Bucket { by, computes })| json!({"type": "bucket", "id": Dice::of(call.now as u64, "bucket", nth as u64).uuid(), "attributes": {"compute": computes, "by": by}}))
        .collect();
    Ok(Reply::json(&json!({"data": data, "meta": {"elapsed": 27, "request_id": search::request_id(call.now), "status": "done"}})))
}
