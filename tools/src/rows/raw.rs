//! Records that stay text until they are shown: of a page of a thousand an answer shows fifty, and a tree of all of
//! them costs ten times what reading past them does.

use datadog_client::{Kind, Refusal, parse_json};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};
use std::fmt;

/// The list under `data` as it came, and the rest of the answer; for `reply.decode::<RawAnswer>()`.
#[derive(Debug, Clone, Default)]
pub struct RawAnswer {
    /// The records; `None` when there is no list under `data` (`null` is an empty one).
    pub records: Option<RawRecords>,
    /// Everything beside `data`.
    pub rest: Value,
}

/// Records as JSON texts, known to be well-formed.
#[derive(Debug, Clone, Default)]
pub struct RawRecords(Vec<Box<RawValue>>);

impl RawRecords {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Some of them, parsed. One that nests too deep to be read is an error, as it is in a whole answer.
    pub fn parse(&self, from: usize, count: usize) -> Result<Vec<Value>, Refusal> {
        let parse = |raw: &RawValue| {
            serde_json::from_str(raw.get()).or_else(|_| parse_json(raw.get())).map_err(|why| {
                Refusal::new(Kind::UpstreamFailed, format!("A record of Datadog's answer cannot be read: {why}."))
                    .because("Nothing was taken from the answer; a narrower query may leave that record out.")
            })
        };
        self.0.iter().skip(from).take(count).map(|raw| parse(raw)).collect()
    }
}

impl<'de> Deserialize<'de> for RawAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnswerVisitor)
    }
}

struct AnswerVisitor;

impl<'de> Visitor<'de> for AnswerVisitor {
    type Value = RawAnswer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `data`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawAnswer, A::Error> {
        let (mut records, mut rest) = (None, Map::new());
        while let Some(key) = map.next_key::<String>()? {
            if key == "data" {
                records = map.next_value::<List>()?.0;
            } else {
                rest.insert(key, map.next_value()?);
            }
        }
        Ok(RawAnswer { records, rest: Value::Object(rest) })
    }
}

/// A list of raw values, or anything else.
struct List(Option<RawRecords>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = List;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List, A::Error> {
        let mut records = Vec::new();
        while let Some(record) = seq.next_element()? {
            records.push(record);
        }
        Ok(List(Some(RawRecords(records))))
    }

    fn visit_unit<E: Error>(self) -> Result<List, E> {
        Ok(List(Some(RawRecords::default())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<List, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(List(None))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<List, E> {
        Ok(List(None))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<List, E> {
        Ok(List(None))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<List, E> {
        Ok(List(None))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<List, E> {
        Ok(List(None))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<List, E> {
        Ok(List(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn records_are_as_many_and_the_same() {
        let answer: RawAnswer = serde_json::from_str(
            r#" {"meta": {"page": {"after": "c"}}, "data": [ {"a": 18446744073709551615} , {"b": [1, {"c": "]}"}]}, null ], "links": {}} "#,
        )
        .unwrap();
        let records = answer.records.unwrap();
        assert_eq!((records.len(), records.is_empty()), (3, false));
        assert_eq!(records.parse(0, 9).unwrap(), [json!({"a": u64::MAX}), json!({"b": [1, {"c": "]}"}]}), json!(null)]);
        assert_eq!(records.parse(1, 1).unwrap(), [json!({"b": [1, {"c": "]}"}]})]);
        assert_eq!(answer.rest, json!({"meta": {"page": {"after": "c"}}, "links": {}}));
    }

    #[test]
    fn what_is_no_list_is_none_and_what_is_no_json_an_error() {
        for (text, records) in [
            (r#"{"data": null}"#, Some(0)),
            (r#"{"data": []}"#, Some(0)),
            (r#"{"data": {"a": 1}}"#, None),
            (r#"{"data": "x"}"#, None),
            (r#"{"data": -1.5}"#, None),
            (r#"{"data": true}"#, None),
            ("{}", None),
        ] {
            assert_eq!(serde_json::from_str::<RawAnswer>(text).unwrap().records.map(|records| records.len()), records, "{text}");
        }
        for text in [
            "",
            "[]",
            "null",
            r#"{"data": [1, 2"#,
            r#"{"data": [1, 2]"#,
            r#"{"data": [1,, 2]}"#,
            r#"{"data": [{"a": tru}]}"#,
            r#"{"data": []} x"#,
        ] {
            assert!(serde_json::from_str::<RawAnswer>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_record_too_deep_is_refused_when_it_is_read() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let text = format!(r#"{{"data": [{}, 2, {}]}}"#, nested(300), nested(5_000));
        let records = serde_json::from_str::<RawAnswer>(&text).unwrap().records.unwrap();
        assert_eq!(records.parse(0, 2).unwrap()[1], json!(2));
        let refusal = records.parse(2, 1).unwrap_err();
        assert_eq!(refusal.kind, Kind::UpstreamFailed);
        assert!(refusal.message.contains("nests deeper than 512 levels"), "{}", refusal.message);
    }
}
