//! The stand-in for Datadog: log searches answered from prepared bodies, and a count of what was asked.

use crate::bodies::{Asked, Bodies};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Path of the operation that is measured.
pub const SEARCH: &str = "/api/v2/logs/events/search";

/// Path that answers how often each route was asked for, as `{"POST /api/…": 12}`.
pub const COUNTS: &str = "/bench/counts";

#[derive(Debug, Clone, Default)]
struct Shared {
    bodies: Bodies,
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Shared {
    fn count(&self, method: &Method, path: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(format!("{method} {path}")).or_default() += 1;
    }
}

/// The stand-in as a web application.
pub fn app() -> Router {
    Router::new().route(SEARCH, post(search)).route(COUNTS, get(counts)).fallback(other).with_state(Shared::default())
}

async fn search(State(shared): State<Shared>, body: Bytes) -> Response {
    shared.count(&Method::POST, SEARCH);
    let Ok(asked) = Asked::read(&body) else {
        return (StatusCode::BAD_REQUEST, Json(json!({"errors": ["the body is no log search"]}))).into_response();
    };
    let body = shared.bodies.get(asked.content);
    if !asked.delay.is_zero() {
        tokio::time::sleep(asked.delay).await;
    }
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/json"),
        ("x-ratelimit-limit", "1000000"),
        ("x-ratelimit-remaining", "999999"),
        ("x-ratelimit-period", "10"),
        ("x-ratelimit-reset", "5"),
        ("x-ratelimit-name", "logs_public_search_api"),
    ];
    (headers, body).into_response()
}

async fn counts(State(shared): State<Shared>) -> Json<BTreeMap<String, u64>> {
    Json(shared.counts.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

async fn other(State(shared): State<Shared>, method: Method, uri: Uri) -> Response {
    shared.count(&method, uri.path());
    (StatusCode::NOT_FOUND, Json(json!({"errors": ["Not found"]}))).into_response()
}
