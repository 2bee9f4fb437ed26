//! Buckets of an aggregation, in the two shapes that Datadog's event stores give them.

use super::found::Heard;
use datadog_client::{Kind, Refusal, Reply};
use serde_json::{Map, Value};

/// One bucket: the values it is grouped by and what was computed, under `c0`, `c1`, … in the order asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bucket {
    pub(super) by: Map<String, Value>,
    computes: Map<String, Value>,
}

/// The buckets of an answer and what `meta` says of them.
#[derive(Debug, PartialEq)]
pub(super) struct Buckets {
    pub(super) list: Vec<Bucket>,
    pub(super) notes: Vec<String>,
}

impl Bucket {
    /// The value computed `nth`.
    pub(super) fn value(&self, nth: usize) -> &Value {
        self.computes.get(&format!("c{nth}")).unwrap_or(&Value::Null)
    }

    /// The value computed `nth` as a number; of a series, its sum.
    pub(super) fn number(&self, nth: usize) -> f64 {
        match self.value(nth) {
            Value::Array(points) => points.iter().filter_map(|point| point["value"].as_f64()).sum(),
            value => value.as_f64().unwrap_or(0.0),
        }
    }
}

impl Buckets {
    /// Takes the buckets out of a reply.
    pub(super) fn read(reply: &Reply, subject: &str) -> Result<Self, Refusal> {
        Self::take(reply.json()?, subject)
    }

    /// Logs and RUM: `data.buckets[].{by,computes}`. Spans: `data[].attributes.{by,compute}` (`datadog-api.md` §2).
    pub(super) fn take(mut body: Value, subject: &str) -> Result<Self, Refusal> {
        let list = match body.get_mut("data").map(Value::take) {
            Some(Value::Array(list)) => list,
            Some(Value::Object(mut data)) => match data.get_mut("buckets").map(Value::take) {
                Some(Value::Array(list)) => list,
                Some(Value::Null) => Vec::new(),
                _ => return Err(no_buckets(subject)),
            },
            Some(Value::Null) => Vec::new(),
            _ => return Err(no_buckets(subject)),
        };
        let notes = Heard::of(&body["meta"], subject).notes;
        Ok(Self { list: list.into_iter().map(bucket).collect(), notes })
    }
}

fn no_buckets(subject: &str) -> Refusal {
    Refusal::new(Kind::UpstreamFailed, format!("Datadog's answer holds no buckets of {subject}."))
}

fn bucket(mut value: Value) -> Bucket {
    if let Some(attributes) = value.get_mut("attributes").map(Value::take) {
        value = attributes;
    }
    let mut part = |name: &str| match value.get_mut(name).map(Value::take) {
        Some(Value::Object(map)) => Some(map),
        _ => None,
    };
    Bucket { by: part("by").unwrap_or_default(), computes: part("computes").or_else(|| part("compute")).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn both_shapes_are_read() {
        let logs = Buckets::take(
            json!({"data": {"buckets": [{"by": {"service": "a"}, "computes": {"c0": 3, "c1": "x"}}]}, "meta": {"status": "timeout"}}),
            "logs",
        )
        .unwrap();
        assert_eq!((logs.list[0].number(0), logs.list[0].value(1), logs.list[0].value(2)), (3.0, &json!("x"), &Value::Null));
        assert_eq!(logs.notes.len(), 1);
        let spans = Buckets::take(json!({"data": [{"type": "bucket", "attributes": {"by": {}, "compute": {"c0": [{"time": "t", "value": 1}, {"time": "u", "value": 2.5}]}}}]}), "spans").unwrap();
        assert!((spans.list[0].number(0) - 3.5).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_not_an_error_and_rubbish_is() {
        for body in [json!({"data": []}), json!({"data": null}), json!({"data": {"buckets": []}}), json!({"data": {"buckets": null}})] {
            assert!(Buckets::take(body, "logs").unwrap().list.is_empty());
        }
        for body in [json!({}), json!({"data": {}}), json!({"data": "x"}), json!(null)] {
            assert!(Buckets::take(body, "logs").is_err());
        }
    }
}
