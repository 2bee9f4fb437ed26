//! The stdio server over in-memory pipes: every split of the input, a small line limit, pages, the end.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::mcp::{Failure, ToolCall};
use async_trait::async_trait;
use datadog_client::{Kind, Principal, Refusal};
use datadog_tools::Effect;
use proptest::prelude::*;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, Implementation, Tool};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines as ReadLines},
    task::JoinHandle,
};

/// Five tools: `t0` … `t4`. `t0` answers, `t1` panics, `t2` is refused, `t3` reports progress, `t4` never ends.
#[derive(Debug)]
struct Five;

fn tools() -> Arc<[Tool]> {
    let tool = |at: usize| {
        let mut tool = Tool::new(format!("t{at}"), "a tool", Arc::new(json!({"type": "object"}).as_object().cloned().unwrap()));
        if at == 4 {
            tool.output_schema = Some(Arc::new(json!({"type": "object", "required": ["a"]}).as_object().cloned().unwrap()));
        }
        tool
    };
    (0..5).map(tool).collect()
}

#[async_trait]
impl Surface for Five {
    fn implementation(&self) -> Implementation {
        Implementation::new("five", "1")
    }
    fn instructions(&self) -> Option<&str> {
        None
    }
    fn tools(&self) -> Arc<[Tool]> {
        tools()
    }
    fn tool(&self, name: &str) -> Option<Tool> {
        tools().iter().find(|tool| tool.name == name).cloned()
    }
    fn effect(&self, _: &str) -> Option<Effect> {
        Some(Effect::Read)
    }
    fn refusal_text(&self, refusal: &Refusal) -> String {
        refusal.message.clone()
    }
    async fn call_tool(&self, call: ToolCall<'_>) -> Result<CallToolResponse, Failure> {
        let refused = |kind| Err(Failure::Refused(Box::new(Refusal::new(kind, "refused"))));
        match call.request.name.as_ref() {
            "t1" => panic!("in a tool"),
            "t2" => return refused(Kind::NotFound),
            "t3" => {
                for done in 0..50 {
                    call.progress.report(done, Some(49), "working");
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            "t4" => {
                call.cx.ct.cancelled().await;
                return refused(Kind::Cancelled);
            }
            _ => {}
        }
        Ok(CallToolResult::success(vec![ContentBlock::text("ok")]).into())
    }
}

/// Both ends of a connection.
struct Connection {
    to: DuplexStream,
    from: ReadLines<BufReader<DuplexStream>>,
    ended: JoinHandle<anyhow::Result<Ended>>,
}

impl Connection {
    fn open(longest: usize) -> Self {
        let (to, read) = tokio::io::duplex(4_096);
        let (write, from) = tokio::io::duplex(4_096);
        let server = Server::new(Arc::new(Five), Principal::local()).with_page_size(2);
        let ended = tokio::spawn(serve_on(server, read, write, Stop::default(), longest));
        Self { to, from: BufReader::new(from).lines(), ended }
    }

    async fn hello(&mut self) {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}});
        assert!(self.ask("initialize", params).await["result"].is_object());
    }

    async fn say(&mut self, message: &Value) {
        self.to.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(10), self.from.next_line()).await.unwrap().unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.say(&json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params})).await;
        self.hear().await
    }

    async fn call(&mut self, tool: &str) -> Value {
        self.ask("tools/call", json!({"name": tool})).await
    }

    async fn end(self) -> Ended {
        drop(self.to);
        let ended = tokio::time::timeout(Duration::from_secs(10), self.ended).await.unwrap();
        ended.unwrap().unwrap()
    }
}

#[tokio::test]
async fn pages_follow_their_cursor() {
    let mut connection = Connection::open(LONGEST_LINE);
    connection.hello().await;
    let (mut names, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let params = if cursor.is_null() { json!({}) } else { json!({"cursor": cursor}) };
        let result = connection.ask("tools/list", params).await["result"].clone();
        names.extend(result["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()));
        cursor = result["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(names, ["t0", "t1", "t2", "t3", "t4"]);
    for wrong in ["tools-1", "tools-6", "prompts-2", "2", ""] {
        assert_eq!(connection.ask("tools/list", json!({"cursor": wrong})).await["error"]["code"], -32_602, "{wrong}");
    }
    assert_eq!(connection.end().await, Ended::Orderly);
}

#[tokio::test]
async fn a_panic_ends_one_call() {
    let mut connection = Connection::open(LONGEST_LINE);
    connection.hello().await;
    for _ in 0..3 {
        let result = connection.call("t1").await["result"].clone();
        assert_eq!((&result["isError"], &result["structuredContent"]["error"]["kind"]), (&json!(true), &json!("internal")));
        assert!(!result.to_string().contains("in a tool"));
        assert_eq!(connection.call("t0").await["result"]["isError"], false);
    }
    assert_eq!(connection.end().await, Ended::Orderly);
}

#[tokio::test]
async fn refusals_carry_structure_unless_the_tool_has_a_schema() {
    let mut connection = Connection::open(LONGEST_LINE);
    connection.hello().await;
    assert_eq!(connection.call("t2").await["result"]["structuredContent"]["error"]["kind"], "not_found");
    connection.say(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t4"}})).await;
    connection.to.shutdown().await.unwrap();
    let result = connection.hear().await["result"].clone();
    assert_eq!(result["isError"], true);
    assert!(result.get("structuredContent").is_none(), "{result}");
    assert_eq!(connection.end().await, Ended::Orderly);
}

#[tokio::test]
async fn progress_grows_and_stops_before_the_result() {
    let mut connection = Connection::open(LONGEST_LINE);
    connection.hello().await;
    connection
        .say(&json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "t3", "_meta": {"progressToken": "p"}}}))
        .await;
    let mut seen = Vec::new();
    loop {
        let message = connection.hear().await;
        if message["id"] == 9 {
            break;
        }
        assert_eq!((&message["method"], &message["params"]["progressToken"]), (&json!("notifications/progress"), &json!("p")));
        seen.push(message["params"]["progress"].as_f64().unwrap());
    }
    assert!(seen.is_sorted_by(|a, b| a < b) && seen.len() < 20, "{seen:?}");
    assert_eq!(seen.last(), Some(&49.0), "the last report is not lost");
    assert_eq!(connection.ask("ping", json!({})).await["result"], json!({}), "nothing follows the result");
    assert_eq!(connection.end().await, Ended::Orderly);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_request_is_answered_however_the_bytes_arrive(
        plan in proptest::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(2), Just(3)], 1..20),
        cut in 1_usize..200,
    ) {
        let mut input = Vec::new();
        let mut expected = Vec::new();
        for (at, kind) in plan.iter().enumerate() {
            match kind {
                0 => {
                    input.extend(format!("{{\"jsonrpc\":\"2.0\",\"id\":{at},\"method\":\"ping\"}}\n").bytes());
                    expected.push(Some(at));
                }
                1 => {
                    input.extend(format!("{{\"method\":\"ping\",\"params\":\"{}\",\"id\":{at}}}\n", "x".repeat(600)).bytes());
                    expected.push(Some(at));
                }
                2 => {
                    input.extend(b"{broken\n");
                    expected.push(None);
                }
                _ => input.extend(b"\r\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"),
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let heard = runtime.block_on(async {
            let mut connection = Connection::open(512);
            let (mut to, _kept) = (connection.to, ());
            let writing = tokio::spawn(async move {
                for part in input.chunks(cut) {
                    to.write_all(part).await.unwrap();
                    tokio::task::yield_now().await;
                }
                to
            });
            let mut heard = Vec::new();
            for _ in 0..expected.len() {
                let line = tokio::time::timeout(Duration::from_secs(10), connection.from.next_line()).await.unwrap().unwrap().unwrap();
                let message: Value = serde_json::from_str(&line).unwrap();
                heard.push(message["id"].as_u64().map(|id| id as usize));
            }
            drop(writing.await.unwrap());
            assert_eq!(connection.ended.await.unwrap().unwrap(), Ended::Orderly);
            heard
        });
        let sorted = |mut list: Vec<Option<usize>>| { list.sort_unstable(); list };
        prop_assert_eq!(sorted(heard), sorted(expected));
    }
}
