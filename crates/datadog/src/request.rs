//! A request as planned: one operation with its path filled in, its query and its body.

mod coerce;
mod nearest;
mod plan;
mod segment;

#[cfg(test)]
mod tests;

pub use segment::PathSegment;

use crate::{Kind, Refusal};
use datadog_catalogue::Operation;
use serde_json::{Map, Value};
use std::fmt::Display;

/// One planned request. Path segments are percent-encoded by construction.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The operation.
    pub operation: &'static Operation,
    /// Path and fixed query with every `{name}` filled in and encoded.
    pub path: String,
    /// Query pairs, not yet encoded.
    pub query: Vec<(String, String)>,
    /// Extra headers that the operation declares as parameters.
    pub headers: Vec<(String, String)>,
    /// JSON body.
    pub body: Option<Value>,
}

/// Builds a [`Request`] part by part; mistakes come out at [`RequestBuilder::build`].
#[derive(Debug, Clone)]
pub struct RequestBuilder {
    operation: &'static Operation,
    segments: Vec<(String, Result<PathSegment, Refusal>)>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Value>,
}

impl Request {
    /// Plans from arguments named as the operation's own parameters, and `body` for the JSON body.
    ///
    /// Lenient as every tool (`"42"` for 42, `"a"` for `["a"]`, `null` for absent); unknown names are refused with the
    /// valid ones and the nearest match, and everything that is missing is named at once.
    pub fn plan(operation: &'static Operation, arguments: &Map<String, Value>) -> Result<Self, Refusal> {
        plan::plan(operation, arguments)
    }

    /// Starts a request for code that knows its operation.
    #[expect(clippy::new_ret_no_self, reason = "reads as the start of a request; `build` gives it")]
    #[must_use]
    pub fn new(operation: &'static Operation) -> RequestBuilder {
        RequestBuilder { operation, segments: Vec::new(), query: Vec::new(), headers: Vec::new(), body: None }
    }
}

impl RequestBuilder {
    /// Fills `{name}` of the path with a value, encoded as one segment.
    #[must_use]
    pub fn segment(mut self, name: &str, value: impl Display) -> Self {
        self.segments.push((name.to_owned(), PathSegment::new(&value.to_string())));
        self
    }

    /// Adds a query pair; it is encoded when sent. May be repeated for lists.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a header, e.g. `Content-Type: application/vnd.api+json`. Credentials are not set this way.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the JSON body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The request, or what is wrong with its path values (`invalid_arguments`), or `internal` when a name does not
    /// belong to the path or one of its places was left open.
    pub fn build(self) -> Result<Request, Refusal> {
        let Self { operation, segments, query, headers, body } = self;
        let mut filled = Vec::with_capacity(segments.len());
        for (name, segment) in segments {
            let segment = segment.map_err(|refusal| named(refusal, &name).on(operation.id))?;
            filled.push((name, segment));
        }
        let path = fill(operation, &filled)?;
        for (name, value) in &headers {
            check_header(name, value).map_err(|refusal| refusal.on(operation.id))?;
        }
        Ok(Request { operation, path, query, headers, body })
    }
}

/// Puts the parameter's name in front of what is wrong with its value.
fn named(mut refusal: Refusal, name: &str) -> Refusal {
    refusal.message = format!("`{}`: {}", crate::untrusted::shown(name, 60), refusal.message);
    refusal
}

/// The path template with every `{name}` replaced.
fn fill(operation: &Operation, segments: &[(String, PathSegment)]) -> Result<String, Refusal> {
    let wrong =
        |what: String| Refusal::new(Kind::Internal, format!("the path of {} cannot be filled: {what}", operation.id)).on(operation.id);
    let mut path = String::with_capacity(operation.path.len() + 32);
    let mut used = 0;
    let mut rest = operation.path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| wrong("a brace is not closed".to_owned()))?;
        let (_, segment) = segments.iter().find(|(n, _)| n == name).ok_or_else(|| wrong(format!("no value for `{name}`")))?;
        path.push_str(before);
        path.push_str(segment.as_str());
        used += 1;
        rest = after;
    }
    path.push_str(rest);
    if used < segments.len() {
        return Err(wrong("a value was given for a name that it does not have".to_owned()));
    }
    Ok(path)
}

/// A header may hold what HTTP allows and nothing that belongs to the connection or the credential.
fn check_header(name: &str, value: &str) -> Result<(), Refusal> {
    const OURS: &[&str] = &[
        "authorization",
        "dd-api-key",
        "dd-application-key",
        "cookie",
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "proxy-authorization",
        "te",
        "upgrade",
        "trailer",
    ];
    let shown = crate::untrusted::shown(name, 60);
    if http::HeaderName::from_bytes(name.as_bytes()).is_err() || OURS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(Refusal::invalid(format!("`{shown}` cannot be set as a header")));
    }
    if value.bytes().any(|b| !(b == b'\t' || (b' '..=b'~').contains(&b))) {
        return Err(Refusal::invalid(format!("`{shown}`: a header takes printable ASCII only")));
    }
    Ok(())
}
