//! Secrets that telemetry carries by mistake: keys, tokens, passwords and card numbers are replaced before an agent sees them.

use regex::{Captures, Regex, RegexBuilder};
use serde_json::Value;
use std::{borrow::Cow, sync::LazyLock};

/// What one kind of secret looks like.
struct Rule {
    /// Stands in `[masked:…]`.
    name: &'static str,
    /// The secret is the group `s`, or the whole match.
    pattern: &'static str,
    /// The secret must hold a digit, so that words are left alone.
    needs_digit: bool,
}

const fn rule(name: &'static str, pattern: &'static str) -> Rule {
    Rule { name, pattern, needs_digit: false }
}

/// A value after `key=` or `"key":"`, up to where it ends in text, JSON, a query string or a shell line.
/// `[` cannot begin it, so that what is masked stays masked.
const RULES: &[Rule] = &[
    rule("private_key", r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)"),
    rule("jwt", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"),
    rule("aws_key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    rule("github_token", r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    rule("gitlab_token", r"\bglpat-[A-Za-z0-9_-]{16,}"),
    rule("slack_token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    rule("slack_webhook", r"hooks\.slack\.com/services/(?P<s>[A-Za-z0-9/]{20,})"),
    rule("stripe_key", r"\b(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,}"),
    rule("google_key", r"\bAIza[A-Za-z0-9_-]{30,}"),
    rule("ai_key", r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}"),
    Rule { name: "datadog_key", pattern: r"\bdd(?:pat|sat|app|api|oat|ort|key)_[A-Za-z0-9_]{16,}", needs_digit: false },
    Rule { name: "bearer", pattern: r"(?i)\bbearer[ :=]+(?P<s>[A-Za-z0-9._~+/=-]{16,})", needs_digit: true },
    rule(
        "authorization",
        r#"(?i)\bauthorization["']?\s*[:=]\s*["']?(?:(?:basic|digest|token|apikey|bearer)\s+)?(?P<s>[A-Za-z0-9._~+/=-]{8,})"#,
    ),
    rule("url_password", r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\[\]]{0,80}:(?P<s>[^\s/@\[\]]{1,120})@"),
    rule(
        "password",
        r#"(?i)(?:password|passwd|passphrase|pwd|secret|client[_-]?secret|secret[_-]?(?:access[_-]?)?key|private[_-]?key|(?:api|app|application|access|encryption|signing)[_-]?key|(?:access|auth|refresh|session|id|api|bot|csrf)[_-]?token)\\?["']?\s*(?:=>|[:=])\s*\\?["']?(?P<s>[^\s"'&,;()\[\]{}<>\\]{4,})"#,
    ),
    Rule { name: "token", pattern: r#"(?i)\btoken\\?["']?\s*[:=]\s*\\?["']?(?P<s>[A-Za-z0-9._~+/=-]{16,})"#, needs_digit: true },
];

/// Cheap words of which each rule needs one; a text without any is clean.
const HINTS: &str = r"(?i)eyj|-----begin|akia|asia|abia|acca|gh[pousr]_|github_pat_|glpat-|xox|hooks\.slack|[sr]k_|whsec|aiza|sk-|dd[a-z]{3}_|bearer|authorization|://[^\s/]*@|passw|passphrase|pwd|secret|key|token";

/// Names of fields whose whole value is a secret, without `_`, `-` and case.
const SECRET_FIELDS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "clientsecret",
    "secretkey",
    "secretaccesskey",
    "apikey",
    "appkey",
    "applicationkey",
    "ddapikey",
    "ddapplicationkey",
    "privatekey",
    "accesstoken",
    "refreshtoken",
    "authtoken",
    "sessiontoken",
    "idtoken",
    "authorization",
    "proxyauthorization",
    "xapikey",
    "xauthtoken",
    "cookie",
    "setcookie",
    "codeverifier",
];

/// Values that stand for a secret without being one.
const PLACEHOLDERS: &[&str] = &[
    "null",
    "none",
    "nil",
    "true",
    "false",
    "undefined",
    "redacted",
    "masked",
    "hidden",
    "empty",
    "missing",
    "invalid",
    "required",
    "expired",
];

static PATTERNS: LazyLock<Vec<Option<Regex>>> = LazyLock::new(|| RULES.iter().map(|rule| compile(rule.pattern)).collect());
static HINT: LazyLock<Option<Regex>> = LazyLock::new(|| compile(HINTS));

fn compile(pattern: &str) -> Option<Regex> {
    // Every pattern is a constant that a test compiles.
    RegexBuilder::new(pattern).size_limit(1 << 22).build().ok()
}

/// `text` with its secrets replaced by `[masked:<kind>]`, and how many there were. Idempotent. `id`: the text is an id
/// by its field's name, so that a number in it is no card.
pub(super) fn mask(text: &str, id: bool) -> (Cow<'_, str>, usize) {
    let mut count = 0;
    let mut masked = Cow::Borrowed(text);
    if text.len() >= 8 && HINT.as_ref().is_none_or(|hint| hint.is_match(text)) {
        for (rule, pattern) in RULES.iter().zip(PATTERNS.iter()) {
            if let Some(pattern) = pattern
                && let Cow::Owned(new) = replace(pattern, rule, &masked, &mut count)
            {
                masked = Cow::Owned(new);
            }
        }
    }
    if !id && let Some(new) = mask_cards(&masked, &mut count) {
        masked = Cow::Owned(new);
    }
    (masked, count)
}

/// Whether a field of this name holds an id.
pub(super) fn is_id_field(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    matches!(last, "id" | "uuid") || last.ends_with("_id") || last.ends_with("Id") || last.ends_with("ID")
}

/// Whether a field of this name holds a secret and nothing else.
pub(super) fn is_secret_field(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path);
    if name.len() > 24 {
        return false;
    }
    let plain: String = name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_FIELDS.contains(&plain.as_str())
}

/// Whether the value at a path is a secret: by its own name, or by that of an object it stands in (`password.value`).
pub(super) fn is_secret_path(path: &str) -> bool {
    if is_secret_field(path) {
        return true;
    }
    match path.rsplit_once('.') {
        Some((above, last)) => !tells_about(last) && above.split('.').any(is_secret_field),
        None => false,
    }
}

/// Fields of a secret that tell about it without being it.
fn tells_about(field: &str) -> bool {
    matches!(field, "name" | "type" | "kind" | "owner" | "length") || is_id_field(field) || field.ends_with("_at") || field.ends_with("_by")
}

/// What stands for a secret that its field's name gives away.
pub(super) const FIELD_MASK: &str = "[masked:field]";

/// `value` of the field `key` with whatever its fields' names give away replaced, and how many there were: texts, numbers,
/// lists and objects under a secret's name, `key:value` texts, `{"name": …, "value": …}` pairs, card numbers as numbers.
pub(super) fn redacted<'v>(key: &str, value: &'v Value) -> (Cow<'v, Value>, usize) {
    let secret = is_secret_path(key);
    // Most records hold none: they are only read.
    if count_secrets(key, value, secret) == 0 {
        return (Cow::Borrowed(value), 0);
    }
    let mut copy = value.clone();
    let count = redact(key, &mut copy, secret);
    (Cow::Owned(copy), count)
}

/// What one value has to do with secrets.
enum Found {
    Nothing,
    Whole,
    /// `key:value` of which the value is one: where it begins.
    After(usize),
    Card,
}

fn find(key: &str, value: &Value, secret: bool) -> Found {
    match value {
        Value::String(text) if secret && !text.is_empty() && text != FIELD_MASK => Found::Whole,
        Value::Number(_) if secret => Found::Whole,
        Value::String(text) => match text.split_once(':') {
            Some((name, rest)) if !rest.is_empty() && !rest.starts_with(FIELD_MASK) && is_secret_field(name) => {
                Found::After(name.len() + 1)
            }
            _ => Found::Nothing,
        },
        Value::Number(number) if !is_id_field(key) && !is_id(key) && number.as_u64().is_some_and(|number| number >= 10_000_000_000_000) => {
            if mask_cards(&number.to_string(), &mut 0).is_some() {
                Found::Card
            } else {
                Found::Nothing
            }
        }
        _ => Found::Nothing,
    }
}

/// Whether a member is a secret, by its own name or by that of the pair whose value it is.
fn member_is_secret(above: bool, pair: bool, key: &str) -> bool {
    is_secret_path(key) || above && !tells_about(key) || pair && matches!(key, "value" | "values" | "Value" | "content")
}

/// Whether an object is a pair of a secret's name and its value, as headers are written.
fn is_secret_pair(map: &serde_json::Map<String, Value>) -> bool {
    ["name", "key", "header", "Name"].iter().any(|name| map.get(*name).and_then(Value::as_str).is_some_and(is_secret_field))
}

fn count_secrets(key: &str, value: &Value, secret: bool) -> usize {
    match value {
        Value::Array(items) => items.iter().map(|item| count_secrets(key, item, secret)).sum(),
        Value::Object(map) => {
            let pair = is_secret_pair(map);
            map.iter().map(|(key, value)| count_secrets(key, value, member_is_secret(secret, pair, key))).sum()
        }
        scalar => usize::from(!matches!(find(key, scalar, secret), Found::Nothing)),
    }
}

fn redact(key: &str, value: &mut Value, secret: bool) -> usize {
    match value {
        Value::Array(items) => items.iter_mut().map(|item| redact(key, item, secret)).sum(),
        Value::Object(map) => {
            let pair = is_secret_pair(map);
            map.iter_mut().map(|(key, value)| redact(key, value, member_is_secret(secret, pair, key))).sum()
        }
        scalar => {
            let shown = match find(key, scalar, secret) {
                Found::Nothing => return 0,
                Found::Whole => FIELD_MASK.to_owned(),
                Found::After(start) => format!("{}{FIELD_MASK}", scalar.as_str().and_then(|text| text.get(..start)).unwrap_or_default()),
                Found::Card => "[masked:card]".to_owned(),
            };
            *scalar = Value::String(shown);
            1
        }
    }
}

fn replace<'t>(pattern: &Regex, rule: &Rule, text: &'t str, count: &mut usize) -> Cow<'t, str> {
    pattern.replace_all(text, |found: &Captures<'_>| {
        let whole = found.get(0).map_or("", |whole| whole.as_str());
        let Some(secret) = found.name("s").or_else(|| found.get(0)) else { return whole.to_owned() };
        if rule.needs_digit && !secret.as_str().bytes().any(|byte| byte.is_ascii_digit()) || is_placeholder(secret.as_str()) {
            return whole.to_owned();
        }
        *count += 1;
        let start = found.get(0).map_or(0, |whole| whole.start());
        format!("{}[masked:{}]{}", &whole[..secret.start() - start], rule.name, &whole[secret.end() - start..])
    })
}

fn is_placeholder(secret: &str) -> bool {
    let plain = secret.trim_end_matches(['.', '!', '?', ':', '`']).to_ascii_lowercase();
    PLACEHOLDERS.contains(&plain.as_str())
        || plain.starts_with(['*', '$', '%', '/', '@'])
        || plain.bytes().all(|byte| matches!(byte, b'*' | b'x' | b'.' | b'-' | b'?'))
}

/// Card numbers: 14–16 digits, alone or in groups by one space or dash, with an issuer's prefix and a right check digit.
fn mask_cards(text: &str, count: &mut usize) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut out, mut copied, mut at): (String, usize, usize) = (String::new(), 0, 0);
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let (end, digits) = digits_from(bytes, at);
        let touches =
            |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b'='));
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        // `id=4111…` is an id, `card=4111…` is not; a number inside a word, path or decimal is none.
        let inside = match before {
            Some(b'=') => is_id(&text[..at - 1]),
            other => touches(other),
        };
        let followed = bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !inside
            && !followed
            && is_card(&digits)
            && !text[..at].trim_end_matches(['"', ' ', ':', '=', '#']).rsplit(' ').next().is_some_and(is_id)
        {
            out.push_str(&text[copied..at]);
            out.push_str("[masked:card]");
            *count += 1;
            copied = end;
        }
        at = end;
    }
    (copied > 0).then(|| {
        out.push_str(&text[copied..]);
        out
    })
}

/// End of the number that begins at `at`, and its digits.
fn digits_from(bytes: &[u8], at: usize) -> (usize, Vec<u8>) {
    let (mut end, mut digits) = (at, Vec::new());
    while let Some(&byte) = bytes.get(end) {
        if byte.is_ascii_digit() {
            digits.push(byte - b'0');
        } else if !(matches!(byte, b' ' | b'-')
            && end - at >= 4
            && bytes.get(end + 1).is_some_and(u8::is_ascii_digit)
            && grouped(bytes, end))
        {
            break;
        }
        end += 1;
    }
    (end, digits)
}

/// A separator belongs to a number when four digits stand before it, or six (American Express).
fn grouped(bytes: &[u8], at: usize) -> bool {
    let before = bytes[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    matches!(before, 4 | 6)
}

fn is_id(before: &str) -> bool {
    let word =
        before.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).next().unwrap_or_default().to_ascii_lowercase();
    word.ends_with("id")
        || word.ends_with("trace")
        || word.ends_with("span")
        || word.ends_with("time")
        || word.ends_with("timestamp")
        || word.ends_with("ts")
}

fn is_card(digits: &[u8]) -> bool {
    let lead = |count: usize| digits.iter().take(count).fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let issuer = match digits.len() {
        14 => matches!(lead(3), 300..=305) || matches!(lead(2), 36 | 38 | 39),
        15 => matches!(lead(2), 34 | 37),
        16 => {
            lead(1) == 4
                || matches!(lead(2), 51..=55)
                || matches!(lead(4), 2221..=2720 | 6011 | 3528..=3589)
                || lead(2) == 65
                || matches!(lead(3), 644..=649)
        }
        _ => false,
    };
    issuer && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(*digit);
            if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_pattern_compiles() {
        assert!(HINT.is_some());
        assert!(PATTERNS.iter().all(Option::is_some));
    }

    /// Made from parts, so that no scanner takes this file for a leak.
    fn fake(parts: &[&str]) -> String {
        parts.concat()
    }

    #[test]
    fn secrets_are_masked() {
        for (text, masked) in [
            (fake(&["login with ey", "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmYWtlIn0.c2lnbmF0dXJl ok"]), "login with [masked:jwt] ok"),
            (fake(&["key AK", "IAFAKEFAKEFAKEFAKE."]), "key [masked:aws_key]."),
            (fake(&["push by gh", "p_fakefakefakefakefakefakefakefakefake"]), "push by [masked:github_token]"),
            (fake(&["gl", "pat-fakefakefakefakefake"]), "[masked:gitlab_token]"),
            (fake(&["xo", "xb-000000000000-fakefakefake"]), "[masked:slack_token]"),
            (fake(&["charge with sk", "_live_fakefakefakefake"]), "charge with [masked:stripe_key]"),
            (fake(&["dd", "pat_fakefakefakefakefake0123456789"]), "[masked:datadog_key]"),
            (fake(&["dd", "app_fakefakefakefakefake"]), "[masked:datadog_key]"),
            (fake(&["Authorization: Bear", "er fake0fake0fake0fake0"]), "Authorization: Bearer [masked:bearer]"),
            (fake(&["\"authorization\":\"Basic Zm", "FrZTpmYWtl\""]), "\"authorization\":\"Basic [masked:authorization]\""),
            (fake(&["curl -H 'DD-API-KEY: 0123456789abcdef", "0123456789abcdef'"]), "curl -H 'DD-API-KEY: [masked:password]'"),
            (fake(&["api_key=0123456789abcdef", "0123456789abcdef&x=1"]), "api_key=[masked:password]&x=1"),
            (
                fake(&["app key ok, application_key: \"0123456789abcdef0123456789abcdef", "01234567\""]),
                "app key ok, application_key: \"[masked:password]\"",
            ),
            ("user=bob password=hunter22 retry".to_owned(), "user=bob password=[masked:password] retry"),
            ("{\"password\":\"hunter22\",\"user\":\"bob\"}".to_owned(), "{\"password\":\"[masked:password]\",\"user\":\"bob\"}"),
            ("{\\\"client_secret\\\":\\\"fakefake\\\"}".to_owned(), "{\\\"client_secret\\\":\\\"[masked:password]\\\"}"),
            ("connect postgres://app:s3cr3t@db:5432/orders".to_owned(), "connect postgres://app:[masked:url_password]@db:5432/orders"),
            (fake(&["-----BEGIN RSA PRI", "VATE KEY-----\nZmFrZQ==\n-----END RSA PRIVATE KEY-----\nrest"]), "[masked:private_key]\nrest"),
            (fake(&["-----BEGIN PRI", "VATE KEY-----\nZmFrZQ"]), "[masked:private_key]"),
            ("card 4111 1111 1111 1111 declined".to_owned(), "card [masked:card] declined"),
            ("card=4111111111111111, cvv".to_owned(), "card=[masked:card], cvv"),
            ("5500-0000-0000-0004".to_owned(), "[masked:card]"),
            ("amex 378282246310005".to_owned(), "amex [masked:card]"),
            ("token=fake0fake0fake0fake0 ok".to_owned(), "token=[masked:token] ok"),
        ] {
            let (got, count) = mask(&text, false);
            assert_eq!((got.as_ref(), count), (masked, 1), "{text}");
            assert_eq!(mask(masked, false).1, 0, "{masked}");
        }
    }

    #[test]
    fn what_an_agent_needs_stays() {
        for text in [
            "trace 0af7651916cd43dd8448eb211c80319c span b7ad6b7169203331",
            "dd.trace_id=6411232545432345678 dd.span_id=4111111111111111",
            "trace_id: 4111111111111111",
            "request 550e8400-e29b-41d4-a716-446655440000 done",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
            "at 1763784900123 (1763784900123456 us, 1763784900123456789 ns)",
            "2026-11-22T04:10:00.123Z 2026-11-22 04:10:00",
            "GET https://shop.example.com/api/v2/orders/4111111111111111?x=1 200",
            "password=null, token: none, secret=****, api_key=$API_KEY",
            "the password is wrong, the token expired, the key was rotated",
            "PWD=/home/app key=value tokens: 1200 monkey: banana",
            "basic configuration loaded; bearer authentication-is-required-here",
            "mail to ops@example.com via https://example.com/@user",
            "4111111111111112 and 1234567890123456 are no cards",
            "version 4111.1111.1111.1111 host ip-10-42-3-11",
            "order 5500000000000 shipped",
            "AwAAAZqRkT2Pl0yXgAAABhBWnFSa1VjbUFBQ3lMQnZ3ZGpMTVBRQUEAAAAkMDE5YTkx",
            "abc-def-ghi 1234567 eyJhZnRlciI6ImZha2UifQ",
            "[masked:jwt]",
        ] {
            assert_eq!(mask(text, false), (Cow::Borrowed(text), 0));
        }
    }

    #[test]
    fn an_id_is_no_card() {
        assert_eq!(mask("4111111111111111", true).1, 0);
        assert_eq!(mask("4111111111111111", false).1, 1);
    }

    #[test]
    fn secret_fields_are_known_by_name() {
        for name in
            ["password", "attributes.attributes.http.headers.Authorization", "db.PASSWORD", "client_secret", "dd-api-key", "X-Api-Key"]
        {
            assert!(is_secret_field(name), "{name}");
        }
        for name in ["password_changed_at", "token_count", "key", "keys.password.length", "attributes.token", "secretary"] {
            assert!(!is_secret_field(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn masking_twice_is_masking_once(text in "(?s)(password|token|api_key|card|bearer|authorization|eyJ|AKIA|://a:|@|=|:| |\"|4111111111111111|[a-zA-Z0-9+/._-]{0,24}|[\\[\\]\n]){0,14}") {
            let (once, _) = mask(&text, false);
            let (twice, again) = mask(&once, false);
            prop_assert_eq!(&once, &twice);
            prop_assert_eq!(again, 0);
        }

        #[test]
        fn nothing_panics(text in "(?s).{0,300}") {
            let (masked, count) = mask(&text, false);
            prop_assert!(count > 0 || masked == text);
        }
    }
}
