//! What a misbehaving upstream can do: each fault gives the documented refusal, and nothing is sent again that must not be.

use crate::loopback::{Act, Server, answer, client, config, json, keys, op, read, search, send, write};
use datadog_client::{CallLimits, Client, ClientConfig, Kind, Principal, Reply};
use std::io::Write as _;
use std::time::{Duration, Instant};

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn a_call_arrives_as_planned_and_connections_are_kept() {
    let server = Server::always(json("200 OK", r#"{"data":[1]}"#)).await;
    let client = client(&server);
    for _ in 0..5 {
        let reply = send(&client, &read()).await.unwrap();
        assert_eq!((reply.status, reply.tries, reply.content_type.as_str()), (200, 1, "application/json"));
        assert_eq!(reply.json().unwrap(), serde_json::json!({"data": [1]}));
    }
    send(&client, &search()).await.unwrap();
    assert_eq!((server.count(), server.connections()), (6, 1));
    let requests = server.requests();
    assert_eq!(requests[0].line, "GET /api/v2/logs/events?filter%5Bquery%5D=status%3Aerror HTTP/1.1");
    assert_eq!(requests[0].header("dd-api-key"), Some("fake-api-key-canary"));
    assert_eq!(requests[0].header("dd-application-key"), Some("fake-app-key-canary"));
    assert_eq!(requests[0].header("authorization"), None);
    assert!(requests[0].header("user-agent").unwrap().starts_with("datadog-mcp/"));
    assert!(requests[0].header("accept-encoding").unwrap().contains("gzip"));
    assert_eq!(requests[5].line, "POST /api/v2/logs/events/search HTTP/1.1");
    assert_eq!(requests[5].header("content-type"), Some("application/json"));
    assert_eq!(requests[5].body, br#"{"filter":{"query":"status:error"}}"#);
}

#[tokio::test]
async fn hostile_ids_reach_the_server_as_one_segment() {
    let server = Server::always(json("200 OK", "{}")).await;
    let client = client(&server);
    for (id, want) in [
        ("../../v1/validate", "..%2F..%2Fv1%2Fvalidate"),
        ("%2e%2e%2f", "%252e%252e%252f"),
        ("a?x=1", "a%3Fx%3D1"),
        ("a#b", "a%23b"),
        ("🚀", "%F0%9F%9A%80"),
    ] {
        let arguments = serde_json::json!({"incident_id": id});
        let request = datadog_client::Request::plan(op("v2.GetIncident"), arguments.as_object().unwrap()).unwrap();
        send(&client, &request).await.unwrap();
        assert_eq!(server.requests().last().unwrap().path(), format!("/api/v2/incidents/{want}"));
    }
    for id in ["..", ".", "", "a\r\nx", "a\0"] {
        let arguments = serde_json::json!({"incident_id": id});
        assert!(datadog_client::Request::plan(op("v2.GetIncident"), arguments.as_object().unwrap()).is_err());
    }
}

#[tokio::test]
async fn a_429_is_waited_for_by_reads_and_writes() {
    for headers in [&[][..], &[("x-ratelimit-reset", "NaN"), ("retry-after", "-5")], &[("retry-after", "0.05")]] {
        for request in [read(), write()] {
            let limited = answer("429 Too Many Requests", headers, r#"{"errors":["Rate limited"]}"#);
            let server = Server::start(move |n, _| Act::Answer(if n == 0 { limited.clone() } else { json("200 OK", "{}") })).await;
            let reply = send(&client(&server), &request).await.unwrap();
            assert_eq!((reply.tries, server.count()), (2, 2), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn a_429_beyond_the_deadline_is_told_and_not_asked_for_again() {
    let headers = [
        ("x-ratelimit-name", "logs_public_search_api"),
        ("x-ratelimit-limit", "10"),
        ("x-ratelimit-period", "60"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "37"),
    ];
    let server = Server::always(answer("429 Too Many Requests", &headers, r#"{"errors":["slow down"]}"#)).await;
    let client = client(&server);
    let started = Instant::now();
    let refusal = send(&client, &read()).await.unwrap_err();
    assert_eq!(
        (refusal.kind, refusal.retry_after_s, refusal.bucket.as_deref()),
        (Kind::RateLimited, Some(37), Some("logs_public_search_api"))
    );
    // The bucket is known to be empty: no request is burnt on finding out again.
    let refusal = send(&client, &read()).await.unwrap_err();
    assert_eq!((refusal.kind, refusal.bucket.as_deref()), (Kind::RateLimited, Some("logs_public_search_api")));
    assert_eq!(server.count(), 1);
    assert!(started.elapsed() < Duration::from_secs(2));
    // Somebody else's limit is somebody else's.
    client.send(&Principal::verified("bob"), &read(), &CallLimits::default()).await.unwrap_err();
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_limit_that_is_used_up_holds_the_next_call() {
    let headers = [
        ("content-type", "application/json"),
        ("x-ratelimit-limit", "1"),
        ("x-ratelimit-period", "1"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1"),
    ];
    let server = Server::always(answer("200 OK", &headers, "{}")).await;
    let client = client(&server);
    let reply = send(&client, &read()).await.unwrap();
    assert_eq!(reply.rate.unwrap().remaining, 0);
    let started = Instant::now();
    send(&client, &read()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(900), "{:?}", started.elapsed());
}

#[tokio::test]
async fn faults_of_the_server_are_tried_again_for_reads_only() {
    for status in ["500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"] {
        let server = Server::always(json(status, r#"{"errors":["broken"]}"#)).await;
        let client = client(&server);
        for (request, tries) in [(read(), 3), (search(), 3), (write(), 1)] {
            let before = server.count();
            let refusal = send(&client, &request).await.unwrap_err();
            assert_eq!((refusal.kind, server.count() - before), (Kind::UpstreamFailed, tries), "{status}");
            assert_eq!(refusal.datadog_said.as_deref(), Some("broken"));
        }
    }
    // A fault that passes is not seen.
    let server = Server::start(|n, _| Act::Answer(if n < 2 { json("503 Service Unavailable", "") } else { json("200 OK", "[7]") })).await;
    assert_eq!(send(&client(&server), &read()).await.unwrap().tries, 3);
}

#[tokio::test]
async fn an_answer_cut_off_is_no_answer_and_writes_run_once() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"data\":[".to_vec();
    let chunk = [CHUNKED, b"5\r\n{\"dat\r\n"].concat();
    for partial in [Vec::new(), b"HTTP/1.1 200 OK\r\ncontent-le".to_vec(), head, chunk] {
        for reset in [false, true] {
            let cut = partial.clone();
            let server = Server::start(move |_, _| if reset { Act::Reset(cut.clone()) } else { Act::Close(cut.clone()) }).await;
            let client = client(&server);
            let refusal = send(&client, &read()).await.unwrap_err();
            assert_eq!((refusal.kind, server.count()), (Kind::UpstreamFailed, 3), "{refusal}");
            let refusal = send(&client, &write()).await.unwrap_err();
            assert_eq!((refusal.kind, server.count()), (Kind::UpstreamFailed, 4), "{refusal}");
            assert!(refusal.why.unwrap().contains("may have taken effect"));
        }
    }
}

#[tokio::test]
async fn where_nothing_listens_nothing_was_sent() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let site = datadog_client::Site::parse(&format!("http://{free}"), datadog_client::Trust::Operator).unwrap();
    let client = Client::new(config(), site, keys()).unwrap();
    let refusal = send(&client, &write()).await.unwrap_err();
    assert_eq!(refusal.kind, Kind::UpstreamFailed);
    assert!(refusal.message.contains("connection refused") && refusal.why.unwrap().contains("nothing of v2.CreateIncident was sent"));
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_nothing() {
    let server = Server::start(|_, _| Act::Close(json("200 OK", "{}"))).await;
    let client = client(&server);
    for _ in 0..3 {
        send(&client, &write()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn slow_answers_end_at_the_idle_time_or_the_deadline() {
    // One chunk, then silence.
    let stalled = [CHUNKED, b"1\r\n{\r\n"].concat();
    let server = Server::start(move |_, _| Act::Forever(stalled.clone(), Vec::new(), Duration::from_secs(2))).await;
    let quick = Client::new(ClientConfig { max_tries: 1, ..config() }, server.site(), keys()).unwrap();
    let refusal = send(&quick, &read()).await.unwrap_err();
    assert_eq!((refusal.kind, server.count()), (Kind::UpstreamFailed, 1));
    assert!(refusal.message.contains("stopped coming"), "{refusal}");

    // A byte now and then, for ever: never silent for long, and over at the deadline.
    let server = Server::start(|_, _| Act::Forever(CHUNKED.to_vec(), b"1\r\n \r\n".to_vec(), Duration::from_millis(20))).await;
    let client = client(&server);
    let limits = CallLimits { deadline: Some(Duration::from_millis(300)), ..CallLimits::default() };
    let refusal = client.send(&Principal::local(), &read(), &limits).await.unwrap_err();
    assert_eq!((refusal.kind, refusal.operation.as_deref()), (Kind::Timeout, Some("v2.ListLogsGet")));
    server.client_gone().await;

    // Nothing at all; a write may have run.
    let server = Server::start(|_, _| Act::Hang).await;
    let refusal = crate::loopback::client(&server).send(&Principal::local(), &write(), &limits).await.unwrap_err();
    assert_eq!(refusal.kind, Kind::Timeout);
    assert!(refusal.why.unwrap().contains("may have taken effect"));
    server.client_gone().await;
}

#[tokio::test]
async fn cancelling_drops_the_socket() {
    let server = Server::start(|_, _| Act::Hang).await;
    let client = client(&server);
    let limits = CallLimits::default();
    let (cancel, request, who) = (limits.cancel.clone(), write(), Principal::local());
    let call = client.send(&who, &request, &limits);
    let stop = async {
        while server.count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(call, stop);
    let refusal = outcome.unwrap_err();
    assert_eq!(refusal.kind, Kind::Cancelled);
    assert!(refusal.why.unwrap().contains("may have taken effect"));
    server.client_gone().await;
    // Fired before: nothing is sent.
    assert_eq!(client.send(&Principal::local(), &read(), &limits).await.unwrap_err().kind, Kind::Cancelled);
    assert_eq!(server.count(), 1);
    // Dropped: the same.
    let fresh = CallLimits::default();
    let call = client.send(&who, &request, &fresh);
    assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err());
    server.client_gone().await;
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn too_much_is_let_go_at_the_cap() {
    // Endless: what was written is bounded by the cap and the buffers of the sockets.
    let mut part = b"10000\r\n".to_vec();
    part.extend_from_slice(&vec![b' '; 0x10000]);
    part.extend_from_slice(b"\r\n");
    let server = Server::start(move |_, _| Act::Forever(CHUNKED.to_vec(), part.clone(), Duration::ZERO)).await;
    let refusal = send(&client(&server), &read()).await.unwrap_err();
    assert_eq!((refusal.kind, server.count()), (Kind::TooLarge, 1));
    assert!(refusal.message.contains("1 MiB"), "{refusal}");
    server.client_gone().await;
    assert!(server.written() < 32 << 20, "{}", server.written());

    // Announced: not read at all.
    let server = Server::start(|_, _| {
        Act::Close(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50000000\r\n\r\n{".to_vec())
    })
    .await;
    assert_eq!(send(&client(&server), &read()).await.unwrap_err().kind, Kind::TooLarge);

    // Bombs: 64 MiB of spaces in some 64 KiB.
    let spaces = vec![b' '; 64 << 20];
    for (encoding, bomb) in [("gzip", gzip(&spaces)), ("zstd", zstd::bulk::compress(&spaces, 3).unwrap())] {
        let server = Server::always(answer("200 OK", &[("content-type", "application/json"), ("content-encoding", encoding)], bomb)).await;
        assert_eq!(send(&client(&server), &read()).await.unwrap_err().kind, Kind::TooLarge, "{encoding}");
    }

    // An error page of any size still says what it is.
    let page = format!("{{\"errors\":[\"no\"],\"x\":\"{}\"}}", "y".repeat(2 << 20));
    let server = Server::always(json("400 Bad Request", &page)).await;
    assert_eq!(send(&client(&server), &read()).await.unwrap_err().kind, Kind::InvalidArguments);
}

#[tokio::test]
async fn compressed_answers_are_read_and_broken_ones_are_not() {
    let text = format!("[{}1]", "1,".repeat(5000));
    for (encoding, body) in [("gzip", gzip(text.as_bytes())), ("zstd", zstd::bulk::compress(text.as_bytes(), 3).unwrap())] {
        let headers = [("content-type", "application/json"), ("content-encoding", encoding)];
        let server = Server::always(answer("200 OK", &headers, &body)).await;
        assert_eq!(send(&client(&server), &read()).await.unwrap().body, text.as_bytes(), "{encoding}");
        for broken in [&body[..body.len() / 2], &b"this is not compressed"[..]] {
            let server = Server::always(answer("200 OK", &headers, broken)).await;
            let outcome = send(&client(&server), &read()).await;
            assert_eq!(outcome.unwrap_err().kind, Kind::UpstreamFailed, "{encoding}");
        }
    }
}

#[derive(serde::Deserialize)]
struct Page {
    data: Vec<u64>,
}

async fn reply(content_type: &str, body: impl AsRef<[u8]>) -> Reply {
    let server = Server::always(answer("200 OK", &[("content-type", content_type)], body)).await;
    send(&client(&server), &read()).await.unwrap()
}

#[tokio::test]
async fn what_is_no_json_is_an_error_and_nothing_is_null() {
    let json = "application/json";
    for (content_type, body, word) in [
        (json, b"{\"data\":[\"\xff\xfe\"]}".to_vec(), "UTF-8"),
        (json, br#"{"data":[1,2"#.to_vec(), "ends in the middle"),
        (json, b"{\"data\":[]}]".to_vec(), "no JSON"),
        (json, format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes(), "deeper than 512"),
        (json, b"<!doctype html><title>Sign in</title>".to_vec(), "no JSON"),
        ("text/plain", b"OK".to_vec(), "text/plain"),
        ("image/png", b"\x89PNG".to_vec(), "image/png"),
    ] {
        let refusal = reply(content_type, &body).await.json().unwrap_err();
        assert_eq!(refusal.kind, Kind::UpstreamFailed);
        assert!(refusal.message.contains(word), "{refusal}");
        assert_eq!(refusal.status, Some(200));
    }
    assert_eq!(reply(json, "").await.json().unwrap(), serde_json::Value::Null);
    assert_eq!(reply("text/plain", "{\"a\":1}").await.json().unwrap(), serde_json::json!({"a": 1}));
    assert!(reply(json, format!("{}1{}", "[".repeat(300), "]".repeat(300))).await.json().is_ok());
    assert_eq!(reply(json, "{\"data\":[18446744073709551615]}").await.decode::<Page>().unwrap().data, [u64::MAX]);

    // Deletions answer 204 with a type and no body.
    let server = Server::always(b"HTTP/1.1 204 No Content\r\ncontent-type: text/html\r\n\r\n".to_vec()).await;
    let reply = send(&client(&server), &read()).await.unwrap();
    assert_eq!((reply.status, reply.json().unwrap()), (204, serde_json::Value::Null));
}

#[tokio::test]
async fn a_page_instead_of_data_is_refused() {
    let server =
        Server::always(answer("200 OK", &[("content-type", "text/html; charset=utf-8")], "<title>Sign in to the proxy</title>")).await;
    let refusal = send(&client(&server), &read()).await.unwrap_err();
    assert_eq!((refusal.kind, refusal.status), (Kind::UpstreamFailed, Some(200)));
    assert_eq!(refusal.datadog_said.as_deref(), Some("(an HTML page) Sign in to the proxy"));
    let server = Server::always(answer("502 Bad Gateway", &[("content-type", "text/html")], "<h1>502</h1>")).await;
    assert_eq!(send(&client(&server), &write()).await.unwrap_err().kind, Kind::UpstreamFailed);
}

#[tokio::test]
async fn a_redirect_is_told_and_never_followed() {
    let elsewhere = Server::always(json("200 OK", "{}")).await;
    for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let target = format!("{}/steal?x=y", elsewhere.url());
        let server = Server::always(answer(status, &[("location", &target)], "")).await;
        for request in [read(), write()] {
            let refusal = send(&client(&server), &request).await.unwrap_err();
            assert_eq!(refusal.kind, Kind::UpstreamFailed);
            assert!(refusal.message.contains("127.0.0.1") && !refusal.message.contains("steal"), "{refusal}");
        }
        assert_eq!(server.count(), 2);
    }
    assert_eq!(elsewhere.connections(), 0);
    let server = Server::always(answer("302 Found", &[], "")).await;
    assert!(send(&client(&server), &read()).await.unwrap_err().message.contains("nowhere"));
}

#[tokio::test]
async fn not_modified_answers_a_condition_only() {
    let server = Server::always(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()).await;
    let arguments = serde_json::json!({"resource_id": "r", "If-None-Match": "\"e\""});
    let Some(operation) = datadog_catalogue::operation("v2.GetOwnershipInference") else { return };
    let mut map = serde_json::Map::new();
    for param in operation.params.iter().filter(|p| p.required) {
        map.insert(param.name.to_owned(), param.values.first().map_or(serde_json::json!("x"), |v| serde_json::json!(v)));
    }
    map.insert("If-None-Match".to_owned(), arguments["If-None-Match"].clone());
    let request = datadog_client::Request::plan(operation, &map).unwrap();
    assert_eq!(send(&client(&server), &request).await.unwrap().status, 304);
    assert_eq!(send(&client(&server), &read()).await.unwrap_err().kind, Kind::UpstreamFailed);
}
