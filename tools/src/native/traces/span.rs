//! Spans as they are read: from the trace endpoint without copying, or from a search of indexed spans.

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use serde_json::{Map, Value, value::RawValue};
use std::{borrow::Cow, fmt};

/// One span. Ids are unsigned 64-bit, times Unix nanoseconds (datadog-api.md §2, "Trace by id").
#[derive(Debug, Clone)]
pub(super) struct Span<'a> {
    pub(super) id: u64,
    /// 0 for a root.
    pub(super) parent: u64,
    pub(super) start: i64,
    /// Never negative.
    pub(super) duration: i64,
    pub(super) error: bool,
    pub(super) service: Cow<'a, str>,
    /// Operation, e.g. `servlet.request`.
    pub(super) name: Cow<'a, str>,
    pub(super) resource: Cow<'a, str>,
    /// The org's data access policy hides its details.
    pub(super) restricted: bool,
    tags: Tags<'a>,
}

/// Tags are kept as they came and read for the few spans that show them.
#[derive(Debug, Clone)]
enum Tags<'a> {
    Raw { meta: Option<&'a RawValue>, metrics: Option<&'a RawValue> },
    Event(Box<Value>),
}

/// `data` of `TraceResponse`.
#[derive(Debug)]
pub(super) struct Trace<'a> {
    pub(super) spans: Vec<Span<'a>>,
    /// Datadog cut it because it was too large to answer.
    pub(super) truncated: bool,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    data: Option<WireData<'a>>,
}

#[derive(Deserialize)]
struct WireData<'a> {
    #[serde(borrow)]
    attributes: Option<WireAttributes<'a>>,
}

#[derive(Deserialize)]
struct WireAttributes<'a> {
    #[serde(default)]
    is_truncated: bool,
    #[serde(borrow, default)]
    spans: Vec<WireSpan<'a>>,
}

#[derive(Deserialize)]
struct WireSpan<'a> {
    #[serde(rename = "spanID", default)]
    id: Id,
    #[serde(rename = "parentID", default)]
    parent: Id,
    #[serde(rename = "startTime", default)]
    start: Whole,
    #[serde(default)]
    duration: Whole,
    #[serde(rename = "endTime", default)]
    end: Whole,
    #[serde(default)]
    error: Whole,
    #[serde(default, borrow)]
    service: Text<'a>,
    #[serde(default, borrow)]
    name: Text<'a>,
    #[serde(default, borrow)]
    resource: Text<'a>,
    #[serde(default)]
    restricted: Option<bool>,
    #[serde(default, borrow)]
    meta: Option<&'a RawValue>,
    #[serde(default, borrow)]
    metrics: Option<&'a RawValue>,
}

impl<'a> Trace<'a> {
    /// Reads the body of v2.GetTraceByID.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        let wire: Wire<'a> = serde_json::from_slice(body)?;
        let attributes = wire.data.and_then(|data| data.attributes);
        let truncated = attributes.as_ref().is_some_and(|attributes| attributes.is_truncated);
        let spans = attributes.map(|attributes| attributes.spans).unwrap_or_default();
        Ok(Self { spans: spans.into_iter().map(Span::from).collect(), truncated })
    }
}

impl<'a> From<WireSpan<'a>> for Span<'a> {
    fn from(wire: WireSpan<'a>) -> Self {
        let duration = if wire.duration.0 > 0 { wire.duration.0 } else { wire.end.0.saturating_sub(wire.start.0).max(0) };
        // An end without a duration says nothing when the start is missing.
        let duration = if wire.start.0 == 0 && wire.duration.0 <= 0 { 0 } else { duration };
        Self {
            id: wire.id.0,
            parent: wire.parent.0,
            start: wire.start.0,
            duration,
            error: wire.error.0 != 0,
            service: wire.service.0,
            name: wire.name.0,
            resource: wire.resource.0,
            restricted: wire.restricted.unwrap_or(false),
            tags: Tags::Raw { meta: wire.meta, metrics: wire.metrics },
        }
    }
}

impl Span<'static> {
    /// From an entry of v2.ListSpans; `None` when it is not a span.
    pub(super) fn of_event(mut event: Value) -> Option<Self> {
        let attributes = event.get_mut("attributes").map(Value::take)?;
        let text = |name: &str| Cow::Owned(attributes.get(name).and_then(Value::as_str).unwrap_or_default().to_owned());
        let id = |name: &str| attributes.get(name).and_then(|id| id.as_u64().or_else(|| id.as_str().and_then(hex_or_decimal))).unwrap_or(0);
        let time = |name: &str| {
            let time = attributes.get(name).and_then(Value::as_str).and_then(|time| time.parse::<Timestamp>().ok());
            time.map_or(0, |time| i64::try_from(time.as_nanosecond()).unwrap_or(0))
        };
        let custom = attributes.get("custom");
        let (start, end) = (time("start_timestamp"), time("end_timestamp"));
        let duration =
            custom.and_then(|custom| custom.get("duration")).and_then(Value::as_i64).unwrap_or_else(|| end.saturating_sub(start)).max(0);
        let failed = |value: &Value| value.get("status").and_then(Value::as_str) == Some("error");
        let error = failed(&attributes)
            || custom.is_some_and(|custom| {
                failed(custom)
                    || custom
                        .get("error")
                        .is_some_and(|error| error.as_object().is_some_and(|error| !error.is_empty()) || error.as_i64().unwrap_or(0) != 0)
            });
        Some(Self {
            id: id("span_id"),
            parent: id("parent_id"),
            start,
            duration,
            error,
            service: text("service"),
            name: text("operation_name"),
            resource: text("resource_name"),
            restricted: false,
            tags: Tags::Event(Box::new(attributes)),
        })
    }
}

impl Span<'_> {
    /// When it ended.
    pub(super) fn end(&self) -> i64 {
        self.start.saturating_add(self.duration)
    }

    /// A tag by its dotted name, e.g. `error.message`.
    pub(super) fn tag(&self, name: &str) -> Option<String> {
        let shown = |value: &Value| match value {
            Value::Null => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        match &self.tags {
            Tags::Raw { meta, metrics } => [meta, metrics].into_iter().flatten().find_map(|raw| {
                let tags: Map<String, Value> = serde_json::from_str(raw.get()).ok()?;
                tags.get(name).and_then(shown)
            }),
            Tags::Event(attributes) => {
                let custom = attributes.get("custom")?;
                custom
                    .get(name)
                    .or_else(|| custom.pointer(&format!("/{}", name.replace('.', "/"))))
                    .or_else(|| attributes.get(name))
                    .and_then(shown)
            }
        }
    }

    /// Every tag as one object.
    pub(super) fn tags(&self) -> Map<String, Value> {
        match &self.tags {
            Tags::Raw { meta, metrics } => {
                let read = |raw: &&RawValue| serde_json::from_str::<Map<String, Value>>(raw.get()).unwrap_or_default();
                meta.iter().map(read).chain(metrics.iter().map(read)).flatten().collect()
            }
            Tags::Event(attributes) => {
                let mut tags = attributes.get("custom").and_then(Value::as_object).cloned().unwrap_or_default();
                for name in ["env", "host", "type"] {
                    if let Some(value) = attributes.get(name) {
                        tags.entry(name).or_insert_with(|| value.clone());
                    }
                }
                tags
            }
        }
    }
}

fn hex_or_decimal(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| u64::from_str_radix(text, 16).ok())
}

/// An id as an unsigned 64-bit number, whether it came as a number, a negative number (signed clients) or a text.
#[derive(Debug, Clone, Copy, Default)]
struct Id(u64);

/// A whole number however it came; 0 for what is none.
#[derive(Debug, Clone, Copy, Default)]
struct Whole(i64);

/// A text, borrowed where it has no escapes; empty for null.
#[derive(Debug, Clone, Default)]
struct Text<'a>(Cow<'a, str>);

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a 64-bit id")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Id, E> {
        Ok(Id(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Id, E> {
        Ok(Id(value as u64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Id, E> {
        Ok(Id(value as u64))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Id, E> {
        if value.is_empty() { Ok(Id(0)) } else { hex_or_decimal(value).map(Id).ok_or_else(|| E::custom("an id that is no number")) }
    }

    fn visit_unit<E: Error>(self) -> Result<Id, E> {
        Ok(Id(0))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Whole, E> {
        Ok(Whole(i64::from(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Whole, E> {
        Ok(Whole(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Whole, E> {
        Ok(Whole(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Whole, E> {
        Ok(Whole(value as i64))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Whole, E> {
        Ok(Whole(value.parse().unwrap_or(0)))
    }

    fn visit_unit<E: Error>(self) -> Result<Whole, E> {
        Ok(Whole(0))
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed("")))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use serde_json::json;

    #[test]
    fn a_span_of_the_trace_endpoint_keeps_its_wide_ids() {
        let body = br#"{"data":{"id":"x","type":"trace","attributes":{"is_truncated":true,"spans":[
            {"duration":500,"endTime":1500,"error":1,"meta":{"env":"prod","error.message":"no \"luck\""},"metrics":{"http.status_code":500},
             "name":"web.request","parentID":18446744073709551614,"resource":"GET \u002fx","service":"shop","spanID":18446744073709551615,"startTime":1000,"type":"web"},
            {"spanID":"7b","parentID":-1,"startTime":5,"endTime":9,"service":null,"error":false}]}}}"#;
        let trace = Trace::read(body).unwrap();
        assert!(trace.truncated);
        let first = &trace.spans[0];
        assert_eq!(
            (first.id, first.parent, first.start, first.duration, first.end(), first.error),
            (u64::MAX, u64::MAX - 1, 1000, 500, 1500, true)
        );
        assert_eq!((first.service.as_ref(), first.resource.as_ref()), ("shop", "GET /x"));
        assert!(matches!(first.service, Cow::Borrowed(_)));
        assert_eq!(first.tag("error.message").unwrap(), "no \"luck\"");
        assert_eq!(first.tag("http.status_code").unwrap(), "500");
        assert_eq!(first.tags().len(), 3);
        let second = &trace.spans[1];
        assert_eq!((second.id, second.parent, second.duration, second.error), (123, u64::MAX, 4, false));
    }

    #[test]
    fn an_empty_or_foreign_body_is_no_panic() {
        assert!(Trace::read(b"{}").unwrap().spans.is_empty());
        assert!(Trace::read(br#"{"data":null}"#).unwrap().spans.is_empty());
        assert!(Trace::read(b"[1,2").is_err());
        assert!(Trace::read(b"<html>").is_err());
    }

    #[test]
    fn an_indexed_span_is_the_same_span() {
        let span = Span::of_event(json!({"id": "a", "type": "spans", "attributes": {
            "span_id": "9270756141854228302", "parent_id": "0", "service": "shop", "resource_name": "GET /", "operation_name": "web.request",
            "start_timestamp": "2023-06-29T09:50:52.472Z", "end_timestamp": "2023-06-29T09:50:52.475Z", "env": "prod",
            "custom": {"duration": 3_402_932, "error": {"message": "boom", "type": "E"}, "http": {"status_code": "500"}},
        }}))
        .unwrap();
        assert_eq!((span.id, span.parent, span.duration, span.error), (9_270_756_141_854_228_302, 0, 3_402_932, true));
        assert_eq!(span.start, 1_688_032_252_472_000_000);
        assert_eq!(
            (span.tag("error.message").as_deref(), span.tag("http.status_code").as_deref(), span.tag("env").as_deref()),
            (Some("boom"), Some("500"), Some("prod"))
        );
        assert!(Span::of_event(json!({"id": "a"})).is_none());
    }
}
