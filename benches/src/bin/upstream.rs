//! `bench-upstream`: the stand-in for Datadog in a process of its own. Says its address on stdout and ends with its stdin.

use axum::serve::ListenerExt;
use std::io::Write;
use tokio::net::TcpListener;

/// One thread: what is measured keeps the other core.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let mut out = std::io::stdout();
    writeln!(out, "http://{address}")?;
    out.flush()?;
    // Without it an answer of several segments waits up to 40 ms for a delayed acknowledgement. It fails only on a closed connection.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let (mut stdin, mut sink) = (tokio::io::stdin(), tokio::io::sink());
    tokio::select! {
        served = axum::serve(listener, datadog_bench::upstream::app()) => served?,
        ended = tokio::io::copy(&mut stdin, &mut sink) => drop(ended),
    }
    Ok(())
}
