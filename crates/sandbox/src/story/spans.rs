//! Spans: the record, its fields as queries see them, and the retained spans of all requests.

use super::event::tag;
use super::traces;
use super::{World, topology::service};
use crate::dice::Dice;
use crate::json::{Attributes, Scalar, View};
use crate::query::Searchable;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// One span. Times in nanoseconds.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) start: i64,
    pub(crate) duration: i64,
    pub(crate) trace: u64,
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) resource: Cow<'static, str>,
    /// `web`, `http`, `sql`, `cache`, `queue`, `worker`.
    pub(crate) kind: &'static str,
    pub(crate) error: bool,
    pub(crate) env: &'static str,
    pub(crate) host: Arc<str>,
    pub(crate) tags: Arc<[String]>,
    /// Custom attributes, without `duration`.
    pub(crate) attributes: Attributes,
}

/// Retained spans by start, and where the spans of each trace are.
#[derive(Debug)]
pub(crate) struct Spans {
    pub(crate) list: Vec<Span>,
    by_trace: HashMap<u64, Vec<u32>>,
}

/// Number, within the trace of a checkout, of the statement that lost its index.
pub(crate) const SLOW_QUERY: u64 = 6;

/// Id of the `number`-th span of a trace.
pub(crate) fn span_id(trace: u64, number: u64) -> u64 {
    Dice::of(trace, "span", number).next() | 1
}

/// Number of the span that `service` logs under.
pub(crate) fn of_service(at: usize) -> u64 {
    match at {
        service::STOREFRONT => 1,
        service::CART => 4,
        service::ORDERS_DB => SLOW_QUERY,
        service::PAYMENT => 8,
        service::NOTIFICATION => 12,
        _ => 3,
    }
}

/// All retained spans.
pub(crate) fn make(world: &World) -> Spans {
    let mut list = Vec::new();
    for request in world.requests().iter().filter(|request| request.traced) {
        traces::tell(world, request, &mut list);
    }
    list.extend(traces::huge_trace(world).into_iter().take(12));
    list.sort_by_key(|span| span.start);
    let mut by_trace: HashMap<u64, Vec<u32>> = HashMap::new();
    for (at, span) in list.iter().enumerate() {
        by_trace.entry(span.trace).or_default().push(at as u32);
    }
    Spans { list, by_trace }
}

impl Spans {
    /// The spans of a trace by start; empty when it was not retained.
    pub(crate) fn of(&self, trace: u64) -> Vec<&Span> {
        self.by_trace.get(&trace).into_iter().flatten().filter_map(|at| self.list.get(*at as usize)).collect()
    }
}

impl Searchable for Span {
    fn message(&self) -> &str {
        &self.resource
    }

    fn key(&self, name: &str, see: &mut dyn FnMut(View<'_>) -> bool) -> bool {
        let reserved = match name {
            "service" => see(View::Text(self.service)),
            "env" => see(View::Text(self.env)),
            "resource_name" => see(View::Text(&self.resource)),
            "operation_name" => see(View::Text(self.operation)),
            "type" => see(View::Text(self.kind)),
            "status" => see(View::Text(if self.error { "error" } else { "ok" })),
            "trace_id" => see(View::Uint(self.trace)),
            "span_id" => see(View::Uint(self.id)),
            "parent_id" => see(View::Uint(self.parent)),
            "host" => see(View::Text(&self.host)),
            _ => false,
        };
        // The env, service and host of the pod are tags too; the span's own come first.
        reserved || !matches!(name, "service" | "env" | "host") && tag(&self.tags, name, see)
    }

    fn attribute(&self, path: &str) -> Option<View<'_>> {
        match path {
            "duration" => Some(View::Int(self.duration)),
            "trace_id" => Some(View::Uint(self.trace)),
            "span_id" => Some(View::Uint(self.id)),
            "service" => Some(View::Text(self.service)),
            _ => self.attributes.get(path).map(Scalar::view),
        }
    }

    fn attributes(&self, see: &mut dyn FnMut(View<'_>) -> bool) -> bool {
        self.attributes.iter().any(|(_, value)| see(value.view()))
    }
}
