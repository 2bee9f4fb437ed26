//! A record as dotted paths with one text each, and the short names of those paths.

use serde_json::Value;
use std::{borrow::Cow, collections::HashMap};

/// Objects nested deeper than this stay JSON in one cell.
const MAX_DEPTH: usize = 24;

/// What stands at the end of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Leaf<'a> {
    /// A text, number or truth value.
    Scalar(&'a Value),
    /// A list of texts, numbers and truth values, not empty.
    List(&'a [Value]),
    /// Anything else: lists of objects, too deep objects.
    Json(&'a Value),
}

/// Visits every leaf of a record that says something (no null, nothing empty) with its dotted path, in the record's order.
pub(crate) fn leaves<'a>(record: &'a Value, path: &mut String, visit: &mut impl FnMut(&str, Leaf<'a>)) {
    walk(record, path, 0, visit);
}

fn walk<'a>(value: &'a Value, path: &mut String, depth: usize, visit: &mut impl FnMut(&str, Leaf<'a>)) {
    match value {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) if items.iter().all(is_scalar) => visit(path, Leaf::List(items)),
        Value::Object(map) if depth < MAX_DEPTH => {
            let length = path.len();
            for (key, inner) in map {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                walk(inner, path, depth + 1, visit);
                path.truncate(length);
            }
        }
        Value::Object(map) if map.is_empty() => {}
        Value::Array(_) | Value::Object(_) => visit(path, Leaf::Json(value)),
        scalar => visit(path, Leaf::Scalar(scalar)),
    }
}

const fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
}

impl<'a> Leaf<'a> {
    /// The leaf as the text of one cell: lists joined by `, ` unless an element holds a comma, the rest compact JSON.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self {
            Leaf::Scalar(Value::String(text)) => Cow::Borrowed(text),
            Leaf::List(items) if items.iter().all(|item| item.as_str().is_none_or(|text| !text.contains(',') && !text.is_empty())) => {
                let mut joined = String::new();
                for item in items {
                    if !joined.is_empty() {
                        joined.push_str(", ");
                    }
                    match item {
                        Value::String(text) => joined.push_str(text),
                        other => joined.push_str(&other.to_string()),
                    }
                }
                Cow::Owned(joined)
            }
            Leaf::List(items) => Cow::Owned(serde_json::to_string(items).unwrap_or_default()),
            Leaf::Scalar(value) | Leaf::Json(value) => Cow::Owned(value.to_string()),
        }
    }
}

/// A record as pairs of dotted path and text; a scalar record has the empty path. Integers keep every digit.
#[must_use]
pub fn flatten(record: &Value) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    leaves(record, &mut String::new(), &mut |path, leaf| pairs.push((path.to_owned(), leaf.text().into_owned())));
    pairs
}

/// Short names of paths, one each and all different: JSON:API's `attributes.` and the doubled `attributes.attributes.`
/// of logs, events and RUM are dropped. Where two paths would get one name, the shorter path has it and the other
/// keeps its path, written `@name` for custom attributes as in Datadog's query syntax.
#[must_use]
pub fn headers(paths: &[&str]) -> Vec<String> {
    let mut order: Vec<usize> = (0..paths.len()).collect();
    order.sort_by_key(|&at| (paths[at].matches("attributes.").count().min(2), at));
    let mut names = vec![String::new(); paths.len()];
    let mut taken: HashMap<String, usize> = HashMap::new();
    for at in order {
        let path = paths[at];
        let custom = path.strip_prefix("attributes.attributes.");
        let plain = custom.or_else(|| path.strip_prefix("attributes.")).unwrap_or(path);
        let plain = if plain.is_empty() { "value" } else { plain };
        let tries =
            [plain.to_owned(), custom.map_or_else(|| path.to_owned(), |name| format!("@{name}")), path.to_owned(), format!("{path}#{at}")];
        let name = tries.into_iter().find(|name| !name.is_empty() && !taken.contains_key(name)).unwrap_or_default();
        taken.insert(name.clone(), at);
        names[at] = name;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn flattens_and_drops_only_what_says_nothing() {
        let record = json!({
            "id": "a", "type": "log", "n": null, "e": "", "l": [], "o": {},
            "attributes": {"big": 18_446_744_073_709_551_615_u64, "f": 0.1, "ok": false, "tags": ["env:prod", "x"], "odd": ["a,b", "c"], "mixed": [1, null], "objects": [{"a": 1}], "dotted.key": {"x": 1}},
        });
        let pairs = flatten(&record);
        let text: Vec<String> = pairs.iter().map(|(path, text)| format!("{path}={text}")).collect();
        assert_eq!(
            text,
            [
                "id=a",
                "type=log",
                "attributes.big=18446744073709551615",
                "attributes.f=0.1",
                "attributes.ok=false",
                "attributes.tags=env:prod, x",
                "attributes.odd=[\"a,b\",\"c\"]",
                "attributes.mixed=[1,null]",
                "attributes.objects=[{\"a\":1}]",
                "attributes.dotted.key.x=1"
            ]
        );
        assert_eq!(flatten(&json!("text")), [(String::new(), "text".to_owned())]);
    }

    #[test]
    fn headers_are_short_and_different() {
        assert_eq!(
            headers(&["id", "attributes.status", "attributes.attributes.status", "attributes.attributes.http.url", "status", ""]),
            ["id", "attributes.status", "@status", "http.url", "status", "value"]
        );
        assert_eq!(headers(&["attributes.attributes.status", "attributes.status"]), ["@status", "status"]);
        assert_eq!(headers(&["a", "a"]), ["a", "a#1"]);
    }

    proptest! {
        #[test]
        fn headers_never_clash(paths in prop::collection::vec("(attributes\\.){0,3}[ab@]{0,2}", 0..20)) {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let names = headers(&paths);
            let mut unique = names.clone();
            unique.sort();
            unique.dedup();
            prop_assert_eq!(unique.len(), names.len());
            prop_assert!(names.iter().all(|name| !name.is_empty()));
        }
    }

    #[test]
    fn deep_records_end_as_json() {
        let mut value = json!(1);
        for _ in 0..120 {
            value = json!({"a": value});
        }
        assert_eq!(flatten(&value).len(), 1);
    }
}
