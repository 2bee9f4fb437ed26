//! JSON from outside: nothing a server sends can overflow the stack or pass for an empty answer.

use serde::Deserialize;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// Deepest nesting that is read. Profiling flame graphs pass serde_json's own limit of 128 (`reference/pup.md` §5.9).
pub(crate) const DEEPEST: usize = 512;

/// serde_json's own limit, up to which no depth check is needed.
const SHALLOW: usize = 127;

/// Why a text is no usable JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    /// Not UTF-8.
    #[error("it is no valid UTF-8 (byte {0})")]
    NotUtf8(usize),
    /// Ends in the middle.
    #[error("it ends in the middle (after {0} bytes)")]
    Cut(usize),
    /// Not JSON.
    #[error("it is no JSON (line {line}, column {column})")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Nested deeper than [`DEEPEST`].
    #[error("it nests deeper than {DEEPEST} levels")]
    TooDeep,
}

/// Parses a part of an answer that was kept as text, by the rules of the whole; the error is a clause without any of the text.
pub fn parse_json(text: &str) -> Result<Value, String> {
    parse(text.as_bytes()).map_err(|error| error.to_string())
}

/// Parses a whole text; an empty one is `null`.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    decode::<Value>(bytes)
}

/// Parses a whole text into a type; an empty one is read as `null`.
pub(crate) fn decode<'a, T: Deserialize<'a> + Send>(bytes: &'a [u8]) -> Result<T, JsonError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| JsonError::NotUtf8(e.valid_up_to()))?;
    let text = if text.trim_ascii().is_empty() { "null" } else { text };
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        // The usual text is read in one pass; only what failed is looked at for its depth.
        Err(error) => match depth(text) {
            0..=SHALLOW => Err(malformed(text, &error)),
            found if found <= DEEPEST => deep(text),
            _ => Err(JsonError::TooDeep),
        },
    }
}

/// Stack for reading a deep text: serde_json needs some 2.5 KB a level without optimisation, and the caller's stack is
/// partly used already.
const STACK: usize = 16 << 20;

/// Reads a text whose depth is known to be bounded, on a stack of its own.
fn deep<'a, T: Deserialize<'a> + Send>(text: &'a str) -> Result<T, JsonError> {
    let read = || {
        let mut reader = serde_json::Deserializer::from_str(text);
        reader.disable_recursion_limit();
        let value = T::deserialize(&mut reader).map_err(|error| malformed(text, &error))?;
        reader.end().map_err(|error| malformed(text, &error))?;
        Ok(value)
    };
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().name("deep-json".to_owned()).stack_size(STACK).spawn_scoped(scope, read);
        // No thread can be had, or a type's own reader panicked: this text is not read.
        reader.map_or(Err(JsonError::TooDeep), |reader| reader.join().unwrap_or(Err(JsonError::TooDeep)))
    })
}

fn malformed(text: &str, error: &serde_json::Error) -> JsonError {
    if error.is_eof() { JsonError::Cut(text.len()) } else { JsonError::Malformed { line: error.line(), column: error.column() } }
}

/// Deepest nesting of arrays and objects, brackets inside of strings not counted.
fn depth(text: &str) -> usize {
    let (mut now, mut most, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}
