//! v2 queries, time series and scalar: metrics, logs, spans, RUM and events in one request, with formulas.

use super::aggregate_request;
use super::metrics::unit_pair;
use crate::aggregate::{self, Function};
use crate::call::{Call, Handler};
use crate::metrics::{Expression, Grid, Line, evaluate, parse_formula, parse_queries};
use crate::query::Searchable;
use crate::reply::{Answer, JSON_API, Reply};
use crate::search;
use crate::time;
use serde_json::{Value, json};
use std::collections::HashMap;

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v2.QueryTimeseriesData" => timeseries,
        "v2.QueryScalarData" => scalar,
        _ => return None,
    })
}

fn bad(why: &str) -> Reply {
    Reply::errors(400, &[&format!("API input validation failed: {why}")])
}

/// A computed request: one group of lines for each formula (or query).
struct Computed {
    grid: Grid,
    columns: Vec<(String, Vec<Line>)>,
}

fn compute(call: &Call<'_>, kind: &str, scalar: bool) -> Result<Computed, Reply> {
    let data = &call.body["data"];
    if data["type"] != kind {
        return Err(bad(&format!("Invalid type. Expected \"{kind}\".")));
    }
    let attributes = &data["attributes"];
    let (Some(from), Some(to)) = (attributes["from"].as_i64(), attributes["to"].as_i64()) else {
        return Err(bad("'from' and 'to' are required, in milliseconds"));
    };
    if from >= to {
        return Err(bad("'from' must be before 'to'"));
    }
    if to < call.world().now - 450 * 86_400_000 {
        return Err(Reply::errors(400, &["Queries ending outside the retention date are invalid"]));
    }
    let grid = Grid::new(from, to, attributes["interval"].as_i64().filter(|step| *step > 0 && !scalar));
    let Some(queries) = attributes["queries"].as_array().filter(|queries| !queries.is_empty()) else {
        return Err(bad("'queries' is required"));
    };
    let mut named = HashMap::new();
    let mut order = Vec::new();
    for (nth, query) in queries.iter().enumerate() {
        let name = query["name"].as_str().map_or_else(|| format!("query{}", nth + 1), str::to_owned);
        let mut lines = lines(call, query, grid, scalar)?;
        if scalar && query["data_source"] == "metrics" {
            for line in &mut lines {
                reduce(line, query, grid);
            }
        }
        order.push(name.clone());
        named.insert(name, lines);
    }
    let mut columns = Vec::new();
    match attributes["formulas"].as_array().filter(|formulas| !formulas.is_empty()) {
        None => {
            for name in order {
                let lines = named.remove(&name).unwrap_or_default();
                columns.push((name, lines));
            }
        }
        Some(formulas) => {
            for formula in formulas {
                let text = formula["formula"].as_str().ok_or_else(|| bad("'formula' is required"))?;
                let expression = parse_formula(text).map_err(|error| bad(&error))?;
                let mut lines = evaluate(&expression, call.world(), call.now, grid, &named).map_err(|error| bad(&error))?;
                let limit = &formula["limit"];
                if limit.is_object() {
                    lines.sort_by(|a, b| total(b).total_cmp(&total(a)));
                    if limit["order"] == "asc" {
                        lines.reverse();
                    }
                    lines.truncate(limit["count"].as_u64().unwrap_or(u64::MAX) as usize);
                }
                columns.push((text.to_owned(), lines));
            }
        }
    }
    Ok(Computed { grid, columns })
}

fn total(line: &Line) -> f64 {
    line.points.iter().flatten().sum()
}

/// The lines of one query.
fn lines(call: &Call<'_>, query: &Value, grid: Grid, scalar: bool) -> Result<Vec<Line>, Reply> {
    let source = query["data_source"].as_str().unwrap_or_default();
    match source {
        "metrics" | "cloud_cost" => {
            let text = query["query"].as_str().ok_or_else(|| bad("a metrics query needs 'query'"))?;
            let expressions: Vec<Expression> = parse_queries(text).map_err(|error| bad(&error))?;
            let mut lines = Vec::new();
            for expression in &expressions {
                lines.extend(evaluate(expression, call.world(), call.now, grid, &HashMap::new()).map_err(|error| bad(&error))?);
            }
            Ok(lines)
        }
        "logs" => events(query, grid, scalar, call.world().logs(), |event| event.at),
        "rum" => events(query, grid, scalar, call.world().rum(), |event| event.at),
        "events" => events(query, grid, scalar, call.world().events(), |event| event.at),
        "spans" => events(query, grid, scalar, &call.world().spans().list, |span| span.start / 1_000_000),
        "" => Err(bad("'data_source' is required")),
        // Other products are there but empty in this org.
        "audit"
        | "ci_pipelines"
        | "ci_tests"
        | "security_signals"
        | "profiles"
        | "network"
        | "product_analytics"
        | "on_call_events"
        | "apm_metrics"
        | "apm_resource_stats"
        | "apm_dependency_stats"
        | "slo"
        | "container"
        | "process" => Ok(Vec::new()),
        other => Err(bad(&format!("unknown data_source \"{other}\""))),
    }
}

/// Counts or measures records in steps, by group.
fn events<R: Searchable>(query: &Value, grid: Grid, scalar: bool, records: &[R], at: impl Fn(&R) -> i64) -> Result<Vec<Line>, Reply> {
    let filter = search::parse_query(&query["search"]["query"], |_, why| bad(why))?;
    let mut compute = aggregate_request::compute(&query["compute"], |_, why| bad(why))?;
    compute.interval = (!scalar).then_some(grid.step);
    let groups = aggregate_request::groups(query, |_, why| bad(why))?;
    let matching: Vec<(i64, &R)> = records
        .iter()
        .map(|record| (at(record), record))
        .filter(|(at, record)| (grid.from..=grid.to).contains(at) && filter.fits(*record))
        .collect();
    let buckets = aggregate::buckets(&matching, &[compute], &groups);
    let lines = buckets.into_iter().map(|bucket| {
        let tags: Vec<String> = bucket.by.iter().map(|(facet, value)| format!("{facet}:{}", value.as_str().unwrap_or_default())).collect();
        // A scalar is one value, said at every step so that formulas can meet it.
        let mut points = vec![bucket.computes["c0"].as_f64(); grid.times().count()];
        let first = grid.times().next().unwrap_or(grid.from);
        for point in bucket.computes["c0"].as_array().into_iter().flatten() {
            let at = point["time"].as_str().and_then(|text| time::parse(text, 0)).unwrap_or(first);
            let nth = (at.max(first) - first) / grid.step;
            if let Some(slot) = points.get_mut(nth as usize) {
                *slot = Some(slot.unwrap_or(0.0) + point["value"].as_f64().unwrap_or_default());
            }
        }
        let name = query["name"].as_str().unwrap_or_default().to_owned();
        Line { metric: name.clone(), expression: name, scope: String::new(), aggregator: None, tags, points, unit: None }
    });
    Ok(lines.collect())
}

/// One point out of many, by the query's aggregator.
fn reduce(line: &mut Line, query: &Value, grid: Grid) {
    let values: Vec<f64> = line.points.iter().flatten().copied().collect();
    let value = match query["aggregator"].as_str() {
        Some("sum") => Function::Sum.of(values),
        Some("min") => Function::Min.of(values),
        Some("max") => Function::Max.of(values),
        Some("last") => values.last().copied(),
        Some("percentile") => Function::Percentile(0.95).of(values),
        _ => Function::Avg.of(values),
    };
    line.points = vec![value; grid.times().count()];
}

fn timeseries(call: &Call<'_>) -> Answer {
    let computed = compute(call, "timeseries_request", false)?;
    let mut series = Vec::new();
    let mut values = Vec::new();
    for (nth, (_, lines)) in computed.columns.into_iter().enumerate() {
        for line in lines {
            series.push(json!({"group_tags": line.tags, "query_index": nth, "unit": unit_pair(line.unit)}));
            values.push(line.points);
        }
    }
    let times: Vec<i64> = if series.is_empty() { Vec::new() } else { computed.grid.times().collect() };
    let answer =
        json!({"data": {"id": "0", "type": "timeseries_response", "attributes": {"series": series, "times": times, "values": values}}});
    Ok(Reply::text(JSON_API, answer.to_string()))
}

fn scalar(call: &Call<'_>) -> Answer {
    let computed = compute(call, "scalar_request", true)?;
    // Rows are the groups of all columns, in the order in which they first appear.
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in computed.columns.iter().flat_map(|(_, lines)| lines) {
        if !rows.contains(&line.tags) {
            rows.push(line.tags.clone());
        }
    }
    let mut columns = Vec::new();
    let keys: Vec<String> = rows
        .iter()
        .map(|row| row.iter().filter_map(|tag| tag.split_once(':')).map(|(key, _)| key.to_owned()).collect::<Vec<_>>())
        .max_by_key(Vec::len)
        .unwrap_or_default();
    for (at, key) in keys.iter().enumerate() {
        let values: Vec<Value> = rows
            .iter()
            .map(|row| json!([row.get(at).and_then(|tag| tag.split_once(':')).map(|(_, value)| value).unwrap_or_default()]))
            .collect();
        columns.push(json!({"name": key, "type": "group", "values": values}));
    }
    for (name, lines) in &computed.columns {
        let values: Vec<Option<f64>> = rows
            .iter()
            .map(|row| lines.iter().find(|line| line.tags == *row).and_then(|line| line.points.iter().flatten().next().copied()))
            .collect();
        let unit = lines.first().map_or(Value::Null, |line| unit_pair(line.unit));
        columns.push(json!({"name": name, "type": "number", "values": values, "meta": {"unit": unit}}));
    }
    let answer = json!({"data": {"type": "scalar_response", "attributes": {"columns": columns}}});
    Ok(Reply::text(JSON_API, answer.to_string()))
}
