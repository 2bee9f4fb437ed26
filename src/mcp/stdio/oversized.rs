//! Finds the id of a request that is too long to be kept, while its bytes pass by.
//!
//! Without the id the answer could not be matched, and the client would wait for its request until it times out.

/// Longest id that is kept, in bytes of JSON.
const LONGEST_ID: usize = 256;

/// Reads a JSON object byte by byte and keeps its top-level `id`; constant memory.
#[derive(Debug, Default)]
pub(super) struct IdScan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The next string at the top level is a key.
    key_next: bool,
    key: Vec<u8>,
    reading_key: bool,
    reading_id: bool,
    id: Vec<u8>,
    has_method: bool,
}

impl IdScan {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.step(*byte);
        }
    }

    /// The id as JSON, when the line was a request with an id of sensible length.
    pub(super) fn request_id<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        (self.has_method && !self.reading_id && self.id.len() <= LONGEST_ID).then(|| serde_json::from_slice(&self.id).ok())?
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            self.step_in_string(byte);
            return;
        }
        let top = self.depth == 1;
        match byte {
            b'"' => {
                self.in_string = true;
                self.reading_key = top && self.key_next;
                if self.reading_key {
                    self.key.clear();
                }
            }
            b'{' | b'[' => {
                self.depth += 1;
                self.key_next = self.depth == 1;
            }
            b':' if top => {
                self.key_next = false;
                self.reading_id = self.key == b"id";
                self.has_method |= self.key == b"method";
                if self.reading_id {
                    self.id.clear();
                }
                return;
            }
            b',' if top => {
                self.key_next = true;
                self.reading_id = false;
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.reading_id = false;
                }
            }
            _ => {}
        }
        self.keep(byte);
    }

    fn step_in_string(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_string = false,
            _ => {}
        }
        if self.reading_key && self.in_string && self.key.len() < 16 {
            self.key.push(byte);
        }
        self.keep(byte);
    }

    fn keep(&mut self, byte: u8) {
        if self.reading_id && self.id.len() <= LONGEST_ID {
            self.id.push(byte);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn scan(text: &str) -> Option<Value> {
        let mut scan = IdScan::default();
        scan.feed(text.as_bytes());
        scan.request_id()
    }

    #[test]
    fn nested_ids_responses_and_notifications_are_not_taken() {
        assert_eq!(scan(r#"{"method":"m","params":{"id":7},"id":"a,\"}b"}"#), Some(json!("a,\"}b")));
        assert_eq!(scan(r#"{"id":3,"result":{"method":"x"}}"#), None);
        assert_eq!(scan(r#"{"method":"m","params":{"id":7}}"#), None);
        assert_eq!(scan(r#"{"method":"id","x":"id","id": 9 }"#), Some(json!(9)));
        assert_eq!(scan(&format!(r#"{{"method":"m","id":"{}"}}"#, "x".repeat(300))), None);
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<i64>().prop_map(Value::from), "[ -~é\\\\\"{}]{0,12}".prop_map(Value::from), Just(Value::Null)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec(("[a-z\"\\\\]{0,6}", inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_id_is_found_wherever_it_stands(id in any::<i64>(), params in json_value(), first in any::<bool>(), cut in 1_usize..7) {
            let text = if first {
                format!(r#"{{"id":{id},"method":"tools/call","params":{params}}}"#)
            } else {
                format!(r#"{{"method":"tools/call","params":{params},"jsonrpc":"2.0","id":{id}}}"#)
            };
            let mut scan = IdScan::default();
            for part in text.as_bytes().chunks(cut) {
                scan.feed(part);
            }
            prop_assert_eq!(scan.request_id::<i64>(), Some(id));
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut scan = IdScan::default();
            scan.feed(&bytes);
            let _ = scan.request_id::<Value>();
        }
    }
}
