//! Each fault as it arrives at a client, and the journal.

use crate::org::Org;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Read as _;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const LOGS: &str = "/api/v2/logs/events";

async fn fault(org: &Org, fault: Value) {
    let rule = json!({"match": {"operation": "v2.ListLogsGet"}, "times": 1, "fault": fault});
    let response = org.bare(Method::POST, "/_sandbox/faults").json(&rule).send().await.unwrap();
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
}

/// The answer's bytes as they come, until the connection ends or nothing came for half a second.
async fn raw(org: &Org, path: &str) -> (Vec<u8>, Option<std::io::ErrorKind>) {
    let mut stream = TcpStream::connect(org.address).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: sandbox\r\nDD-API-KEY: fake-api-key-sandbox\r\nDD-APPLICATION-KEY: fake-app-key-sandbox\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let mut buffer = vec![0; 65_536];
    loop {
        match tokio::time::timeout(Duration::from_millis(500), stream.read(&mut buffer)).await {
            Err(_) | Ok(Ok(0)) => return (all, None),
            Ok(Err(error)) => return (all, Some(error.kind())),
            Ok(Ok(n)) => all.extend_from_slice(&buffer[..n]),
        }
    }
}

#[tokio::test]
async fn statuses_bodies_and_headers() {
    let org = Org::unlimited().await;
    let send = async || org.keyed(Method::GET, LOGS).send().await.unwrap();

    fault(&org, json!({"kind": "status", "status": 503})).await;
    let response = send().await;
    assert_eq!((response.status().as_u16(), response.text().await.unwrap()), (503, r#"{"errors":["Service Unavailable"]}"#.to_owned()));
    assert_eq!(send().await.status(), 200, "once means once");

    fault(&org, json!({"kind": "status", "status": 500, "body": {"status": "error", "code": 500}})).await;
    assert_eq!(send().await.json::<Value>().await.unwrap()["code"], 500);

    fault(&org, json!({"kind": "rate_limited", "reset": "7"})).await;
    let response = send().await;
    assert_eq!((response.status().as_u16(), response.headers()["x-ratelimit-reset"].to_str().unwrap()), (429, "7"));
    fault(&org, json!({"kind": "rate_limited", "reset": "soon"})).await;
    assert_eq!(send().await.headers()["x-ratelimit-reset"], "soon");
    fault(&org, json!({"kind": "rate_limited"})).await;
    assert!(!send().await.headers().contains_key("x-ratelimit-reset"));

    fault(&org, json!({"kind": "redirect", "location": "https://elsewhere.invalid/steal"})).await;
    let response = send().await;
    assert_eq!((response.status().as_u16(), response.headers()["location"].to_str().unwrap()), (302, "https://elsewhere.invalid/steal"));

    fault(&org, json!({"kind": "html"})).await;
    let response = send().await;
    assert_eq!(response.status(), 502);
    assert!(response.text().await.unwrap().starts_with("<!DOCTYPE html>"));

    fault(&org, json!({"kind": "empty"})).await;
    let response = send().await;
    assert_eq!((response.status().as_u16(), response.text().await.unwrap()), (200, String::new()));

    fault(&org, json!({"kind": "content_type", "value": "text/plain"})).await;
    let response = send().await;
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert!(response.json::<Value>().await.unwrap()["data"].is_array());

    fault(&org, json!({"kind": "invalid_utf8"})).await;
    assert!(String::from_utf8(send().await.bytes().await.unwrap().to_vec()).is_err());

    fault(&org, json!({"kind": "deep_json", "depth": 10_000})).await;
    assert_eq!(send().await.text().await.unwrap().matches('[').count(), 10_000);

    fault(&org, json!({"kind": "truncated_json"})).await;
    let cut = send().await.text().await.unwrap();
    assert!(cut.starts_with("{\"data\":[") && serde_json::from_str::<Value>(&cut).is_err());

    fault(&org, json!({"kind": "partial"})).await;
    let partial = send().await.json::<Value>().await.unwrap();
    assert_eq!(partial["meta"]["status"], "timeout");
    assert!(partial["meta"]["warnings"][0]["title"].is_string());
    assert_eq!(partial["data"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn sizes() {
    let org = Org::unlimited().await;
    fault(&org, json!({"kind": "huge_body", "megabytes": 5})).await;
    let huge = org.keyed(Method::GET, LOGS).send().await.unwrap().bytes().await.unwrap();
    assert!((5 << 20..7 << 20).contains(&huge.len()), "{}", huge.len());
    assert!(serde_json::from_slice::<Value>(&huge).unwrap()["data"].as_array().unwrap().len() > 1_000);
    fault(&org, json!({"kind": "gzip_bomb", "megabytes": 60})).await;
    let (packed, _) = raw(&org, LOGS).await;
    assert!(packed.len() < 1 << 18, "{}", packed.len());
    let start = packed.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed[start..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked.len(), 60 << 20);
}

#[tokio::test]
async fn connections_are_cut_where_asked() {
    let org = Org::unlimited().await;
    fault(&org, json!({"kind": "reset"})).await;
    let (bytes, error) = raw(&org, LOGS).await;
    assert!(bytes.is_empty());
    assert_eq!(error, Some(std::io::ErrorKind::ConnectionReset));
    fault(&org, json!({"kind": "reset", "after_bytes": 1_500})).await;
    let (bytes, _) = raw(&org, LOGS).await;
    assert!(bytes.len() <= 1_500 && bytes.starts_with(b"HTTP/1.1 200"), "{} bytes", bytes.len());
    assert_eq!(org.keyed(Method::GET, LOGS).send().await.unwrap().status(), 200, "other connections live");
}

#[tokio::test]
async fn slowness_takes_its_time() {
    let org = Org::unlimited().await;
    fault(&org, json!({"kind": "delay", "ms": 150})).await;
    let began = Instant::now();
    assert_eq!(org.keyed(Method::GET, LOGS).send().await.unwrap().status(), 200);
    assert!(began.elapsed() >= Duration::from_millis(150));
    fault(&org, json!({"kind": "slow_body", "bytes": 4_000, "interval_ms": 40})).await;
    let began = Instant::now();
    let body = org.keyed(Method::GET, LOGS).send().await.unwrap().text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&body).is_ok());
    assert!(began.elapsed() >= Duration::from_millis(40 * (body.len() as u64 / 4_000)));
}

#[tokio::test]
async fn rules_match_count_and_execute_as_written() {
    let org = Org::unlimited().await;
    let add = async |rule: Value| org.bare(Method::POST, "/_sandbox/faults").json(&rule).send().await.unwrap().status().as_u16();
    assert_eq!(add(json!({"fault": {"kind": "frob"}})).await, 400);
    assert_eq!(add(json!({"match": {"operaton": "x"}, "fault": {"kind": "empty"}})).await, 400);
    assert_eq!(
        add(json!({"match": {"path_prefix": "/api/v1/"}, "times": 2, "skip": 1, "fault": {"kind": "status", "status": 418}})).await,
        200
    );
    let status = async |path: &str| org.status(path).await.0;
    assert_eq!(status("/api/v2/metrics").await, 200);
    assert_eq!(
        [status("/api/v1/hosts").await, status("/api/v1/hosts").await, status("/api/v1/slo").await, status("/api/v1/slo").await],
        [200, 418, 418, 200]
    );

    // A write whose answer is lost has run; one refused before it has not.
    let monitor = json!({"type": "metric alert", "query": "avg(last_5m):avg:system.load.1{*} > 9"});
    let write = async || org.keyed(Method::POST, "/api/v1/monitor").json(&monitor).send().await;
    add(json!({"match": {"operation": "v1.CreateMonitor"}, "times": 1, "execute": true, "fault": {"kind": "reset"}})).await;
    assert!(write().await.is_err());
    assert_eq!(org.sandbox.journal().executed.get("v1.CreateMonitor"), Some(&1));
    add(json!({"match": {"operation": "v1.CreateMonitor"}, "fault": {"kind": "reset"}})).await;
    assert!(write().await.is_err());
    assert_eq!(org.sandbox.journal().executed.get("v1.CreateMonitor"), Some(&1));
    let listed = org.bare(Method::GET, "/_sandbox/faults").send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(listed[0]["fault"]["kind"], "reset");
    org.bare(Method::DELETE, "/_sandbox/faults").send().await.unwrap();
    assert_eq!(write().await.unwrap().status(), 200);

    let journal = org.bare(Method::GET, "/_sandbox/requests").send().await.unwrap().json::<Value>().await.unwrap();
    let requests = journal["requests"].as_array().unwrap();
    assert_eq!(requests.iter().filter(|request| request["operation"] == "v1.CreateMonitor").count(), 3);
    assert_eq!(requests[1]["credential"], "keys");
    assert!(requests.iter().any(|request| request["fault"] == "reset"));
    org.bare(Method::DELETE, "/_sandbox/requests").send().await.unwrap();
    assert!(org.sandbox.journal().requests.is_empty());
}

#[tokio::test]
async fn hostile_requests_do_no_harm() {
    let org = Org::unlimited().await;
    for path in [
        "/api/v1/monitor/..%2f..%2fetc%2fpasswd",
        "/api/v1/monitor/%2e%2e",
        "/api/v1/monitor/%00",
        "/api/v1/monitor/1%0d%0aX-Injected:%201",
        "/api/v1/monitor/99999999999999999999999999",
        "/api/v1/dashboard/%F0%9F%8C%B5",
        "/api/v1/dashboard/%ff%fe",
        "/api/v2/incidents/'%20OR%201=1",
        "/api/v2/trace/-1",
        "/api/v2/logs/events?page[cursor]=%00",
        "/api/v2/logs/events?page[cursor]=eyJhZnRlciI6Ijk5OTkuLTEuLTUifQ",
        "/api/v2/logs/events?filter[query]=((((((((",
        "/api/v1/query?from=-9223372036854775808&to=9223372036854775807&query=avg:system.load.1{*}",
        "/api/v1/monitor?page=9223372036854775807",
        "/api/v1/hosts?start=18446744073709551615",
        "/api/v1/slo/x/history?from_ts=1&to_ts=9223372036854775807",
        "/nowhere",
    ] {
        let (status, body) = org.status(path).await;
        assert!((200..500).contains(&status), "{path}: {status} {body}");
        if status >= 400 {
            assert!(body["errors"].is_array(), "{path}: {body}");
        }
    }
    let (status, _) = org.status_of_post("/api/v2/logs/events/search", json!({"filter": {"query": "(".repeat(20_000)}})).await;
    assert_eq!(status, 400);
    let (status, _) =
        org.status_of_post("/api/v2/logs/events/search", json!({"filter": {"from": i64::MIN, "to": i64::MAX}, "page": {"limit": 1}})).await;
    assert_eq!(status, 200);
    let broken = org.keyed(Method::POST, "/api/v2/logs/events/search").body("{\"filter\":").send().await.unwrap();
    assert_eq!(broken.status(), 400);
    assert_eq!(org.logs("*", 1).await.len(), 1, "still there");
}
