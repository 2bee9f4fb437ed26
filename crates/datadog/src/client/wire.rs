//! One HTTP exchange: a planned request and a credential become bytes, an answer comes back whole or with the reason why not.

use super::rate::{RateFacts, Waits};
use super::read::{self, Cut};
use crate::{Credential, Kind, Refusal, Request, Secret, Site};
use bytes::Bytes;
use datadog_catalogue::{Method, Operation};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::io::Write as _;
use std::time::Duration;
use url::Url;

/// Most bytes that are read of an answer that is no success.
const ERROR_CAP: u64 = 256 * 1024;

/// A request ready to be sent any number of times.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) method: http::Method,
    pub(super) url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Bytes,
    pub(super) rate: Option<RateFacts>,
    pub(super) waits: Waits,
    pub(super) request_id: Option<String>,
    /// Host that a redirect points to.
    pub(super) location: Option<String>,
}

/// Why nothing usable came back.
#[derive(Debug, Clone)]
pub(super) enum Lost {
    /// No connection: nothing of the request has left.
    NotSent(&'static str),
    /// The server's certificate was not accepted; trying again cannot help.
    Untrusted,
    /// The request left, or may have; no answer, or not a whole one.
    Broken(&'static str),
    /// A success whose body passed the cap.
    TooLarge { request_id: Option<String> },
    /// The request itself cannot be sent.
    Unsendable,
}

impl Wire {
    /// Puts the request together; the path must come out of URL parsing as it went in.
    pub(super) fn new(site: &Site, request: &Request, credential: &Credential) -> Result<Self, Refusal> {
        let operation = request.operation;
        let (headers, body) = contents(request)?;
        let mut wire = Self { method: method(operation.method), url: url(site, request)?, headers, body };
        wire.sign(operation, credential)?;
        Ok(wire)
    }

    /// A GET without a body, with a bearer token alone.
    pub(super) fn probe(site: &Site, path: &str, bearer: &Secret) -> Result<Self, Refusal> {
        let url =
            join(site.base_ref(datadog_catalogue::Host::Api), path).ok_or_else(|| Refusal::new(Kind::Internal, "the probe has no URL"))?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {}", bearer.expose()))?);
        Ok(Self { method: http::Method::GET, url, headers, body: None })
    }

    /// Adds what the credential has and the operation may need. Operations that take an API key alone get no more.
    fn sign(&mut self, operation: &Operation, credential: &Credential) -> Result<(), Refusal> {
        if let Some(bearer) = &credential.bearer {
            self.headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {}", bearer.expose()))?);
        }
        if let Some(keys) = &credential.keys {
            self.headers.insert(HeaderName::from_static("dd-api-key"), sensitive(keys.api.expose())?);
            let api_key_alone = operation.auth.api_key && !operation.auth.app_key;
            if let Some(app) = keys.app.as_ref().filter(|_| !api_key_alone) {
                self.headers.insert(HeaderName::from_static("dd-application-key"), sensitive(app.expose())?);
            }
        }
        Ok(())
    }

    /// Sends once and reads the answer.
    pub(super) async fn exchange(&self, http: &reqwest::Client, cap: u64, idle: Duration) -> Result<Arrived, Lost> {
        let mut request = http.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        let mut response = request.send().await.map_err(|error| lost(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers();
        let mut arrived = Arrived {
            status,
            content_type: content_type(headers),
            body: Bytes::new(),
            rate: RateFacts::read(headers),
            waits: Waits::read(headers),
            request_id: request_id(headers),
            location: location(headers, &self.url),
        };
        let success = (200..300).contains(&status);
        match read::body(&mut response, if success { cap } else { ERROR_CAP.min(cap) }, idle).await {
            Ok(body) => arrived.body = body,
            // What arrived of an error page still says something, and the status says the rest.
            Err((_, part)) if !success => arrived.body = part,
            Err((Cut::TooLarge, _)) => return Err(Lost::TooLarge { request_id: arrived.request_id }),
            Err((Cut::Idle, _)) => return Err(Lost::Broken("the answer stopped coming")),
            Err((Cut::Broken, _)) => return Err(Lost::Broken("the answer was cut off or its compression is broken")),
        }
        Ok(arrived)
    }
}

fn method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}

/// Base and path as text: `Url::join` would drop the path of a trusted base URL and resolve what it takes for dots.
fn join(base: &Url, path: &str) -> Option<Url> {
    let text = format!("{}{path}", base.as_str().trim_end_matches('/'));
    let url = Url::parse(&text).ok()?;
    let unchanged = url.as_str() == text && url.fragment().is_none() && url.origin() == base.origin();
    unchanged.then_some(url)
}

fn url(site: &Site, request: &Request) -> Result<Url, Refusal> {
    let operation = request.operation;
    let mut url = join(site.base_ref(operation.host), &request.path)
        .filter(|_| request.path.starts_with('/'))
        .ok_or_else(|| Refusal::new(Kind::Internal, format!("the path of {} makes no URL", operation.id)).on(operation.id))?;
    if !request.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&request.query);
    }
    Ok(url)
}

/// Headers and body that do not depend on the credential.
fn contents(request: &Request) -> Result<(HeaderMap, Option<Bytes>), Refusal> {
    let operation = request.operation;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, accept(operation));
    let mut body = None;
    if let Some(value) = &request.body {
        let bytes = serde_json::to_vec(value)
            .map_err(|_| Refusal::new(Kind::Internal, format!("the body of {} cannot be written", operation.id)).on(operation.id))?;
        body = Some(Bytes::from(bytes));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
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

/// A header value that no `Debug` shows and HTTP/2 does not index.
fn sensitive(text: &str) -> Result<HeaderValue, Refusal> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Refusal::new(Kind::SignInRequired, "a credential has characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Lower case, without parameters.
fn content_type(headers: &HeaderMap) -> String {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let text = ["x-request-id", "dd-request-id", "x-datadog-trace-id"].iter().find_map(|name| headers.get(*name)?.to_str().ok())?;
    let is_id =
        !text.is_empty() && text.len() <= 200 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'='));
    is_id.then(|| text.to_owned())
}

fn location(headers: &HeaderMap, from: &Url) -> Option<String> {
    let text = headers.get(LOCATION)?.to_str().ok()?;
    from.join(text).ok()?.host_str().map(str::to_owned)
}

/// Sorts an error of reqwest by what it means for the request, in our own words: its texts carry URLs.
fn lost(error: &reqwest::Error) -> Lost {
    if error.is_builder() {
        return Lost::Unsendable;
    }
    let mut source: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    let mut io = None;
    let mut texts = String::new();
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref::<std::io::Error>() {
            io = io.or(Some(found.kind()));
        }
        texts.push_str(&cause.to_string().to_ascii_lowercase());
        texts.push('\n');
        source = cause.source();
    }
    if texts.contains("certificate") {
        return Lost::Untrusted;
    }
    let why = match io {
        _ if texts.contains("dns") || texts.contains("lookup address") => "its name cannot be resolved",
        Some(std::io::ErrorKind::ConnectionRefused) => "nothing listens there (connection refused)",
        Some(std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe) => "the connection was reset",
        Some(std::io::ErrorKind::UnexpectedEof) => "the connection was closed",
        _ if error.is_timeout() => "connecting took too long",
        _ if error.is_connect() => "no connection could be made",
        _ => "the connection ended before an answer",
    };
    if error.is_connect() { Lost::NotSent(why) } else { Lost::Broken(why) }
}
