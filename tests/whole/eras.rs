//! Clients of 2025-06-18, 2025-11-25 and 2026-07-28 on one kind of process.

use super::process::{KEYS, Org, PATIENCE, text};
use datadog_mcp::mcp::client::Agent;
use datadog_sandbox::{Fault, FaultRule};
use serde_json::{Value, json};
use std::{process::Stdio, time::Duration};

/// `_meta` of a request of 2026-07-28.
fn modern() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"}
    })
}

#[tokio::test]
async fn clients_with_a_handshake() {
    let org = Org::start().await;
    for version in ["2025-06-18", "2025-11-25"] {
        let mut server = org.server(&[]);
        let hello = server.initialize(version).await["result"].clone();
        assert_eq!(hello["protocolVersion"], version);
        assert_eq!(hello["serverInfo"]["name"], "datadog-mcp");
        assert_eq!(hello["capabilities"], json!({"tools": {}}), "only what works is declared");
        assert!(hello["instructions"].as_str().unwrap().len() < 2_048);
        assert_eq!(server.ask("ping", json!({})).await["result"], json!({}));

        let list = server.ask("tools/list", json!({})).await["result"].clone();
        assert!(list.get("resultType").is_none(), "an older peer gets no field it does not know: {list}");
        assert!(list["tools"].as_array().unwrap().len() > 20);

        let result = server.call("logs_search", json!({"query": "service:checkout status:error", "limit": 3})).await;
        assert_eq!(result["isError"], false);
        assert!(result.get("structuredContent").is_none() && result.get("_meta").is_none(), "{result}");
        assert!(text(&result).contains("checkout"));

        let refused = server.call("logs_search", json!({"qery": "x"})).await;
        assert_eq!((&refused["isError"], &refused["structuredContent"]["error"]["kind"]), (&json!(true), &json!("invalid_arguments")));
        assert!(server.close().await.status.success());
    }
}

#[tokio::test]
async fn clients_without_a_handshake() {
    let org = Org::start().await;
    let mut server = org.server(&[]);
    let found = server.ask("server/discover", json!({"_meta": modern()})).await["result"].clone();
    assert_eq!(found["supportedVersions"], json!(["2025-06-18", "2025-11-25", "2026-07-28"]));
    assert_eq!(found["capabilities"], json!({"tools": {}}));
    assert_eq!((&found["cacheScope"], &found["resultType"]), (&json!("private"), &json!("complete")));
    assert!(found["ttlMs"].as_u64().unwrap() > 0);

    let list = server.ask("tools/list", json!({"_meta": modern()})).await["result"].clone();
    assert_eq!((&list["cacheScope"], &list["resultType"]), (&json!("private"), &json!("complete")));
    assert!(list["ttlMs"].as_u64().unwrap() > 0);
    let info = |result: &Value| result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"].clone();
    assert_eq!(info(&list), "datadog-mcp");

    let params = json!({"name": "auth_status", "arguments": {}, "_meta": modern()});
    let status = server.ask("tools/call", params).await["result"].clone();
    assert_eq!((&status["resultType"], info(&status)), (&json!("complete"), json!("datadog-mcp")));
    assert_eq!(status["structuredContent"]["signed_in"], true);

    for (method, meta, code) in [
        ("tools/list", json!({}), -32_602),
        ("tools/list", json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"}), -32_602),
        ("ping", modern(), -32_601),
        ("prompts/list", modern(), -32_601),
        ("resources/list", modern(), -32_601),
        ("resources/templates/list", modern(), -32_601),
        ("subscriptions/listen", modern(), -32_601),
        ("initialize", modern(), -32_601),
    ] {
        let answer = server.ask(method, json!({"_meta": meta, "notifications": {}})).await;
        assert_eq!(answer["error"]["code"], code, "{method}: {answer}");
    }
    let mut old = modern();
    old["io.modelcontextprotocol/protocolVersion"] = json!("2024-11-05");
    let answer = server.ask("tools/list", json!({"_meta": old})).await;
    assert_eq!(answer["error"]["code"], -32_022);
    assert_eq!(answer["error"]["data"]["supported"], json!(["2025-06-18", "2025-11-25", "2026-07-28"]));
    assert!(server.close().await.status.success());
}

#[tokio::test]
async fn both_kinds_in_one_process() {
    let org = Org::start().await;
    let mut server = org.server(&[]);
    server.initialize("2025-11-25").await;
    let modern = server.ask("tools/list", json!({"_meta": modern()})).await["result"].clone();
    assert_eq!(modern["resultType"], "complete");
    let legacy = server.ask("tools/list", json!({})).await["result"].clone();
    assert!(legacy.get("resultType").is_none());
    assert_eq!(modern["tools"], legacy["tools"]);
    assert!(server.close().await.status.success());
}

#[tokio::test]
async fn undeclared_methods_and_malformed_requests() {
    let org = Org::start().await;
    let mut server = org.server(&[]);
    // What the SDK would end the process for.
    server.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    server.say(&json!({"jsonrpc": "2.0", "id": 99, "result": {}})).await;
    server.initialize("2025-11-25").await;
    for method in [
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/read",
        "resources/subscribe",
        "resources/templates/list",
        "completion/complete",
        "logging/setLevel",
        "tasks/get",
        "no/such",
    ] {
        let answer = server.ask(method, json!({"name": "x", "uri": "x:y", "level": "info", "taskId": "1"})).await;
        assert_eq!(answer["error"]["code"], -32_601, "{method}: {answer}");
    }
    for params in [json!({}), json!({"arguments": {}}), json!({"name": 7}), json!({"name": "logs_search", "arguments": []})] {
        let answer = server.ask("tools/call", params.clone()).await;
        assert_eq!(answer["error"]["code"], -32_602, "{params}: {answer}");
    }
    let unknown = server.ask("tools/call", json!({"name": "log_search", "arguments": {}})).await;
    assert_eq!(unknown["error"]["code"], -32_602);
    assert!(unknown["error"]["message"].as_str().unwrap().contains("logs_search"), "{unknown}");
    let cursor = server.ask("tools/list", json!({"cursor": "made-up"})).await;
    assert_eq!(cursor["error"]["code"], -32_602);
    assert!(server.close().await.status.success());
}

#[tokio::test]
async fn the_sdks_own_client() {
    let org = Org::start().await;
    let mut child =
        org.command(super::PROGRAM, &[], KEYS).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let agent = Agent::connect(child.stdout.take().unwrap(), child.stdin.take().unwrap(), "test").await.unwrap();
    assert_eq!(agent.protocol().as_deref(), Some("2025-11-25"));
    assert!(agent.tools().await.unwrap().iter().any(|(name, title)| name == "trace_get" && !title.is_empty()));
    let arguments = json!({"query": "status:error", "limit": "2"}).as_object().cloned().unwrap();
    assert!(!agent.call("search_logs", arguments).await.unwrap().is_error, "an old name, and a number as text");
    assert!(agent.call("no_such", serde_json::Map::new()).await.is_err());
    agent.close().await.unwrap();
    assert!(tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn a_cancelled_call_ends_upstream_and_gets_no_answer() {
    let org = Org::start().await;
    org.sandbox.add_fault(serde_json::from_value::<FaultRule>(json!({"fault": Fault::Delay { ms: 20_000 }})).unwrap());
    let mut server = org.server(&[]);
    server.initialize("2025-11-25").await;
    server.say(&json!({"jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": {"name": "logs_search", "arguments": {}}})).await;
    while org.requests("v2.ListLogs") == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.say(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow"}})).await;
    // The line about the call is written when it has ended: long before the answer would have come.
    let waited = std::time::Instant::now();
    while !server.log().contains("outcome=\"cancelled\"") {
        assert!(waited.elapsed() < Duration::from_secs(5), "{}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.ask("ping", json!({})).await["result"], json!({}));
    let end = server.close().await;
    assert!(end.rest.is_empty() && !end.output.contains("\"slow\""), "{}", end.output);
    assert!(end.status.success() && end.took < Duration::from_secs(1));
}
