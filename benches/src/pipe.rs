//! A client of MCP over pipes that costs next to nothing: one thread, a line out, a line in.

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// Version of the protocol that is spoken: both servers know it, and it is the one that most clients speak.
const VERSION: &str = "2025-11-25";

/// How much of a server's stderr stands in an error.
const SAID: usize = 600;

/// A server to start.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its file.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// A running server. It is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    line: Vec<u8>,
    next_id: u64,
    stderr: PathBuf,
}

impl Server {
    /// Starts a server with nothing of this process's environment: its home is `home`, its Datadog keys are fake.
    pub fn start(program: &Program, home: &Path) -> anyhow::Result<Self> {
        let stderr = home.join("stderr.log");
        let mut child = Command::new(&program.path)
            .args(&program.arguments)
            .env_clear()
            .env("HOME", home)
            .env("DD_API_KEY", "fake-api-key-bench")
            .env("DD_APP_KEY", "fake-app-key-bench")
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&stderr).context("stderr.log")?)
            .spawn()
            .with_context(|| format!("cannot start {}", program.path.display()))?;
        let input = child.stdin.take().context("no stdin")?;
        let output = BufReader::with_capacity(1 << 18, child.stdout.take().context("no stdout")?);
        Ok(Self { child, input, output, line: Vec::new(), next_id: 0, stderr })
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Opens the session and lists the tools: what every client does first. Gives the list as it came.
    pub fn list(&mut self) -> anyhow::Result<&[u8]> {
        let client = json!({"name": "bench-drive", "version": "0"});
        self.send("initialize", &json!({"protocolVersion": VERSION, "capabilities": {}, "clientInfo": client}))?;
        self.receive()?;
        self.input.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n")?;
        self.send("tools/list", &json!({}))?;
        self.receive()
    }

    /// Calls `logs_search` and gives the answer as it came; a refusal is an error.
    pub fn call(&mut self, arguments: &Value) -> anyhow::Result<&[u8]> {
        self.send_call(arguments)?;
        self.receive()
    }

    /// Sends the call without waiting for its answer.
    pub fn send_call(&mut self, arguments: &Value) -> anyhow::Result<()> {
        self.send("tools/call", &json!({"name": "logs_search", "arguments": arguments}))
    }

    /// Waits for the next answer, whichever call it belongs to; a refusal is an error.
    pub fn receive(&mut self) -> anyhow::Result<&[u8]> {
        loop {
            self.line.clear();
            self.output.read_until(b'\n', &mut self.line)?;
            if self.line.is_empty() {
                bail!("the server ended: {}", self.said());
            }
            match kind(&self.line) {
                Kind::Result => return Ok(&self.line),
                Kind::Other => {}
                Kind::Failure => bail!("the server refused: {}", excerpt(&self.line)),
            }
        }
    }

    fn send(&mut self, method: &str, params: &Value) -> anyhow::Result<()> {
        self.next_id += 1;
        let mut line = json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}).to_string();
        line.push('\n');
        self.input.write_all(line.as_bytes()).with_context(|| format!("the server takes nothing more: {}", self.said()))
    }

    fn said(&self) -> String {
        let said = fs_err::read(&self.stderr).unwrap_or_default();
        excerpt(&said[said.len().saturating_sub(SAID)..])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(SAID)]).trim().to_owned()
}

/// What a line from the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Result,
    /// A protocol error, or a result with `isError`.
    Failure,
    /// A notification or a request.
    Other,
}

/// Tells without reading the whole line where it can: answers are megabytes long.
fn kind(line: &[u8]) -> Kind {
    #[derive(Deserialize)]
    struct Envelope {
        id: Option<serde::de::IgnoredAny>,
        method: Option<serde::de::IgnoredAny>,
        error: Option<serde::de::IgnoredAny>,
    }
    let result = |line: &[u8]| if flagged(line) { Kind::Failure } else { Kind::Result };
    if let Some(rest) = line.strip_prefix(b"{\"jsonrpc\":\"2.0\",\"id\":") {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if rest[digits..].starts_with(b",\"result\":") {
            return result(line);
        }
    }
    match serde_json::from_slice::<Envelope>(line) {
        Ok(Envelope { id: Some(_), method: None, error: None }) => result(line),
        Ok(Envelope { id: Some(_), error: Some(_), .. }) | Err(_) => Kind::Failure,
        Ok(_) => Kind::Other,
    }
}

/// Whether `"isError":true` stands near the end, where the SDK writes it. Inside the text its quotes would be escaped.
fn flagged(line: &[u8]) -> bool {
    let flag = b"\"isError\":true";
    line[line.len().saturating_sub(400)..].windows(flag.len()).any(|window| window == flag)
}

/// The text of a tool's answer, its blocks joined.
pub fn text(line: &[u8]) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Message {
        result: Result,
    }
    #[derive(Deserialize)]
    struct Result {
        content: Vec<Block>,
    }
    #[derive(Deserialize)]
    struct Block {
        text: String,
    }
    let message: Message = serde_json::from_slice(line)?;
    ensure!(!message.result.content.is_empty(), "the answer has no content");
    Ok(message.result.content.into_iter().map(|block| block.text).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_told_apart() {
        let cases = [
            (json!({"jsonrpc": "2.0", "id": 7, "result": {"content": [], "isError": false}}), Kind::Result),
            (json!({"id": 7, "jsonrpc": "2.0", "result": {"content": []}}), Kind::Result),
            (json!({"jsonrpc": "2.0", "id": 7, "result": {"content": [], "isError": true}}), Kind::Failure),
            (json!({"jsonrpc": "2.0", "id": 7, "error": {"code": -1, "message": ""}}), Kind::Failure),
            (json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {}}), Kind::Other),
            (json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}), Kind::Other),
        ];
        for (line, expected) in cases {
            assert_eq!(kind(line.to_string().as_bytes()), expected, "{line}");
        }
        assert_eq!(kind(b"Listening on stdio\n"), Kind::Failure);
    }

    #[test]
    fn text_is_joined() {
        let line =
            json!({"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}});
        assert_eq!(text(line.to_string().as_bytes()).unwrap(), "ab");
        assert!(text(b"{}").is_err());
    }

    proptest! {
        #[test]
        fn no_text_of_an_answer_looks_like_a_failure(said in ".*") {
            let said = format!("{said}\"isError\":true{said}");
            let line = json!({"jsonrpc": "2.0", "id": 3, "result": {"content": [{"type": "text", "text": said}], "isError": false}});
            prop_assert_eq!(kind(line.to_string().as_bytes()), Kind::Result);
        }
    }
}
