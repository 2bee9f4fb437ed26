//! The one task that writes to the client: whole lines, several in one go when they come fast.

use std::io;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// Lines that may wait to be written.
const QUEUE: usize = 64;

/// Bytes collected before a write.
const BATCH: usize = 64 << 10;

/// One line with its newline, and who wants to know that it was written.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    pub(super) written: Option<oneshot::Sender<()>>,
}

/// Starts the task; `closing` fires when the client no longer reads. It ends when every sender is gone and all is written.
pub(super) fn start<W: AsyncWrite + Send + Unpin + 'static>(out: W, closing: CancellationToken) -> (mpsc::Sender<Line>, JoinHandle<()>) {
    let (queue, lines) = mpsc::channel(QUEUE);
    let task = tokio::spawn(async move {
        if let Err(error) = write_lines(out, lines).await {
            tracing::debug!(%error, "the client no longer reads");
            closing.cancel();
        }
    });
    (queue, task)
}

/// Queues a line and waits until it was written.
pub(super) async fn write(queue: Option<mpsc::Sender<Line>>, bytes: Vec<u8>) -> io::Result<()> {
    let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "the client no longer reads");
    let (written, done) = oneshot::channel();
    queue.ok_or_else(gone)?.send(Line { bytes, written: Some(written) }).await.map_err(|_| gone())?;
    done.await.map_err(|_| gone())
}

async fn write_lines<W: AsyncWrite + Unpin>(mut out: W, mut lines: mpsc::Receiver<Line>) -> io::Result<()> {
    let mut batch = Vec::new();
    let mut waiting = Vec::new();
    while let Some(line) = lines.recv().await {
        let mut next = Some(line);
        while let Some(line) = next {
            batch.extend_from_slice(&line.bytes);
            waiting.extend(line.written);
            next = if batch.len() < BATCH { lines.try_recv().ok() } else { None };
        }
        out.write_all(&batch).await?;
        out.flush().await?;
        batch.clear();
        batch.shrink_to(BATCH);
        for written in waiting.drain(..) {
            // Whoever waited may have been cancelled meanwhile.
            let _cancelled = written.send(());
        }
    }
    Ok(())
}
