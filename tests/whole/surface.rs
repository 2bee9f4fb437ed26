//! What a client is shown: a snapshot, and what must hold for every tool that exists.

use super::{
    PROGRAM,
    process::{Org, run},
};
use serde_json::{Value, json};

async fn list(org: &Org, arguments: &[&str]) -> Value {
    let mut server = org.server(arguments);
    server.initialize("2025-11-25").await;
    let result = server.ask("tools/list", json!({})).await["result"].clone();
    server.close().await;
    result
}

#[tokio::test]
async fn the_default_surface() {
    let org = Org::start().await;
    let shown = list(&org, &[]).await;
    insta::assert_json_snapshot!("default_surface", shown);
    assert_eq!(list(&org, &[]).await, shown, "the same in every process");
}

#[tokio::test]
async fn every_tool_is_described_for_every_client() {
    let org = Org::start().await;
    let shown = list(&org, &["--toolsets=all", "--allow-writes", "--allow-secrets"]).await;
    let tools = shown["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted());
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        assert!(name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'), "{name}");
        assert!(!tool["title"].as_str().unwrap().is_empty() && tool["description"].as_str().unwrap().len() > 40, "{name}");
        let hints = &tool["annotations"];
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(hints[hint].is_boolean(), "{name} {hint}");
        }
        assert!(!(hints["readOnlyHint"] == true && hints["destructiveHint"] == true), "{name}");
        assert_eq!(tool["inputSchema"]["type"], "object", "{name}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
    }
    let write = tools.iter().find(|tool| tool["name"] == "tools_call_write").unwrap();
    assert_eq!((&write["annotations"]["readOnlyHint"], &write["annotations"]["destructiveHint"]), (&json!(false), &json!(true)));
    let read = tools.iter().find(|tool| tool["name"] == "tools_call_read").unwrap();
    assert_eq!(read["annotations"]["readOnlyHint"], true);
}

#[tokio::test]
async fn the_operators_filter() {
    let org = Org::start().await;
    let names = async |arguments: &[&str]| -> Vec<String> {
        let shown = list(&org, arguments).await;
        shown["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    };
    let usual = names(&[]).await;
    assert!(usual.len() <= 25 && !usual.contains(&"tools_call_write".to_owned()));
    let with_writes = names(&["--allow-writes"]).await;
    assert!(with_writes.contains(&"tools_call_write".to_owned()));
    assert_eq!(names(&["--allow-writes", "--read-only"]).await, usual);
    assert!(!names(&["--exclude-tools=logs_search,trace_get"]).await.contains(&"logs_search".to_owned()));
    for wrong in ["--toolsets=cor", "--tools=log_search", "--exclude-tools=nothing_like_it"] {
        let printed = run(org.command(PROGRAM, &[wrong], &[]), "").await;
        assert_eq!(printed.code, 2, "{wrong}: {}", printed.err);
        assert!(printed.out.is_empty());
    }
}
