//! Arguments of a call against a tool's JSON Schema: coerced leniently, refused with what is valid.

mod coerce;
mod schema;

use coerce::coerce;
use datadog_client::{Fix, Refusal};
use serde_json::{Map, Value};

pub use schema::{schema_of, with_budget, with_view};

/// Coerces leniently (`"42"` for 42, `"a"` for `["a"]`, `null` for absent) and refuses unknown, missing and wrong
/// arguments, all at once, naming the valid ones.
pub fn check(tool: &str, schema: &Map<String, Value>, arguments: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let mut checked = Map::with_capacity(arguments.len());
    let mut problems = Vec::new();
    let taken: Vec<String> = arguments.keys().cloned().collect();
    for (name, value) in arguments {
        let name = meant(name, properties, &taken);
        let Some(property) = properties.get(&name) else {
            problems.push(unknown(&name, properties));
            continue;
        };
        if value.is_null() {
            continue;
        }
        match coerce(value, property) {
            Ok(value) => {
                checked.insert(name, value);
            }
            Err(why) => problems.push(format!("`{name}` {why}")),
        }
    }
    for name in required(schema) {
        if !checked.contains_key(name) && !problems.iter().any(|problem| problem.starts_with(&format!("`{name}` "))) {
            problems.push(format!("`{name}` is missing"));
        }
    }
    if problems.is_empty() {
        return Ok(checked);
    }
    Err(Refusal::invalid(format!("{tool}: {}.", problems.join("; ")))
        .because(format!("Valid arguments: {}.", outline(schema)))
        .fix(Fix::new(tool, "Call again with the arguments corrected.")))
}

/// Whether a value fits a property's schema as it is, or after the smallest change; says in a clause why not.
pub(crate) fn fits(value: &Value, property: &Value) -> Result<(), String> {
    coerce(value.clone(), property).map(drop)
}

/// The arguments in one line: `query: string (required), limit: integer 1..1000, sort: newest|oldest`.
#[must_use]
pub fn outline(schema: &Map<String, Value>) -> String {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return "none".to_owned();
    };
    if properties.is_empty() {
        return "none".to_owned();
    }
    let required: Vec<&str> = required(schema).collect();
    let one = |(name, property): (&String, &Value)| {
        let mark = if required.contains(&name.as_str()) { " (required)" } else { "" };
        format!("{name}: {}{mark}", coerce::describe(property))
    };
    properties.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Words that models use for each other, with the argument that is meant; taken only when the tool has that and not the word itself.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("query", &["queries"]),
    ("queries", &["query"]),
    ("q", &["query"]),
    ("search", &["query"]),
    ("filter", &["query"]),
    ("start", &["from"]),
    ("start_time", &["from"]),
    ("since", &["from"]),
    ("time_range", &["from"]),
    ("end", &["to"]),
    ("end_time", &["to"]),
    ("until", &["to"]),
    ("count", &["limit"]),
    ("page_size", &["limit"]),
    ("max_results", &["limit"]),
    ("order", &["sort"]),
    ("id", &["monitor_id", "incident_id", "trace_id", "id_or_number", "number", "incident", "monitor"]),
    ("trace", &["trace_id"]),
    ("metric_name", &["metric"]),
];

/// The argument a name means: itself, or the one that it is a synonym of and that was not given by its own name.
fn meant(name: String, properties: &Map<String, Value>, given: &[String]) -> String {
    if properties.contains_key(&name) {
        return name;
    }
    let candidates = SYNONYMS.iter().find(|(word, _)| *word == name).map_or(&[][..], |(_, candidates)| candidates);
    let fits = |candidate: &&&str| properties.contains_key(**candidate) && !given.iter().any(|given| given == **candidate);
    candidates.iter().find(fits).map_or(name, |candidate| (*candidate).to_owned())
}

fn required(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn unknown(name: &str, properties: &Map<String, Value>) -> String {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    match nearest(name, properties.keys().map(String::as_str)) {
        Some(near) => format!("`{shown}` is no argument, did you mean `{near}`?"),
        None => format!("`{shown}` is no argument"),
    }
}

/// The candidate most like `name`, when one is like it.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name: String = name.to_lowercase().chars().take(80).collect();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&name, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
