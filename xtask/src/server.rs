//! The built server, asked over its own stdio: what tasks measure and document is what a client is sent.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A running `datadog-mcp`, initialised as a client of 2025-11-25.
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    next_id: u64,
}

/// Builds a package's binary in the debug profile and gives its path.
pub(crate) fn build(package: &str, binary: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status =
        Command::new(cargo).args(["build", "--quiet", "--package", package, "--bin", binary]).current_dir(crate::workspace()).status()?;
    if !status.success() {
        bail!("{package} does not build");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::workspace().join("target"), PathBuf::from);
    Ok(target.join("debug").join(format!("{binary}{}", std::env::consts::EXE_SUFFIX)))
}

impl Server {
    /// Builds and starts the server with fake keys; nothing is sent to Datadog unless a tool is called.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let path = build("datadog-mcp", "datadog-mcp")?;
        let mut command = Command::new(&path);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("DD_") || name_text.starts_with("DATADOG_MCP_") {
                command.env_remove(&name);
            }
        }
        let mut child = command
            .args(arguments)
            // A configuration of whoever runs this must not colour what is documented.
            .env("XDG_CONFIG_HOME", crate::workspace().join("target/no-config"))
            .env("DD_API_KEY", "fake-api-key-for-docs")
            .env("DD_APP_KEY", "fake-app-key-for-docs")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} does not start", path.display()))?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().context("the server has no stdout")?);
        let mut server = Self { child, stdin, stdout, next_id: 0 };
        let client = json!({"name": "xtask", "version": "0"});
        server.request("initialize", &json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}))?;
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
        Ok(server)
    }

    /// Every tool, in the order and form that a client gets.
    pub(crate) fn tools(&mut self) -> Result<Vec<Value>> {
        let mut tools = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let parameters = if cursor.is_null() { json!({}) } else { json!({"cursor": cursor}) };
            let result = self.request("tools/list", &parameters)?;
            tools.extend(result["tools"].as_array().cloned().unwrap_or_default());
            cursor = result["nextCursor"].clone();
            if cursor.is_null() {
                return Ok(tools);
            }
        }
    }

    fn request(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}))?;
        let mut line = String::new();
        loop {
            line.clear();
            if self.stdout.read_line(&mut line)? == 0 {
                bail!("the server ended during {method}");
            }
            let message: Value = serde_json::from_str(&line).with_context(|| format!("not JSON-RPC on stdout: {line}"))?;
            if message["id"] == json!(id) {
                return match message.get("result") {
                    Some(result) => Ok(result.clone()),
                    None => bail!("{method} failed: {}", message["error"]),
                };
            }
        }
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        let stdin = self.stdin.as_mut().context("the server's stdin is closed")?;
        writeln!(stdin, "{message}")?;
        Ok(stdin.flush()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // At EOF the server ends by itself.
        self.stdin = None;
        if self.child.wait().is_err() {
            eprintln!("the server could not be waited for");
        }
    }
}
