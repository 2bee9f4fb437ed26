//! A server for the official conformance suite: the product's MCP code with the content the suite asks for.
//!
//! `conformance-fixture ADDR` serves Streamable HTTP on `/mcp` and prints the URL, and `conformance-fixture ADDR product` serves the
//! product's own tools there, on a sandbox; without an address the fixture serves on standard input and output.

mod beyond;
mod calls;
mod input;
mod surface;

use datadog_client::Principal;
use datadog_mcp::{
    cli::{LogFormat, LogLevel},
    commands::App,
    config::{Config, Layers, Variables},
    logging,
    mcp::{
        Server, Surface,
        stdio::{self, Stop},
    },
};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager};
use std::{io::Write as _, net::SocketAddr, sync::Arc};
use surface::Fixture;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::start(LogFormat::Human, LogLevel::Warn, std::env::var("RUST_LOG").ok().as_deref());
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().map(|address| address.parse::<SocketAddr>()).transpose()?;
    let fixture = || anyhow::Ok(Server::new(Arc::new(Fixture::new()?), Principal::local()));
    match (address, arguments.next().as_deref()) {
        (None, _) => stdio::serve(fixture()?, Stop::default()).await.map(drop),
        (Some(address), Some("product")) => {
            let variables = Variables::default();
            let command = ["datadog-mcp", "--sandbox", "--config=/dev/null"].map(Into::into);
            let app = App::open(Config::new(&Layers::read(&command, &variables)?, &variables)?).await?;
            serve(Server::new(Arc::new(app.surface()), Principal::local()), address).await
        }
        (Some(address), _) => serve(fixture()?, address).await,
    }
}

/// Streamable HTTP as the SDK offers it, on loopback.
async fn serve<S: Surface>(server: Server<S>, address: SocketAddr) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    writeln!(std::io::stdout().lock(), "http://{}/mcp", listener.local_addr()?)?;
    let config = StreamableHttpServerConfig::default()
        .with_allowed_origins(["http://localhost:*", "http://127.0.0.1:*"])
        .enforce_origin_validation()
        .with_json_response(true);
    let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::new(LocalSessionManager::default()), config);
    axum::serve(listener, axum::Router::new().route_service("/mcp", service)).await?;
    Ok(())
}
