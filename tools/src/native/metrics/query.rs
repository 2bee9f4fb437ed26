//! `metrics_query`: several queries and formulas in one call, every series with its statistics and its shape.

use super::{diagnose, explorer, expression::Expressions};
use crate::{
    CallContext, Content, Draft, Effect, TimeRange, Total,
    answer::{Column, Form},
    native::{
        Facts, Run, decode, plan,
        series::{LEGEND, Scale, Stats, number, on_grid, sparkline},
    },
};
use async_trait::async_trait;
use datadog_client::{Fix, Refusal, Request, untrusted};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const OPERATION: &str = "v2.QueryTimeseriesData";
/// Slots of a sparkline: eight tokens.
const WIDTH: usize = 24;
/// Series shown when the caller names no number.
const DEFAULT_LIMIT: usize = 20;

pub(super) struct MetricsQuery;

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// Queries, e.g. `["errors=sum:app.errors{env:prod}"]`
    #[schemars(length(min = 1, max = 20))]
    queries: Vec<String>,
    /// Formulas over names, else `a`, `b` …, e.g. `["errors/b*100"]`
    formulas: Option<Vec<String>>,
    /// Start, e.g. `4h`; default `1h`
    from: Option<String>,
    /// End, e.g. `now`
    to: Option<String>,
    /// Time between points, e.g. `5m`
    interval: Option<String>,
    /// Points instead of statistics
    points: Option<bool>,
    /// Series shown, e.g. 20
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
    /// Series with the largest first, e.g. `last`
    sort: Option<Sort>,
    /// Answer size, e.g. `8000`
    #[expect(dead_code, reason = "the way of a call takes it out; `CallContext::budget` is what comes of it")]
    max_tokens: Option<usize>,
    /// Goes on from the last answer
    #[expect(dead_code, reason = "the way of a call takes it out; `CallContext::page` is what comes of it")]
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Max,
    Avg,
    Last,
    Min,
}

/// `data.attributes` of `TimeseriesFormulaQueryResponse`, and the errors that come with a 200.
#[derive(Debug, Default, Deserialize)]
struct Answer {
    data: Option<Data>,
    errors: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Data {
    attributes: Option<Attributes>,
}

/// Series, their shared times in milliseconds, and one list of values a series.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Attributes {
    #[serde(default)]
    series: Option<Vec<Series>>,
    #[serde(default)]
    times: Option<Vec<i64>>,
    #[serde(default)]
    values: Option<Vec<Option<Vec<Option<f64>>>>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Series {
    #[serde(default)]
    group_tags: Option<Vec<String>>,
    #[serde(default)]
    query_index: usize,
    #[serde(default)]
    unit: Value,
}

/// One series with its values and statistics.
struct Found {
    series: Series,
    values: Vec<Option<f64>>,
    stats: Stats,
}

#[async_trait]
impl Run for MetricsQuery {
    type Arguments = Arguments;

    const FACTS: Facts = Facts {
        name: "metrics_query",
        title: "Query metrics",
        description: "How metrics moved: min, avg, max, last and shape of each series; find when something changed. \
            Query: `aggregator:metric{filter} by {tags}`, e.g. `avg:system.cpu.user{env:prod} by {host}`, `p95:…`, `sum:….as_count()`, `top(…)`, `a/b*100`, a monitor's. \
            Names: metrics_search, tags: metric_describe. Then take a peak's time into logs_search or spans_search.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[OPERATION, "v1.ListMetrics", "v2.ListTagsByMetricName"],
        view: false,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: Arguments) -> Result<Draft, Refusal> {
        let range = cx.range(arguments.from.as_deref(), arguments.to.as_deref(), "1h")?;
        let expressions = Expressions::read(&arguments.queries, arguments.formulas.as_deref().unwrap_or_default())?;
        let interval = arguments.interval.as_deref().map(interval).transpose()?;
        let reply = cx.send(&request(&expressions, range, interval)?).await?;
        let answer: Answer = decode(&reply, OPERATION)?;
        let said = answer.errors.as_ref().and_then(said);
        let attributes = answer.data.and_then(|data| data.attributes).unwrap_or_default();
        let times = attributes.times.clone().unwrap_or_default();
        let (mut found, silent) = found(attributes);
        if let (Some(said), true) = (&said, found.is_empty()) {
            return Err(refused(said));
        }
        let mut draft = if found.is_empty() {
            let mut draft = Draft::new("diagnosis (no series found)", Content::Lines(diagnose::explain(cx, &expressions, range).await));
            draft.total = Total::Exact(0);
            draft
        } else {
            order(&mut found, arguments.sort.unwrap_or_default());
            let page = Paging::of(cx, arguments.limit.unwrap_or(DEFAULT_LIMIT), found.len());
            let shown = &found[page.from..page.to];
            let mut draft = if arguments.points.unwrap_or(false) {
                points(&expressions, shown, &times)
            } else {
                statistics(&expressions, shown, &times, range)
            };
            if arguments.points.unwrap_or(false) {
                draft.facts.push(format!("series: {} of {}", shown.len(), found.len()));
                if page.to < found.len() {
                    draft.notes.push(format!("{} more series are left out; raise `limit`, or group by less.", found.len() - page.to));
                }
            } else {
                draft.total = Total::Exact(found.len() as u64);
                draft.next = page.next();
            }
            draft
        };
        if let Some(step) = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0).min() {
            draft.facts.push(format!("a point every {}", crate::native::series::duration(step.saturating_mul(1_000_000))));
        }
        draft.range = Some(range);
        draft.link = expressions.queries.first().map(|query| explorer(cx.client.site(), &query.text, Some(range)));
        draft.notes.extend(expressions.notes);
        if silent > 0 {
            draft.notes.push(format!("{silent} more series have no value in this range."));
        }
        if let Some(said) = said {
            draft.notes.push("Datadog added a text to its answer; it stands above.".to_owned());
            draft.hints.push(format!("Datadog added: {}", untrusted::shown(&said, 300)));
        }
        draft.heed(&reply);
        Ok(draft)
    }
}

/// The request of `queries` and formulas over a range.
pub(super) fn request(expressions: &Expressions, range: TimeRange, interval_ms: Option<i64>) -> Result<Request, Refusal> {
    let queries: Vec<Value> =
        expressions.queries.iter().map(|query| json!({"data_source": "metrics", "name": query.name, "query": query.text})).collect();
    let formulas: Vec<Value> = expressions.formulas.iter().map(|formula| json!({"formula": formula.text})).collect();
    let mut attributes = json!({"from": range.from_ms, "to": range.to_ms, "queries": queries, "formulas": formulas});
    if let Some(interval) = interval_ms {
        attributes["interval"] = interval.into();
    }
    plan(OPERATION, json!({"body": {"data": {"type": "timeseries_request", "attributes": attributes}}}))
}

/// When any series of a range last had a value, milliseconds.
pub(super) async fn last_seen(cx: &CallContext<'_>, expressions: &Expressions, range: TimeRange) -> Result<Option<i64>, Refusal> {
    let reply = cx.send(&request(expressions, range, None)?).await?;
    let answer: Answer = decode(&reply, OPERATION)?;
    let attributes = answer.data.and_then(|data| data.attributes).unwrap_or_default();
    let times = attributes.times.unwrap_or_default();
    let last = |values: &Vec<Option<f64>>| values.iter().rposition(Option::is_some).and_then(|at| times.get(at)).copied();
    Ok(attributes.values.unwrap_or_default().iter().flatten().filter_map(last).max())
}

/// Series that have a value, and how many have none.
fn found(attributes: Attributes) -> (Vec<Found>, usize) {
    let series = attributes.series.unwrap_or_default();
    let count = series.len();
    let values = attributes.values.unwrap_or_default().into_iter().map(Option::unwrap_or_default);
    let found: Vec<Found> = series
        .into_iter()
        .zip(values)
        .filter_map(|(series, values)| Stats::of(&values).map(|stats| Found { series, values, stats }))
        .collect();
    let silent = count - found.len();
    (found, silent)
}

/// Formula by formula, and inside each the series asked for first.
fn order(found: &mut [Found], sort: Sort) {
    let key = |found: &Found| match sort {
        Sort::Max => found.stats.max,
        Sort::Avg => found.stats.avg,
        Sort::Last => found.stats.last,
        Sort::Min => -found.stats.min,
    };
    found.sort_by(|a, b| {
        a.series
            .query_index
            .cmp(&b.series.query_index)
            .then(key(b).total_cmp(&key(a)))
            .then_with(|| a.series.group_tags.cmp(&b.series.group_tags))
    });
}

/// Which of the ordered series this page shows.
struct Paging {
    from: usize,
    to: usize,
    of: usize,
}

impl Paging {
    fn of(cx: &CallContext<'_>, limit: usize, count: usize) -> Self {
        let state = cx.page.and_then(|page| page.state.as_ref());
        let from = state
            .and_then(|state| state.get("offset"))
            .and_then(Value::as_u64)
            .map_or(0, |offset| usize::try_from(offset).unwrap_or(usize::MAX));
        let from = from.min(count);
        Self { from, to: from.saturating_add(limit).min(count), of: count }
    }

    fn next(&self) -> Option<Value> {
        (self.to < self.of).then(|| json!({"offset": self.to}))
    }
}

/// One scale a formula, so that its series compare.
fn scales(found: &[Found]) -> BTreeMap<usize, Scale> {
    let mut largest: BTreeMap<usize, (f64, &Value)> = BTreeMap::new();
    for one in found {
        let entry = largest.entry(one.series.query_index).or_insert((0.0, &one.series.unit));
        entry.0 = entry.0.max(one.stats.max.abs()).max(one.stats.min.abs());
        if entry.1.is_null() {
            entry.1 = &one.series.unit;
        }
    }
    largest.into_iter().map(|(index, (largest, unit))| (index, Scale::of(unit, largest))).collect()
}

/// A row a series: what it is, its statistics and its shape.
fn statistics(expressions: &Expressions, found: &[Found], times: &[i64], range: TimeRange) -> Draft {
    let scales = scales(found);
    let mut keys: Vec<String> = Vec::new();
    let several = expressions.formulas.len() > 1;
    let rows = found.iter().map(|one| {
        let formula = expressions.formulas.get(one.series.query_index);
        let scale = scales.get(&one.series.query_index);
        let factor = scale.map_or(1.0, |scale| scale.factor);
        let short = |value: f64| number(value * factor);
        let mut row = Map::new();
        if several {
            row.insert("query".to_owned(), formula.map(|formula| formula.label.clone()).into());
        }
        let mut tags = Map::new();
        for tag in one.series.group_tags.iter().flatten() {
            let (key, value) = tag.split_once(':').unwrap_or(("tag", tag));
            if !keys.iter().any(|known| known == key) {
                keys.push(key.to_owned());
            }
            tags.insert(column_key(key), value.into());
        }
        if !tags.is_empty() {
            row.insert("tags".to_owned(), tags.into());
        }
        row.insert("unit".to_owned(), scale.map(|scale| scale.label.clone()).filter(|label| !label.is_empty()).into());
        row.insert("min".to_owned(), short(one.stats.min));
        row.insert("avg".to_owned(), short(one.stats.avg));
        row.insert("max".to_owned(), short(one.stats.max));
        row.insert("max_at".to_owned(), times.get(one.stats.max_index).map(|time| clock(*time, range)).into());
        row.insert("last".to_owned(), short(one.stats.last));
        // A sum says something only where points are counts.
        if formula
            .is_some_and(|formula| expressions.queries.iter().any(|query| query.name == formula.text && query.text.contains(".as_count()")))
        {
            row.insert("sum".to_owned(), short(one.stats.sum));
        }
        if one.stats.gaps > 0 {
            row.insert("gaps".to_owned(), one.stats.gaps.into());
        }
        row.insert("shape".to_owned(), shape(times, &one.values, range).into());
        Value::Object(row)
    });
    let records: Vec<Value> = rows.collect();
    let mut columns = Vec::new();
    if several {
        columns.push(column("query", "query"));
    }
    columns.extend(keys.iter().map(|key| column(&format!("tags.{}", column_key(key)), key)));
    columns.extend(["unit", "min", "avg", "max", "max_at", "last", "sum", "gaps", "shape"].map(|name| column(name, name)));
    let mut draft = Draft::rows("series", records, columns);
    draft.facts.push(LEGEND.to_owned());
    draft
}

/// Regular points are drawn as they are, irregular or few ones on a grid of time.
fn shape(times: &[i64], values: &[Option<f64>], range: TimeRange) -> String {
    let step = times.windows(2).map(|pair| pair[1] - pair[0]);
    let (least, most) = step.fold((i64::MAX, 0), |(least, most), step| (least.min(step), most.max(step)));
    if least == most { sparkline(values, WIDTH) } else { sparkline(&on_grid(times, values, range.from_ms, range.to_ms, WIDTH), WIDTH) }
}

/// A row an instant, a column a series.
fn points(expressions: &Expressions, found: &[Found], times: &[i64]) -> Draft {
    let scales = scales(found);
    let mut columns = vec![Column { path: "time".to_owned(), name: "time".to_owned(), form: Form::Time }];
    for (index, one) in found.iter().enumerate() {
        let scale = scales.get(&one.series.query_index).filter(|scale| !scale.label.is_empty());
        let tags = one.series.group_tags.iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        let label = expressions.formulas.get(one.series.query_index).map_or("", |formula| formula.label.as_str());
        let name = match (expressions.formulas.len() > 1, tags.is_empty()) {
            (false, false) => tags,
            (true, false) => format!("{label} {tags}"),
            (_, true) => label.to_owned(),
        };
        columns.push(column(&format!("s{index}"), &scale.map_or(name.clone(), |scale| format!("{name} ({})", scale.label))));
    }
    let row = |(at, time): (usize, &i64)| {
        let mut row = Map::new();
        row.insert("time".to_owned(), (*time).into());
        for (index, one) in found.iter().enumerate() {
            let factor = scales.get(&one.series.query_index).map_or(1.0, |scale| scale.factor);
            row.insert(format!("s{index}"), one.values.get(at).copied().flatten().map_or(Value::Null, |value| number(value * factor)));
        }
        Value::Object(row)
    };
    let records: Vec<Value> = times.iter().enumerate().map(row).collect();
    let total = records.len() as u64;
    let mut draft = Draft::rows("points", records, columns);
    draft.total = Total::Exact(total);
    draft
}

fn column(path: &str, name: &str) -> Column {
    Column { path: path.to_owned(), name: name.to_owned(), form: Form::Plain }
}

/// A tag key as a step of a dotted path.
fn column_key(key: &str) -> String {
    key.replace('.', "_")
}

/// The instant as short as the range allows.
fn clock(time_ms: i64, range: TimeRange) -> String {
    let Ok(time) = Timestamp::from_millisecond(time_ms) else {
        return time_ms.to_string();
    };
    let form = if range.to_ms - range.from_ms <= 86_400_000 { "%H:%M:%S" } else { "%m-%d %H:%M" };
    time.strftime(form).to_string()
}

/// `30`, `30s`, `5m`, `1h`, `1d` in milliseconds.
fn interval(text: &str) -> Result<i64, Refusal> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[split..] {
        "" | "s" => 1_000,
        "ms" => 1,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 0,
    };
    text[..split].parse::<i64>().ok().and_then(|count| count.checked_mul(unit)).filter(|interval| *interval > 0).ok_or_else(|| {
        Refusal::invalid(format!("`interval` cannot be `{text}`."))
            .because("It is a number of seconds or a duration, e.g. `60`, `5m`, `1h`.")
    })
}

/// What a 200 says went wrong: a text or a list of texts.
fn said(errors: &Value) -> Option<String> {
    let text = match errors {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            list.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    };
    (!text.trim().is_empty()).then_some(text)
}

/// Datadog answers a query it cannot run with 200 and a text.
fn refused(said: &str) -> Refusal {
    let mut refusal = Refusal::invalid("Datadog could not run the query.")
        .because("It answered 200 with an error instead of series.")
        .on(OPERATION)
        .fix(Fix::new("metric_describe", "Says which tags and which type a metric has."));
    refusal.status = Some(200);
    refusal.datadog_said = Some(untrusted::cap(&untrusted::clean(said), 500).into_owned());
    refusal
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
