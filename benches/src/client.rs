//! The bare HTTP client: the least a log search can cost.

use crate::upstream::SEARCH;
use anyhow::ensure;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A log search, as the arguments of `logs_search` name it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Search {
    /// Query in Datadog's syntax; the stand-in understands the words of [`crate::bodies::Asked::read`].
    pub query: String,
    /// Events of the answer.
    pub limit: usize,
}

/// A client with a pool and without Nagle's algorithm.
pub fn build() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()
}

/// Sends one search to the API at `base` and gives the answer's body.
pub async fn send(client: &reqwest::Client, base: &str, search: &Search) -> anyhow::Result<Bytes> {
    let body = json!({
        "filter": {"query": search.query, "from": "now-1h", "to": "now"},
        "page": {"limit": search.limit},
        "sort": "-timestamp",
    });
    let request = client
        .post(format!("{base}{SEARCH}"))
        .header("dd-api-key", "fake-api-key-bench")
        .header("dd-application-key", "fake-app-key-bench");
    let response = request.json(&body).send().await?;
    let status = response.status();
    ensure!(status.is_success(), "the stand-in answered {status}");
    Ok(response.bytes().await?)
}
