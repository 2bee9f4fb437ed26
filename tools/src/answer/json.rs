//! Records as compact JSON within a budget: nothing that says nothing, long texts and lists cut with the count.

use super::{
    cells::{MAX_ID_CHARS, Safe},
    mask, tokens,
};
use datadog_client::untrusted;
use serde_json::{Map, Value};

/// Objects nested deeper than this are never shown whole.
const MAX_DEPTH: usize = 60;
/// Fields that tell which record it is and when: they stay whatever else must go.
const ANCHORS: [&str; 9] = ["id", "public_id", "trace_id", "span_id", "timestamp", "time", "date", "start", "created_at"];

/// A value as it may be shown.
#[derive(Debug, Default)]
pub(super) struct Shrunk {
    pub(super) text: String,
    pub(super) masked: usize,
    /// Texts and lists that were cut.
    pub(super) cut: usize,
    /// Null and empty fields that were dropped.
    pub(super) dropped: usize,
}

/// How much of a value is shown.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Tokens of one text.
    text: usize,
    /// Elements of one list, and fields of one object.
    items: usize,
    depth: usize,
}

struct Walk {
    limits: Limits,
    masks: bool,
    masked: usize,
    cut: usize,
    dropped: usize,
    /// Estimated tokens so far; the walk stops above the budget, whatever the size of the value.
    spent: usize,
    budget: usize,
}

/// `value` as compact JSON of at most `budget` tokens, as much of it as fits.
pub(super) fn shrink(value: &Value, masks: bool, budget: usize) -> Shrunk {
    let (value, redacted) = if masks { mask::redacted("", value) } else { (std::borrow::Cow::Borrowed(value), 0) };
    let mut shrunk = shrink_redacted(&value, masks, budget);
    shrunk.masked += redacted;
    shrunk
}

fn shrink_redacted(value: &Value, masks: bool, budget: usize) -> Shrunk {
    let steps = [
        (budget, usize::MAX, MAX_DEPTH),
        (budget / 2, 400, 40),
        (budget / 4, 100, 20),
        (budget / 8, 40, 12),
        (100, 20, 8),
        (50, 10, 6),
        (30, 6, 5),
        (20, 4, 4),
        (12, 3, 3),
        (8, 2, 2),
    ];
    let mut last = None;
    for (text, items, depth) in steps {
        let limits = Limits { text: text.max(8), items, depth };
        let mut walk = Walk { limits, masks, masked: 0, cut: 0, dropped: 0, spent: 0, budget };
        let shown = walk.value(value, 0).unwrap_or(Value::Null);
        if walk.spent > budget.saturating_mul(2) {
            continue;
        }
        let text = shown.to_string();
        let fits = tokens::estimate(&text) <= budget;
        let shrunk = Shrunk { text, masked: walk.masked, cut: walk.cut, dropped: walk.dropped };
        if fits {
            return shrunk;
        }
        last = Some(shrunk);
    }
    if let Some(anchored) = anchored(value, masks, budget) {
        return anchored;
    }
    // Hundreds of fields with endless names: a piece of the text, as a JSON text.
    let mut shrunk = last.unwrap_or_else(|| Shrunk { text: value_size(value), masked: 0, cut: 0, dropped: 0 });
    let mut piece = budget;
    loop {
        let kept = tokens::prefix(&shrunk.text, piece);
        let left = shrunk.text[kept.len()..].chars().count();
        let text = Value::String(format!("{kept}…[+{left} chars]")).to_string();
        if tokens::estimate(&text) <= budget || piece == 0 {
            return Shrunk { text, cut: shrunk.cut + 1, ..std::mem::take(&mut shrunk) };
        }
        piece = piece * 3 / 4;
    }
}

/// Which record it is and when, and how many fields are left out.
fn anchored(value: &Value, masks: bool, budget: usize) -> Option<Shrunk> {
    let map = value.as_object()?;
    let inner = map.get("attributes").and_then(Value::as_object);
    let fields = map.len();
    let (mut shown, mut masked, mut last) = (Map::new(), 0, None);
    for (at, key) in ANCHORS.iter().enumerate() {
        let Some(found) = map.get(*key).or_else(|| inner.and_then(|inner| inner.get(*key))) else { continue };
        let found = match found {
            Value::String(text) if is_id(text) => {
                let safe = Safe::of(text, masks, usize::MAX, true);
                masked += safe.masked;
                Value::String(safe.text)
            }
            Value::Number(number) => Value::Number(number.clone()),
            _ => continue,
        };
        shown.insert((*key).to_owned(), found);
        let mut object = shown.clone();
        object.insert("…".to_owned(), Value::String(format!("[+{} fields]", fields.saturating_sub(shown.len()))));
        let text = Value::Object(object).to_string();
        // An id is shown even when nothing else fits.
        if tokens::estimate(&text) <= budget || at == 0 {
            last = Some(Shrunk { text, masked, cut: 1, dropped: 0 });
        } else {
            shown.shift_remove(*key);
        }
    }
    last
}

/// A text that may be an id: short, and no words.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID_CHARS && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn value_size(value: &Value) -> String {
    match value {
        Value::Object(map) => format!("{{…{} fields}}", map.len()),
        Value::Array(items) => format!("[…{} items]", items.len()),
        _ => String::new(),
    }
}

impl Walk {
    /// The value as it is shown; `None` when it says nothing.
    fn value(&mut self, value: &Value, depth: usize) -> Option<Value> {
        if self.spent > self.budget.saturating_mul(2) {
            return Some(Value::Null);
        }
        match value {
            Value::Null => self.nothing(),
            Value::String(text) if text.is_empty() => self.nothing(),
            Value::Array(items) if items.is_empty() => self.nothing(),
            Value::Object(map) if map.is_empty() => self.nothing(),
            Value::String(text) => Some(self.text(text, false)),
            Value::Array(_) | Value::Object(_) if depth >= self.limits.depth => {
                self.cut += 1;
                self.spent += 6;
                Some(Value::String(value_size(value)))
            }
            Value::Array(items) => Some(self.list(items, depth)),
            Value::Object(map) => self.object(map, depth),
            scalar => {
                self.spent += 2;
                Some(scalar.clone())
            }
        }
    }

    fn nothing(&mut self) -> Option<Value> {
        self.dropped += 1;
        None
    }

    fn text(&mut self, text: &str, id: bool) -> Value {
        let cap = if id && is_id(text) { usize::MAX } else { self.limits.text };
        let safe = Safe::of(text, self.masks, cap, id);
        self.masked += safe.masked;
        self.cut += usize::from(safe.cut > 0);
        self.spent += 2 + tokens::estimate(&safe.text);
        Value::String(safe.text)
    }

    fn list(&mut self, items: &[Value], depth: usize) -> Value {
        // An element that says nothing keeps its place: in a list of points the place means something.
        let mut shown: Vec<Value> = Vec::new();
        for item in items.iter().take(self.limits.items) {
            shown.push(self.value(item, depth + 1).unwrap_or(Value::Null));
            if self.spent > self.budget.saturating_mul(2) {
                break;
            }
        }
        if items.len() > self.limits.items {
            self.cut += 1;
            self.spent += 5;
            shown.push(Value::String(format!("…[+{} items]", items.len() - self.limits.items)));
        }
        Value::Array(shown)
    }

    fn object(&mut self, map: &Map<String, Value>, depth: usize) -> Option<Value> {
        let mut shown = Map::new();
        let mut left_out = 0;
        for (at, (key, value)) in map.iter().enumerate() {
            if at >= self.limits.items && !(ANCHORS.contains(&key.as_str()) || depth == 0 && key == "attributes") {
                left_out += 1;
                continue;
            }
            let value = match value {
                Value::String(text) if !text.is_empty() && (mask::is_id_field(key) || ANCHORS.contains(&key.as_str())) => {
                    Some(self.text(text, true))
                }
                value => self.value(value, depth + 1),
            };
            if let Some(value) = value {
                let name = untrusted::clean(key);
                let name = untrusted::cap(&name, 200);
                self.spent += 2 + tokens::estimate(&name);
                shown.insert(name.into_owned(), value);
            }
        }
        if left_out > 0 {
            self.cut += 1;
            self.spent += 6;
            shown.insert("…".to_owned(), Value::String(format!("[+{left_out} fields]")));
        }
        if shown.is_empty() { self.nothing() } else { Some(Value::Object(shown)) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn whole_when_it_fits_without_what_says_nothing() {
        let shrunk = shrink(
            &json!({"id": 18_446_744_073_709_551_615_u64, "a": null, "b": "", "c": [], "d": {"e": {}}, "f": [null, 1], "password": "hunter22"}),
            true,
            500,
        );
        assert_eq!(shrunk.text, r#"{"id":18446744073709551615,"f":[null,1],"password":"[masked:field]"}"#);
        assert_eq!((shrunk.masked, shrunk.cut, shrunk.dropped), (1, 0, 6));
    }

    #[test]
    fn cut_with_counts_when_it_does_not() {
        let value = json!({"name": "n", "message": "word ".repeat(5_000), "items": (0..5_000).map(|at| json!({"at": at, "text": "some text"})).collect::<Vec<_>>()});
        for budget in [60, 300, 2_000] {
            let shrunk = shrink(&value, true, budget);
            assert!(tokens::estimate(&shrunk.text) <= budget, "{budget}");
            assert!(shrunk.text.starts_with(r#"{"name":"n","message":"word word"#), "{}", shrunk.text);
            assert!(shrunk.text.contains(" chars]") && shrunk.text.contains("[+") && shrunk.cut >= 2, "{}", shrunk.text);
            assert!(serde_json::from_str::<Value>(&shrunk.text).is_ok());
        }
    }

    #[test]
    fn ids_and_times_stay_whole() {
        let id = "AwAAAZqRkT2P".repeat(10);
        let noise: Map<String, Value> = (0..300).map(|at| (format!("field_{at}"), json!("words ".repeat(200)))).collect();
        let record = json!({"noise": noise, "type": "log", "attributes": {"noise": noise, "timestamp": "2026-11-22T04:10:00.123Z"}, "id": id, "list": vec!["x y"; 900]});
        for budget in [180, 300, 1_000] {
            let shrunk = shrink(&record, true, budget);
            assert!(shrunk.text.contains(&id) && shrunk.text.contains("2026-11-22T04:10:00.123Z"), "{budget} {}", shrunk.text);
            assert!(tokens::estimate(&shrunk.text) <= budget && serde_json::from_str::<Value>(&shrunk.text).is_ok());
        }
        let ids: Map<String, Value> = (0..40).map(|at| (format!("{at}_id"), json!(format!("{at:0>100}")))).collect();
        let shrunk = shrink(&Value::Object(ids), true, 200);
        assert!(!shrunk.text.contains("chars]"), "{}", shrunk.text);
    }

    #[test]
    fn secrets_are_known_by_their_fields() {
        let record = json!({
            "pwd": 123_456, "password": {"value": "hunter", "type": "plain"}, "cookie": ["sid=abc"], "tags": ["password:abc", "env:prod"],
            "headers": [{"name": "Authorization", "value": "Basic abc"}, {"name": "Host", "value": "a"}],
            "card": 4_111_111_111_111_111_u64, "order_id": 4_111_111_111_111_111_u64, "secret": true,
        });
        let shrunk = shrink(&record, true, 1_000);
        assert_eq!(
            serde_json::from_str::<Value>(&shrunk.text).unwrap(),
            json!({
                "pwd": "[masked:field]", "password": {"value": "[masked:field]", "type": "plain"}, "cookie": ["[masked:field]"],
                "tags": ["password:[masked:field]", "env:prod"],
                "headers": [{"name": "Authorization", "value": "[masked:field]"}, {"name": "Host", "value": "a"}],
                "card": "[masked:card]", "order_id": 4_111_111_111_111_111_u64, "secret": true,
            })
        );
        assert_eq!(shrunk.masked, 6);
        assert_eq!(serde_json::from_str::<Value>(&shrink(&record, false, 1_000).text).unwrap(), record);
    }

    #[test]
    fn wide_and_deep_values_fit_too() {
        let wide: Map<String, Value> = (0..3_000).map(|at| (format!("field_number_{at}"), json!(at))).collect();
        let mut deep = json!("x");
        for _ in 0..100 {
            deep = json!({"inner": deep});
        }
        for value in [Value::Object(wide), deep, json!(vec!["x"; 100_000]), json!({"k".repeat(100_000): 1})] {
            let shrunk = shrink(&value, true, 200);
            assert!(tokens::estimate(&shrunk.text) <= 200);
            assert!(shrunk.text.contains('…'));
        }
    }
}
