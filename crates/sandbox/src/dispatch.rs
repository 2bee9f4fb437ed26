//! The way of one request: which operation, which fault, who, how often, what answer.

use crate::access::authorise;
use crate::accounts::Presented;
use crate::call::Call;
use crate::faults::{self, Fault};
use crate::journal::Received;
use crate::limits::Standing;
use crate::reply::Reply;
use crate::sandbox::{Inner, Sandbox};
use crate::server::Cut;
use crate::{admin, products};
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use bytes::Bytes;
use datadog_catalogue::{Method, Operation, route};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

/// No request of Datadog's API is larger.
const LARGEST_BODY: usize = 16 << 20;

/// Answers every request.
pub(crate) async fn answer(State(sandbox): State<Sandbox>, request: http::Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return finish(Reply::errors(413, &["Request body too large"]), None);
    };
    let inner = &*sandbox.inner;
    if parts.uri.path().starts_with("/_sandbox") {
        return finish(admin::answer(inner, &sandbox, &parts, &body), None);
    }
    let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let operation = Method::parse(parts.method.as_str()).and_then(|method| route(method, target));
    let fault = inner.faults.take(operation, parts.uri.path());
    let presented = presented(&parts.headers);
    inner.ledger.received(Received {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        operation: operation.map(|operation| operation.id),
        credential: presented.word(),
        user_agent: header(&parts.headers, "user-agent").unwrap_or_default().to_owned(),
        body_bytes: body.len(),
        fault: fault.as_ref().map(|rule| rule.fault.kind()),
    });
    let Some(rule) = fault else {
        let (reply, standing) = reply(inner, operation, &parts, &body);
        return finish(reply, standing);
    };
    let normal = (rule.execute || rule.fault.alters()).then(|| reply(inner, operation, &parts, &body));
    if let Fault::Delay { ms } = rule.fault {
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
    let cut = parts.extensions.get::<ConnectInfo<Cut>>().map(|info| info.0.clone());
    let (reply, standing) = normal.unwrap_or_else(|| (Reply::text(crate::reply::JSON, String::new()), None));
    faults::respond(&rule.fault, finish(reply.clone(), standing), &reply, cut.as_ref())
}

/// The answer without any fault.
fn reply(inner: &Inner, operation: Option<&'static Operation>, parts: &Parts, body: &Bytes) -> (Reply, Option<Standing>) {
    let Some(operation) = operation else {
        return (Reply::errors(404, &["Not found"]), None);
    };
    let presented = presented(&parts.headers);
    let who = match authorise(operation, presented, inner.accounts.recognise(presented)) {
        Ok(who) => who,
        Err(refusal) => return (refusal, None),
    };
    let standing = match inner.limits.take(operation) {
        Ok(standing) => standing,
        Err((standing, refusal)) => return (refusal, Some(standing)),
    };
    let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) };
    let Ok(body) = body else {
        return (Reply::errors(400, &["The request body is not valid JSON"]), standing);
    };
    let call = Call {
        inner,
        world: inner.world(),
        operation,
        segments: segments(operation, parts.uri.path()),
        query: url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect(),
        body,
        now: inner.now(),
        base: format!("http://{}", header(&parts.headers, "host").unwrap_or("localhost")),
        who: &who,
    };
    inner.ledger.executed(operation.id);
    let reply = match products::handler(operation.id) {
        Some(handler) => handler(&call).unwrap_or_else(|refusal| refusal),
        None => inner.recordings.answer(&call, parts.uri.path()).unwrap_or_else(|| unsimulated(operation)),
    };
    (reply, standing)
}

fn unsimulated(operation: &Operation) -> Reply {
    Reply { unsimulated: true, ..Reply::errors(404, &[&format!("The sandbox has no simulation of {}", operation.id)]) }
}

/// Path parameters by name, percent-decoded.
fn segments(operation: &Operation, path: &str) -> Vec<(&'static str, String)> {
    let names = operation.path_only().split('/');
    names
        .zip(path.split('/'))
        .filter_map(|(name, value)| {
            let name = name.strip_prefix('{')?.strip_suffix('}')?;
            // The form decoder would take a plus for a blank.
            let literal = value.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
            let decoded = url::form_urlencoded::parse(literal.as_bytes()).next().map(|(value, _)| value.into_owned());
            Some((name, decoded.unwrap_or_default()))
        })
        .collect()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn presented(headers: &HeaderMap) -> Presented<'_> {
    Presented {
        api_key: header(headers, "dd-api-key"),
        app_key: header(headers, "dd-application-key"),
        bearer: header(headers, "authorization").and_then(|value| value.strip_prefix("Bearer ")),
    }
}

/// A reply as HTTP.
fn finish(reply: Reply, standing: Option<Standing>) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    if reply.unsimulated {
        headers.insert("x-sandbox", HeaderValue::from_static("no-simulation"));
    }
    if let Some(standing) = standing {
        let bucket = standing.bucket;
        for (name, value) in [
            ("x-ratelimit-limit", bucket.limit),
            ("x-ratelimit-period", bucket.period),
            ("x-ratelimit-remaining", standing.remaining),
            ("x-ratelimit-reset", standing.reset),
        ] {
            headers.insert(HeaderName::from_static(name), value.into());
        }
        headers.insert("x-ratelimit-name", HeaderValue::from_static(bucket.name));
    }
    response
}
