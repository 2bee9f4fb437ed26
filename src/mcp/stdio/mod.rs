//! A server on a pipe: from the first line to a prompt end.

mod flow;
mod incoming;
mod oversized;
mod transport;
mod writer;

pub use flow::Stop;
pub use transport::LONGEST_LINE;

use super::{Server, Surface};
use flow::Flow;
use rmcp::service::{QuitReason, ServerInitializeError, serve_server_with_ct};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use transport::Lines;

/// How long calls that run may take to end by themselves once no more are taken.
const DRAIN: Duration = Duration::from_secs(1);

/// How long cancelled calls may take to answer.
const LET_GO: Duration = Duration::from_millis(1_500);

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The client closed its end, or the process was asked to stop; everything was answered or cancelled.
    Orderly,
    /// It was asked to leave at once, or a call did not end in time.
    Abruptly,
}

/// Serves on this process's standard input and output.
pub async fn serve<S: Surface>(server: Server<S>, stop: Stop) -> anyhow::Result<Ended> {
    let (read, write) = rmcp::transport::io::stdio_pipes();
    serve_on(server, read, write, stop, LONGEST_LINE).await
}

/// Serves on any reader and writer until the input ends or `stop` fires.
///
/// At the end no more requests are taken; those that run have a second to finish, then they are cancelled and answered so.
pub async fn serve_on<S, R, W>(server: Server<S>, read: R, write: W, stop: Stop, longest_line: usize) -> anyhow::Result<Ended>
where
    S: Surface,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let flow = Flow::new(stop.gently.clone());
    let calls = CancellationToken::new();
    let (queue, writing) = writer::start(write, flow.closing.clone());
    let transport = Lines::new(read, queue, flow.clone(), longest_line);
    let service = async {
        let ended = match serve_server_with_ct(server, transport, calls.clone()).await {
            Ok(running) => match running.waiting().await {
                Ok(QuitReason::JoinError(error)) | Err(error) => Err(anyhow::Error::new(error)),
                Ok(_) => Ok(Ended::Orderly),
            },
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(Ended::Orderly),
            Err(error) => Err(error.into()),
        };
        // What was queued last still goes out.
        if writing.await.is_err() {
            tracing::error!("the writing task failed");
        }
        ended
    };
    let bounds = async {
        flow.closing.cancelled().await;
        if tokio::time::timeout(DRAIN, flow.settled()).await.is_err() {
            tracing::warn!(calls = flow.waiting(), "the connection ends: calls that still run are cancelled");
            calls.cancel();
        }
        tokio::time::sleep(LET_GO).await;
        tracing::warn!(calls = flow.waiting(), "calls did not end in time");
        Ok(Ended::Abruptly)
    };
    tokio::select! {
        ended = service => ended,
        ended = bounds => ended,
        () = stop.at_once.cancelled() => Ok(Ended::Abruptly),
    }
}

#[cfg(test)]
mod tests;
