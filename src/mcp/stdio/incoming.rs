//! What a line from the client is: a message, something to answer with an error, or nothing.

use rmcp::{
    ErrorData, RoleServer,
    model::{ClientRequest, ErrorCode, GetMeta, JsonRpcMessage, ProtocolVersion, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
};
use serde_json::Value;

/// Byte order mark that some programs put before the first line.
const BOM: &[u8] = b"\xEF\xBB\xBF";

#[derive(Debug)]
pub(super) enum Taken {
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    Reply(Box<TxJsonRpcMessage<RoleServer>>),
    Nothing,
}

/// Reads one line without its newline.
pub(super) fn parse(line: &[u8]) -> Taken {
    let line = line.strip_prefix(BOM).unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Taken::Nothing;
    }
    match serde_json::from_slice(line) {
        Ok(message) => Taken::Message(Box::new(message)),
        Err(_) => unusable(line),
    }
}

fn unusable(line: &[u8]) -> Taken {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return reply(ErrorCode::PARSE_ERROR, "Parse error: the line is not JSON.", None);
    };
    let Value::Object(object) = &value else {
        let what =
            if value.is_array() { "Invalid request: batches are not part of this protocol." } else { "Invalid request: not an object." };
        return reply(ErrorCode::INVALID_REQUEST, what, None);
    };
    if object.contains_key("result") || object.contains_key("error") {
        return Taken::Nothing;
    }
    let Some(id) = object.get("id") else {
        return if object.contains_key("method") {
            Taken::Nothing
        } else {
            reply(ErrorCode::INVALID_REQUEST, "Invalid request: neither method nor result.", None)
        };
    };
    let what = "Invalid request: needs \"jsonrpc\": \"2.0\", a method that is text, an id that is text or a whole number, and params that are an object.";
    reply(ErrorCode::INVALID_REQUEST, what, serde_json::from_value(id.clone()).ok())
}

fn reply(code: ErrorCode, message: &'static str, id: Option<RequestId>) -> Taken {
    Taken::Reply(Box::new(JsonRpcMessage::error(ErrorData::new(code, message, None), id)))
}

/// The answer to a line longer than `longest` bytes.
pub(super) fn too_long(id: Option<RequestId>, longest: usize) -> TxJsonRpcMessage<RoleServer> {
    let message = format!("Invalid request: longer than {} MiB.", longest >> 20);
    JsonRpcMessage::error(ErrorData::new(ErrorCode::INVALID_REQUEST, message, None), id)
}

/// Keeps out what the SDK ends the process for: anything but requests until the first request that opens a session.
///
/// Mirrors the SDK's rule for when its handshake is over: `initialize`, or any request but `ping` and `server/discover` that carries
/// complete metadata of 2026-07-28 and names a version that is served.
#[derive(Debug, Default)]
pub(super) struct Gate {
    open: bool,
}

impl Gate {
    pub(super) fn admits(&mut self, message: &RxJsonRpcMessage<RoleServer>) -> bool {
        let JsonRpcMessage::Request(request) = message else { return self.open };
        self.open |= match &request.request {
            ClientRequest::InitializeRequest(_) => true,
            ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
            other => {
                let meta = other.get_meta();
                meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
                    && meta.protocol_version().is_some_and(|version| crate::mcp::VERSIONS.contains(&version))
            }
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn replied(line: &[u8]) -> Option<Value> {
        match parse(line) {
            Taken::Reply(reply) => serde_json::to_value(reply).ok(),
            _ => None,
        }
    }

    #[test]
    fn unusable_lines_are_answered_with_what_can_be_said() {
        let cases: [(&[u8], i64, Value); 7] = [
            (b"hello", -32_700, Value::Null),
            (b"{\"jsonrpc\":\"2.0\",\"id\":1,", -32_700, Value::Null),
            (b"\xff\xfe{}", -32_700, Value::Null),
            (b"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32_600, Value::Null),
            (b"5", -32_600, Value::Null),
            (b"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", -32_600, json!(1)),
            (b"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":7}", -32_600, json!("a")),
        ];
        for (line, code, id) in cases {
            let reply = replied(line).unwrap_or_default();
            assert_eq!(reply["error"]["code"], code, "{}", String::from_utf8_lossy(line));
            assert_eq!(reply["id"], id, "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn what_needs_no_answer_gets_none() {
        for line in ["", " \r", "{\"jsonrpc\":\"2.0\",\"method\":5}", "{\"jsonrpc\":\"9\",\"id\":1,\"result\":{}}"] {
            assert!(matches!(parse(line.as_bytes()), Taken::Nothing), "{line}");
        }
        assert!(matches!(parse(b"\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r"), Taken::Message(_)));
    }

    #[test]
    fn the_gate_opens_where_the_handshake_ends() {
        let message = |text: Value| match parse(text.to_string().as_bytes()) {
            Taken::Message(message) => message,
            other => unreachable!("{other:?}"),
        };
        let mut gate = Gate::default();
        let note = message(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        assert!(!gate.admits(&note));
        assert!(gate.admits(&message(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))), "answered with an error by the SDK");
        assert!(!gate.admits(&note), "a request without metadata opens nothing");
        assert!(gate.admits(&message(json!({"jsonrpc": "2.0", "id": 2, "method": "initialize",
            "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}}))));
        assert!(gate.admits(&note));
    }

    proptest! {
        #[test]
        fn any_line_is_survived(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&line);
        }
    }
}
