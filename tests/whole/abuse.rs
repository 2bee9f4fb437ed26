//! Bytes that no client should send, and that some do.

use super::process::{Org, text};
use serde_json::{Value, json};
use std::time::Duration;

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_line_too_long_is_answered_and_not_kept() {
    let org = Org::start().await;
    let mut server = org.server(&[]);
    server.initialize("2025-11-25").await;
    let before = server.peak_memory();
    for (head, tail, id) in [
        (
            r#"{"jsonrpc":"2.0","id":"early","method":"tools/call","params":{"name":"logs_search","arguments":{"query":""#,
            r#""}}}"#,
            json!("early"),
        ),
        (r#"{"method":"tools/call","params":{"name":"logs_search","arguments":{"query":""#, r#""}},"jsonrpc":"2.0","id":41}"#, json!(41)),
    ] {
        server.write(head.as_bytes()).await;
        let part = vec![b'x'; MIB];
        for _ in 0..20 {
            server.write(&part).await;
        }
        server.write(format!("{tail}\n").as_bytes()).await;
        let answer = server.answer(&id).await;
        assert_eq!(answer["error"]["code"], -32_600, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("16 MiB"));
    }
    // No newline at all, for longer than the limit.
    let part = vec![b'{'; MIB];
    for _ in 0..20 {
        server.write(&part).await;
    }
    server.write(b"\n").await;
    assert_eq!(server.hear().await["error"]["code"], -32_600);
    assert!(server.peak_memory() - before < 48 << 20, "{} MiB more", (server.peak_memory() - before) >> 20);
    assert_eq!(server.ask("ping", json!({})).await["result"], json!({}));
    assert!(server.close().await.status.success());
}

#[tokio::test]
async fn garbage_is_answered_and_survived() {
    let org = Org::start().await;
    let mut server = org.server(&[]);
    // Before the handshake and after it.
    for round in 0..2 {
        for (line, code, id) in [
            (&b"hello"[..], -32_700, Value::Null),
            (b"\xff\xfe\x00\x01", -32_700, Value::Null),
            (b"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"pi\xffng\"}", -32_700, Value::Null),
            (b"[]", -32_600, Value::Null),
            (b"[{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"}]", -32_600, Value::Null),
            (b"{\"jsonrpc\":\"1.0\",\"id\":5,\"method\":\"ping\"}", -32_600, json!(5)),
            (b"{\"id\":6,\"method\":\"ping\"}", -32_600, json!(6)),
            (b"\"text\"", -32_600, Value::Null),
        ] {
            server.write(&[line, b"\n"].concat()).await;
            let answer = server.hear().await;
            assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "round {round}: {}", String::from_utf8_lossy(line));
        }
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000], b"\n".to_vec()].concat();
        server.write(&deep).await;
        assert_eq!(server.hear().await["error"]["code"], -32_700);
        // No answer: blank lines, notifications nobody knows, a byte order mark and a carriage return around a good request.
        server.write(b"\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/whatever\"}\n").await;
        server.write(b"\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":\"bom\",\"method\":\"ping\"}\r\n").await;
        assert_eq!(server.hear().await, json!({"jsonrpc": "2.0", "id": "bom", "result": {}}));
        if round == 0 {
            server.initialize("2025-11-25").await;
        }
    }
    // A request in single bytes.
    for byte in b"{\"jsonrpc\":\"2.0\",\"id\":\"slow\",\"method\":\"ping\"}\n" {
        server.write(&[*byte]).await;
    }
    assert_eq!(server.hear().await["id"], "slow");
    assert!(server.close().await.status.success());
}

#[tokio::test]
async fn a_cut_line_at_the_end_is_nobodys_and_a_whole_one_counts() {
    let org = Org::start().await;
    let mut server = org.server(&[]);
    server.initialize("2025-11-25").await;
    server.write(b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/ca").await;
    let end = server.close().await;
    assert!(end.status.success() && end.took < Duration::from_secs(1) && end.rest.is_empty(), "{:?}", end.rest);

    let mut server = org.server(&[]);
    server.initialize("2025-11-25").await;
    server.write(b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"auth_status\"}}").await;
    let end = server.close().await;
    assert!(end.status.success());
    assert_eq!(end.rest.len(), 1);
    assert_eq!((&end.rest[0]["id"], &end.rest[0]["result"]["structuredContent"]["signed_in"]), (&json!(7), &json!(true)));
}

#[tokio::test]
async fn standard_output_stays_pure_at_the_highest_log_level() {
    let org = Org::start().await;
    let mut command = org.command(super::PROGRAM, &[], super::process::KEYS);
    command.env("RUST_LOG", "trace").env("DATADOG_MCP_LOG_FORMAT", "json");
    let mut server = super::process::Server::start(command);
    server.initialize("2025-11-25").await;
    server.write(b"garbage\n").await;
    assert_eq!(server.hear().await["error"]["code"], -32_700);
    for arguments in [json!({"query": "status:error"}), json!({"query": "a:[", "limit": 0}), json!({"nope": 1})] {
        let result = server.call("logs_search", arguments).await;
        assert!(!text(&result).is_empty());
    }
    let end = server.close().await;
    assert!(end.status.success());
    let calls: Vec<Value> = end
        .log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["target"] == "datadog_mcp::call")
        .collect();
    assert_eq!(calls.len(), 3, "one line a call");
    assert!(
        calls.iter().all(|call| call["tool"] == "logs_search" && call["effect"] == "read" && call["ms"].is_u64() && call["bytes"].is_u64())
    );
    assert_eq!(calls[0]["outcome"], "ok");
    assert_eq!(calls[2]["outcome"], "invalid_arguments");
    assert!(!end.log.contains("h2::") && !end.log.contains("hyper_util::client"), "wire logs stay shut");
}

#[tokio::test]
async fn a_client_that_stops_reading_ends_the_server() {
    let org = Org::start().await;
    let mut child = org
        .command(super::PROGRAM, &[], super::process::KEYS)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    let ping = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
    tokio::io::AsyncWriteExt::write_all(&mut input, ping).await.unwrap();
    let status = tokio::time::timeout(Duration::from_secs(5), child.wait()).await.expect("it goes on for nobody").unwrap();
    assert!(status.code().is_some(), "{status}");
}
