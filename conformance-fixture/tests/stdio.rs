//! The fixture on a pipe: what only its tools can show. A panic, sleeping calls, prompts and resources.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

struct Fixture {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    log: JoinHandle<String>,
}

impl Fixture {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_conformance-fixture"))
            .env("RUST_LOG", "trace")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut err = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            err.read_to_string(&mut log).unwrap();
            log
        });
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut fixture = Self { child, to, from, log };
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}});
        assert_eq!(fixture.ask("initialize", &params)["result"]["serverInfo"]["name"], "conformance-fixture");
        fixture
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.to.as_mut().unwrap(), "{message}").unwrap();
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        assert!(self.from.read_line(&mut line).unwrap() > 0, "the fixture is gone");
        serde_json::from_str(&line).expect("standard output is JSON-RPC")
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.say(&json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params}));
        self.hear()
    }

    /// Hangs up; how long it took to leave, and its log.
    fn end(mut self) -> (Duration, String) {
        let started = Instant::now();
        self.to = None;
        assert!(self.child.wait().unwrap().success());
        (started.elapsed(), self.log.join().unwrap())
    }
}

#[test]
fn panics_are_answered_and_the_server_goes_on() {
    let mut fixture = Fixture::start();
    for _ in 0..3 {
        let answer = fixture.ask("tools/call", &json!({"name": "test_panic"}));
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert_eq!(answer["result"]["structuredContent"]["error"]["kind"], "internal");
        assert!(!answer.to_string().contains("payload"), "{answer}");
    }
    assert_eq!(fixture.ask("tools/call", &json!({"name": "test_simple_text"}))["result"]["isError"], false);
    let (took, log) = fixture.end();
    assert!(took < Duration::from_secs(1));
    assert!(log.contains("panic") && log.contains("calls.rs"), "the log says where: {log}");
    assert!(!log.contains("payload"), "and nothing of the message: {log}");
}

#[test]
fn sleeping_calls_are_cancelled_at_the_end() {
    let mut fixture = Fixture::start();
    for id in 0..10 {
        fixture.say(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "test_sleep"}}));
    }
    assert_eq!(fixture.ask("ping", &json!({}))["result"], json!({}));
    fixture.to = None;
    let started = Instant::now();
    let mut ids: Vec<u64> = (0..10)
        .map(|_| {
            let answer = fixture.hear();
            assert_eq!(answer["result"]["structuredContent"]["error"]["kind"], "cancelled", "{answer}");
            answer["id"].as_u64().unwrap()
        })
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..10).collect::<Vec<_>>());
    assert!(fixture.child.wait().unwrap().success() && started.elapsed() < Duration::from_millis(2_800), "{:?}", started.elapsed());
}

#[test]
fn a_cancelled_call_gets_no_answer() {
    let mut fixture = Fixture::start();
    fixture.say(&json!({"jsonrpc": "2.0", "id": "sleep", "method": "tools/call", "params": {"name": "test_sleep"}}));
    fixture.say(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "sleep"}}));
    assert_eq!(fixture.ask("ping", &json!({}))["id"], "ping");
    assert!(fixture.end().0 < Duration::from_millis(500));
}

#[test]
fn what_lies_beyond_tools_is_declared_and_answered() {
    let mut fixture = Fixture::start();
    for (method, params, at) in [
        ("prompts/list", json!({}), "/result/prompts/0/name"),
        ("prompts/get", json!({"name": "test_simple_prompt"}), "/result/messages/0/role"),
        ("resources/list", json!({}), "/result/resources/0/uri"),
        ("resources/templates/list", json!({}), "/result/resourceTemplates/0/uriTemplate"),
        ("resources/read", json!({"uri": "test://static-text"}), "/result/contents/0/text"),
        ("logging/setLevel", json!({"level": "error"}), "/result"),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "p"}, "argument": {"name": "a", "value": "pa"}}),
            "/result/completion/values/0",
        ),
    ] {
        let answer = fixture.ask(method, &params);
        assert!(answer.pointer(at).is_some(), "{method}: {answer}");
    }
    assert_eq!(fixture.ask("resources/read", &json!({"uri": "test://nothing"}))["error"]["code"], -32_002);
    assert_eq!(fixture.ask("prompts/get", &json!({"arguments": {}}))["error"]["code"], -32_602);
    fixture.end();
}
