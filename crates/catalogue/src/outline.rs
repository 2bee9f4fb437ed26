//! The shape of a body in few characters, for an agent that is about to write one.
//!
//! `{list*:{limit*:int 1..1000,order:"asc"|"desc"}}`: `*` must be given, `[T]` a list, `{*:T}` a map, `T?` may be null, `=x` the default,
//! `(A | B)` one of several, `…` something left out. What the server alone writes, and what is deprecated and not required, is not listed.

use crate::schemas::reference;
use crate::{Operation, body_schema};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Allowed values and alternatives listed before the rest is counted.
const LISTED: usize = 12;

/// Said at the end of an outline that leaves something out.
const CUT: &str = " (… = left out)";

/// The shape of an operation's body within `max_chars` characters; `None` when it takes no body.
///
/// Objects are opened level by level, required ones a level earlier, as long as there is room; whatever is left out shows as `…`, and the last words
/// say so. An outline whose first level does not fit ends in its middle, with the same words; below the length of those words it is empty.
#[must_use]
pub fn body_outline(operation: &Operation, max_chars: usize) -> Option<String> {
    let schema = body_schema(operation)?;
    Some(outline(&schema, max_chars))
}

fn outline(schema: &Value, max_chars: usize) -> String {
    let whole = Outline::open(schema, max_chars);
    if !whole.cut && whole.used <= max_chars {
        return whole.text();
    }
    let Some(room) = max_chars.checked_sub(CUT.chars().count()) else { return String::new() };
    let outline = Outline::open(schema, room);
    let mut text = outline.text();
    if outline.used > room {
        text = text.chars().take(room.saturating_sub(1)).collect();
        text.extend((room > 0).then_some('…'));
    }
    text + CUT
}

/// An outline in the making: text, and objects that are open or closed.
struct Outline<'a> {
    definitions: Option<&'a Map<String, Value>>,
    root: Vec<Piece>,
    objects: Vec<Object<'a>>,
    /// Closed objects that may be opened, the next one first: level, order of appearance.
    closed: BTreeSet<(usize, usize)>,
    /// Characters that the text has as it stands.
    used: usize,
    /// Something is left out.
    cut: bool,
}

#[derive(Clone)]
enum Piece {
    Text(String),
    /// An object by its place in `objects`.
    Object(usize),
}

struct Object<'a> {
    schema: &'a Value,
    /// Definitions that it stands within, to see one that comes within itself.
    within: Vec<&'a str>,
    level: usize,
    /// What it shows: its members when open, else what tells it from others.
    shown: Vec<Piece>,
}

impl<'a> Outline<'a> {
    /// Opens as many objects as there is room for.
    fn open(schema: &'a Value, room: usize) -> Self {
        let definitions = schema.get("$defs").and_then(Value::as_object);
        let mut outline = Self { definitions, root: Vec::new(), objects: Vec::new(), closed: BTreeSet::new(), used: 0, cut: false };
        outline.root = outline.pieces(schema, &[], 0);
        outline.used = outline.length(&outline.root);
        while let Some((_, at)) = outline.closed.pop_first() {
            let before = outline.objects.get(at).map_or(0, |object| outline.length(&object.shown));
            let mut fits = false;
            for only_required in [false, true] {
                let mark = outline.objects.len();
                let cut = outline.cut;
                let shown = outline.members(at, only_required);
                let used = outline.used - before + outline.length(&shown);
                fits = used <= room;
                if fits {
                    outline.used = used;
                    if let Some(object) = outline.objects.get_mut(at) {
                        object.shown = shown;
                    }
                    break;
                }
                // What did not fit was never there.
                outline.objects.truncate(mark);
                outline.closed.retain(|(_, object)| *object < mark);
                outline.cut = cut;
            }
            outline.cut |= !fits;
        }
        outline
    }

    fn text(&self) -> String {
        let mut text = String::new();
        self.write(&self.root, &mut text);
        text
    }

    fn write(&self, pieces: &[Piece], text: &mut String) {
        for piece in pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Object(at) => {
                    if let Some(object) = self.objects.get(*at) {
                        self.write(&object.shown, text);
                    }
                }
            }
        }
    }

    fn length(&self, pieces: &[Piece]) -> usize {
        let length = |piece: &Piece| match piece {
            Piece::Text(text) => text.chars().count(),
            Piece::Object(at) => self.objects.get(*at).map_or(0, |object| self.length(&object.shown)),
        };
        pieces.iter().map(length).sum()
    }

    /// What a schema shows while the objects in it are closed.
    fn pieces(&mut self, schema: &'a Value, within: &[&'a str], level: usize) -> Vec<Piece> {
        if let Some(name) = reference(schema) {
            if within.contains(&name) {
                self.cut = true;
                return vec![Piece::Text(format!("{name}…"))];
            }
            let definition = self.definitions.and_then(|definitions| definitions.get(name));
            let within: Vec<&str> = within.iter().copied().chain([name]).collect();
            return definition.map_or_else(|| text("any"), |definition| self.pieces(definition, &within, level));
        }
        if let Some(choices) = ["oneOf", "anyOf"].into_iter().find_map(|name| schema.get(name)?.as_array()) {
            return self.choices(choices, within, level);
        }
        let (kind, nullable) = kind(schema);
        let values = schema.get("enum").and_then(Value::as_array);
        let mut pieces = match (kind, values) {
            (_, Some(values)) => self.values(values),
            ("array", _) => {
                let items = schema.get("items").map_or_else(|| text("any"), |items| self.pieces(items, within, level));
                text("[").into_iter().chain(items).chain(text("]")).collect()
            }
            ("object", _) => self.object(schema, within, level),
            ("integer", _) => number("int", schema),
            ("number", _) => number("num", schema),
            ("boolean", _) => text("bool"),
            ("string", _) => string(schema),
            _ => text("any"),
        };
        if nullable {
            pieces.extend(text("?"));
        }
        if let Some(default) = schema.get("default").filter(|_| !is_constant(schema)) {
            pieces.push(Piece::Text(format!("={default}")));
        }
        pieces
    }

    /// A closed object, or what an object without members is.
    fn object(&mut self, schema: &'a Value, within: &[&'a str], level: usize) -> Vec<Piece> {
        let members = members(schema);
        if members.is_empty() && map_values(schema).is_none() {
            // An object of which nothing is said takes anything.
            let said = schema.get("additionalProperties") == Some(&Value::Bool(false)) || schema.get("properties").is_some_and(has_members);
            return text(if said { "{}" } else { "{*:any}" });
        }
        let telling = members.iter().filter(|member| member.required && is_constant(member.schema));
        let telling: String =
            telling.filter_map(|member| Some(format!("{}*:{},", member.name, member.schema.get("enum")?.get(0)?))).collect();
        let at = self.objects.len();
        let shown = vec![Piece::Text(format!("{{{telling}…}}"))];
        self.objects.push(Object { schema, within: within.to_vec(), level, shown });
        self.closed.insert((level, at));
        vec![Piece::Object(at)]
    }

    /// The members of an object, the objects in them closed.
    fn members(&mut self, at: usize, only_required: bool) -> Vec<Piece> {
        let Some(Object { schema, within, level, .. }) = self.objects.get(at) else { return Vec::new() };
        let (schema, within, level) = (*schema, within.clone(), *level);
        let mut shown: Vec<Vec<Piece>> = Vec::new();
        let mut left_out = false;
        for member in members(schema) {
            if only_required && !member.required {
                left_out = true;
                continue;
            }
            let name = format!("{}{}:", member.name, if member.required { "*" } else { "" });
            let value = self.pieces(member.schema, &within, level + if member.required { 1 } else { 2 });
            shown.push([Piece::Text(name)].into_iter().chain(value).collect());
        }
        if let Some(values) = map_values(schema) {
            let value = self.pieces(values, &within, level + 2);
            shown.push(text("*:").into_iter().chain(value).collect());
        }
        if left_out {
            self.cut = true;
            shown.push(text("…"));
        }
        enclose("{", shown, ",", "}")
    }

    fn choices(&mut self, choices: &'a [Value], within: &[&'a str], level: usize) -> Vec<Piece> {
        let is_null = |choice: &Value| choice.get("type").and_then(Value::as_str) == Some("null");
        let nullable = choices.iter().any(is_null);
        let choices: Vec<&Value> = choices.iter().filter(|choice| !is_null(choice)).collect();
        let mut shown: Vec<Vec<Piece>> = choices.iter().take(LISTED).map(|choice| self.pieces(choice, within, level)).collect();
        if choices.len() > LISTED {
            self.cut = true;
            shown.push(vec![Piece::Text(format!("…{} more", choices.len() - LISTED))]);
        }
        let (open, close) = if shown.len() > 1 { ("(", ")") } else { ("", "") };
        let mut pieces = enclose(open, shown, " | ", close);
        if nullable {
            pieces.extend(text("?"));
        }
        pieces
    }

    fn values(&mut self, values: &[Value]) -> Vec<Piece> {
        let values: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
        let mut listed: Vec<String> = values.iter().take(LISTED).map(ToString::to_string).collect();
        if values.len() > LISTED {
            self.cut = true;
            listed.push(format!("…{} more", values.len() - LISTED));
        }
        vec![Piece::Text(listed.join("|"))]
    }
}

/// A member of an object that a caller may write.
struct Member<'a> {
    name: &'a str,
    schema: &'a Value,
    required: bool,
}

fn members(schema: &Value) -> Vec<Member<'_>> {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|required| required.iter().any(|one| one == name));
    let flag = |property: &Value, name: &str| property.get(name) == Some(&Value::Bool(true));
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| Member { name, schema, required: is_required(name) })
        .filter(|member| !flag(member.schema, "readOnly") && (member.required || !flag(member.schema, "deprecated")))
        .collect()
}

/// The schema of a map's values.
fn map_values(schema: &Value) -> Option<&Value> {
    schema.get("additionalProperties").filter(|values| values.is_object())
}

fn has_members(properties: &Value) -> bool {
    properties.as_object().is_some_and(|properties| !properties.is_empty())
}

fn text(text: &str) -> Vec<Piece> {
    vec![Piece::Text(text.to_owned())]
}

fn enclose(open: &str, items: Vec<Vec<Piece>>, between: &str, close: &str) -> Vec<Piece> {
    let mut pieces = text(open);
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            pieces.extend(text(between));
        }
        pieces.extend(item);
    }
    pieces.extend(text(close));
    pieces
}

fn string(schema: &Value) -> Vec<Piece> {
    let format = schema.get("format").and_then(Value::as_str).map(|format| format!(":{format}"));
    let longest = schema.get("maxLength").and_then(Value::as_u64).map(|longest| format!("≤{longest}"));
    vec![Piece::Text(format!("str{}{}", format.unwrap_or_default(), longest.unwrap_or_default()))]
}

fn number(kind: &str, schema: &Value) -> Vec<Piece> {
    // The bounds of the type itself say nothing.
    let said = |bound: &&Value| bound.as_i64().is_none_or(|bound| bound.unsigned_abs() < u64::from(i32::MAX.unsigned_abs()));
    let (low, high) = (schema.get("minimum").filter(said), schema.get("maximum").filter(said));
    let bounds = match (low, high) {
        (Some(low), Some(high)) => format!(" {low}..{high}"),
        (Some(low), None) => format!("≥{low}"),
        (None, Some(high)) => format!("≤{high}"),
        (None, None) => String::new(),
    };
    vec![Piece::Text(format!("{kind}{bounds}"))]
}

/// The type's name, and whether null is allowed beside it.
fn kind(schema: &Value) -> (&str, bool) {
    match schema.get("type") {
        Some(Value::String(kind)) => (kind, false),
        Some(Value::Array(kinds)) => {
            let kind = kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null");
            (kind.unwrap_or_default(), kinds.iter().any(|kind| kind == "null"))
        }
        _ if schema.get("properties").is_some() => ("object", false),
        _ => ("", false),
    }
}

/// Whether only one value is allowed, as for the `type` of a JSON:API body: it tells apart the alternatives of a choice.
fn is_constant(schema: &Value) -> bool {
    schema.get("enum").and_then(Value::as_array).is_some_and(|values| values.len() == 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{operation, operations};

    fn of(id: &str, max_chars: usize) -> String {
        body_outline(operation(id).unwrap(), max_chars).unwrap()
    }

    #[test]
    fn small_bodies_are_shown_whole() {
        assert_eq!(
            of("v2.ListLogs", 1_000),
            "{filter:{from:str=\"now-15m\",indexes:[str],query:str=\"*\",storage_tier:\"indexes\"|\"online-archives\"|\"flex\"=\"indexes\",to:str=\"now\"},\
             page:{cursor:str,limit:int≤1000=10},sort:\"timestamp\"|\"-timestamp\"}"
        );
        assert_eq!(
            of("x.ListDatabaseQuerySamples", 1_000),
            "{list*:{indexes*:[\"databasequery\"],limit*:int 1..1000,search*:{query*:str},sorts:[{time*:{order*:\"asc\"|\"desc\"}}],\
             time*:{from*:int,to*:int}}}"
        );
    }

    #[test]
    fn no_outline_is_longer_than_asked() {
        for operation in operations().iter().filter(|operation| operation.body.is_some()) {
            let schema = body_schema(operation).unwrap();
            for max in [0, 1, 15, 16, 40, 200, 800, 3_000] {
                let outline = outline(&schema, max);
                assert!(outline.chars().count() <= max, "{} {max}: {outline}", operation.id);
                assert!(!outline.contains('…') || outline.ends_with(CUT), "{} {max}: {outline}", operation.id);
                assert!(max < 800 || outline.len() > 1, "{} {max}: {outline}", operation.id);
            }
        }
    }

    #[test]
    fn what_is_cut_is_said_and_required_members_go_last() {
        let outline = of("v2.CreateIncident", 300);
        assert!(outline.ends_with(CUT), "{outline}");
        assert!(outline.contains("title*:str"), "{outline}");
        let whole = of("v2.CreateIncident", 20_000);
        assert!(whole.len() > outline.len());
        // A body that comes within itself ends.
        assert!(of("v1.CreateDashboard", 6_000).ends_with(CUT));
    }
}
