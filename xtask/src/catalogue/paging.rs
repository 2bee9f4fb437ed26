//! How an answer is paged, where the specification does not declare it: told by the names of parameters and by the answer's schema.
//!
//! The families and the fields that carry the next cursor are those of `datadog-api.md`, Pagination.

use super::facts::{Fact, PagingFact};
use super::source::Spec;
use serde_json::Value;

/// Parameters that take the cursor, and body fields that do, best first.
const CURSORS: [&str; 9] = [
    "page[cursor]",
    "page[token]",
    "page[continuation_token]",
    "page[next_record_id]",
    "page[after]",
    "cursor",
    "page_token",
    "next_record_id",
    "next_page",
];
const BODY_CURSORS: [&str; 4] = ["page.cursor", "data.attributes.page.cursor", "data.attributes.cursor", "cursor"];

/// Where the next cursor stands in an answer, best first.
const CURSOR_PATHS: [&str; 17] = [
    "meta.page.after",
    "meta.page.cursor",
    "meta.page.next_cursor",
    "meta.pagination.next_cursor",
    "meta.pagination.next_record_id",
    "metadata.pagination.next_record_id",
    "meta.page.next_page_token",
    "meta.page.next_continuation_token",
    "meta.page.next_token",
    "meta.page.next_page",
    "meta.next_page",
    "meta.after",
    "meta.cursor",
    "meta.token",
    "data.attributes.next_cursor",
    "data.attributes.next_page_token",
    "meta.next_cursor",
];

/// Parameters that number pages or skip records, and those that limit a page.
const PAGES: [&str; 3] = ["page[number]", "page_number", "page"];
const OFFSETS: [&str; 2] = ["page[offset]", "offset"];
const LIMITS: [&str; 7] = ["page[limit]", "page[size]", "page_size", "per_page", "limit", "size", "count"];
const BODY_LIMITS: [&str; 4] = ["page.limit", "data.attributes.page.limit", "data.attributes.limit", "limit"];

/// Top-level arrays of an answer that are never its records.
const NO_RECORDS: [&str; 4] = ["errors", "warnings", "included", "error"];

/// The paging of an official operation, when it reads a list.
pub(super) fn derive(fact: &Fact, spec: &Spec) -> Option<PagingFact> {
    if !matches!(fact.kind.as_str(), "read" | "read-post") {
        return None;
    }
    let operation = spec.operation(&fact.method, &fact.path)?;
    let answer = answer(spec, operation)?;
    let mut paging = query(fact, spec, answer).or_else(|| body(spec, operation, answer))?;
    paging.results = results(spec, answer);
    Some(paging)
}

fn query(fact: &Fact, spec: &Spec, answer: &Value) -> Option<PagingFact> {
    let first = |names: &[&str]| {
        let taken = |name: &&&str| fact.params.iter().any(|param| param.place == "query" && param.name == **name);
        names.iter().find(taken).map(|name| (*name).to_owned())
    };
    let limit = first(&LIMITS);
    let cursor = first(&CURSORS);
    let cursor_path = cursor.as_ref().and_then(|_| cursor_path(spec, answer));
    let offset = first(&OFFSETS).or_else(|| first(&["start"]).filter(|_| limit.as_deref() == Some("count")));
    // `page` alone may be anything; beside a page size it numbers pages.
    let page = first(&PAGES).filter(|_| limit.is_some() || cursor.is_some());
    if cursor.is_none() && offset.is_none() && page.is_none() {
        return None;
    }
    let numbered = fact.params.iter().find(|param| Some(&param.name) == page.as_ref());
    let first_page = numbered.and_then(|param| param.default.as_ref().and_then(Value::as_i64).or(param.min)).unwrap_or(0);
    Some(PagingFact { limit, cursor, cursor_path, offset, page, first_page: u8::from(first_page == 1), results: None })
}

fn body(spec: &Spec, operation: &Value, answer: &Value) -> Option<PagingFact> {
    let body = operation.pointer("/requestBody/content/application~1json/schema")?;
    let first = |paths: &[&str]| paths.iter().find(|path| at(spec, body, path).is_some()).map(|path| format!("body.{path}"));
    let cursor = first(&BODY_CURSORS)?;
    let cursor_path = cursor_path(spec, answer)?;
    Some(PagingFact { limit: first(&BODY_LIMITS), cursor: Some(cursor), cursor_path: Some(cursor_path), ..PagingFact::default() })
}

fn cursor_path(spec: &Spec, answer: &Value) -> Option<String> {
    CURSOR_PATHS.iter().find(|path| at(spec, answer, path).is_some()).map(|path| (*path).to_owned())
}

/// Schema of the answer to a call that went well.
fn answer<'a>(spec: &'a Spec, operation: &'a Value) -> Option<&'a Value> {
    let answers = operation.get("responses")?.as_object()?;
    let mut answer = answers.iter().find(|(code, _)| code.starts_with('2'))?.1;
    if let Some(reference) = answer.get("$ref").and_then(Value::as_str) {
        answer = spec.components.responses.get(reference.rsplit('/').next()?)?;
    }
    let content = answer.get("content")?.as_object()?;
    content.iter().find(|(kind, _)| kind.contains("json"))?.1.get("schema")
}

/// Dotted path of the records.
fn results(spec: &Spec, answer: &Value) -> Option<String> {
    if is_list(spec, at(spec, answer, "data")) {
        return Some("data".to_owned());
    }
    ["", "data", "data.attributes"].into_iter().find_map(|base| {
        let object = if base.is_empty() { spec.resolve(answer) } else { at(spec, answer, base) };
        let mut lists = object?
            .get("properties")?
            .as_object()?
            .iter()
            .filter(|(name, property)| !NO_RECORDS.contains(&name.as_str()) && is_list(spec, spec.resolve(property)));
        let (name, _) = lists.next()?;
        let only = lists.next().is_none();
        only.then(|| if base.is_empty() { name.clone() } else { format!("{base}.{name}") })
    })
}

fn is_list(spec: &Spec, schema: Option<&Value>) -> bool {
    schema.and_then(|schema| spec.resolve(schema)).is_some_and(|schema| schema.get("type").and_then(Value::as_str) == Some("array"))
}

/// The schema at a dotted path of properties.
fn at<'a>(spec: &'a Spec, schema: &'a Value, path: &str) -> Option<&'a Value> {
    let mut schema = spec.resolve(schema)?;
    for name in path.split('.') {
        schema = spec.resolve(schema.get("properties")?.get(name)?)?;
    }
    Some(schema)
}
