//! A fault as HTTP.

use super::{Fault, bodies};
use crate::limits;
use crate::reply::Reply;
use crate::server::Cut;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::io;
use std::time::Duration;

/// The answer that `fault` makes of the `normal` one, whose body is in `reply`.
pub(crate) fn respond(fault: &Fault, normal: Response, reply: &Reply, cut: Option<&Cut>) -> Response {
    let status = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match fault {
        Fault::Status { status: code, body } => {
            let (text, kind) = match body {
                None => (json!({"errors": [status(*code).canonical_reason().unwrap_or("Error")]}).to_string(), "application/json"),
                Some(Value::String(text)) => (text.clone(), "text/plain"),
                Some(value) => (value.to_string(), "application/json"),
            };
            plain(status(*code), kind, text)
        }
        Fault::RateLimited { reset } => {
            let refusal = limits::refusal(10, 10, "sandbox_fault");
            let mut response = plain(StatusCode::TOO_MANY_REQUESTS, "application/json", refusal.body);
            if let Some(reset) = reset.as_deref().and_then(|reset| HeaderValue::from_str(reset).ok()) {
                let headers = response.headers_mut();
                for (name, value) in [
                    ("x-ratelimit-limit", "10"),
                    ("x-ratelimit-period", "10"),
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-name", "sandbox_fault"),
                ] {
                    headers.insert(name, HeaderValue::from_static(value));
                }
                headers.insert("x-ratelimit-reset", reset);
            }
            response
        }
        Fault::Reset { after_bytes } => {
            if let Some(cut) = cut {
                cut.after(*after_bytes);
                return normal;
            }
            // Without our own listener the best there is: a body that fails.
            with_body(normal, Body::from_stream(stream::iter([Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset))])))
        }
        Fault::SlowBody { bytes, interval_ms } => {
            let (bytes, pause) = ((*bytes).max(1), Duration::from_millis(*interval_ms));
            let body = reply.body.clone();
            let starts = (0..body.len()).step_by(bytes);
            let chunks = stream::iter(starts).then(move |from| {
                let chunk = body.slice(from..body.len().min(from + bytes));
                async move {
                    tokio::time::sleep(pause).await;
                    Ok::<_, io::Error>(chunk)
                }
            });
            with_body(normal, Body::from_stream(chunks))
        }
        Fault::Delay { .. } => normal,
        Fault::HugeBody { megabytes } => plain(StatusCode::OK, "application/json", bodies::huge(*megabytes)),
        Fault::GzipBomb { megabytes } => {
            let mut response = plain(StatusCode::OK, "application/json", bodies::bomb(*megabytes).unwrap_or_default());
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        Fault::InvalidUtf8 => plain(
            StatusCode::OK,
            "application/json",
            &b"{\"data\":[{\"id\":\"1\",\"type\":\"log\",\"attributes\":{\"message\":\"caf\xe9 \xff\xfe\"}}]}"[..],
        ),
        Fault::ContentType { value } => {
            let mut response = normal;
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(CONTENT_TYPE, value);
            }
            response
        }
        Fault::Html { status: code } => plain(
            status(code.unwrap_or(502)),
            "text/html; charset=utf-8",
            "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1><p>The proxy got no answer.</p></body></html>",
        ),
        Fault::Empty => plain(StatusCode::OK, "application/json", Body::empty()),
        Fault::Redirect { location, status: code } => {
            let mut response = plain(status(code.unwrap_or(302)), "text/html", Body::empty());
            if let Ok(location) = HeaderValue::from_str(location) {
                response.headers_mut().insert(LOCATION, location);
            }
            response
        }
        Fault::DeepJson { depth } => plain(StatusCode::OK, "application/json", bodies::deep(*depth)),
        Fault::TruncatedJson => with_body(normal, Body::from(reply.body.slice(..reply.body.len() / 2))),
        Fault::Partial => match serde_json::from_slice::<Value>(&reply.body) {
            Ok(mut value) if value.is_object() => {
                if !value["meta"].is_object() {
                    value["meta"] = json!({});
                }
                value["meta"]["status"] = json!("timeout");
                value["meta"]["warnings"] = json!([{"code": "timeout", "title": "Query timed out", "detail": "Some shards did not answer; the result is incomplete"}]);
                with_body(normal, Body::from(value.to_string()))
            }
            _ => normal,
        },
    }
}

fn plain(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn with_body(mut response: Response, body: Body) -> Response {
    *response.body_mut() = body;
    response
}
