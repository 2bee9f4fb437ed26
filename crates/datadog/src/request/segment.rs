//! One segment of a path: any text becomes exactly one segment, or a refusal.

use crate::Refusal;
use std::fmt::Write as _;

/// A path segment, percent-encoded. The text before encoding has 1 to 1,024 bytes, no control characters, and is
/// neither `.` nor `..` (which URL parsers resolve, encoded or not).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathSegment(String);

/// Most bytes of a value before encoding.
const LONGEST: usize = 1024;

impl PathSegment {
    /// Encodes everything outside RFC 3986's unreserved characters.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        let refuse = |why: &str| Err(Refusal::invalid(format!("{why}; give the id as Datadog shows it")));
        if text.is_empty() {
            return refuse("the value is empty");
        }
        if text.len() > LONGEST {
            return refuse("the value is longer than 1,024 bytes");
        }
        if text == "." || text == ".." {
            return refuse("`.` and `..` are no ids");
        }
        if text.chars().any(char::is_control) {
            return refuse("the value has control characters or line breaks");
        }
        let mut encoded = String::with_capacity(text.len() + 8);
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                encoded.push(char::from(byte));
            } else {
                // Writing to a `String` cannot fail.
                let _infallible = write!(encoded, "%{byte:02X}");
            }
        }
        Ok(Self(encoded))
    }

    /// The encoded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
