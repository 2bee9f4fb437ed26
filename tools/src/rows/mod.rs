//! Records out of any Datadog envelope.

mod columns;
mod envelope;
mod facts;
mod flatten;
mod raw;
#[cfg(test)]
mod recorded;

pub(crate) use flatten::{Leaf, leaves};
pub use flatten::{flatten, headers};
pub use raw::{RawAnswer, RawRecords};

use serde_json::Value;

/// The records of an answer and what stood beside them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Records {
    /// One value a record.
    pub rows: Vec<Value>,
    /// Dotted path where they stood; empty for a bare array or a single record.
    pub at: String,
    /// Total that the envelope states.
    pub total: Option<u64>,
    /// Next cursor that the envelope states.
    pub cursor: Option<String>,
    /// Warnings and errors that came with a 200, a line each, cleaned and capped; Datadog's words, not ours.
    pub warnings: Vec<String>,
    /// What the envelope carried beside the records without saying it of one of them: JSON:API's `included`.
    pub included: Vec<Value>,
    /// The answer is one thing, not a list that happens to have one element.
    pub single: bool,
}

/// Finds the records of `answer`; `at` is the path when it is known (a definition or the catalogue says it).
///
/// A path is dotted; `[]` goes into every element (`result.events[].event`). When nothing stands there the usual
/// places are tried. Envelopes are those of the recordings (`reference/datadog-api.md` §0 and §2).
#[must_use]
pub fn records(mut answer: Value, at: Option<&str>) -> Records {
    let mut facts = facts::read(&answer);
    let included = match answer.get_mut("included").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let found = envelope::locate(answer, at);
    let mut rows = found.rows;
    facts::name_relations(&mut rows, &included);
    let shown = rows.len() as u64;
    if shown == 0 {
        // A cursor on an empty page leads nowhere: CI pipelines and others always give one.
        facts.cursor = None;
    }
    Records {
        total: facts.total.filter(|total| *total >= shown && !found.single),
        cursor: facts.cursor,
        warnings: facts.warnings,
        at: found.at,
        single: found.single,
        rows,
        included,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(answer: Value) -> (Vec<Value>, String) {
        let records = records(answer, None);
        (records.rows, records.at)
    }

    #[test]
    fn finds_lists_wherever_they_stand() {
        let a = json!({"id": 1});
        let b = json!({"id": 2});
        for (answer, at) in [
            (json!([a, b]), ""),
            (json!({"data": [a, b], "meta": {"page": {"after": "x"}}, "links": {"next": "y"}}), "data"),
            (
                json!({"data": {"attributes": {"incidents": [{"data": a}, {"data": b}], "total": 2, "facets": {"x": []}}, "type": "t"}}),
                "data.attributes.incidents[].data",
            ),
            (json!({"data": {"attributes": {"slos": [{"data": a}, {"data": b}], "facets": {}}}}), "data.attributes.slos[].data"),
            (json!({"data": {"attributes": {"suites": [a, b], "facets": [{"name": "f"}], "total": 2}}}), "data.attributes.suites"),
            (json!({"data": {"buckets": [a, b]}, "meta": {"elapsed": 3}}), "data.buckets"),
            (json!({"logs": [a, b], "nextLogId": "n", "requestId": "r", "status": "done"}), "logs"),
            (json!({"events": [a, b]}), "events"),
            (json!({"host_list": [a, b], "total_matching": 9, "total_returned": 2, "exact_total_matching": true}), "host_list"),
            (json!({"counts": {"status": [{"name": "OK", "count": 1}]}, "metadata": {"total_count": 2}, "monitors": [a, b]}), "monitors"),
            (json!({"from": "1700000000", "metrics": [a, b]}), "metrics"),
            (json!({"results": {"metrics": [a, b]}}), "results.metrics"),
            (
                json!({"status": "ok", "query": "q", "from_date": 1, "to_date": 2, "group_by": [], "times": [], "values": [], "message": "", "res_type": "time_series", "resp_version": 1, "series": [a, b]}),
                "series",
            ),
            (json!({"dashboards": [a, b], "total": 2}), "dashboards"),
            (json!({"result": {"events": [{"event": a}, {"event": b}]}, "status": "done"}), "result.events[].event"),
        ] {
            assert_eq!(rows(answer), (vec![a.clone(), b.clone()], at.to_owned()), "{at}");
        }
    }

    #[test]
    fn a_single_thing_is_one_record_and_nothing_is_none() {
        let monitor = json!({"id": 7, "name": "m", "tags": ["a"], "options": {"x": [{"y": 1}]}});
        for (answer, at) in [(monitor.clone(), ""), (json!({"data": monitor, "included": []}), "data")] {
            let found = records(answer, None);
            assert_eq!((found.rows, found.at.as_str(), found.single), (vec![monitor.clone()], at, true));
        }
        for answer in [
            json!(null),
            json!({}),
            json!({"data": null}),
            json!({"data": []}),
            json!([]),
            json!({"errors": []}),
            json!(""),
            json!({"metrics": [], "from": "1"}),
        ] {
            assert_eq!(records(answer.clone(), None).rows, Vec::<Value>::new(), "{answer}");
        }
        assert_eq!(records(json!("name,value\na,1\n"), None).rows, [json!("name,value\na,1\n")]);
        assert_eq!(records(json!({"data": ["aws:eu-west-1"], "error": null}), None).rows, [json!("aws:eu-west-1")]);
    }

    #[test]
    fn maps_by_name_become_rows() {
        let (found, at) = rows(json!({"tags": {"role:db": ["h1", "h2"], "role:web": ["h3"]}}));
        assert_eq!(
            (found, at.as_str()),
            (vec![json!({"name": "role:db", "values": ["h1", "h2"]}), json!({"name": "role:web", "values": ["h3"]})], "tags")
        );
        let (found, at) = rows(json!({"checkout": {"calls": ["payments"]}, "payments": {"calls": []}}));
        assert_eq!(
            (found, at.as_str()),
            (vec![json!({"name": "checkout", "calls": ["payments"]}), json!({"name": "payments", "calls": []})], "")
        );
    }

    #[test]
    fn columns_become_rows() {
        let answer = json!({"data": {"type": "scalar_response", "attributes": {"columns": [
            {"name": "service", "type": "group", "values": [["checkout"], ["payments"]]},
            {"name": "a", "type": "number", "values": [12.5, null], "meta": {"unit": [{"short_name": "ns", "name": "nanosecond"}, null]}},
        ]}}});
        let (found, at) = rows(answer);
        assert_eq!(at, "data.attributes.columns");
        assert_eq!(found, [json!({"service": "checkout", "a (ns)": 12.5}), json!({"service": "payments", "a (ns)": null})]);

        let answer = json!({"data": {"type": "timeseries_response", "attributes": {
            "series": [{"group_tags": ["service:a"], "query_index": 0, "unit": null}, {"group_tags": ["service:b"], "query_index": 0, "unit": null}],
            "times": [1, 2], "values": [[0.5, 1], [null, 7]],
        }}});
        let (found, _) = rows(answer);
        assert_eq!(found[1], json!({"group_tags": ["service:b"], "query_index": 0, "unit": null, "times": [1, 2], "values": [null, 7]}));
    }

    #[test]
    fn a_known_path_is_followed() {
        let answer = json!({"data": {"attributes": {"events": [{"n": 1}], "other": [{"n": 2}], "id": 3}}});
        assert_eq!(records(answer.clone(), Some("data.attributes.other")).rows, [json!({"n": 2})]);
        assert_eq!(records(answer.clone(), Some("data.attributes.other[].n")).rows, [json!(2)]);
        assert_eq!(records(answer.clone(), Some("data.attributes")).rows.len(), 1);
        assert_eq!(records(answer, Some("nowhere")).at, "data", "falls back to the usual places");
        assert_eq!(records(json!({"data": {"attributes": {"events": null}}}), Some("data.attributes.events")).rows, Vec::<Value>::new());
    }

    #[test]
    fn totals_cursors_and_warnings_are_read() {
        for (answer, total) in [
            (json!({"data": [1], "meta": {"page": {"total_filtered_count": 1049}}}), Some(1049)),
            (json!({"data": [1], "meta": {"page": {"total": 3, "size": 1}, "total_cases": 5}}), Some(5)),
            (json!({"data": [1], "meta": {"pagination": {"total": 203_828}}}), Some(203_828)),
            (json!({"monitors": [1], "metadata": {"total_count": 12}}), Some(12)),
            (json!({"host_list": [1], "total_matching": 41, "total_returned": 1}), Some(41)),
            (json!({"data": {"attributes": {"incidents": [{"id": 1}], "total": 8}}}), Some(8)),
            (json!({"data": [1, 2], "meta": {"page": {"total": 1}}}), None),
            (json!({"data": [1]}), None),
        ] {
            assert_eq!(records(answer.clone(), None).total, total, "{answer}");
        }
        for (answer, cursor) in [
            (json!({"data": [1], "meta": {"page": {"after": "c"}}}), Some("c")),
            (json!({"data": [], "meta": {"page": {"after": "c"}}}), None),
            (json!({"data": [1], "meta": {"pagination": {"next_cursor": "c"}}}), Some("c")),
            (json!({"data": [1], "meta": {"pagination": {"next_cursor": ""}}}), None),
            (json!({"usage": [1], "metadata": {"pagination": {"next_record_id": "c"}}}), Some("c")),
            (json!({"logs": [1], "nextLogId": "c"}), Some("c")),
        ] {
            assert_eq!(records(answer.clone(), None).cursor.as_deref(), cursor, "{answer}");
        }
        let answer = json!({"data": [], "meta": {"status": "timeout", "warnings": [{"code": "unknown_index", "title": "No such index", "detail": "idx"}]}, "errors": ["late"]});
        assert_eq!(
            records(answer, None).warnings,
            ["the query stopped early (status timeout), the answer is partial", "No such index: idx (unknown_index)", "late"]
        );
        assert_eq!(records(json!({"status": "error", "error": "bad query", "series": []}), None).warnings, ["bad query"]);
        assert!(records(json!({"status": "ok", "series": []}), None).warnings.is_empty());
    }

    #[test]
    fn relations_get_the_names_of_what_is_included() {
        let answer = json!({
            "data": [{"id": "1", "relationships": {"commander": {"data": {"id": "u1", "type": "users"}}, "teams": {"data": [{"id": "t1", "type": "team"}, {"id": "t2", "type": "team"}]}}}],
            "included": [{"id": "u1", "type": "users", "attributes": {"name": "Ada", "email": "ada@example.com"}}, {"id": "t1", "type": "team", "attributes": {"handle": "core"}}],
        });
        let found = records(answer, None);
        assert_eq!(found.rows[0]["relationships"]["commander"]["data"]["name"], "Ada");
        assert_eq!(found.rows[0]["relationships"]["teams"]["data"][0]["name"], "core");
        assert_eq!(found.rows[0]["relationships"]["teams"]["data"][1].get("name"), None);
        assert_eq!(found.included.len(), 2);
    }
}
