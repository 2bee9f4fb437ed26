//! A server for the official conformance suite: the product's MCP code with the content the suite asks for.
//!
//! `conformance-fixture ADDR` serves Streamable HTTP on `/mcp` and prints the URL; without an address it serves on standard input and
//! output, with one more tool that panics.

mod beyond;
mod calls;
mod input;
mod surface;

use datadog_client::Principal;
use datadog_mcp::mcp::{
    Server,
    stdio::{self, Stop},
};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager};
use std::{io::Write as _, net::SocketAddr, sync::Arc};
use surface::Fixture;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,rmcp=off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let server = Server::new(Arc::new(Fixture::new()?), Principal::local());
    let Some(address) = std::env::args().nth(1) else {
        stdio::serve(server, Stop::default()).await?;
        return Ok(());
    };
    let listener = tokio::net::TcpListener::bind(address.parse::<SocketAddr>()?).await?;
    writeln!(std::io::stdout().lock(), "http://{}/mcp", listener.local_addr()?)?;
    let config = StreamableHttpServerConfig::default()
        .with_allowed_origins(["http://localhost:*", "http://127.0.0.1:*"])
        .enforce_origin_validation()
        .with_json_response(true);
    let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::new(LocalSessionManager::default()), config);
    axum::serve(listener, axum::Router::new().route_service("/mcp", service)).await?;
    Ok(())
}
