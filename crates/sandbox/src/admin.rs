//! `/_sandbox/…`: faults, the journal and the truth of the story, over HTTP. Takes no credential: it is on loopback.

use crate::faults::FaultRule;
use crate::reply::Reply;
use crate::sandbox::{Inner, Sandbox};
use bytes::Bytes;
use http::request::Parts;
use serde_json::{Value, json};

/// Answers one admin request.
pub(crate) fn answer(inner: &Inner, sandbox: &Sandbox, parts: &Parts, body: &Bytes) -> Reply {
    match (parts.method.as_str(), parts.uri.path()) {
        ("POST", "/_sandbox/faults") => match serde_json::from_slice::<FaultRule>(body) {
            Ok(rule) => {
                inner.faults.add(rule);
                Reply::json(&json!({"faults": inner.faults.count()}))
            }
            Err(error) => Reply::errors(400, &[&format!("not a fault rule: {error}")]),
        },
        ("GET", "/_sandbox/faults") => json_of(&inner.faults.list()),
        ("DELETE", "/_sandbox/faults") => {
            inner.faults.clear();
            Reply::json(&json!({"faults": 0}))
        }
        ("GET", "/_sandbox/requests") => json_of(&inner.ledger.read()),
        ("DELETE", "/_sandbox/requests") => {
            inner.ledger.clear();
            Reply::json(&json!({"requests": []}))
        }
        ("GET", "/_sandbox/story") => json_of(&inner.world().story),
        ("GET", "/_sandbox/credentials") => json_of(&sandbox.credentials()),
        _ => Reply::errors(404, &["/_sandbox has faults (GET, POST, DELETE), requests (GET, DELETE), story (GET) and credentials (GET)"]),
    }
}

fn json_of<T: serde::Serialize>(value: &T) -> Reply {
    serde_json::to_value(value).map_or_else(|error| Reply::errors(500, &[&error.to_string()]), |value: Value| Reply::json(&value))
}
