//! What a request says apart from its credential: content negotiation, the operation's own headers, the body.

use crate::{Kind, Refusal, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use datadog_catalogue::Operation;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::borrow::Cow;
use std::io::Write as _;

/// Headers and body that do not depend on the credential.
pub(super) fn contents(request: &Request) -> Result<(HeaderMap, Option<Bytes>), Refusal> {
    let operation = request.operation;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, accept(operation));
    let mut body = None;
    if let Some(value) = &request.body {
        let content = operation.body.map_or("application/json", |body| body.content);
        let (bytes, content_type) = if content == "multipart/form-data" {
            form(value).map_err(|refusal| refusal.on(operation.id))?
        } else {
            (json(operation, value)?, HeaderValue::from_static(content))
        };
        body = Some(bytes);
        headers.insert(CONTENT_TYPE, content_type);
    }
    for (name, value) in &request.headers {
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) else {
            return Err(Refusal::invalid(format!("a header of {} has characters that cannot be sent", operation.id)).on(operation.id));
        };
        headers.insert(name, value);
    }
    // Intake operations have the encoding as a parameter: what is announced is what is done.
    if let (Some(encoding), Some(plain)) = (headers.get(CONTENT_ENCODING), &body) {
        body = Some(
            encoded(encoding.as_bytes(), plain)
                .ok_or_else(|| Refusal::invalid("`Content-Encoding` is one of `identity`, `gzip`, `deflate`, `zstd1`").on(operation.id))?,
        );
    }
    Ok((headers, body))
}

fn json(operation: &Operation, value: &Value) -> Result<Bytes, Refusal> {
    match serde_json::to_vec(value) {
        Ok(bytes) => Ok(Bytes::from(bytes)),
        Err(_) => Err(Refusal::new(Kind::Internal, format!("the body of {} cannot be written", operation.id)).on(operation.id)),
    }
}

/// A file upload (RFC 7578): every field of the body is a file, given as its text or as a `data:` URL with base64.
fn form(value: &Value) -> Result<(Bytes, HeaderValue), Refusal> {
    let refuse = |why: &str| Refusal::invalid(format!("`body` is a file upload: {why}"));
    let fields = value.as_object().ok_or_else(|| refuse("an object with one entry per file"))?;
    let boundary = format!("datadog-mcp-{:032x}", rand::random::<u128>());
    let mut out = Vec::new();
    for (name, content) in fields {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            return Err(refuse("names are letters, digits, `_` and `-`"));
        }
        let text = content.as_str().ok_or_else(|| refuse("each entry is the file's text, or a `data:` URL with base64"))?;
        let bytes = match text.strip_prefix("data:").and_then(|url| url.split_once(";base64,")) {
            Some((_, base64)) => Cow::Owned(STANDARD.decode(base64.trim()).map_err(|_| refuse("the base64 of a `data:` URL is broken"))?),
            None => Cow::Borrowed(text.as_bytes()),
        };
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&bytes);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"))
        .map_err(|_| Refusal::new(Kind::Internal, "the boundary of a file upload is no header"))?;
    Ok((Bytes::from(out), content_type))
}

fn encoded(encoding: &[u8], plain: &Bytes) -> Option<Bytes> {
    match encoding {
        b"identity" => Some(plain.clone()),
        b"gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(plain).ok()?;
            writer.finish().ok().map(Bytes::from)
        }
        // HTTP's `deflate` is the zlib format (RFC 9110 §8.4.1.2).
        b"deflate" => {
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(plain).ok()?;
            writer.finish().ok().map(Bytes::from)
        }
        b"zstd" | b"zstd1" => zstd::bulk::compress(plain, 3).ok().map(Bytes::from),
        _ => None,
    }
}

/// The content types that the operation answers with, JSON first; anything is taken rather than nothing.
fn accept(operation: &Operation) -> HeaderValue {
    let mut types: Vec<&str> = operation.answers.to_vec();
    types.sort_by_key(|t| !t.contains("json"));
    let text = if types.is_empty() { "application/json, */*;q=0.5".to_owned() } else { format!("{}, */*;q=0.5", types.join(", ")) };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("*/*"))
}

#[cfg(test)]
mod tests;
