//! A client of the protocol: an agent's side, for the demonstration and for trying tools.

use anyhow::Context as _;
use rmcp::{
    RoleClient,
    model::{CallToolRequestParams, ClientCapabilities, ClientConfig, ContentBlock, Implementation, JsonObject},
    service::{RunningService, serve_client},
};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connected agent.
#[derive(Debug)]
pub struct Agent {
    service: RunningService<RoleClient, ClientConfig>,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// All text of the result.
    pub text: String,
    /// `isError` was set.
    pub is_error: bool,
    /// `structuredContent`.
    pub structured: Option<Value>,
}

impl Agent {
    /// Says hello to the server behind the pipe.
    pub async fn connect<R, W>(read: R, write: W, name: &str) -> anyhow::Result<Self>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let config = ClientConfig::new(ClientCapabilities::default(), Implementation::new(name, env!("CARGO_PKG_VERSION")));
        let service = serve_client(config, (read, write)).await.context("the server did not answer the client's first message")?;
        Ok(Self { service })
    }

    /// Protocol revision agreed on.
    #[must_use]
    pub fn protocol(&self) -> Option<String> {
        self.service.peer_info().map(|info| info.protocol_version.to_string())
    }

    /// Name and title of every tool.
    pub async fn tools(&self) -> anyhow::Result<Vec<(String, String)>> {
        let tools = self.service.list_all_tools().await.context("tools/list failed")?;
        Ok(tools.into_iter().map(|tool| (tool.name.into_owned(), tool.title.unwrap_or_default())).collect())
    }

    /// Calls a tool; a protocol error is an `Err`, a refusal is an answer with `is_error`.
    pub async fn call(&self, name: &str, arguments: JsonObject) -> anyhow::Result<Answered> {
        let params = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let result = self.service.call_tool(params).await.with_context(|| format!("tools/call of {name} failed"))?;
        let text = result.content.iter().filter_map(ContentBlock::as_text).map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n");
        Ok(Answered { text, is_error: result.is_error.unwrap_or_default(), structured: result.structured_content })
    }

    /// Hangs up.
    pub async fn close(mut self) -> anyhow::Result<()> {
        self.service.close().await.context("the connection did not close")?;
        Ok(())
    }
}
