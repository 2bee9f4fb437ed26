//! Cursors: where an answer goes on, sealed so that only the same caller, tool and arguments can use them.

use crate::{TimeRange, answer::Page};
use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use datadog_client::{Fix, Principal, Refusal};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt;

/// Changes whenever the sealed form changes, so that a cursor of an older release is refused and not misread.
const VERSION: &[u8] = b"datadog-mcp cursor 1";
const NONCE_BYTES: usize = 12;
/// No cursor we make is longer; anything else is refused before it is decoded.
const MAX_CURSOR_CHARS: usize = 16_384;
/// Arguments that change how an answer is shown, not what it is about; they may differ from page to page.
pub(super) const VIEW_ARGUMENTS: [&str; 4] = ["fields", "max_tokens", "cursor", "detail"];

/// Seals and opens cursors (AES-256-GCM, the caller, tool and arguments as associated data).
///
/// The nonce is derived from what is sealed, so the same page gives the same text: answers stay cacheable, and two
/// different pages never share a nonce but by collision of 96 bits of SHA-256.
#[derive(Clone)]
pub struct Sealer {
    cipher: Aes256Gcm,
    derive: [u8; 32],
}

/// What a call asked for, without how it wants to see it: SHA-256 over the canonical JSON of the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArgumentsDigest([u8; 32]);

impl Sealer {
    /// A sealer of this key; replicas share the key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        let derive = Sha256::new().chain_update(b"datadog-mcp derive").chain_update(key).finalize().into();
        Self { cipher: Aes256Gcm::new(&key.into()), derive }
    }

    /// The cursor text of a page: base64url, no padding.
    #[must_use]
    pub fn seal(&self, who: &Principal, tool: &str, digest: &ArgumentsDigest, page: &Page) -> String {
        let aad = associated(who, tool, digest);
        let plain = pack(page);
        let hash = self.derived(&[&aad, &plain]);
        let mut sealed = hash[..NONCE_BYTES].to_vec();
        let Ok(nonce) = Nonce::try_from(&hash[..NONCE_BYTES]) else { return String::new() };
        // Encryption fails only above 64 GiB.
        if let Ok(cipher) = self.cipher.encrypt(&nonce, Payload { msg: &plain, aad: &aad }) {
            sealed.extend_from_slice(&cipher);
        }
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// The page of a cursor, or `invalid_arguments`: another caller, tool or arguments, and a changed text, are one message.
    pub fn open(&self, who: &Principal, tool: &str, digest: &ArgumentsDigest, cursor: &str) -> Result<Page, Refusal> {
        self.try_open(who, tool, digest, cursor.trim()).ok_or_else(|| {
            Refusal::invalid("The cursor does not belong to this call.")
                .because("A cursor works only for the caller, tool and arguments (query, from, to, …) whose answer gave it, unchanged.")
                .fix(Fix::new(
                    tool,
                    "repeat the call with the same arguments and the cursor as it was given, or without a cursor to begin anew",
                ))
        })
    }

    fn try_open(&self, who: &Principal, tool: &str, digest: &ArgumentsDigest, cursor: &str) -> Option<Page> {
        if cursor.len() > MAX_CURSOR_CHARS {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(cursor.trim_end_matches('=')).ok()?;
        let (nonce, cipher) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce = Nonce::try_from(nonce).ok()?;
        let aad = associated(who, tool, digest);
        unpack(&self.cipher.decrypt(&nonce, Payload { msg: cipher, aad: &aad }).ok()?)
    }

    /// A short tag that nobody without the key can foresee; the fence of an answer uses it.
    pub(super) fn tag(&self, content: &str, round: u8) -> String {
        let hash = self.derived(&[b"fence", &[round], content.as_bytes()]);
        format!("{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2])
    }

    fn derived(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new().chain_update(self.derive);
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer([redacted])")
    }
}

/// Digest of a call's arguments without the view arguments; the order of keys does not matter.
#[must_use]
pub fn arguments_digest(arguments: &Map<String, Value>) -> ArgumentsDigest {
    let mut hash = Sha256::new();
    digest_map(&mut hash, arguments, |key| !VIEW_ARGUMENTS.contains(&key));
    ArgumentsDigest(hash.finalize().into())
}

fn digest_map(hash: &mut Sha256, map: &Map<String, Value>, keep: impl Fn(&str) -> bool) {
    let mut keys: Vec<&String> = map.keys().filter(|key| keep(key)).collect();
    keys.sort_unstable();
    hash.update(b"{");
    hash.update((keys.len() as u64).to_be_bytes());
    for key in keys {
        digest_text(hash, b"k", key);
        digest_value(hash, &map[key]);
    }
}

fn digest_value(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(map) => digest_map(hash, map, |_| true),
        Value::Array(items) => {
            hash.update(b"[");
            hash.update((items.len() as u64).to_be_bytes());
            for item in items {
                digest_value(hash, item);
            }
        }
        Value::String(text) => digest_text(hash, b"s", text),
        Value::Number(number) => digest_text(hash, b"n", &number.to_string()),
        Value::Bool(true) => hash.update(b"t"),
        Value::Bool(false) => hash.update(b"f"),
        Value::Null => hash.update(b"0"),
    }
}

fn digest_text(hash: &mut Sha256, kind: &[u8], text: &str) {
    hash.update(kind);
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text.as_bytes());
}

fn associated(who: &Principal, tool: &str, digest: &ArgumentsDigest) -> Vec<u8> {
    let mut aad = Vec::with_capacity(128);
    for part in [VERSION, who.as_str().as_bytes(), tool.as_bytes()] {
        aad.extend_from_slice(&(part.len() as u64).to_be_bytes());
        aad.extend_from_slice(part);
    }
    aad.extend_from_slice(&digest.0);
    aad
}

/// A page as a JSON array without keys: a cursor is read by a model, so every character counts.
fn pack(page: &Page) -> Vec<u8> {
    let range = page.range.map(|range| (range.from_ms, range.to_ms));
    serde_json::to_vec(&(page.skip, page.seen, range, &page.state)).unwrap_or_default()
}

fn unpack(plain: &[u8]) -> Option<Page> {
    let (skip, seen, range, state): (usize, u64, Option<(i64, i64)>, Option<Value>) = serde_json::from_slice(plain).ok()?;
    Some(Page { state, skip, seen, range: range.map(|(from_ms, to_ms)| TimeRange { from_ms, to_ms }) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => Map::from_iter([("value".to_owned(), other)]),
        }
    }

    fn page() -> Page {
        Page {
            state: Some(json!({"after": "fake-cursor"})),
            skip: 7,
            seen: 57,
            range: Some(TimeRange { from_ms: 1_700_000_000_000, to_ms: 1_700_000_900_000 }),
        }
    }

    #[test]
    fn opens_only_for_the_same_caller_tool_and_arguments() {
        let sealer = Sealer::new([7; 32]);
        let who = Principal::local();
        let digest = arguments_digest(&map(json!({"query": "a"})));
        let cursor = sealer.seal(&who, "logs_search", &digest, &page());
        assert_eq!(sealer.open(&who, "logs_search", &digest, &cursor).unwrap(), page());
        assert_eq!(Sealer::new([7; 32]).open(&who, "logs_search", &digest, &cursor).unwrap(), page(), "another replica");

        let refusals = [
            sealer.open(&Principal::verified("someone else"), "logs_search", &digest, &cursor),
            sealer.open(&who, "spans_search", &digest, &cursor),
            sealer.open(&who, "logs_search", &arguments_digest(&map(json!({"query": "b"}))), &cursor),
            Sealer::new([8; 32]).open(&who, "logs_search", &digest, &cursor),
            sealer.open(&who, "logs_search", &digest, ""),
            sealer.open(&who, "logs_search", &digest, "not a cursor"),
            sealer.open(&who, "logs_search", &digest, &"A".repeat(MAX_CURSOR_CHARS + 1)),
        ];
        for refusal in refusals {
            assert_eq!(refusal.unwrap_err().message, "The cursor does not belong to this call.");
        }
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let sealer = Sealer::new([1; 32]);
        let (who, digest) = (Principal::local(), arguments_digest(&Map::new()));
        let cursor = sealer.seal(&who, "t", &digest, &page());
        for at in 0..cursor.len() - 1 {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(sealer.open(&who, "t", &digest, &changed).is_err(), "{at}");
        }
    }

    #[test]
    fn the_view_does_not_change_the_digest_and_the_rest_does() {
        let base = arguments_digest(&map(json!({"query": "a", "from": "1h", "n": {"x": [1, 2], "y": null}})));
        let same = json!({"cursor": "c", "max_tokens": 9, "fields": ["*"], "detail": "full", "n": {"y": null, "x": [1, 2]}, "from": "1h", "query": "a"});
        assert_eq!(base, arguments_digest(&map(same)));
        for other in [
            json!({"query": "a", "from": "1h", "n": {"x": [2, 1], "y": null}}),
            json!({"query": "a", "from": "1h", "n": {"x": [1, 2], "y": "null"}}),
            json!({"query": "a", "from": "1h", "n": {"x": ["1", 2], "y": null}}),
            json!({"query": "a", "from": "1h"}),
            json!({"querya": "", "from": "1h", "n": {"x": [1, 2], "y": null}}),
        ] {
            assert_ne!(base, arguments_digest(&map(other.clone())), "{other}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", Sealer::new([9; 32])), "Sealer([redacted])");
    }

    proptest! {
        #[test]
        fn sealing_and_opening_is_identity(skip in 0usize..100_000, seen: u64, range: Option<(i64, i64)>, state: Option<String>, who in ".{0,20}", tool in "[a-z_]{1,20}") {
            let sealer = Sealer::new([3; 32]);
            let page = Page { state: state.map(Value::String), skip, seen, range: range.map(|(from_ms, to_ms)| TimeRange { from_ms, to_ms }) };
            let (who, digest) = (Principal::verified(&who), arguments_digest(&Map::new()));
            let cursor = sealer.seal(&who, &tool, &digest, &page);
            prop_assert_eq!(sealer.open(&who, &tool, &digest, &cursor).unwrap(), page);
        }

        #[test]
        fn opening_anything_never_panics(text in ".{0,200}") {
            prop_assert!(Sealer::new([3; 32]).open(&Principal::local(), "t", &arguments_digest(&Map::new()), &text).is_err());
        }
    }
}
