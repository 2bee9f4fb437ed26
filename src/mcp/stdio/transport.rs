//! Lines in, lines out: the transport under the protocol.

use super::{flow::Flow, incoming, oversized::IdScan, writer, writer::Line};
use rmcp::{
    RoleServer,
    model::{ClientNotification, JsonRpcMessage},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use std::{future::Future, io};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    sync::mpsc,
};

/// Longest line that is taken, in bytes; a longer one is answered with an error and skipped without being kept.
pub const LONGEST_LINE: usize = 16 << 20;

/// Bytes read from the client at a time.
const READ: usize = 64 << 10;

/// Newline-delimited JSON-RPC over a reader and a writer.
///
/// Differs from the SDK's transport in what a client can rely on: an unusable line is answered where its id can be read; messages that
/// the SDK would end the process for (a notification before `initialize`) are skipped; the end of input waits for answers under way.
#[derive(Debug)]
pub(super) struct Lines<R> {
    read: BufReader<R>,
    line: Vec<u8>,
    longest: usize,
    /// Set while the rest of an oversized line passes by.
    skipping: Option<IdScan>,
    /// An answer of the transport itself, not yet queued. Kept here because `receive` may be dropped at any await.
    reply: Option<Vec<u8>>,
    gate: incoming::Gate,
    /// The way to the writing task; gone after `close`.
    queue: Option<mpsc::Sender<Line>>,
    flow: Flow,
}

/// What the next bytes made.
enum Read {
    Line,
    Oversized(IdScan),
    End,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(read: R, queue: mpsc::Sender<Line>, flow: Flow, longest: usize) -> Self {
        let read = BufReader::with_capacity(READ, read);
        Self { read, line: Vec::new(), longest, skipping: None, reply: None, gate: incoming::Gate::default(), queue: Some(queue), flow }
    }

    /// Reads up to the next newline. Loses nothing when dropped: bytes are consumed in the same step in which they are kept.
    async fn next_line(&mut self) -> io::Result<Read> {
        loop {
            let available = self.read.fill_buf().await?;
            if available.is_empty() {
                return Ok(Read::End);
            }
            let newline = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..newline.unwrap_or(available.len())];
            let used = part.len() + usize::from(newline.is_some());
            if let Some(scan) = &mut self.skipping {
                scan.feed(part);
            } else if self.line.len() + part.len() > self.longest {
                let mut scan = IdScan::default();
                scan.feed(&self.line);
                scan.feed(part);
                self.skipping = Some(scan);
                self.line = Vec::new();
            } else {
                self.line.extend_from_slice(part);
            }
            self.read.consume(used);
            if newline.is_some() {
                return Ok(self.skipping.take().map_or(Read::Line, Read::Oversized));
            }
        }
    }

    /// Makes a message of the line, or keeps a reply.
    fn take_line(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let taken = incoming::parse(&self.line);
        self.line.clear();
        self.line.shrink_to(READ);
        match taken {
            incoming::Taken::Message(message) if self.gate.admits(&message) => {
                match message.as_ref() {
                    JsonRpcMessage::Request(request) => self.flow.taken(request.id.clone()),
                    JsonRpcMessage::Notification(notification) => {
                        if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                            && let Some(id) = &cancelled.params.request_id
                        {
                            self.flow.done(id);
                        }
                    }
                    _ => {}
                }
                Some(*message)
            }
            incoming::Taken::Message(_) => {
                tracing::debug!("skipped a message that came before the first request");
                None
            }
            incoming::Taken::Reply(error) => {
                self.reply = Some(encode(&error));
                None
            }
            incoming::Taken::Nothing => None,
        }
    }
}

fn encode(message: &TxJsonRpcMessage<RoleServer>) -> Vec<u8> {
    // Cannot fail for these types; an empty line would be skipped by the client.
    let mut bytes = serde_json::to_vec(message).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

impl<R: AsyncRead + Send + Unpin> Transport<RoleServer> for Lines<R> {
    type Error = io::Error;

    fn send(&mut self, item: TxJsonRpcMessage<RoleServer>) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let queue = self.queue.clone();
        let flow = self.flow.clone();
        async move {
            let id = match &item {
                JsonRpcMessage::Response(response) => Some(response.id.clone()),
                JsonRpcMessage::Error(error) => error.id.clone(),
                _ => None,
            };
            let written = writer::write(queue, encode(&item)).await;
            if let Some(id) = id {
                flow.done(&id);
            }
            written
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if self.reply.is_some() {
                let queue = self.queue.clone()?;
                let permit = queue.reserve().await.ok()?;
                if let Some(bytes) = self.reply.take() {
                    permit.send(Line { bytes, written: None });
                }
            }
            if self.flow.closing.is_cancelled() {
                self.flow.settled().await;
                return None;
            }
            let closing = self.flow.closing.clone();
            let read = tokio::select! {
                () = closing.cancelled() => continue,
                read = self.next_line() => read,
            };
            let message = match read {
                Ok(Read::Line) => self.take_line(),
                Ok(Read::Oversized(scan)) => {
                    self.reply = Some(encode(&incoming::too_long(scan.request_id(), self.longest)));
                    None
                }
                Ok(Read::End) => {
                    self.flow.closing.cancel();
                    // A last message without its newline counts when it is whole; a cut one is nobody's.
                    let last = self.take_line();
                    self.reply = None;
                    last
                }
                Err(error) => {
                    tracing::debug!(%error, "reading from the client failed");
                    self.flow.closing.cancel();
                    None
                }
            };
            if message.is_some() {
                return message;
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.queue = None;
        Ok(())
    }
}
