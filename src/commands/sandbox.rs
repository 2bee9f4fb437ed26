//! `sandbox`: a Datadog org on loopback, and the same inside this process for `--sandbox` and `demo`.

use super::{print, signals::Signals};
use crate::{
    cli::SandboxArguments,
    config::{ConfigError, Credentials, Found},
    exit::Exit,
};
use anyhow::Context as _;
use datadog_client::{Secret, Site, Trust};
use datadog_sandbox::{Options, Sandbox};
use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A sandbox that listens.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) sandbox: Sandbox,
    /// `http://127.0.0.1:8126`
    pub(super) base: String,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Listens on `address`; port 0 takes a free one.
    pub(super) async fn start(options: &Options, address: SocketAddr) -> anyhow::Result<Self> {
        if !address.ip().is_loopback() {
            let message = format!("--listen {address}: the sandbox takes fake credentials and listens on loopback only");
            return Err(ConfigError::Value(message).into());
        }
        let sandbox = Sandbox::new(options).map_err(|error| ConfigError::Value(format!("--recordings: {error}")))?;
        let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let base = format!("http://{}", listener.local_addr()?);
        let stop = CancellationToken::new();
        let task = tokio::spawn(datadog_sandbox::serve(sandbox.clone(), listener, stop.clone()));
        Ok(Self { sandbox, base, stop, task })
    }

    /// On a free port.
    pub(super) async fn start_anywhere() -> anyhow::Result<Self> {
        Self::start(&Options::default(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Its base URL as a site.
    pub(super) fn site(&self) -> anyhow::Result<Site> {
        Ok(Site::parse(&self.base, Trust::Operator)?)
    }

    /// Its unscoped keys.
    pub(super) fn keys(&self) -> Credentials {
        let all = self.sandbox.credentials();
        let first = |kind: &str| {
            all.iter()
                .find(|credential| credential.kind == kind)
                .map(|credential| Found { secret: Secret::new(credential.value.clone()), place: "the sandbox".to_owned() })
        };
        Credentials { api_key: first("api_key"), app_key: first("app_key"), bearer: None }
    }

    /// Stops listening.
    pub(super) async fn close(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the sandbox did not end well");
        }
    }
}

pub(super) async fn run(arguments: &SandboxArguments) -> anyhow::Result<Exit> {
    let options = Options { seed: arguments.seed, size: arguments.size, recordings: arguments.recordings.clone(), ..Options::default() };
    let mut signals = Signals::new()?;
    let running = Running::start(&options, arguments.listen).await?;
    print(&welcome(&running)?)?;
    signals.next().await;
    running.close().await;
    Ok(Exit::Ok)
}

fn welcome(running: &Running) -> anyhow::Result<String> {
    let base = &running.base;
    let keys = running.keys();
    let shown = |found: &Option<Found>| found.as_ref().map_or(String::new(), |found| found.secret.expose().to_owned());
    let mut text = format!(
        "A Datadog org on {base}. Nothing in it is real, its credentials least of all.\n\n\
         Point datadog-mcp, or anything that speaks Datadog's API, at it:\n\n  \
         export DATADOG_MCP_SITE={base} DATADOG_MCP_TRUST_SITE=true\n  \
         export DD_API_KEY={} DD_APP_KEY={}\n  \
         datadog-mcp call errors_search\n\nCredentials it takes:\n",
        shown(&keys.api_key),
        shown(&keys.app_key)
    );
    for credential in running.sandbox.credentials() {
        writeln!(text, "  {:8} {:22} {}", credential.kind, credential.value, credential.about)?;
    }
    write!(
        text,
        "\nBehind the scenes: {base}/_sandbox/story (what happened), /_sandbox/requests (what was asked), /_sandbox/faults (what to break).\n\
         Ctrl-C stops it.\n"
    )?;
    Ok(text)
}
