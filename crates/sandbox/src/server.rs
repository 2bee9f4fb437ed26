//! The listener: no delay on accepted sockets, and connections that a fault can cut at any byte.

use crate::Sandbox;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// How long answers under way may take after the shutdown began.
const GRACE: Duration = Duration::from_millis(500);

/// Serves `sandbox` until `shutdown`; answers under way get half a second. Fails when the socket does.
pub async fn serve(sandbox: Sandbox, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
    let service = sandbox.router().into_make_service_with_connect_info::<Cut>();
    let server = axum::serve(Loopback(listener), service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        result = async { server.await } => result,
        () = async { shutdown.cancelled().await; tokio::time::sleep(GRACE).await } => Ok(()),
    }
}

/// A listener whose connections can be cut.
struct Loopback(TcpListener);

impl Listener for Loopback {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, from)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "cannot set TCP_NODELAY");
                    }
                    return (Wire { stream, cut: Cut::default() }, from);
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Shared by a connection and the requests on it: how many more bytes may be written.
#[derive(Debug, Clone)]
pub(crate) struct Cut(Arc<AtomicI64>);

impl Default for Cut {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(i64::MAX)))
    }
}

impl Cut {
    /// Resets the connection after so many more bytes.
    pub(crate) fn after(&self, bytes: usize) {
        self.0.store(bytes as i64, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Loopback>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Loopback>) -> Self {
        stream.io().cut.clone()
    }
}

/// A connection that stops at its cut.
struct Wire {
    stream: TcpStream,
    cut: Cut,
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.cut.0.load(Ordering::SeqCst);
        if left == i64::MAX {
            return Pin::new(&mut self.stream).poll_write(cx, buf);
        }
        if left <= 0 {
            // Without lingering the peer sees a reset instead of an orderly end.
            let lingering = self.stream.set_zero_linger();
            return Poll::Ready(Err(lingering.err().unwrap_or_else(|| io::ErrorKind::ConnectionReset.into())));
        }
        let buf = &buf[..buf.len().min(left as usize)];
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.cut.0.fetch_sub(written as i64, Ordering::SeqCst);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
