//! Lenient reading of one argument: what a model sends becomes the text that Datadog expects, or a refusal that says what does.

use crate::Refusal;
use crate::untrusted::shown;
use datadog_catalogue::{Param, ParamType};
use serde_json::Value;
use std::cmp::Ordering;

/// The texts of one argument: one for a single value, any number for a list.
pub(super) fn texts(param: &Param, value: &Value) -> Result<Vec<String>, Refusal> {
    let elements: Vec<&Value> = match (param.kind, value) {
        (ParamType::TextList | ParamType::IntegerList, Value::Array(list)) => list.iter().collect(),
        // One value in a list for a single value.
        (_, Value::Array(list)) if list.len() == 1 => vec![&list[0]],
        (_, single) => vec![single],
    };
    elements.into_iter().map(|element| one(param, element)).collect()
}

fn one(param: &Param, value: &Value) -> Result<String, Refusal> {
    let text = match (param.kind, value) {
        (ParamType::Text(_) | ParamType::TextList, Value::String(text)) => Some(text.clone()),
        (ParamType::Text(_) | ParamType::TextList | ParamType::Number, Value::Number(number)) => Some(number.to_string()),
        (ParamType::Text(_) | ParamType::TextList | ParamType::Boolean, Value::Bool(flag)) => Some(flag.to_string()),
        (ParamType::Integer | ParamType::IntegerList, Value::Number(number)) => integer(&number.to_string()),
        (ParamType::Integer | ParamType::IntegerList, Value::String(text)) => integer(text.trim()),
        (ParamType::Number, Value::String(text)) => decimal(text.trim()),
        (ParamType::Boolean, Value::String(text)) => boolean(text.trim()),
        (ParamType::Boolean, Value::Number(number)) => boolean(&number.to_string()),
        _ => None,
    };
    let Some(text) = text else {
        return Err(Refusal::invalid(format!("`{}` is {}; got {}", param.name, expected(param), shown(&value.to_string(), 80))));
    };
    in_bounds(param, &text)?;
    allowed(param, text)
}

/// A whole number as text, digit for digit: ids above 2^53 and above 2^64 stay exact.
fn integer(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    // `42.0` is 42; JSON has one kind of number.
    let digits = match digits.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => digits,
    };
    if digits.is_empty() || digits.len() > 40 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    Some(if significant.is_empty() { "0".to_owned() } else { format!("{sign}{significant}") })
}

fn decimal(text: &str) -> Option<String> {
    text.parse::<f64>().is_ok_and(f64::is_finite).then(|| text.to_owned())
}

fn boolean(text: &str) -> Option<String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some("true".to_owned()),
        "false" | "0" | "no" => Some("false".to_owned()),
        _ => None,
    }
}

fn in_bounds(param: &Param, text: &str) -> Result<(), Refusal> {
    let outside = |bound: Option<i64>, wrong: Ordering| bound.is_some_and(|b| compare(param.kind, text, b) == wrong);
    if outside(param.min, Ordering::Less) || outside(param.max, Ordering::Greater) {
        return Err(Refusal::invalid(format!("`{}` is {}; got {}", param.name, expected(param), shown(text, 40))));
    }
    Ok(())
}

/// Compares a number with a bound; what is no number is equal to every bound.
fn compare(kind: ParamType, text: &str, bound: i64) -> Ordering {
    match kind {
        ParamType::Integer => match text.parse::<i128>() {
            Ok(number) => number.cmp(&i128::from(bound)),
            // Up to forty digits: beyond i128 the sign decides.
            Err(_) if text.starts_with('-') => Ordering::Less,
            Err(_) => Ordering::Greater,
        },
        ParamType::Number => text.parse::<f64>().ok().and_then(|n| n.partial_cmp(&(bound as f64))).unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    }
}

/// The value as the specification writes it; letter case is forgiven when that leaves one choice.
fn allowed(param: &Param, text: String) -> Result<String, Refusal> {
    if param.values.is_empty() || param.values.contains(&text.as_str()) {
        return Ok(text);
    }
    let mut same = param.values.iter().filter(|v| v.eq_ignore_ascii_case(text.trim()));
    if let (Some(value), None) = (same.next(), same.next()) {
        return Ok((*value).to_owned());
    }
    let near = super::nearest::nearest(&text, param.values).map(|v| format!(" (did you mean `{v}`?)")).unwrap_or_default();
    Err(Refusal::invalid(format!("`{}` is {}; got `{}`{near}", param.name, expected(param), shown(&text, 60))))
}

/// What a parameter takes, in words.
pub(super) fn expected(param: &Param) -> String {
    let base = match param.kind {
        ParamType::Text(None) => "a text".to_owned(),
        ParamType::Text(Some(format)) => format!("a text ({format})"),
        ParamType::Integer => "a whole number".to_owned(),
        ParamType::Number => "a number".to_owned(),
        ParamType::Boolean => "true or false".to_owned(),
        ParamType::TextList => "a list of texts".to_owned(),
        ParamType::IntegerList => "a list of whole numbers".to_owned(),
    };
    let bounds = match (param.min, param.max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" of at least {min}"),
        (None, Some(max)) => format!(" of at most {max}"),
        (None, None) => String::new(),
    };
    if param.values.is_empty() {
        return format!("{base}{bounds}");
    }
    let values = param.values.iter().take(40).map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
    let one = if matches!(param.kind, ParamType::TextList | ParamType::IntegerList) { "a list of" } else { "one of" };
    format!("{one} {values}")
}
