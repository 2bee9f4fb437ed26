//! Every operation of the catalogue, called through `tools_call_read` or `tools_call_write` over a real socket: nothing of it is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use axum::{Router, body::Bytes, extract::State, http::Request as HttpRequest, response::IntoResponse};
use datadog_catalogue::{Effect, Operation, Param, ParamType, Place, operations};
use datadog_client::{
    CallLimits, Client, ClientConfig, Kind, Principal, Secret, Site, Trust,
    credentials::{Configuration, ConfiguredCredentials},
};
use datadog_tools::{Call, CallError, NoProgress, Output, Registry, Selection, Toolbox, ToolboxConfig};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};

/// What arrived: method, path, decoded query pairs, headers by name, body.
#[derive(Debug, Clone)]
struct Arrived {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Value>,
}

type Journal = Arc<Mutex<Vec<Arrived>>>;

async fn record(State(journal): State<Journal>, request: HttpRequest<axum::body::Body>) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let query = parts.uri.query().unwrap_or_default();
    journal.lock().unwrap().push(Arrived {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect(),
        // A form is kept as text.
        body: (!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&body)))),
    });
    ([("content-type", "application/json")], "{\"data\":[]}")
}

async fn upstream() -> (String, Journal) {
    let journal = Journal::default();
    let app = Router::new().fallback(record).with_state(Arc::clone(&journal));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}"), journal)
}

fn toolbox(site: &str, selection: Selection) -> Toolbox {
    let secret = |text: &str| Some(Secret::new(text.to_owned()));
    let configuration = Configuration {
        bearer: secret("fake-token"),
        api_key: secret("fake-api-key"),
        app_key: secret("fake-app-key"),
        ..Configuration::default()
    };
    let credentials = Arc::new(ConfiguredCredentials::new(configuration).unwrap());
    let client = Client::new(ClientConfig::default(), Site::parse(site, Trust::Operator).unwrap(), credentials).unwrap();
    Toolbox::new(Registry::build(selection, None).unwrap(), client, ToolboxConfig::default())
}

async fn call(toolbox: &Toolbox, name: &str, arguments: Value) -> Result<String, CallError> {
    let limits = CallLimits::default();
    let call = Call { who: &Principal::local(), limits: &limits, progress: &NoProgress, output: Output::Text };
    let Value::Object(arguments) = arguments else { panic!("an object") };
    toolbox.call(&call, name, arguments).await.map(|answer| answer.text)
}

/// A value that a parameter takes, told apart from every other by its position.
fn sample(param: &Param, at: usize) -> Value {
    if let Some(value) = param.values.first() {
        return if matches!(param.kind, ParamType::TextList) { json!([value]) } else { json!(value) };
    }
    let number = param.min.unwrap_or(1).max(1);
    match param.kind {
        ParamType::Integer => json!(number),
        ParamType::Number => json!(0.5),
        ParamType::Boolean => json!(true),
        ParamType::TextList => json!([format!("a{at} b"), format!("c/{at}")]),
        ParamType::IntegerList => json!([number, number + 1]),
        ParamType::Text(Some("uuid")) => json!(format!("00000000-0000-4000-8000-{at:012}")),
        ParamType::Text(Some("date-time")) => json!("2026-11-22T04:00:00Z"),
        ParamType::Text(Some("date")) => json!("2026-11-22"),
        ParamType::Text(_) if param.place == Place::Header => json!(format!("v{at} ?#%&")),
        ParamType::Text(_) => json!(format!("v{at}/ä?#%&")),
    }
}

fn arguments_of(operation: &Operation) -> Map<String, Value> {
    // A compressed body is what `datadog-client` tests; here the body is to be read as it was given.
    let params = operation.params.iter().filter(|param| param.name != "Content-Encoding");
    let mut arguments: Map<String, Value> = params.enumerate().map(|(at, param)| (param.name.to_owned(), sample(param, at))).collect();
    if operation.body.is_some() {
        arguments.insert("body".to_owned(), json!({"probe": operation.id}));
    }
    arguments
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

fn assert_nothing_lost(operation: &Operation, arguments: &Map<String, Value>, arrived: &Arrived) {
    let id = operation.id;
    assert_eq!(arrived.method, operation.method.as_str(), "{id}");
    let template: Vec<&str> = operation.path_only().split('/').collect();
    let path: Vec<&str> = arrived.path.split('/').collect();
    assert_eq!(template.len(), path.len(), "{id}: {} is not of {}", arrived.path, operation.path);
    for (wanted, got) in template.iter().zip(&path) {
        let decoded = percent_decode(got);
        let mut expected = (*wanted).to_owned();
        for param in operation.params.iter().filter(|param| param.place == Place::Path) {
            expected = expected.replace(&format!("{{{}}}", param.name), &texts(&arguments[param.name]).join(","));
        }
        assert_eq!(decoded, expected, "{id}");
    }
    for param in operation.params {
        let Some(value) = arguments.get(param.name) else { continue };
        let values = texts(value);
        let got: Vec<&str> = match param.place {
            Place::Path => continue,
            Place::Query => arrived.query.iter().filter(|(name, _)| name == param.name).map(|(_, value)| value.as_str()).collect(),
            Place::Header => {
                arrived.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(param.name)).map(|(_, value)| value.as_str()).collect()
            }
        };
        let wanted = if param.explode || got.len() == values.len() { values } else { vec![values.join(",")] };
        assert_eq!(got, wanted, "{id}: {}", param.name);
    }
    for pair in operation.fixed_query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        assert!(arrived.query.iter().any(|(n, v)| n == name && v == value), "{id} loses {pair}");
    }
    match &arrived.body {
        Some(Value::String(form)) => {
            let is_form = arrived.headers.iter().any(|(name, value)| name == "content-type" && value.starts_with("multipart/form-data"));
            assert!(is_form && form.contains("name=\"probe\"") && form.contains(id), "{id}: {form}");
        }
        body => assert_eq!(body.as_ref(), arguments.get("body"), "{id}"),
    }
}

fn percent_decode(text: &str) -> String {
    let fixed = text.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={fixed}").as_bytes()).next().unwrap().1.into_owned()
}

#[tokio::test]
async fn every_operation_can_be_called_and_nothing_of_it_is_lost() {
    let (site, journal) = upstream().await;
    let toolbox = toolbox(&site, Selection { allow_writes: true, allow_secrets: true, ..Selection::default() });
    for operation in operations() {
        let arguments = arguments_of(operation);
        let through = if operation.kind.effect() == Effect::Read { "tools_call_read" } else { "tools_call_write" };
        if let Err(CallError::Refused(refusal)) = call(&toolbox, through, json!({"name": operation.id, "arguments": arguments})).await {
            panic!("{}: {refusal:?}", operation.id);
        }
        let arrived = std::mem::take(&mut *journal.lock().unwrap());
        assert_eq!(arrived.len(), 1, "{} was sent {} times", operation.id, arrived.len());
        assert_nothing_lost(operation, &arguments, &arrived[0]);
    }
}

#[tokio::test]
async fn no_write_leaves_a_read_only_server_by_any_way_in() {
    let (site, journal) = upstream().await;
    let toolbox = toolbox(&site, Selection { toolsets: vec!["all".to_owned()], ..Selection::default() });
    for operation in operations().iter().filter(|operation| operation.kind.effect() != Effect::Read) {
        for (through, name) in [("tools_call_read", operation.id.to_owned()), ("tools_call_read", operation.id.to_lowercase())] {
            match call(&toolbox, through, json!({"name": name, "arguments": arguments_of(operation)})).await {
                Err(CallError::Refused(refusal)) => assert_eq!(refusal.kind, Kind::ForbiddenByOperator, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
    let write = call(&toolbox, "tools_call_write", json!({"name": "v1.DeleteMonitor", "arguments": {"monitor_id": 1}})).await;
    assert!(matches!(&write, Err(CallError::Refused(refusal)) if refusal.kind == Kind::ForbiddenByOperator), "{write:?}");
    assert!(journal.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_the_operator_withholds_is_refused_with_a_reason() {
    let (site, journal) = upstream().await;
    let selection =
        Selection { allow_writes: true, exclude: vec!["v1.DeleteMonitor".to_owned(), "logs_search".to_owned()], ..Selection::default() };
    let toolbox = toolbox(&site, selection);
    for (through, name) in
        [("tools_call_write", "v1.DeleteMonitor"), ("tools_call_read", "logs_search"), ("tools_call_read", "v2.GetAPIKey")]
    {
        match call(&toolbox, through, json!({"name": name})).await {
            Err(CallError::Refused(refusal)) => assert_eq!(refusal.kind, Kind::ForbiddenByOperator, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    let direct = call(&toolbox, "logs_search", json!({})).await;
    assert!(matches!(&direct, Err(CallError::Refused(refusal)) if refusal.kind == Kind::ForbiddenByOperator), "{direct:?}");
    assert!(matches!(call(&toolbox, "logs_serch", json!({})).await, Err(CallError::UnknownTool { .. })));
    for (through, name, other) in
        [("tools_call_read", "v1.CreateMonitor", "tools_call_write"), ("tools_call_write", "v1.ListMonitors", "tools_call_read")]
    {
        match call(&toolbox, through, json!({"name": name})).await {
            Err(CallError::Refused(refusal)) => assert_eq!(refusal.fixes[0].action, other, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(journal.lock().unwrap().is_empty());
}

#[tokio::test]
async fn hostile_ids_stay_one_segment_or_are_refused() {
    let (site, journal) = upstream().await;
    let toolbox = toolbox(&site, Selection::default());
    for id in ["../../v1/validate", "%2e%2e%2f", "a/b", "a?x=1", "a#b", "a\r\nX-Evil: 1", "a\0b", "..", ".", "", "🦀"] {
        let outcome = call(&toolbox, "tools_call_read", json!({"name": "v2.GetIncident", "arguments": {"incident_id": id}})).await;
        let arrived = std::mem::take(&mut *journal.lock().unwrap());
        match outcome {
            Ok(_) => {
                assert_eq!(arrived.len(), 1, "{id:?}");
                let segments: Vec<&str> = arrived[0].path.split('/').collect();
                assert_eq!((segments.len(), percent_decode(segments[4])), (5, id.to_owned()), "{id:?} became {}", arrived[0].path);
                assert!(!arrived[0].query.iter().any(|(name, _)| name == "x"), "{id:?}");
                assert!(!arrived[0].headers.iter().any(|(name, _)| name == "x-evil"), "{id:?}");
            }
            Err(CallError::Refused(refusal)) => {
                assert_eq!(refusal.kind, Kind::InvalidArguments, "{id:?}");
                assert!(arrived.is_empty(), "{id:?} was sent: {arrived:?}");
            }
            Err(other) => panic!("{id:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_tool_is_no_way_around_what_is_withheld_of_its_operation() {
    let (site, journal) = upstream().await;
    let toolbox = toolbox(&site, Selection { exclude: vec!["v2.ListLogs".to_owned()], ..Selection::default() });
    for (name, arguments) in [("logs_search", json!({})), ("tools_call_read", json!({"name": "logs_search"}))] {
        let outcome = call(&toolbox, name, arguments).await;
        assert!(matches!(&outcome, Err(CallError::Refused(refusal)) if refusal.kind == Kind::ForbiddenByOperator), "{name}: {outcome:?}");
    }
    assert!(journal.lock().unwrap().is_empty());
}
