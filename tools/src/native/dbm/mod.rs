//! Database Monitoring: query samples and explain plans (`reference/pup.md` §5.1; no official operation exists).

mod fetch;
mod nothing;
mod plans;
mod samples;
mod tree;

use super::{search::link, tool};
use crate::{CallContext, TimeRange, Tool};
use serde_json::Value;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(samples::DbmSamplesSearch), tool(plans::DbmPlansSearch)]
}

/// The one operation of both tools.
const LIST: &str = "x.ListDatabaseQuerySamples";

/// What the caller asked for, or only what `dbm_type` it is when the query does not name one itself.
fn typed(query: Option<&str>, kind: &str) -> String {
    let query = query.unwrap_or_default();
    if super::search::has_key(query, "dbm_type") || super::search::has_key(query, "@dbm_type") {
        return query.trim().to_owned();
    }
    super::search::joined(&format!("dbm_type:{kind}"), query)
}

/// The page of query samples with the same view.
fn ui(cx: &CallContext<'_>, query: &str, range: TimeRange) -> String {
    link(cx, "/databases/samples", query, range, ("start", "end"), &[("paused", "true")])
}

/// A text of `event.custom.db`.
fn db<'r>(record: &'r Value, name: &str) -> Option<&'r str> {
    record.pointer(&format!("/event/custom/db/{name}")).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_added_unless_it_is_named() {
        for (query, typed_query) in [
            (None, "dbm_type:activity"),
            (Some("*"), "dbm_type:activity"),
            (Some("service:orders env:prod"), "dbm_type:activity service:orders env:prod"),
            (Some("host:a OR host:b"), "dbm_type:activity (host:a OR host:b)"),
            (Some("dbm_type:plan host:a"), "dbm_type:plan host:a"),
        ] {
            assert_eq!(typed(query, "activity"), typed_query);
        }
    }
}
