//! A request as planned: one operation with its path filled in, its query and its body.

use crate::Refusal;
use datadog_catalogue::Operation;
use serde_json::{Map, Value};

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

impl Request {
    /// Plans from arguments named as the operation's own parameters, and `body` for the JSON body.
    ///
    /// Lenient as every tool (`"42"` for 42); unknown and missing names are refused with the valid ones listed.
    pub fn plan(operation: &'static Operation, arguments: &Map<String, Value>) -> Result<Self, Refusal> {
        let _ = (operation, arguments);
        unimplemented!()
    }
}
