//! Runs a tool that is one operation: defined in TOML, or the operation itself by its id.

use crate::{
    CallContext, Content, Draft, NativeTool, TimeRange,
    answer::Column,
    definition::{Definition, TimeArguments, TimeUnit},
    paging, rows,
};
use async_trait::async_trait;
use datadog_catalogue::Operation;
use datadog_client::{Refusal, Reply, Request, untrusted};
use serde_json::{Map, Value};

/// A tool defined in TOML.
pub(crate) struct Defined(pub(crate) Definition);

/// An operation called by its id: arguments are its parameters by their own names, and `body`.
pub(crate) struct ByOperation(pub(crate) &'static Operation);

#[async_trait]
impl NativeTool for ByOperation {
    async fn run(&self, cx: &CallContext<'_>, mut arguments: Map<String, Value>) -> Result<Draft, Refusal> {
        paging::apply(self.0, cx.page.and_then(|page| page.state.as_ref()), &mut arguments);
        let how = Reading { subject: "records", rows: None, columns: &[], drop: &[], record: self.0.kind.effect() != crate::Effect::Read };
        fetch(cx, self.0, &arguments, &how).await
    }
}

#[async_trait]
impl NativeTool for Defined {
    async fn run(&self, cx: &CallContext<'_>, given: Map<String, Value>) -> Result<Draft, Refusal> {
        let definition = &self.0;
        let mut given = given;
        for (name, argument) in &definition.arguments {
            if let (None, Some(default)) = (given.get(name), &argument.default) {
                given.insert(name.clone(), default.clone());
            }
        }
        let range = definition.time.as_ref().map(|time| range_of(cx, time, &given)).transpose()?;
        let mut arguments = Map::new();
        for (to, value) in &definition.fixed {
            put(&mut arguments, to, fill(value, &given));
        }
        for (name, argument) in &definition.arguments {
            if let (Some(to), Some(value)) = (&argument.to, given.get(name)) {
                put(&mut arguments, to, value.clone());
            }
        }
        if let (Some(time), Some(range)) = (&definition.time, range) {
            put(&mut arguments, &time.from, time.unit.write(range.from_ms)?);
            put(&mut arguments, &time.to, time.unit.write(range.to_ms)?);
        }
        paging::apply(definition.operation, cx.page.and_then(|page| page.state.as_ref()), &mut arguments);
        let how = Reading {
            subject: &definition.subject,
            rows: definition.rows.as_deref(),
            columns: &definition.columns,
            drop: &definition.drop,
            record: definition.record,
        };
        let mut draft = fetch(cx, definition.operation, &arguments, &how).await?;
        draft.range = range;
        draft.link = definition.link.as_deref().map(|template| cx.client.site().ui(&link(template, &given, range)));
        draft.notes.extend(definition.then.clone());
        Ok(draft)
    }
}

/// How the records of an answer are read.
struct Reading<'a> {
    subject: &'a str,
    rows: Option<&'a str>,
    columns: &'a [Column],
    drop: &'a [String],
    record: bool,
}

async fn fetch(
    cx: &CallContext<'_>,
    operation: &'static Operation,
    arguments: &Map<String, Value>,
    how: &Reading<'_>,
) -> Result<Draft, Refusal> {
    let request = Request::plan(operation, arguments)?;
    let reply = cx.send(&request).await?;
    let mut draft = if is_json(&reply) {
        of_json(operation, arguments, how, cx.page.map(|page| page.seen.saturating_sub(page.skip as u64)), reply.json()?)
    } else {
        of_other(how, &reply)
    };
    draft.heed(&reply);
    Ok(draft)
}

/// Datadog answers 204 and some empty bodies as HTML; an empty body is an empty answer whatever it calls itself.
fn is_json(reply: &Reply) -> bool {
    reply.body.is_empty() || reply.content_type.is_empty() || reply.content_type.contains("json")
}

fn of_json(
    operation: &'static Operation,
    arguments: &Map<String, Value>,
    how: &Reading<'_>,
    before: Option<u64>,
    mut answer: Value,
) -> Draft {
    let dropped: Vec<&str> = how.drop.iter().filter(|path| remove(&mut answer, path)).map(String::as_str).collect();
    let mut draft = if how.record {
        Draft::new(
            how.subject,
            if answer.is_null() {
                Content::Words("Done; Datadog answered with an empty body.".to_owned())
            } else {
                Content::Record(answer)
            },
        )
    } else {
        let records = rows::records(answer, how.rows);
        let beyond = paging::beyond(operation, arguments, &records, before);
        let columns = placed(how.columns, &records.rows);
        let mut draft = Draft::rows(how.subject, records.rows, columns);
        draft.total = beyond.total;
        draft.next = beyond.next;
        draft.notes = records.warnings.into_iter().map(|warning| format!("Datadog warns: {warning}")).collect();
        draft.notes.extend(beyond.note);
        draft
    };
    if !dropped.is_empty() {
        draft.notes.push(format!("Left out as noise: {}.", dropped.join(", ")));
    }
    draft
}

/// Where the columns stand: at their own paths, or below `attributes`, where JSON:API and the event stores keep most of a record.
fn placed(columns: &[Column], records: &[Value]) -> Vec<Column> {
    let has = |path: &str| records.iter().any(|record| path.split('.').try_fold(record, |at, key| at.get(key)).is_some());
    let place = |column: &Column| {
        let paths = ["", "attributes.", "attributes.attributes."].map(|room| format!("{room}{}", column.path));
        let path = paths.into_iter().find(|path| has(path)).unwrap_or_else(|| column.path.clone());
        Column { path, ..column.clone() }
    };
    columns.iter().map(place).collect()
}

fn of_other(how: &Reading<'_>, reply: &Reply) -> Draft {
    match std::str::from_utf8(&reply.body) {
        Ok(text) => Draft::new(how.subject, Content::Lines(untrusted::clean(text).lines().map(str::to_owned).collect())),
        Err(_) => {
            let kind = if reply.content_type.is_empty() { "no stated type" } else { &reply.content_type };
            Draft::new(
                how.subject,
                Content::Words(format!("Datadog answered with {} bytes of {kind}; binary content is not shown.", reply.body.len())),
            )
        }
    }
}

fn range_of(cx: &CallContext<'_>, time: &TimeArguments, given: &Map<String, Value>) -> Result<TimeRange, Refusal> {
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    cx.range(text("from"), text("to"), &time.default)
}

impl TimeUnit {
    fn write(self, ms: i64) -> Result<Value, Refusal> {
        Ok(match self {
            Self::Ms => Value::from(ms),
            Self::S => Value::from(ms.div_euclid(1000)),
            Self::Iso => {
                let instant = jiff::Timestamp::from_millisecond(ms)
                    .map_err(|error| Refusal::invalid(format!("That time is out of range: {error}")))?;
                Value::from(instant.to_string())
            }
        })
    }
}

fn put(arguments: &mut Map<String, Value>, to: &str, value: Value) {
    let name = to.strip_prefix("path.").or_else(|| to.strip_prefix("query.")).unwrap_or(to);
    paging::set(arguments, name, value);
}

/// Fills `{name}` in fixed texts; a text that holds nothing but `{name}` keeps the argument's type.
fn fill(value: &Value, given: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => Value::String(fill_text(text, given, quote)),
        Value::Array(items) => Value::Array(items.iter().map(|item| fill(item, given)).collect()),
        Value::Object(object) => Value::Object(object.iter().map(|(key, value)| (key.clone(), fill(value, given))).collect()),
        other => other.clone(),
    }
}

fn fill_text(template: &str, given: &Map<String, Value>, write: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) => {
                let value = match given.get(name) {
                    Some(Value::String(text)) => write(text),
                    Some(Value::Null) | None => write("*"),
                    Some(other) => write(&other.to_string()),
                };
                filled.push_str(&value);
                rest = tail;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// A value inside a Datadog query: as it is when it is one plain term, else as a quoted phrase, so that it stays one term.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '*' | '@');
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn link(template: &str, given: &Map<String, Value>, range: Option<TimeRange>) -> String {
    let mut values = given.clone();
    if let Some(range) = range {
        values.insert("from_ms".to_owned(), Value::from(range.from_ms));
        values.insert("to_ms".to_owned(), Value::from(range.to_ms));
    }
    fill_text(template, &values, |text| url::form_urlencoded::byte_serialize(text.as_bytes()).collect())
}

fn remove(answer: &mut Value, path: &str) -> bool {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    match answer {
        Value::Array(items) => items.iter_mut().map(|item| remove(item, path)).fold(false, |any, one| any | one),
        Value::Object(object) => match rest {
            None => object.shift_remove(head).is_some(),
            Some(rest) => object.get_mut(head).is_some_and(|inner| remove(inner, rest)),
        },
        _ => false,
    }
}
