#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use datadog_catalogue::{Body, Param, ParamType, Place, operation, operations};
use proptest::prelude::*;
use serde_json::json;

const PARAM: Param = Param {
    name: "",
    place: Place::Query,
    kind: ParamType::Text(None),
    required: false,
    explode: true,
    values: &[],
    default: None,
    min: None,
    max: None,
};

/// One parameter of each kind.
static THING: Operation = Operation {
    id: "x.TestThing",
    path: "/api/v2/things/{thing_id}/parts/{part}?type=fixed",
    body: Some(Body { schema: "ThingRequest", required: false, content: "application/json" }),
    params: &[
        Param { name: "thing_id", place: Place::Path, required: true, ..PARAM },
        Param { name: "part", place: Place::Path, kind: ParamType::Integer, required: true, ..PARAM },
        Param { name: "page[limit]", kind: ParamType::Integer, min: Some(1), max: Some(1000), ..PARAM },
        Param { name: "ratio", kind: ParamType::Number, min: Some(0), max: Some(1), ..PARAM },
        Param { name: "deep", kind: ParamType::Boolean, ..PARAM },
        Param { name: "sort", values: &["timestamp", "-timestamp"], ..PARAM },
        Param { name: "include", kind: ParamType::TextList, values: &["users", "roles"], ..PARAM },
        Param { name: "tags", kind: ParamType::TextList, explode: false, ..PARAM },
        Param { name: "ids", kind: ParamType::IntegerList, ..PARAM },
        Param { name: "If-None-Match", place: Place::Header, ..PARAM },
    ],
    ..BASE
};

const BASE: Operation = Operation {
    id: "x.Test",
    tag: "Test",
    method: datadog_catalogue::Method::Get,
    path: "/api/v2/test",
    params: &[],
    body: None,
    answers: &["application/json"],
    kind: datadog_catalogue::Kind::Read,
    oauth: datadog_catalogue::OAuth::Scoped,
    auth: datadog_catalogue::Auth { api_key: true, app_key: true, bearer: true },
    scopes: &[],
    permission: None,
    paging: None,
    host: datadog_catalogue::Host::Api,
    unstable: false,
    deprecated: false,
    official: false,
    returns_secret: false,
};

fn plan(arguments: Value) -> Result<Request, Refusal> {
    let Value::Object(mut map) = arguments else { panic!("an object") };
    map.entry("thing_id").or_insert(json!("t1"));
    map.entry("part").or_insert(json!(1));
    Request::plan(&THING, &map)
}

fn query(arguments: Value) -> Vec<(String, String)> {
    plan(arguments).unwrap().query
}

fn refused(arguments: Value) -> String {
    let refusal = plan(arguments).unwrap_err();
    assert_eq!(refusal.kind, Kind::InvalidArguments);
    assert_eq!(refusal.operation.as_deref(), Some("x.TestThing"));
    refusal.message
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn every_place_is_filled() {
    let request = plan(json!({
        "thing_id": "a/b", "part": 7, "page[limit]": 10, "deep": true, "include": ["users", "roles"], "tags": ["env:prod", "team:a"],
        "If-None-Match": "\"abc\"", "body": {"x": 1},
    }))
    .unwrap();
    assert_eq!(request.path, "/api/v2/things/a%2Fb/parts/7?type=fixed");
    assert_eq!(
        request.query,
        pairs(&[("page[limit]", "10"), ("deep", "true"), ("include", "users"), ("include", "roles"), ("tags", "env:prod,team:a")])
    );
    assert_eq!(request.headers, pairs(&[("If-None-Match", "\"abc\"")]));
    assert_eq!(request.body, Some(json!({"x": 1})));
}

#[test]
fn lenient_on_the_way_in() {
    assert_eq!(query(json!({"page[limit]": "42"})), pairs(&[("page[limit]", "42")]));
    assert_eq!(query(json!({"page[limit]": 42.0})), pairs(&[("page[limit]", "42")]));
    assert_eq!(query(json!({"page[limit]": [7]})), pairs(&[("page[limit]", "7")]));
    assert_eq!(query(json!({"deep": "TRUE"})), pairs(&[("deep", "true")]));
    assert_eq!(query(json!({"deep": 0})), pairs(&[("deep", "false")]));
    assert_eq!(query(json!({"include": "users"})), pairs(&[("include", "users")]));
    assert_eq!(query(json!({"include": "Users"})), pairs(&[("include", "users")]));
    assert_eq!(query(json!({"tags": "env:prod,team:a"})), pairs(&[("tags", "env:prod,team:a")]));
    assert_eq!(query(json!({"tags": [5, true, "x"]})), pairs(&[("tags", "5,true,x")]));
    assert_eq!(query(json!({"sort": null})), pairs(&[]));
    assert_eq!(query(json!({"ratio": "0.5"})), pairs(&[("ratio", "0.5")]));
    assert_eq!(plan(json!({"body": "{\"a\": [1]}"})).unwrap().body, Some(json!({"a": [1]})));
    assert_eq!(plan(json!({"body": null})).unwrap().body, None);
}

#[test]
fn numbers_stay_exact() {
    for number in ["9007199254740993", "18446744073709551615", "-9223372036854775808", "340282366920938463463374607431768211455"] {
        assert_eq!(query(json!({"ids": number})), pairs(&[("ids", number)]), "{number}");
    }
    assert_eq!(
        query(json!({"ids": [9_007_199_254_740_993_u64, u64::MAX]})),
        pairs(&[("ids", "9007199254740993"), ("ids", "18446744073709551615")])
    );
    assert_eq!(query(json!({"ids": ["007", "-0", "+5"]})), pairs(&[("ids", "7"), ("ids", "0"), ("ids", "5")]));
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_can() {
    assert_eq!(refused(json!({"page[limit]": 5000})), "`page[limit]` is a whole number from 1 to 1000; got 5000");
    assert_eq!(
        refused(json!({"page[limit]": "99999999999999999999999999999999999999999"})),
        "`page[limit]` is a whole number from 1 to 1000; got \"99999999999999999999999999999999999999999\""
    );
    assert!(refused(json!({"page[limit]": "9999999999999999999999999999999999999999"})).contains("from 1 to 1000"));
    assert!(refused(json!({"page[limit]": 0})).contains("from 1 to 1000"));
    assert!(refused(json!({"page[limit]": 4.5})).contains("a whole number"));
    assert!(refused(json!({"page[limit]": "ten"})).contains("got \"ten\""));
    assert!(refused(json!({"page[limit]": [1, 2]})).contains("a whole number"));
    assert!(refused(json!({"ratio": 1.5})).contains("from 0 to 1"));
    assert!(refused(json!({"ratio": "NaN"})).contains("a number"));
    assert!(refused(json!({"deep": "perhaps"})).contains("true or false"));
    assert_eq!(
        refused(json!({"sort": "timestmp"})),
        "`sort` is one of `timestamp`, `-timestamp`; got `timestmp` (did you mean `timestamp`?)"
    );
    assert!(refused(json!({"include": ["users", "orgs"]})).contains("a list of `users`, `roles`; got `orgs`"));
    assert!(refused(json!({"thing_id": {"a": 1}})).contains("a text"));
    assert!(refused(json!({"body": "not json"})).contains("`body`"));
    assert!(refused(json!({"If-None-Match": "a\r\nDD-API-KEY: x"})).contains("printable ASCII"));
}

#[test]
fn unknown_arguments_are_named_with_the_valid_ones() {
    let message = refused(json!({"page_limit": 5, "zzz": 1}));
    assert!(message.contains("`page_limit` (did you mean `page[limit]`?)"), "{message}");
    assert!(message.contains("`zzz`;") && message.contains("`thing_id` (required)") && message.contains("`body`"), "{message}");
    assert!(refused(json!({"limit": 5})).contains("did you mean `page[limit]`?"));
    assert!(refused(json!({"Sort": "timestamp"})).contains("did you mean `sort`?"));
    // A body is no argument where the operation takes none.
    let refusal = Request::plan(&BASE_STATIC, json!({"body": {}}).as_object().unwrap()).unwrap_err();
    assert_eq!(refusal.message, "unknown argument `body`; x.Test takes no arguments");
}

static BASE_STATIC: Operation = BASE;

#[test]
fn everything_missing_is_named_at_once() {
    let refusal = Request::plan(&THING, &Map::new()).unwrap_err();
    assert_eq!(refusal.message, "x.TestThing needs `thing_id` (a text), `part` (a whole number)");
    let op = operation("v2.CreateIncident").unwrap();
    let refusal = Request::plan(op, &Map::new()).unwrap_err();
    assert!(refusal.message.contains("`body` (JSON, schema IncidentCreateRequest)"), "{}", refusal.message);
}

#[test]
fn the_builder_fills_and_checks() {
    let request =
        Request::new(&THING).segment("thing_id", "a b").segment("part", 5).query("q", 1).query("q", "x&y").body(json!([])).build().unwrap();
    assert_eq!(request.path, "/api/v2/things/a%20b/parts/5?type=fixed");
    assert_eq!(request.query, pairs(&[("q", "1"), ("q", "x&y")]));
    let kind = |builder: RequestBuilder| builder.build().unwrap_err().kind;
    assert_eq!(kind(Request::new(&THING).segment("thing_id", "a")), Kind::Internal);
    assert_eq!(kind(Request::new(&THING).segment("thing_id", "a").segment("part", 1).segment("nope", 1)), Kind::Internal);
    assert_eq!(kind(Request::new(&THING).segment("thing_id", "..").segment("part", 1)), Kind::InvalidArguments);
    for name in ["Authorization", "dd-api-key", "Cookie", "Host", "bad name", ""] {
        assert_eq!(kind(Request::new(&BASE_STATIC).header(name, "x")), Kind::InvalidArguments, "{name}");
    }
}

#[test]
fn hostile_ids_become_one_segment_or_a_refusal() {
    for id in ["", ".", "..", "a\r\nX: y", "a\0b", "tab\t", "\u{85}", &"x".repeat(1025)] {
        assert!(PathSegment::new(id).is_err(), "{id:?}");
    }
    let cases = [
        ("../../v1/validate", "..%2F..%2Fv1%2Fvalidate"),
        ("%2e%2e", "%252e%252e"),
        ("%2e%2e%2f", "%252e%252e%252f"),
        ("a/b", "a%2Fb"),
        ("a\\b", "a%5Cb"),
        ("a?x=1", "a%3Fx%3D1"),
        ("a#b", "a%23b"),
        ("...", "..."),
        ("{x}", "%7Bx%7D"),
        ("🚀", "%F0%9F%9A%80"),
        ("abc-def_1.2~x", "abc-def_1.2~x"),
    ];
    for (id, want) in cases {
        assert_eq!(PathSegment::new(id).unwrap().as_str(), want);
    }
    assert_eq!(PathSegment::new(&"🚀".repeat(256)).unwrap().as_str().len(), 3072);
}

/// A plausible value for a parameter.
fn sample(param: &Param) -> Value {
    let text = param.values.first().copied().unwrap_or("a/b ?#");
    match param.kind {
        ParamType::Text(_) if param.place == Place::Header => json!(param.values.first().unwrap_or(&"abc")),
        ParamType::Text(_) => json!(text),
        ParamType::TextList => json!([text]),
        ParamType::Integer => json!(param.values.first().copied().map_or(param.min.unwrap_or(1).to_string(), str::to_owned)),
        ParamType::IntegerList => json!([1, 2]),
        ParamType::Number => json!(param.min.unwrap_or(1)),
        ParamType::Boolean => json!(true),
    }
}

#[test]
fn every_operation_can_be_planned_and_no_argument_is_lost() {
    let site = crate::Site::parse("datadoghq.com", crate::Trust::DatadogOnly).unwrap();
    assert!(operations().len() >= 1896);
    for operation in operations() {
        let mut arguments: Map<String, Value> = operation.params.iter().map(|p| (p.name.to_owned(), sample(p))).collect();
        if operation.body.is_some() {
            arguments.insert("body".to_owned(), json!({"data": "x"}));
        }
        let request = Request::plan(operation, &arguments).unwrap_or_else(|r| panic!("{}: {}", operation.id, r.message));
        for param in operation.params {
            let there = match param.place {
                Place::Path => !request.path.contains(&format!("{{{}}}", param.name)),
                Place::Query => request.query.iter().any(|(name, _)| name == param.name),
                Place::Header => request.headers.iter().any(|(name, _)| name == param.name),
            };
            assert!(there, "{} lost {}", operation.id, param.name);
        }
        assert!(!request.path.contains(['{', '}', ' ', '#']), "{}", request.path);
        assert_eq!(request.body.is_some(), operation.body.is_some());
        crate::client::check_sendable(&site, &request);
    }
}

proptest! {
    #[test]
    fn any_text_is_one_segment_or_refused(id in any::<String>()) {
        if let Ok(segment) = PathSegment::new(&id) {
            let base = url::Url::parse("https://api.datadoghq.com").unwrap();
            let url = url::Url::parse(&format!("https://api.datadoghq.com/api/v2/x/{}/y", segment.as_str())).unwrap();
            prop_assert_eq!(url.origin(), base.origin());
            prop_assert!(url.query().is_none() && url.fragment().is_none());
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            prop_assert_eq!(&segments[..3], &["api", "v2", "x"]);
            prop_assert_eq!(segments[3], segment.as_str());
            prop_assert_eq!(segments.len(), 5);
            // Decodes to what was given.
            let mut decoded = Vec::new();
            let mut bytes = segment.as_str().bytes();
            while let Some(byte) = bytes.next() {
                if byte == b'%' {
                    let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                    decoded.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
                } else {
                    decoded.push(byte);
                }
            }
            prop_assert_eq!(decoded, id.into_bytes());
        }
    }

    #[test]
    fn no_arguments_panic_and_wholes_stay_whole(name in "[a-z\\[\\]_]{0,12}", text in any::<String>(), number in any::<i64>()) {
        drop(plan(json!({ name.clone(): text })));
        drop(plan(json!({ name: number })));
        prop_assert_eq!(query(json!({"ids": number})), pairs(&[("ids", &number.to_string())]));
    }
}
