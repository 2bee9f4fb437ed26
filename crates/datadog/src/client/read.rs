//! Reading an answer's body under a cap, decoded while it streams.

use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// Why a body did not arrive whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// More than the cap; the connection is dropped.
    TooLarge,
    /// Nothing came for too long.
    Idle,
    /// The connection ended, the length was wrong, or the compressed data is broken.
    Broken,
}

/// The whole body, or why not, with what had arrived by then.
///
/// `cap` counts decoded bytes: a compressed bomb is let go when what it became passes the cap.
pub(super) async fn body(response: &mut reqwest::Response, cap: u64, idle: Duration) -> Result<Bytes, (Cut, Bytes)> {
    // Not known for a compressed body: reqwest takes the header away when it decodes.
    let announced = response.content_length();
    if announced.is_some_and(|length| length > cap) {
        return Err((Cut::TooLarge, Bytes::new()));
    }
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();
    let mut length: u64 = 0;
    loop {
        let cut = match tokio::time::timeout(idle, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                length += chunk.len() as u64;
                if length > cap {
                    Cut::TooLarge
                } else {
                    // One chunk is the usual answer: it is handed on without a copy.
                    if first.is_none() && whole.is_empty() {
                        first = Some(chunk);
                    } else {
                        if let Some(first) = first.take() {
                            let expected = announced.unwrap_or(0).min(cap) as usize;
                            whole.reserve(expected.max(first.len() + chunk.len()));
                            whole.extend_from_slice(&first);
                        }
                        whole.extend_from_slice(&chunk);
                    }
                    continue;
                }
            }
            Ok(Ok(None)) => return Ok(first.unwrap_or_else(|| whole.freeze())),
            Ok(Err(_)) => Cut::Broken,
            Err(_) => Cut::Idle,
        };
        return Err((cut, first.unwrap_or_else(|| whole.freeze())));
    }
}
