#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde_json::json;

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Sample {
    /// Query, e.g. `service:a`
    query: String,
    /// Rows, e.g. 10
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// Order
    sort: Option<Sort>,
    /// Facets, e.g. service
    group_by: Option<Vec<String>>,
    /// Points
    points: Option<bool>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only its schema is used")]
enum Sort {
    Newest,
    Oldest,
}

fn sample(arguments: Value) -> Result<Map<String, Value>, Refusal> {
    let Value::Object(arguments) = arguments else { panic!("an object") };
    check("sample", &schema_of::<Sample>(false), arguments)
}

#[test]
fn the_schema_is_closed_and_free_of_noise() {
    let schema = Value::Object(schema_of::<Sample>(false));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(schema["properties"]["limit"], json!({"description": "Rows, e.g. 10", "type": "integer", "minimum": 1, "maximum": 1000}));
    assert_eq!(schema["properties"]["sort"]["enum"], json!(["newest", "oldest"]));
    assert_eq!(schema["required"], json!(["query"]));
    assert!(!schema.to_string().contains("null"), "{schema}");
}

#[test]
fn lenient_values_are_coerced() {
    let checked = sample(json!({"query": 42, "limit": "10", "sort": "NEWEST", "group_by": "service", "points": "true"})).unwrap();
    assert_eq!(Value::Object(checked), json!({"query": "42", "limit": 10, "sort": "newest", "group_by": ["service"], "points": true}));
    let checked = sample(json!({"query": "a", "limit": 10.0, "group_by": "[\"a\",\"b\"]", "points": null})).unwrap();
    assert_eq!(Value::Object(checked), json!({"query": "a", "limit": 10, "group_by": ["a", "b"]}));
}

#[test]
fn every_problem_is_named_at_once_with_what_is_valid() {
    let refusal = sample(json!({"qeury": "x", "limit": 5000, "sort": "new"})).unwrap_err();
    assert_eq!(
        refusal.message,
        "sample: `qeury` is no argument, did you mean `query`?; `limit` must be integer 1..1000, not 5000; \
         `sort` must be one of newest, oldest, not \"new\" (did you mean newest?); `query` is missing."
    );
    assert!(refusal.why.unwrap().contains("query: string (required), limit: integer 1..1000, sort: newest|oldest"));
}

#[test]
fn the_word_a_model_uses_is_taken_for_the_argument_that_is_meant() {
    let checked = sample(json!({"q": "a", "page_size": "7", "order": "oldest"})).unwrap();
    assert_eq!(Value::Object(checked), json!({"query": "a", "limit": 7, "sort": "oldest"}));
    // Never when the argument was given by its own name too: two values would be one too many.
    assert!(sample(json!({"query": "a", "search": "b"})).unwrap_err().message.contains("`search` is no argument"));
}

#[test]
fn wide_integers_stay_exact() {
    let schema = json!({"type": "object", "properties": {"id": {"type": "integer"}, "text": {"type": "string"}}});
    let Value::Object(schema) = schema else { panic!("an object") };
    let Value::Object(arguments) = json!({"id": "18446744073709551615", "text": 18_446_744_073_709_551_615_u64}) else {
        panic!("an object")
    };
    let checked = check("t", &schema, arguments).unwrap();
    assert_eq!(checked["id"].to_string(), "18446744073709551615");
    assert_eq!(checked["text"], json!("18446744073709551615"));
    let Value::Object(arguments) = json!({"id": 1e300}) else { panic!("an object") };
    assert!(check("t", &schema, arguments).is_err());
}

#[test]
fn a_hostile_name_is_shown_without_controls() {
    let refusal = sample(json!({"query": "a", "\u{1b}[31m\r\nx": 1})).unwrap_err();
    assert!(!refusal.message.chars().any(char::is_control), "{}", refusal.message);
}

proptest! {
    #[test]
    fn checking_twice_changes_nothing(limit in 1_u32..1000, query in ".{0,40}", list in proptest::collection::vec("[a-z]{1,5}", 0..4)) {
        let once = sample(json!({"query": query, "limit": limit.to_string(), "group_by": list})).unwrap();
        let twice = sample(Value::Object(once.clone())).unwrap();
        prop_assert_eq!(once, twice);
    }
}
