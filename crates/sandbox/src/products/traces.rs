//! A trace by its id, whole or pruned. Ids are unsigned 64-bit numbers here, texts everywhere else.

use crate::call::{Call, Handler};
use crate::json::{Scalar, key, put, text};
use crate::reply::{Answer, JSON, Reply};
use crate::story::huge_trace;
use crate::story::spans::Span;
use crate::time;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v2.GetTraceByID" => whole,
        "v2.GetPrunedTraceByID" => pruned,
        _ => return None,
    })
}

/// A 64-bit id in decimal, or the 128-bit one in 32 hexadecimal digits.
fn read_id(given: &str) -> Option<u64> {
    if given.len() == 32 {
        return u64::from_str_radix(given.get(16..)?, 16).ok();
    }
    given.parse().ok()
}

fn find(call: &Call<'_>) -> Result<(u64, Vec<Span>), Reply> {
    let given = call.segment("trace_id");
    let trace = read_id(given)
        .ok_or_else(|| Reply::stated(400, "Bad Request", "the trace id is neither a decimal number nor 32 hexadecimal digits"))?;
    let world = call.world();
    let spans = if trace == world.story.huge_trace { huge_trace(world) } else { world.spans().of(trace).into_iter().cloned().collect() };
    if spans.is_empty() {
        return Err(Reply::stated(404, "Not Found", "no such trace is retained"));
    }
    Ok((trace, spans))
}

fn full_id(trace: u64, spans: &[Span]) -> String {
    let seconds = spans.iter().map(|span| span.start).min().unwrap_or_default() / 1_000_000_000;
    format!("{seconds:08x}00000000{trace:016x}")
}

fn whole(call: &Call<'_>) -> Answer {
    let (trace, spans) = find(call)?;
    let full = full_id(trace, &spans);
    let mut out = String::with_capacity(spans.len() * 700 + 200);
    put(&mut out, format_args!("{{\"data\":{{\"id\":\"{full}\",\"type\":\"trace\",\"attributes\":{{\"is_truncated\":false,\"spans\":["));
    for (nth, span) in spans.iter().enumerate() {
        if nth > 0 {
            out.push(',');
        }
        put(&mut out, format_args!("{{\"traceID\":{trace},\"traceIDFull\":\"{full}\",\"spanID\":{},\"parentID\":{}", span.id, span.parent));
        for (name, value) in [("service", span.service), ("name", span.operation), ("resource", &*span.resource), ("type", span.kind)] {
            key(&mut out, name, &mut false);
            text(&mut out, value);
        }
        put(
            &mut out,
            format_args!(
                ",\"startTime\":{},\"endTime\":{},\"duration\":{},\"error\":{},\"meta\":{{",
                span.start,
                span.start + span.duration,
                span.duration,
                i32::from(span.error)
            ),
        );
        let mut first = true;
        for (path, value) in span.attributes.iter().filter(|(_, value)| !numeric(value)) {
            key(&mut out, path, &mut first);
            text(&mut out, &value.view().text());
        }
        out.push_str("},\"metrics\":{");
        first = true;
        for (path, value) in span.attributes.iter().filter(|(_, value)| numeric(value)) {
            key(&mut out, path, &mut first);
            out.push_str(&value.view().text());
        }
        out.push_str("}}");
    }
    out.push_str("]}}}");
    Ok(Reply::text(JSON, out))
}

/// Numbers stand under `metrics`, all else under `meta`.
fn numeric(value: &Scalar) -> bool {
    matches!(value, Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_))
}

/// Children shown below one span before the rest is only counted.
const SHOWN: usize = 20;

fn pruned(call: &Call<'_>) -> Answer {
    let (trace, spans) = find(call)?;
    let include = call.params("tag_include");
    let entries = call.flag("only_service_entry_spans");
    let by_id: HashMap<u64, &Span> = spans.iter().map(|span| (span.id, span)).collect();
    let mut children: HashMap<u64, Vec<&Span>> = HashMap::new();
    let mut roots = Vec::new();
    for span in &spans {
        if by_id.contains_key(&span.parent) { children.entry(span.parent).or_default().push(span) } else { roots.push(span) }
    }
    let expand = call.number("expand_span_id")?.map(|id| id as u64);
    let tree = Tree { children: &children, include: &include, entries, expand };
    let root = roots.first().map_or(Value::Null, |root| tree.node(root, 0));
    let full = full_id(trace, &spans);
    let size = root.to_string().len();
    Ok(Reply::json(&json!({"data": {"id": full, "type": "pruned_trace", "attributes": {
        "is_truncated": spans.len() > SHOWN * 10, "size_bytes": size, "summarized_trace": {"root": root, "traceId": full}}}})))
}

struct Tree<'a> {
    children: &'a HashMap<u64, Vec<&'a Span>>,
    include: &'a [&'a str],
    entries: bool,
    expand: Option<u64>,
}

impl Tree<'_> {
    fn node(&self, span: &Span, depth: usize) -> Value {
        let below = self.children.get(&span.id).map_or(&[][..], Vec::as_slice);
        let shown = if depth > 60 {
            0
        } else if self.expand == Some(span.id) {
            usize::MAX
        } else {
            SHOWN
        };
        let wanted = |child: &&&Span| !self.entries || child.service != span.service;
        let nodes: Vec<Value> = below.iter().filter(wanted).take(shown).map(|child| self.node(child, depth + 1)).collect();
        let pick = |number: bool| -> Map<String, Value> {
            let own = span
                .attributes
                .iter()
                .filter(|(path, value)| numeric(value) == number && (self.include.is_empty() || self.include.contains(path)));
            own.map(|(path, value)| (path.to_owned(), if number { json!(value.view().number()) } else { json!(value.view().text()) }))
                .collect()
        };
        json!({
            "spanID": span.id, "parentID": span.parent, "service": span.service, "name": span.operation, "resource": span.resource,
            "span_kind": if span.kind == "web" { "SERVER" } else { "CLIENT" }, "startTime": time::iso(span.start / 1_000_000),
            "endTime": time::iso((span.start + span.duration) / 1_000_000), "durationSeconds": span.duration as f64 / 1e9, "error": i32::from(span.error),
            "meta": pick(false), "metrics": pick(true), "hidden_child_spans_count": below.len() - nodes.len(), "children": nodes,
        })
    }
}
