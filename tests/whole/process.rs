//! A server process on pipes, spoken to line by line, and a sandbox beside it.

use datadog_sandbox::{Options, RateLimits, Sandbox};
use serde_json::{Value, json};
use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    process::{Child, ChildStdin, Command},
    sync::mpsc,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Longest wait for a line.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Unscoped keys of the sandbox.
pub(crate) const KEYS: &[(&str, &str)] = &[("DD_API_KEY", "fake-api-key-sandbox"), ("DD_APP_KEY", "fake-app-key-sandbox")];

/// A sandbox that listens until it is dropped.
pub(crate) struct Org {
    pub(crate) sandbox: Sandbox,
    pub(crate) base: String,
    _stop: DropGuard,
}

impl Org {
    pub(crate) async fn start() -> Self {
        let sandbox = Sandbox::new(&Options { rate_limits: RateLimits::Off, ..Options::default() }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(datadog_sandbox::serve(sandbox.clone(), listener, stop.clone()));
        Self { sandbox, base, _stop: stop.drop_guard() }
    }

    /// A program with this org as its site, these variables and no others.
    pub(crate) fn command(&self, program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = bare(program, arguments);
        command.env("DATADOG_MCP_SITE", &self.base).env("DATADOG_MCP_TRUST_SITE", "true").envs(variables.iter().copied());
        command
    }

    /// A server with the unscoped keys.
    pub(crate) fn server(&self, arguments: &[&str]) -> Server {
        Server::start(self.command(super::PROGRAM, arguments, KEYS))
    }

    /// How many requests came for an operation.
    pub(crate) fn requests(&self, operation: &str) -> usize {
        self.sandbox.journal().requests.iter().filter(|request| request.operation == Some(operation)).count()
    }

    /// How often an operation ran.
    pub(crate) fn executed(&self, operation: &str) -> u64 {
        self.sandbox.journal().executed.get(operation).copied().unwrap_or_default()
    }
}

/// A program with an empty environment and no configuration of the user.
pub(crate) fn bare(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("XDG_CONFIG_HOME", "/nonexistent").kill_on_drop(true);
    command
}

/// A server process. Every line it prints must be a JSON-RPC message.
pub(crate) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::UnboundedReceiver<String>,
    log: Arc<Mutex<Vec<u8>>>,
    ids: u64,
    /// Everything that came on standard output.
    pub(crate) output: String,
}

/// How a process ended.
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    pub(crate) took: Duration,
    pub(crate) rest: Vec<Value>,
    pub(crate) log: String,
    pub(crate) output: String,
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::unbounded_channel();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = out.next_line().await {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let log = Arc::new(Mutex::new(Vec::new()));
        let (mut err, kept) = (child.stderr.take().unwrap(), Arc::clone(&log));
        tokio::spawn(async move {
            let mut part = [0; 8_192];
            while let Ok(count @ 1..) = err.read(&mut part).await {
                kept.lock().unwrap().extend_from_slice(&part[..count]);
            }
        });
        Self { input: child.stdin.take(), child, lines, log, ids: 0, output: String::new() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap()).into_owned()
    }

    /// Writes bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).await.unwrap();
        input.flush().await.unwrap();
    }

    /// Writes a message as a line.
    pub(crate) async fn say(&mut self, message: &Value) {
        self.write(format!("{message}\n").as_bytes()).await;
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.recv()).await;
        let Ok(Some(line)) = line else { panic!("no line came; log:\n{}", self.log()) };
        self.output.push_str(&line);
        self.output.push('\n');
        message(&line)
    }

    /// The answer to a request; other messages are passed over.
    pub(crate) async fn answer(&mut self, id: &Value) -> Value {
        loop {
            let message = self.hear().await;
            if message.get("id") == Some(id) && message.get("method").is_none() {
                return message;
            }
        }
    }

    /// Sends a request and gives its answer.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.ids += 1;
        let id = json!(self.ids);
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        self.answer(&id).await
    }

    /// The handshake of 2025-11-25 and before.
    pub(crate) async fn initialize(&mut self, version: &str) -> Value {
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}});
        let answer = self.ask("initialize", params).await;
        self.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        answer
    }

    /// Calls a tool; the result, with `isError` or not.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await;
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// Calls several tools at once; their results in the order asked.
    pub(crate) async fn call_together(&mut self, calls: &[(&str, Value)]) -> Vec<Value> {
        let first = self.ids + 1;
        for (tool, arguments) in calls {
            self.ids += 1;
            let params = json!({"name": tool, "arguments": arguments});
            self.say(&json!({"jsonrpc": "2.0", "id": self.ids, "method": "tools/call", "params": params})).await;
        }
        let mut results = vec![Value::Null; calls.len()];
        for _ in calls {
            let message = self.hear().await;
            assert!(message.get("error").is_none(), "{message}");
            results[(message["id"].as_u64().unwrap() - first) as usize] = message["result"].clone();
        }
        results
    }

    /// Calls a tool that must be refused; the refusal's structure.
    pub(crate) async fn refusal(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert!(!text(&result).is_empty());
        result["structuredContent"]["error"].clone()
    }

    /// Sends a signal by name.
    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().await.unwrap().success());
    }

    /// Closes the server's input.
    pub(crate) fn hang_up(&mut self) {
        self.input = None;
    }

    /// Waits for the process to end, however it was told to.
    pub(crate) async fn ended(mut self) -> End {
        let started = Instant::now();
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("the process does not end").unwrap();
        let took = started.elapsed();
        let mut rest = Vec::new();
        while let Ok(Some(line)) = tokio::time::timeout(Duration::from_secs(2), self.lines.recv()).await {
            self.output.push_str(&line);
            self.output.push('\n');
            rest.push(message(&line));
        }
        End { status, took, rest, log: self.log(), output: self.output }
    }

    /// Hangs up and waits.
    pub(crate) async fn close(mut self) -> End {
        self.hang_up();
        self.ended().await
    }

    /// Largest resident memory so far, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs_err::read_to_string(Path::new("/proc").join(self.pid().to_string()).join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1_024
    }
}

/// A line as a message: anything else on standard output breaks every client.
fn message(line: &str) -> Value {
    let message: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("standard output is not JSON-RPC ({error}): {line}"));
    assert_eq!(message["jsonrpc"], "2.0", "{line}");
    message
}

/// All text of a result.
pub(crate) fn text(result: &Value) -> String {
    result["content"].as_array().into_iter().flatten().filter_map(|block| block["text"].as_str()).collect()
}

/// What a finished command printed.
pub(crate) struct Printed {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command to its end, with `input` on its standard input.
pub(crate) async fn run(mut command: Command, input: &str) -> Printed {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // A command that does not read its input may be gone already.
    let _gone = pipe.write_all(input.as_bytes()).await;
    drop(pipe);
    let done = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("the command does not end").unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Printed { code: done.status.code().unwrap_or(-1), out: text(&done.stdout), err: text(&done.stderr) }
}
