//! From named arguments to a request, for any operation of the catalogue.

use super::{PathSegment, Request, check_header, coerce, fill, named, nearest::nearest};
use crate::Refusal;
use crate::untrusted::shown;
use datadog_catalogue::{Operation, Param, Place};
use serde_json::{Map, Value};

/// Name of the argument that holds the JSON body.
const BODY: &str = "body";

pub(super) fn plan(operation: &'static Operation, arguments: &Map<String, Value>) -> Result<Request, Refusal> {
    refuse_unknown(operation, arguments)?;
    refuse_missing(operation, arguments)?;

    let mut segments = Vec::new();
    let mut request = Request { operation, path: String::new(), query: Vec::new(), headers: Vec::new(), body: None };
    for param in operation.params {
        let Some(value) = given(arguments, param.name) else { continue };
        let texts = coerce::texts(param, value).map_err(|refusal| refusal.on(operation.id))?;
        match param.place {
            Place::Path => {
                let segment = PathSegment::new(&texts.join(",")).map_err(|refusal| named(refusal, param.name).on(operation.id))?;
                segments.push((param.name.to_owned(), segment));
            }
            Place::Query if param.explode => request.query.extend(texts.into_iter().map(|text| (param.name.to_owned(), text))),
            Place::Query => request.query.push((param.name.to_owned(), texts.join(","))),
            Place::Header => {
                let text = texts.join(",");
                check_header(param.name, &text).map_err(|refusal| refusal.on(operation.id))?;
                request.headers.push((param.name.to_owned(), text));
            }
        }
    }
    request.path = fill(operation, &segments)?;
    request.body = body(operation, arguments)?;
    Ok(request)
}

/// An argument that is not `null`.
fn given<'a>(arguments: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    arguments.get(name).filter(|value| !value.is_null())
}

fn body(operation: &Operation, arguments: &Map<String, Value>) -> Result<Option<Value>, Refusal> {
    let Some(value) = given(arguments, BODY) else { return Ok(None) };
    let Value::String(text) = value else { return Ok(Some(value.clone())) };
    // Models send JSON as text now and then; an object or list in text is meant as itself.
    match crate::json::parse(text.as_bytes()) {
        Ok(parsed @ (Value::Object(_) | Value::Array(_))) => Ok(Some(parsed)),
        _ => Err(Refusal::invalid("`body` is a text that is no JSON object or list; give it as JSON").on(operation.id)),
    }
}

fn refuse_unknown(operation: &Operation, arguments: &Map<String, Value>) -> Result<(), Refusal> {
    let valid: Vec<&str> = operation.params.iter().map(|p| p.name).chain(operation.body.is_some().then_some(BODY)).collect();
    let unknown: Vec<&str> = arguments.keys().map(String::as_str).filter(|name| !valid.contains(name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let list = unknown
        .iter()
        .take(10)
        .map(|name| match nearest(name, &valid) {
            Some(near) => format!("`{}` (did you mean `{near}`?)", shown(name, 60)),
            None => format!("`{}`", shown(name, 60)),
        })
        .collect::<Vec<_>>()
        .join(", ");
    let takes = if valid.is_empty() {
        format!("{} takes no arguments", operation.id)
    } else {
        format!("{} takes: {}", operation.id, describe(operation).join(", "))
    };
    Err(Refusal::invalid(format!("unknown argument {list}; {takes}")).on(operation.id))
}

fn refuse_missing(operation: &Operation, arguments: &Map<String, Value>) -> Result<(), Refusal> {
    let missing: Vec<String> = operation
        .params
        .iter()
        .filter(|p| p.required && given(arguments, p.name).is_none())
        .map(|p| format!("`{}` ({})", p.name, coerce::expected(p)))
        .chain(
            operation
                .body
                .filter(|b| b.required && given(arguments, BODY).is_none())
                .map(|b| format!("`{BODY}` (JSON, schema {})", b.schema)),
        )
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!("{} needs {}", operation.id, missing.join(", "))).on(operation.id))
}

/// Every argument with a star behind those that must be given.
fn describe(operation: &Operation) -> Vec<String> {
    let star = |name: &str, required: bool| format!("`{name}`{}", if required { " (required)" } else { "" });
    operation.params.iter().map(|p: &Param| star(p.name, p.required)).chain(operation.body.map(|b| star(BODY, b.required))).collect()
}
