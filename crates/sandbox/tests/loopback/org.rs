//! Starts an org on a free port and talks to it.

use datadog_sandbox::{Options, RateLimits, Sandbox, serve};
use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A running org; it stops when dropped.
pub(crate) struct Org {
    pub(crate) sandbox: Sandbox,
    pub(crate) address: SocketAddr,
    client: Client,
    _stop: DropGuard,
}

impl Org {
    pub(crate) async fn start(options: Options) -> Self {
        let sandbox = Sandbox::new(&options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(serve(sandbox.clone(), listener, stop.clone()));
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
        Self { sandbox, address, client, _stop: stop.drop_guard() }
    }

    /// Without rate limits.
    pub(crate) async fn unlimited() -> Self {
        Self::start(Options { rate_limits: RateLimits::Off, ..Options::default() }).await
    }

    /// A request without credentials.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    /// A request with unscoped keys.
    pub(crate) fn keyed(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("DD-API-KEY", "fake-api-key-sandbox").header("DD-APPLICATION-KEY", "fake-app-key-sandbox")
    }

    /// A request with a bearer token.
    pub(crate) fn bearer(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("Authorization", format!("Bearer {token}"))
    }

    /// A successful GET.
    pub(crate) async fn get(&self, path: &str) -> Value {
        ok(self.keyed(Method::GET, path).send().await.unwrap()).await
    }

    /// A successful POST.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        ok(self.keyed(Method::POST, path).json(&body).send().await.unwrap()).await
    }

    /// Status and body of a GET.
    pub(crate) async fn status(&self, path: &str) -> (u16, Value) {
        said(self.keyed(Method::GET, path).send().await.unwrap()).await
    }

    /// Status and body of a POST.
    pub(crate) async fn status_of_post(&self, path: &str, body: Value) -> (u16, Value) {
        said(self.keyed(Method::POST, path).json(&body).send().await.unwrap()).await
    }

    /// Log events that fit, newest first.
    pub(crate) async fn logs(&self, query: &str, limit: usize) -> Vec<Value> {
        let body = json!({"filter": {"query": query, "from": "now-1d", "to": "now"}, "page": {"limit": limit}});
        list(&self.post("/api/v2/logs/events/search", body).await["data"])
    }

    /// Spans that fit, newest first.
    pub(crate) async fn spans(&self, query: &str, limit: usize) -> Vec<Value> {
        let attributes = json!({"filter": {"query": query, "from": "now-1d", "to": "now"}, "page": {"limit": limit}});
        list(&self.post("/api/v2/spans/events/search", json!({"data": {"type": "search_request", "attributes": attributes}})).await["data"])
    }
}

/// The items of a list.
pub(crate) fn list(value: &Value) -> Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}")).clone()
}

async fn ok(response: Response) -> Value {
    let (status, body) = said(response).await;
    assert!(status < 300, "{status}: {body}");
    body
}

pub(crate) async fn said(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The body of a Database Monitoring request over the last day.
pub(crate) fn samples(query: &str, limit: usize) -> Value {
    let now = jiff::Timestamp::now().as_millisecond();
    json!({"list": {"indexes": ["databasequery"], "limit": limit, "search": {"query": query}, "sorts": [{"time": {"order": "desc"}}],
        "time": {"from": now - 86_400_000, "to": now}}})
}

/// Where Database Monitoring listens.
pub(crate) const SAMPLES: &str = "/api/v1/logs-analytics/list?type=databasequery";
