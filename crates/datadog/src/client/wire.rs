//! One HTTP exchange: a planned request and a credential become bytes, an answer comes back whole or with the reason why not.

use super::contents::contents;
use super::lost::Lost;
use super::rate::{RateFacts, Waits};
use super::read::{self, Cut};
use crate::{Credential, Kind, Refusal, Request, Secret, Site};
use bytes::Bytes;
use datadog_catalogue::{Method, Operation};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue};
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
    pub(super) date: Option<jiff::Timestamp>,
    /// Host that a redirect points to.
    pub(super) location: Option<String>,
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
        let mut response = request.send().await.map_err(|error| Lost::from(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers();
        let mut arrived = Arrived {
            status,
            content_type: content_type(headers),
            body: Bytes::new(),
            rate: RateFacts::read(headers),
            waits: Waits::read(headers),
            request_id: request_id(headers),
            date: headers.get(DATE).and_then(|value| super::rate::date(value.to_str().ok()?)),
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
