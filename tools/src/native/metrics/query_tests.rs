//! Requests and rows of `metrics_query`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const RANGE: TimeRange = TimeRange { from_ms: 1_700_000_000_000, to_ms: 1_700_003_600_000 };

fn read(queries: &[&str], formulas: &[&str]) -> Expressions {
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Expressions::read(&own(queries), &own(formulas)).unwrap()
}

fn answered(answer: Value) -> (Vec<Found>, Vec<i64>, usize) {
    let answer: Answer = serde_json::from_value(answer).unwrap();
    let attributes = answer.data.unwrap().attributes.unwrap();
    let times = attributes.times.clone().unwrap();
    let (found, silent) = found(attributes);
    (found, times, silent)
}

#[test]
fn the_body_is_exact() {
    let request = request(&read(&["errors=sum:e{*}.as_count()", "sum:h{*}.as_count()"], &["errors/b*100"]), RANGE, Some(60_000)).unwrap();
    assert_eq!(request.path, "/api/v2/query/timeseries");
    assert_eq!(
        request.body.unwrap(),
        json!({"data": {"type": "timeseries_request", "attributes": {
            "from": 1_700_000_000_000_i64, "to": 1_700_003_600_000_i64, "interval": 60_000,
            "queries": [
                {"data_source": "metrics", "name": "errors", "query": "sum:e{*}.as_count()"},
                {"data_source": "metrics", "name": "b", "query": "sum:h{*}.as_count()"},
            ],
            "formulas": [{"formula": "errors/b*100"}],
        }}})
    );
}

#[test]
fn every_series_gets_a_row_with_its_own_statistics() {
    let unit = json!([{"family": "time", "name": "second", "short_name": "s", "scale_factor": 1.0}, null]);
    let (mut found, times, silent) = answered(json!({"data": {"type": "timeseries_response", "attributes": {
        "series": [
            {"group_tags": ["service:cart", "kube.app:x"], "query_index": 0, "unit": unit},
            {"group_tags": ["service:checkout"], "query_index": 0, "unit": unit},
            {"group_tags": ["service:quiet"], "query_index": 0, "unit": unit},
        ],
        "times": [1_700_000_000_000_i64, 1_700_000_060_000_i64, 1_700_000_120_000_i64],
        "values": [[0.010, 0.020, 0.016], [0.1, null, 0.9], [null, null, null]],
    }}}));
    assert_eq!(silent, 1);
    order(&mut found, Sort::Max);
    let draft = statistics(&read(&["avg:t{*} by {service}"], &[]), &found, &times, RANGE);
    let Content::Rows { records, columns } = draft.content else { panic!("rows") };
    assert_eq!(
        records,
        vec![
            json!({"tags": {"service": "checkout"}, "unit": "ms", "min": 100, "avg": 500, "max": 900, "max_at": "22:15:20", "last": 900, "gaps": 1, "shape": "0_9"}),
            json!({"tags": {"service": "cart", "kube_app": "x"}, "unit": "ms", "min": 10, "avg": 15.33, "max": 20, "max_at": "22:14:20", "last": 16, "shape": "095"}),
        ]
    );
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["service", "kube.app", "unit", "min", "avg", "max", "max_at", "last", "sum", "gaps", "shape"]);
}

#[test]
fn counts_have_a_sum_and_formulas_their_label() {
    let (found, times, _) = answered(json!({"data": {"attributes": {
        "series": [{"group_tags": [], "query_index": 0, "unit": null}, {"query_index": 1}],
        "times": [1, 2], "values": [[1.0, 2.0], [50.0, 60.0]],
    }}}));
    let draft = statistics(&read(&["sum:e{*}.as_count()", "sum:h{*}.as_count()"], &["a", "a/b*100"]), &found, &times, RANGE);
    let Content::Rows { records, .. } = draft.content else { panic!("rows") };
    assert_eq!((&records[0]["query"], &records[0]["sum"]), (&json!("a"), &json!(3)));
    assert_eq!((&records[1]["query"], &records[1]["sum"]), (&json!("a/b*100"), &Value::Null));
}

#[test]
fn points_keep_every_instant_and_every_series() {
    let (found, times, _) = answered(json!({"data": {"attributes": {
        "series": [{"group_tags": ["host:a"], "query_index": 0}, {"group_tags": ["host:b"], "query_index": 0}],
        "times": [1_000, 2_000], "values": [[1.0, null], [3.5, 4.0]],
    }}}));
    let draft = points(&read(&["avg:x{*} by {host}"], &[]), &found, &times);
    assert_eq!(draft.total, Total::Exact(2));
    let Content::Rows { records, columns } = draft.content else { panic!("rows") };
    assert_eq!(records, vec![json!({"time": 1_000, "s0": 1, "s1": 3.5}), json!({"time": 2_000, "s0": null, "s1": 4})]);
    assert_eq!(columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["time", "host:a", "host:b"]);
}

#[test]
fn an_error_that_comes_with_200_is_a_refusal() {
    assert_eq!(said(&json!("Invalid query")), Some("Invalid query".to_owned()));
    assert_eq!(said(&json!(["a", "b"])), Some("a; b".to_owned()));
    assert_eq!(said(&Value::Null), None);
    assert_eq!(said(&json!("")), None);
    let refusal = refused("Rule 'x' didn't match");
    assert_eq!((refusal.kind, refusal.status), (datadog_client::Kind::InvalidArguments, Some(200)));
}

#[test]
fn intervals_are_seconds_or_durations() {
    for (text, expected) in [("60", 60_000), ("5m", 300_000), ("1h", 3_600_000), ("500ms", 500)] {
        assert_eq!(interval(text).unwrap(), expected);
    }
    for bad in ["", "0", "x", "5 weeks", "-1", "99999999999999999999d"] {
        assert!(interval(bad).is_err(), "{bad}");
    }
}
