//! `bench-bare`: the least an MCP server over rmcp can be. One tool sends the log search and passes the answer on untouched.

use anyhow::Context;
use datadog_bench::client::{self, Search};
use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
    transport::io::stdio_pipes,
};
use serde_json::json;
use std::sync::{Arc, OnceLock};

struct Bare {
    base: String,
    /// Made by the first call: a server that is only listed needs none.
    client: OnceLock<reqwest::Client>,
}

impl Bare {
    async fn answer(&self, search: &Search) -> anyhow::Result<String> {
        let client = match self.client.get() {
            Some(client) => client,
            None => {
                let made = client::build()?;
                self.client.get_or_init(|| made)
            }
        };
        Ok(String::from_utf8(client::send(client, &self.base, search).await?.into())?)
    }
}

impl ServerHandler for Bare {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(Implementation::new("bench-bare", "0"))
    }

    async fn list_tools(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListToolsResult, ErrorData> {
        let mut schema = JsonObject::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), json!({"query": {"type": "string"}, "limit": {"type": "integer"}}));
        Ok(ListToolsResult::with_all_items(vec![Tool::new("logs_search", "Passes a log search on.", Arc::new(schema))]))
    }

    async fn call_tool(&self, request: CallToolRequestParams, _: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let search: Search =
            serde_json::from_value(arguments.into()).map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
        let result = match self.answer(&search).await {
            Ok(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
            Err(error) => CallToolResult::error(vec![ContentBlock::text(format!("{error:#}"))]),
        };
        Ok(result.into())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let base = std::env::args().nth(1).context("usage: bench-bare URL")?;
    Bare { base, client: OnceLock::new() }.serve(stdio_pipes()).await?.waiting().await?;
    Ok(())
}
