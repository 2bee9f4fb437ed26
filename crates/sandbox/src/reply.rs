//! An answer before it becomes HTTP, and Datadog's ways of saying no.

use bytes::Bytes;
use serde_json::{Value, json};

/// An answer. `Err` of a handler is one too.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
    /// No simulation of the operation exists.
    pub(crate) unsimulated: bool,
}

/// A handler's answer; the `Err` side has a 4xx or 5xx.
pub(crate) type Answer = Result<Reply, Reply>;

pub(crate) const JSON: &str = "application/json";
pub(crate) const JSON_API: &str = "application/vnd.api+json";

impl Reply {
    /// 200 with a body already written.
    pub(crate) fn text(content_type: &'static str, body: String) -> Self {
        Self { status: 200, content_type, body: body.into(), unsimulated: false }
    }

    /// 200 with JSON.
    pub(crate) fn json(value: &Value) -> Self {
        Self::text(JSON, value.to_string())
    }

    /// 200 with JSON:API.
    pub(crate) fn json_api(value: &Value) -> Self {
        Self::text(JSON_API, value.to_string())
    }

    /// `status` with JSON.
    pub(crate) fn with(status: u16, value: &Value) -> Self {
        Self { status, ..Self::json(value) }
    }

    /// `{"errors":["…"]}`, the commonest shape.
    pub(crate) fn errors(status: u16, messages: &[&str]) -> Self {
        Self::with(status, &json!({ "errors": messages }))
    }

    /// `{"errors":[{"title","detail"}]}` as spans and other JSON:API products answer.
    pub(crate) fn detailed(status: u16, title: &str, detail: &str) -> Self {
        Self { content_type: JSON_API, ..Self::with(status, &json!({"errors": [{"title": title, "detail": detail}]})) }
    }

    /// `{"errors":[{"status","title","detail"}]}`; the status is a text.
    pub(crate) fn stated(status: u16, title: &str, detail: &str) -> Self {
        Self {
            content_type: JSON_API,
            ..Self::with(status, &json!({"errors": [{"status": status.to_string(), "title": title, "detail": detail}]}))
        }
    }

    /// 400 as logs, events and RUM answer for a field of the request.
    pub(crate) fn invalid(field: &str, why: &str) -> Self {
        Self::errors(400, &[&format!("input_validation_error(Field '{field}' is invalid: {why})")])
    }
}
