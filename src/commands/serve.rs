//! `serve`: the protocol on standard input and output, until the client hangs up or a signal comes.

use super::{App, signals::Signals};
use crate::{
    config::Config,
    exit::Exit,
    mcp::{
        Server,
        stdio::{self, Ended, Stop},
    },
};
use datadog_client::Principal;
use std::sync::Arc;

pub(super) async fn run(config: Config) -> anyhow::Result<Exit> {
    let app = App::open(config).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        site = app.toolbox().client().site().name(),
        tools = app.toolbox().registry().listed().len(),
        writes = app.config().selection.allow_writes,
        "serving on standard input and output"
    );
    let stop = Stop::default();
    let watching = tokio::spawn(on_signals(stop.clone()));
    let server = Server::new(Arc::new(app.surface()), Principal::local());
    let ended = stdio::serve(server, stop).await;
    watching.abort();
    app.close().await;
    Ok(match ended? {
        Ended::Orderly => Exit::Ok,
        Ended::Abruptly => Exit::Interrupted,
    })
}

/// The first signal lets calls end, the second does not.
async fn on_signals(stop: Stop) {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::warn!(%error, "signals cannot be watched");
            return;
        }
    };
    signals.next().await;
    tracing::info!("asked to stop: calls that run may end, no more are taken");
    stop.gently.cancel();
    signals.next().await;
    stop.at_once.cancel();
}
