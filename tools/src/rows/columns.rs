//! Answers given by columns (v2 scalar and timeseries queries, DDSQL) turned into rows.

use serde_json::{Map, Value};

pub(super) struct Turned {
    pub(super) rows: Vec<Value>,
    pub(super) at: &'static str,
}

/// Rows of `data.attributes` when it holds columns; takes them out of it.
pub(super) fn rows(attributes: &mut Map<String, Value>) -> Option<Turned> {
    let is_column = |column: &Value| column.get("values").is_some_and(Value::is_array) && column.get("name").is_some_and(Value::is_string);
    if let Some(Value::Array(columns)) = attributes.get_mut("columns")
        && !columns.is_empty()
        && columns.iter().all(is_column)
    {
        return Some(Turned { rows: scalar(std::mem::take(columns)), at: "data.attributes.columns" });
    }
    let has = |key: &str| attributes.get(key).is_some_and(Value::is_array);
    if has("series") && has("times") && has("values") {
        return Some(Turned { rows: timeseries(attributes), at: "data.attributes.series" });
    }
    None
}

fn scalar(columns: Vec<Value>) -> Vec<Value> {
    let height = columns.iter().filter_map(|column| column["values"].as_array().map(Vec::len)).max().unwrap_or(0);
    let mut rows = vec![Map::with_capacity(columns.len()); height];
    for (at, mut column) in columns.into_iter().enumerate() {
        let mut name = heading(&column);
        if rows.first().is_some_and(|row| row.contains_key(&name)) {
            name = format!("{name} #{}", at + 1);
        }
        let Value::Array(values) = column["values"].take() else { continue };
        for (row, value) in rows.iter_mut().zip(values) {
            row.insert(name.clone(), one(value));
        }
    }
    rows.into_iter().map(Value::Object).collect()
}

/// A group of one tag is the tag itself.
fn one(value: Value) -> Value {
    match value {
        Value::Array(mut items) if items.len() == 1 => items.swap_remove(0),
        other => other,
    }
}

/// `name (B/s)`: the unit belongs to the column's name, since the rows carry bare numbers.
fn heading(column: &Value) -> String {
    let name = column["name"].as_str().unwrap_or_default();
    let unit = unit(&column["meta"]["unit"]);
    if unit.is_empty() { name.to_owned() } else { format!("{name} ({unit})") }
}

fn unit(units: &Value) -> String {
    let short = |unit: &Value| unit["short_name"].as_str().or_else(|| unit["name"].as_str()).map(str::to_owned);
    units.as_array().map(|pair| pair.iter().filter_map(short).collect::<Vec<_>>().join("/")).unwrap_or_default()
}

/// One row a series, with its own values and the instants that all share.
fn timeseries(attributes: &mut Map<String, Value>) -> Vec<Value> {
    let mut take = |key: &str| match attributes.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let (series, times, mut values) = (take("series"), take("times"), take("values"));
    values.resize(series.len().max(values.len()), Value::Null);
    let mut rows: Vec<Value> = series;
    rows.resize(values.len(), Value::Object(Map::new()));
    for (row, values) in rows.iter_mut().zip(values) {
        if let Value::Object(row) = row {
            row.insert("times".to_owned(), Value::Array(times.clone()));
            row.insert("values".to_owned(), values);
        }
    }
    rows
}
