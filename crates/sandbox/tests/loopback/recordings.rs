//! Operations without a simulation: recorded answers, or a plain word that there is none.

use crate::org::Org;
use datadog_sandbox::{Options, RateLimits, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;

#[tokio::test]
async fn without_a_simulation_the_sandbox_says_so() {
    let org = Org::unlimited().await;
    let response = org.keyed(Method::GET, "/api/v2/cases").send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["x-sandbox"], "no-simulation");
    let body = response.json::<Value>().await.unwrap();
    assert!(body["errors"][0].as_str().unwrap().contains("v2.SearchCases"));
    let unknown = org.keyed(Method::GET, "/api/v2/no/such/thing").send().await.unwrap();
    assert!(!unknown.headers().contains_key("x-sandbox"));
}

#[tokio::test]
async fn the_best_fitting_recording_is_replayed() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for (path, query, status, answer) in [
        ("/api/v2/cases", "", 400, r#"{"errors":["no"]}"#),
        ("/api/v2/cases", "filter=a", 200, r#"{"data":["a"]}"#),
        ("/api/v2/cases", "filter=b&page%5Bsize%5D=2", 200, r#"{"data":["b"]}"#),
    ] {
        let line = json!({"operation": "v2.SearchCases", "path": path, "query": query, "status": status, "content_type": "application/json", "response": answer});
        writeln!(file, "{line}").unwrap();
    }
    let options = Options { recordings: Some(file.path().to_owned()), rate_limits: RateLimits::Off, ..Options::default() };
    let org = Org::start(options).await;
    assert_eq!(org.get("/api/v2/cases?page[size]=2&filter=b").await, json!({"data": ["b"]}));
    assert_eq!(org.get("/api/v2/cases?filter=a").await, json!({"data": ["a"]}));
    let refused = org.bearer("fake-token-no-dbm", Method::GET, "/api/v2/cases").send().await.unwrap();
    assert_eq!(refused.status(), 200, "permissions hold for recordings too");
    writeln!(file, "not a recording").unwrap();
    let error = Sandbox::new(&Options { recordings: Some(file.path().to_owned()), ..Options::default() }).unwrap_err();
    assert!(error.to_string().contains("line 4"), "{error}");
}

#[tokio::test]
async fn datadog_s_own_recordings_are_replayed() {
    let folder = std::env::var_os("DATADOG_MCP_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let recordings = folder.join("recordings.jsonl.zst");
    if !recordings.exists() {
        println!("skipped: no data folder");
        return;
    }
    let org = Org::start(Options { recordings: Some(recordings), rate_limits: RateLimits::Off, ..Options::default() }).await;
    for path in ["/api/v2/cases", "/api/v2/on-call/schedules", "/api/v1/synthetics/tests", "/api/v2/containers"] {
        assert!(org.get(path).await.is_object(), "{path}");
    }
    assert!(org.get("/api/v1/monitor").await.as_array().unwrap().len() == 15, "a simulation goes before a recording");
}
