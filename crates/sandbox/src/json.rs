//! Flat attributes (`http.status_code` → 504) and how they are written as nested JSON, straight into the answer's text.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// One attribute value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Text(Cow<'static, str>),
    Int(i64),
    /// For ids above `i64::MAX`.
    Uint(u64),
    Float(f64),
    Flag(bool),
}

/// A borrowed attribute, tag or reserved field, as a query sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum View<'a> {
    Text(&'a str),
    Int(i64),
    Uint(u64),
    Float(f64),
    Flag(bool),
}

impl Scalar {
    pub(crate) fn view(&self) -> View<'_> {
        match self {
            Self::Text(text) => View::Text(text),
            Self::Int(n) => View::Int(*n),
            Self::Uint(n) => View::Uint(*n),
            Self::Float(n) => View::Float(*n),
            Self::Flag(flag) => View::Flag(*flag),
        }
    }
}

impl<'a> View<'a> {
    /// The value as text, the way a facet shows it.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Int(n) => Cow::Owned(n.to_string()),
            Self::Uint(n) => Cow::Owned(n.to_string()),
            Self::Float(n) => Cow::Owned(n.to_string()),
            Self::Flag(flag) => Cow::Borrowed(if flag { "true" } else { "false" }),
        }
    }

    /// The value as a number, when it is one.
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Int(n) => Some(n as f64),
            Self::Uint(n) => Some(n as f64),
            Self::Float(n) => Some(n),
            Self::Flag(_) => None,
        }
    }
}

macro_rules! scalar_from {
    ($($from:ty => $into:expr;)*) => { $(impl From<$from> for Scalar { fn from(value: $from) -> Self { $into(value) } })* };
}

scalar_from! {
    &'static str => |text| Self::Text(Cow::Borrowed(text));
    String => |text| Self::Text(Cow::Owned(text));
    i64 => Self::Int;
    i32 => |n| Self::Int(i64::from(n));
    u64 => Self::Uint;
    f64 => Self::Float;
    bool => Self::Flag;
}

/// Attributes by dotted path, kept sorted so that siblings stand together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Attributes(Vec<(&'static str, Scalar)>);

impl Attributes {
    /// From pairs in any order; of two with the same path the later one counts.
    pub(crate) fn new(mut pairs: Vec<(&'static str, Scalar)>) -> Self {
        pairs.reverse();
        pairs.sort_by_key(|pair| pair.0);
        pairs.dedup_by_key(|pair| pair.0);
        Self(pairs)
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Scalar> {
        self.0.binary_search_by_key(&path, |pair| pair.0).ok().map(|at| &self.0[at].1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Scalar)> {
        self.0.iter().map(|(path, value)| (*path, value))
    }

    /// Appends the attributes as one nested JSON object.
    pub(crate) fn write(&self, out: &mut String) {
        let mut open: Vec<&str> = Vec::new();
        let mut first = true;
        out.push('{');
        for (path, value) in &self.0 {
            let (parents, leaf) = path.rsplit_once('.').map_or(("", *path), |(parents, leaf)| (parents, leaf));
            let parents: Vec<&str> = if parents.is_empty() { Vec::new() } else { parents.split('.').collect() };
            let shared = open.iter().zip(&parents).take_while(|(a, b)| a == b).count();
            for _ in shared..open.len() {
                out.push('}');
                first = false;
            }
            open.truncate(shared);
            for parent in &parents[shared..] {
                key(out, parent, &mut first);
                out.push('{');
                first = true;
                open.push(parent);
            }
            key(out, leaf, &mut first);
            scalar(out, value);
        }
        for _ in &open {
            out.push('}');
        }
        out.push('}');
    }
}

/// Appends formatted text: `put(out, format_args!(…))`.
pub(crate) fn put(out: &mut String, arguments: fmt::Arguments<'_>) {
    // Writing into a String does not fail.
    out.write_fmt(arguments).unwrap_or_default();
}

/// Appends `"name":`, with a comma before it unless it is the first of its object.
pub(crate) fn key(out: &mut String, name: &str, first: &mut bool) {
    if !std::mem::take(first) {
        out.push(',');
    }
    text(out, name);
    out.push(':');
}

/// Appends one value.
pub(crate) fn scalar(out: &mut String, value: &Scalar) {
    match value {
        Scalar::Text(value) => text(out, value),
        Scalar::Float(n) if !n.is_finite() => out.push_str("null"),
        Scalar::Float(n) if n.fract() == 0.0 && n.abs() < 1e15 => put(out, format_args!("{n:.1}")),
        other => out.push_str(&other.view().text()),
    }
}

/// Appends a JSON string.
pub(crate) fn text(out: &mut String, value: &str) {
    out.push('"');
    let mut written = 0;
    for (at, byte) in value.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&value[written..at]);
        if escape.is_empty() {
            put(out, format_args!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
        written = at + 1;
    }
    out.push_str(&value[written..]);
    out.push('"');
}

/// Appends a list of strings.
pub(crate) fn texts(out: &mut String, values: &[String]) {
    out.push('[');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        text(out, value);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn flat_paths_become_nested_objects() {
        let attributes = Attributes::new(vec![
            ("http.url_details.path", "/a".into()),
            ("dd.trace_id", "18446744073709551615".into()),
            ("http.method", "GET".into()),
            ("http.url_details.host", "h".into()),
            ("ok", true.into()),
            ("id", u64::MAX.into()),
            ("ratio", 2.0.into()),
            ("http.method", "POST".into()),
        ]);
        let mut out = String::new();
        attributes.write(&mut out);
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            value,
            json!({"dd": {"trace_id": "18446744073709551615"}, "http": {"method": "POST", "url_details": {"host": "h", "path": "/a"}},
                "id": u64::MAX, "ok": true, "ratio": 2.0})
        );
        assert_eq!(attributes.get("http.url_details.path").unwrap().view().text(), "/a");
        assert!(attributes.get("http").is_none());
    }

    proptest! {
        #[test]
        fn any_text_survives(value in any::<String>()) {
            let mut out = String::new();
            text(&mut out, &value);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), value);
        }
    }
}
