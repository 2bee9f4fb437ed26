//! Bodies that are hard to read: huge, packed, deep.

use axum::body::Body;
use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};
use futures::stream;
use std::convert::Infallible;

const MEGABYTE: usize = 1 << 20;

/// Log events as one JSON answer of about so many megabytes, streamed; never held whole.
pub(crate) fn huge(megabytes: usize) -> Body {
    let filler = "all work and no play ".repeat(48);
    let event = format!(
        r#"{{"id":"AwAAFAKE","type":"log","attributes":{{"timestamp":"2026-01-01T00:00:00.000Z","status":"info","service":"flood","message":"{filler}"}}}},"#
    );
    let chunk: Bytes = event.repeat(MEGABYTE / event.len() + 1).into();
    let head = Bytes::from_static(br#"{"data":["#);
    let tail: Bytes = format!("{}]}}", event.trim_end_matches(',')).into();
    let parts = std::iter::once(head).chain(std::iter::repeat_n(chunk, megabytes)).chain(std::iter::once(tail));
    Body::from_stream(stream::iter(parts.map(Ok::<_, Infallible>)))
}

/// A gzip file that unpacks to `[` and so many megabytes of blanks. One megabyte is packed, its block repeated.
pub(crate) fn bomb(megabytes: usize) -> Option<Vec<u8>> {
    let blanks = vec![b' '; MEGABYTE];
    // A full flush ends the block on a byte and forgets what came before, so the block can stand anywhere.
    let mut deflate = Compress::new(Compression::best(), false);
    let mut block = Vec::with_capacity(MEGABYTE / 64);
    deflate.compress_vec(&blanks, &mut block, FlushCompress::Full).ok()?;
    let mut crc = Crc::new();
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
    for _ in 0..megabytes {
        packed.extend_from_slice(&block);
        crc.update(&blanks);
    }
    // An empty last block ends the stream.
    packed.extend_from_slice(&[0x03, 0x00]);
    packed.extend_from_slice(&crc.sum().to_le_bytes());
    packed.extend_from_slice(&((megabytes * MEGABYTE) as u32).to_le_bytes());
    Some(packed)
}

/// `{"data":[[[…]]]}`
pub(crate) fn deep(depth: usize) -> String {
    format!("{{\"data\":{}{}}}", "[".repeat(depth), "]".repeat(depth))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Read as _;

    #[test]
    fn the_bomb_is_a_valid_gzip_file() {
        let packed = bomb(3).unwrap();
        assert!(packed.len() < 20_000, "{}", packed.len());
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked.len(), 3 * MEGABYTE);
    }

    #[test]
    fn deep_is_as_deep_as_asked() {
        assert_eq!(deep(2), r#"{"data":[[]]}"#);
    }
}
