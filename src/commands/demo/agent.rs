//! Starts this binary as a server, the way a client does, and speaks with it over its pipe.

use crate::{commands::sandbox::Running, mcp::client::Agent};
use anyhow::Context as _;
use std::{process::Stdio, time::Duration};
use tokio::process::{Child, Command};

/// How long a server may take to leave after its input ended.
const LEAVING: Duration = Duration::from_secs(5);

/// A server process and the client that speaks with it.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) agent: Agent,
    child: Child,
}

impl Connected {
    /// Starts a server at the sandbox with these credentials, and nothing else of this process's environment.
    pub(super) async fn start(running: &Running, credentials: &[(&str, &str)]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program's own path cannot be found")?;
        let mut child = Command::new(program)
            .arg("serve")
            .env_clear()
            .env("DATADOG_MCP_SITE", &running.base)
            .env("DATADOG_MCP_TRUST_SITE", "true")
            .env("DATADOG_MCP_LOG_LEVEL", "error")
            // Where no configuration of the user is.
            .env("XDG_CONFIG_HOME", std::env::temp_dir().join("datadog-mcp-demo-without-configuration"))
            .envs(credentials.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the server did not start")?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (input, output) = input.zip(output).context("the server has no pipe")?;
        let agent = Agent::connect(output, input, "datadog-mcp-demo").await?;
        Ok(Self { agent, child })
    }

    /// Hangs up and waits for the server to leave.
    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        self.agent.close().await?;
        let left = tokio::time::timeout(LEAVING, self.child.wait()).await.context("the server did not leave")??;
        anyhow::ensure!(left.success(), "the server left with {left}");
        Ok(())
    }
}
