//! Datadog's own words: the text of an error body, whatever shape it has (23 recorded JSON shapes, plain text, HTML).

use crate::untrusted::{cap, clean};
use serde_json::{Map, Value};

/// Most characters of Datadog's words that are repeated.
const LONGEST: usize = 600;

/// Most separate messages that are kept.
const MOST: usize = 20;

/// What an error body says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// One entry per error: title, detail, code and place, cleaned.
    pub(crate) messages: Vec<String>,
    /// Permissions that the body names as missing.
    pub(crate) permissions: Vec<String>,
}

impl Said {
    /// Reads a body; `content_type` is lower case without parameters, and is not trusted: JSON arrives as `text/plain` too.
    pub(crate) fn read(content_type: &str, body: &[u8]) -> Self {
        let mut said = Self::default();
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        match crate::json::parse(text.as_bytes()) {
            Ok(Value::Null) => {}
            Ok(value) => {
                said.value(&value);
                if said.messages.is_empty() && says_something(&value) {
                    said.add(text);
                }
            }
            Err(_) if content_type.contains("html") || text.starts_with('<') => said.add(&html_text(text)),
            Err(_) => said.add(text),
        }
        // Permissions are looked for in the whole text, before anything is capped.
        said.permissions = said.messages.iter().flat_map(|message| named_permissions(message)).collect();
        said.permissions.dedup();
        said
    }

    /// The messages as one text, cleaned and capped; `None` when the body said nothing.
    pub(crate) fn text(&self) -> Option<String> {
        if self.messages.is_empty() {
            return None;
        }
        Some(cap(&self.messages.join("; "), LONGEST).into_owned())
    }

    fn add(&mut self, text: &str) {
        // A page-long message is cut before it is cleaned; the cap at the end says how much is missing of what is kept.
        let window = text.char_indices().nth(LONGEST * 4).map_or(text, |(end, _)| &text[..end]);
        let text = clean(window);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.is_empty() && self.messages.len() < MOST && !self.messages.contains(&text) {
            self.messages.push(text);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add(text),
            Value::Array(list) => list.iter().take(MOST).for_each(|entry| self.entry(entry)),
            Value::Object(object) => self.body(object),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The object at the top: `errors`, `error`, or one error itself.
    fn body(&mut self, object: &Map<String, Value>) {
        for key in ["errors", "error"] {
            match object.get(key) {
                Some(Value::Array(list)) => list.iter().take(MOST).for_each(|entry| self.entry(entry)),
                Some(Value::Object(inner)) if is_error(inner) => self.error(inner),
                // `{"errors": {"field": ["is required"]}}`
                Some(Value::Object(fields)) => {
                    for (field, problem) in fields.iter().take(MOST) {
                        self.add(&format!("{field}: {}", scalar_or_json(problem)));
                    }
                }
                Some(Value::String(text)) => self.add(text),
                _ => {}
            }
        }
        if self.messages.is_empty() {
            self.error(object);
        }
        // OAuth's error body (RFC 6749 §5.2), and details beside `errors`.
        for key in ["error_description", "error_details"] {
            match object.get(key) {
                Some(Value::String(text)) => self.add(text),
                Some(Value::Array(list)) => list.iter().take(MOST).for_each(|entry| self.entry(entry)),
                _ => {}
            }
        }
    }

    fn entry(&mut self, entry: &Value) {
        match entry {
            Value::String(text) => self.add(text),
            Value::Object(object) => self.error(object),
            _ => {}
        }
    }

    /// One error object: JSON:API (`title`, `detail`, `source`, `meta`, `code`) or `{code, message, details, target}`.
    fn error(&mut self, object: &Map<String, Value>) {
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let mut parts: Vec<String> = Vec::new();
        for key in ["title", "detail", "message", "reason", "description"] {
            if let Some(text) = text(key).filter(|text| !parts.iter().any(|part| part == text)) {
                parts.push(text.to_owned());
            }
        }
        let mut line = parts.join(": ");
        if let Some(code) = object.get("code").and_then(scalar).filter(|code| !parts.contains(code)) {
            line = if line.is_empty() { code } else { format!("{line} ({code})") };
        }
        if let Some(place) = place(object) {
            line = if line.is_empty() { format!("at {place}") } else { format!("{line} (at {place})") };
        }
        for (key, value) in object.get("meta").and_then(Value::as_object).into_iter().flatten().take(MOST) {
            if let Some(value) = scalar(value).filter(|value| !parts.contains(value)) {
                line = format!("{line} [{key}: {value}]");
            }
        }
        self.add(&line);
        if let Some(Value::Array(details)) = object.get("details") {
            details.iter().take(MOST).for_each(|detail| self.entry(detail));
        }
    }
}

fn is_error(object: &Map<String, Value>) -> bool {
    ["title", "detail", "message", "code", "details", "reason"].iter().any(|key| object.contains_key(*key))
}

/// Where the mistake is: `source.pointer`, `source.parameter`, `source.header` or `target`.
fn place(object: &Map<String, Value>) -> Option<String> {
    let source = object.get("source").and_then(Value::as_object);
    ["pointer", "parameter", "header"]
        .iter()
        .find_map(|key| source?.get(*key)?.as_str())
        .or_else(|| object.get("target")?.as_str())
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// Text, number or flag as text; nothing for the rest.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn scalar_or_json(value: &Value) -> String {
    scalar(value).unwrap_or_else(|| value.to_string())
}

/// Whether a JSON of unknown shape holds any text at all: `{"errors":[{"title":null}]}` does not.
fn says_something(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => list.iter().any(says_something),
        Value::Object(object) => object.values().any(says_something),
        Value::Number(_) => true,
        Value::Null | Value::Bool(_) => false,
    }
}

/// The names after `Missing required permission:`, in quotes.
fn named_permissions(message: &str) -> Vec<String> {
    const PHRASE: &str = "issing required permission";
    let mut names = Vec::new();
    let mut rest = message;
    while let Some((_, after)) = rest.split_once(PHRASE) {
        let mut tail = after.strip_prefix('s').unwrap_or(after);
        tail = tail.strip_prefix(':').unwrap_or(tail).trim_start();
        while let Some((name, next)) = quoted(tail) {
            names.push(name.to_owned());
            tail = next.trim_start_matches([',', ' ']);
            tail = tail.strip_prefix("and ").or_else(|| tail.strip_prefix("or ")).unwrap_or(tail);
        }
        rest = after;
    }
    names
}

/// A permission name in single or double quotes at the start of a text.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
    let (name, rest) = text[1..].split_once(quote)?;
    let is_name = !name.is_empty() && name.len() <= 80 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    is_name.then_some((name, rest))
}

/// Longest stretch of a page that is looked at.
const PAGE: usize = 64 * 1024;

/// The words of an HTML page: its title and what a reader would see first, scripts and styles left out.
fn html_text(page: &str) -> String {
    let mut end = page.len().min(PAGE);
    while !page.is_char_boundary(end) {
        end -= 1;
    }
    let page = &page[..end];
    let mut out = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        out.push(' ');
        let name: String = after.chars().take_while(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let skip = match name.as_str() {
            "script" => "</script",
            "style" => "</style",
            _ if after.starts_with("!--") => "-->",
            _ => ">",
        };
        rest = match find_ignoring_case(after, skip) {
            Some(at) => after[at..].split_once('>').map_or("", |(_, tail)| tail),
            None => "",
        };
    }
    out.push_str(rest);
    let text = out.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() { words } else { format!("(an HTML page) {words}") }
}

fn find_ignoring_case(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes().windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}
