//! An aggregation: a table of groups, or a line per series.

use super::{
    Filter, Store,
    body::per_facet,
    buckets::{Bucket, Buckets},
    column,
    compute::{Compute, interval},
    diagnosis, formed,
    grid::{Grid, instant_ms},
};
use crate::{
    CallContext, Column, Content, Draft,
    answer::{Form, Total},
    native::series::{LEGEND, Stats, duration, significant, sparkline, text},
};
use datadog_client::Refusal;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Groups asked for when the caller names no number.
const DEFAULT_GROUPS: u32 = 20;

/// Slots of a sparkline.
const WIDTH: usize = 48;

/// One aggregation as a tool asks for it.
#[derive(Debug)]
pub(crate) struct Aggregation {
    /// Where.
    pub(crate) store: &'static Store,
    /// Over which records.
    pub(crate) filter: Filter,
    /// What is computed, as texts; empty for `count`.
    pub(crate) compute: Vec<String>,
    /// Facets.
    pub(crate) group_by: Vec<String>,
    /// Groups per facet.
    pub(crate) limit: Option<u32>,
    /// Step of a series; none for one value a group.
    pub(crate) interval: Option<String>,
    /// Every point as a row.
    pub(crate) points: bool,
    /// `@duration` is nanoseconds in this store.
    pub(crate) nanos: bool,
    /// Other storage tiers to look into when nothing is found.
    pub(crate) elsewhere: &'static [&'static str],
}

/// Runs an aggregation, with a diagnosis when nothing matched.
pub(crate) async fn aggregate(cx: &CallContext<'_>, asked: Aggregation) -> Result<Draft, Refusal> {
    let computes = Compute::list(&asked.compute)?;
    let groups = facets(&asked.group_by);
    let limit = asked.limit.unwrap_or(DEFAULT_GROUPS).clamp(1, 10_000);
    let step = asked.interval.as_deref().map(interval).transpose()?;
    let request = asked.store.aggregate(&asked.filter, &computes, step.as_deref(), &groups, limit)?;
    let reply = cx.send(&request).await?;
    let buckets = Buckets::read(&reply, asked.store.subject)?;
    let nothing = is_nothing(&buckets.list, &computes);
    let groups_found = buckets.list.len();
    let full = full_facets(&buckets.list, &groups, per_facet(limit, groups.len()) as usize);
    let grid = step.as_deref().and_then(|step| Grid::of(asked.filter.range, step, times(&buckets.list, computes.len())));
    let layout = Layout { groups: &groups, computes: &computes, nanos: asked.nanos, grid };
    let mut draft = match (step.is_some(), asked.points) {
        (false, _) => Draft::rows(&layout.subject(asked.store.subject), layout.rows(buckets.list), layout.columns()),
        (true, true) => layout.points(asked.store.subject, &buckets.list),
        (true, false) => layout.lines(asked.store.subject, &buckets.list),
    };
    draft.heed(&reply);
    draft.range = Some(asked.filter.range);
    draft.notes.extend(buckets.notes);
    if !full.is_empty() {
        if step.is_none() || !asked.points {
            draft.total = Total::AtLeast(groups_found as u64);
        }
        draft.notes.push(cut(&full, per_facet(limit, groups.len()), limit, &computes[0].name()));
    }
    if nothing {
        diagnosis::diagnose(cx, asked.store, &asked.filter, asked.elsewhere).await.into_draft(&mut draft);
        draft.notes.extend(ungrouped(&groups, &computes));
    }
    Ok(draft)
}

/// Facets that Datadog may have left values out of: the limit holds for each, within every value of the facets before it.
fn full_facets<'g>(buckets: &[Bucket], groups: &'g [String], limit: usize) -> Vec<&'g str> {
    let full = |level: &usize| {
        let mut values: HashMap<Vec<String>, HashSet<String>> = HashMap::new();
        for bucket in buckets {
            let value = |group: &String| bucket.by.get(group).map(plain).unwrap_or_default();
            let before = groups[..*level].iter().map(value).collect();
            // A single facet may come back under another name: each bucket is then a value of its own.
            let own = if groups.len() == 1 { Value::Object(bucket.by.clone()).to_string() } else { value(&groups[*level]) };
            values.entry(before).or_default().insert(own);
        }
        values.values().any(|values| values.len() >= limit)
    };
    (0..groups.len()).filter(full).map(|level| groups[level].as_str()).collect()
}

/// Says that groups may be missing.
fn cut(full: &[&str], each: u32, limit: u32, by: &str) -> String {
    let names = full.join(" and ");
    let more = if each < limit {
        format!("{each} are the most Datadog takes for so many facets: group by fewer, or narrow the query.")
    } else {
        "raise `limit` or narrow the query.".to_owned()
    };
    format!("Of {names} only the {each} largest values by {by} are shown, there may be more: {more}")
}

/// Instants of every series.
fn times(buckets: &[Bucket], computes: usize) -> impl Iterator<Item = i64> {
    let series = buckets.iter().flat_map(move |bucket| (0..computes).filter_map(|nth| bucket.value(nth).as_array())).flatten();
    series.filter_map(|point| point["time"].as_str().and_then(instant_ms))
}

/// Facets of the argument, which may come as one text with commas.
fn facets(group_by: &[String]) -> Vec<String> {
    group_by.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|facet| !facet.is_empty()).map(str::to_owned).collect()
}

/// No bucket, or counts of zero only.
fn is_nothing(buckets: &[Bucket], computes: &[Compute]) -> bool {
    buckets.iter().all(|bucket| {
        computes.iter().enumerate().all(|(nth, compute)| bucket.number(nth) == 0.0 && (compute.counts() || bucket.value(nth).is_null()))
    })
}

/// Records may match and still not be in a bucket.
fn ungrouped(groups: &[String], computes: &[Compute]) -> Option<String> {
    let needed: Vec<String> =
        groups.iter().cloned().chain(computes.iter().filter(|compute| !compute.counts()).map(Compute::name)).collect();
    (!needed.is_empty()).then(|| {
        format!("Only records that have {} are aggregated; an attribute must be a facet or measure in Datadog.", needed.join(" and "))
    })
}

/// How buckets are laid out.
struct Layout<'a> {
    groups: &'a [String],
    computes: &'a [Compute],
    nanos: bool,
    /// Steps of the series, where they are known.
    grid: Option<Grid>,
}

impl Layout<'_> {
    fn subject(&self, subject: &str) -> String {
        if self.groups.is_empty() { format!("aggregates of {subject}") } else { format!("groups of {subject}") }
    }

    fn columns(&self) -> Vec<Column> {
        let groups = self.groups.iter().map(|group| column(group, group));
        let computes = self.computes.iter().map(|compute| formed(&compute.name(), &compute.name(), compute.form(self.nanos)));
        groups.chain(computes).collect()
    }

    fn rows(&self, buckets: Vec<Bucket>) -> Vec<Value> {
        let row = |mut bucket: Bucket| {
            let mut row = Map::new();
            for group in self.groups {
                row.insert(group.clone(), bucket.by.remove(group).unwrap_or(Value::Null));
            }
            // Facets that Datadog names otherwise than they were asked for.
            row.extend(std::mem::take(&mut bucket.by));
            for (nth, compute) in self.computes.iter().enumerate() {
                row.insert(compute.name(), short(bucket.value(nth), compute.form(self.nanos)));
            }
            Value::Object(row)
        };
        buckets.into_iter().map(row).collect()
    }

    /// One line a series: its group and compute, statistics, shape.
    fn lines(&self, subject: &str, buckets: &[Bucket]) -> Draft {
        let mut lines = Vec::new();
        for bucket in buckets {
            for (nth, compute) in self.computes.iter().enumerate() {
                let (times, values) = self.on_grid(bucket.value(nth), compute);
                let Some(stats) = Stats::of(&values) else { continue };
                let show = |value: f64| match compute.form(self.nanos) {
                    Form::Nanos => duration(value as i64),
                    _ => text(value),
                };
                let sum = if compute.counts() { format!(" sum {}", show(stats.sum)) } else { String::new() };
                let gaps = if stats.gaps > 0 { format!(" gaps {}", stats.gaps) } else { String::new() };
                lines.push(format!(
                    "{}: min {} avg {} max {} at {} last {}{sum} shape {}{gaps}",
                    self.label(bucket, compute),
                    show(stats.min),
                    show(stats.avg),
                    show(stats.max),
                    times[stats.max_index],
                    show(stats.last),
                    sparkline(&values, WIDTH)
                ));
            }
        }
        let shown = lines.len() as u64;
        let mut draft = Draft::new("", Content::Lines(lines));
        draft.total = Total::Exact(shown);
        if shown > 0 {
            draft.facts.extend([format!("{shown} series of {subject}"), LEGEND.to_owned()]);
        } else {
            draft.subject = format!("series of {subject}");
        }
        draft
    }

    /// A row an instant, a column a series.
    fn points(&self, subject: &str, buckets: &[Bucket]) -> Draft {
        let mut rows: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        let mut columns = vec![formed("time", "time", Form::Time)];
        let mut counted: Vec<String> = Vec::new();
        for bucket in buckets {
            for (nth, compute) in self.computes.iter().enumerate() {
                let name = self.label(bucket, compute);
                for point in bucket.value(nth).as_array().into_iter().flatten() {
                    let time = time_text(&point["time"]);
                    let row = rows.entry(time.clone()).or_insert_with(|| Map::from_iter([("time".to_owned(), Value::String(time))]));
                    row.insert(name.clone(), short(&point["value"], compute.form(self.nanos)));
                }
                if compute.counts() {
                    counted.push(name.clone());
                }
                columns.push(formed(&name, &name, compute.form(self.nanos)));
            }
        }
        // Datadog leaves out steps without records: what is counted was zero then.
        if let Some(grid) = self.grid.filter(|_| !counted.is_empty()) {
            for time in grid.times() {
                let time = time_text(&Timestamp::from_millisecond(time).map_or_else(|_| Value::from(time), |time| time.to_string().into()));
                let row = rows.entry(time.clone()).or_insert_with(|| Map::from_iter([("time".to_owned(), Value::String(time))]));
                for name in &counted {
                    row.entry(name.clone()).or_insert_with(|| 0.into());
                }
            }
        }
        let rows: Vec<Value> = rows.into_values().map(Value::Object).collect();
        let shown = rows.len() as u64;
        let mut draft = Draft::rows(&format!("points of {subject}"), rows, columns);
        draft.total = Total::Exact(shown);
        draft
    }

    /// Times and values of a series, a value each step of the grid.
    fn on_grid(&self, value: &Value, compute: &Compute) -> (Vec<String>, Vec<Option<f64>>) {
        let (times, values) = points(value);
        let instants: Option<Vec<i64>> = times.iter().map(|time| instant_ms(time)).collect();
        match (self.grid, instants) {
            (Some(grid), Some(instants)) if !instants.is_empty() => {
                let text = |time: i64| Timestamp::from_millisecond(time).map_or_else(|_| time.to_string(), |time| time.to_string());
                (grid.times().into_iter().map(text).collect(), grid.spread(&instants, &values, compute))
            }
            _ => (times, values),
        }
    }

    fn label(&self, bucket: &Bucket, compute: &Compute) -> String {
        let by: Vec<String> = bucket.by.iter().map(|(facet, value)| format!("{facet}:{}", plain(value))).collect();
        match (by.is_empty(), self.computes.len()) {
            (true, _) => compute.name(),
            (false, 1) => by.join(" "),
            (false, _) => format!("{} {}", by.join(" "), compute.name()),
        }
    }
}

/// Times and values of a series; a lone value is a series without times.
fn points(value: &Value) -> (Vec<String>, Vec<Option<f64>>) {
    value.as_array().into_iter().flatten().map(|point| (time_text(&point["time"]), point["value"].as_f64())).unzip()
}

/// An instant to the second where it has no fraction.
fn time_text(value: &Value) -> String {
    plain(value).replace(".000Z", "Z")
}

/// A number without the digits nobody reads: six significant ones, whole nanoseconds, integers as they are.
fn short(value: &Value, form: Form) -> Value {
    match value.as_f64().filter(|_| value.is_f64()) {
        // Spans count in floats.
        Some(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => Value::from(number as i64),
        Some(number) if matches!(form, Form::Nanos) => Value::from(number.round() as i64),
        Some(number) => {
            let number = significant(number, 6);
            if number.fract() == 0.0 && number.abs() < 9.0e15 { Value::from(number as i64) } else { Value::from(number) }
        }
        None => value.clone(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::TimeRange;
    use serde_json::json;

    fn buckets(data: &Value) -> Vec<Bucket> {
        Buckets::take(json!({"data": data}), "spans").unwrap().list
    }

    fn computes(texts: &[&str]) -> Vec<Compute> {
        Compute::list(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn groups_become_rows() {
        let (groups, computes) = (vec!["service".to_owned(), "@http.status_code".to_owned()], computes(&["count", "p95(@duration)"]));
        let layout = Layout { groups: &groups, computes: &computes, nanos: true, grid: None };
        let rows = layout
            .rows(buckets(&json!([{"attributes": {"by": {"service": "a", "@http.status_code": 500}, "compute": {"c0": 3, "c1": 1.5e6}}}])));
        assert_eq!(rows, [json!({"service": "a", "@http.status_code": 500, "count": 3, "p95(@duration)": 1_500_000})]);
        let columns = layout.columns();
        assert_eq!(
            columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
            ["service", "@http.status_code", "count", "p95(@duration)"]
        );
        assert_eq!(columns[3].form, Form::Nanos);
    }

    #[test]
    fn series_become_lines() {
        let (groups, computes) = (vec!["service".to_owned()], computes(&["p95(@duration)"]));
        let layout = Layout { groups: &groups, computes: &computes, nanos: true, grid: None };
        let series = json!([{"time": "2023-06-29T09:40:00.000Z", "value": 1e6}, {"time": "2023-06-29T09:45:00.000Z", "value": 5e6}, {"time": "2023-06-29T09:50:00.000Z", "value": null}]);
        let draft = layout.lines("spans", &buckets(&json!([{"attributes": {"by": {"service": "a"}, "compute": {"c0": series}}}])));
        let Content::Lines(lines) = draft.content else { panic!("lines") };
        assert_eq!(lines, ["service:a: min 1ms avg 3ms max 5ms at 2023-06-29T09:45:00Z last 5ms shape 09_ gaps 1"]);
    }

    #[test]
    fn points_become_a_row_an_instant() {
        let (groups, computes) = (vec!["env".to_owned()], computes(&["count"]));
        let layout = Layout { groups: &groups, computes: &computes, nanos: false, grid: None };
        let data = json!([
            {"by": {"env": "prod"}, "computes": {"c0": [{"time": "2023-06-29T09:40:00Z", "value": 1}, {"time": "2023-06-29T09:45:00Z", "value": 2}]}},
            {"by": {"env": "qa"}, "computes": {"c0": [{"time": "2023-06-29T09:45:00Z", "value": 7}]}}
        ]);
        let draft = layout.points("logs", &buckets(&data));
        let Content::Rows { records, columns } = draft.content else { panic!("rows") };
        assert_eq!(columns.len(), 3);
        assert_eq!(records[1], json!({"time": "2023-06-29T09:45:00Z", "env:prod": 2, "env:qa": 7}));
    }

    #[test]
    fn a_facet_at_its_limit_may_have_more_values() {
        let groups = ["service".to_owned(), "status".to_owned()];
        let of = |pairs: &[(&str, &str)]| {
            let list: Vec<Value> = pairs.iter().map(|(a, b)| json!({"by": {"service": a, "status": b}, "computes": {"c0": 1}})).collect();
            buckets(&json!(list))
        };
        let pairs = of(&[("a", "ok"), ("a", "error"), ("b", "ok"), ("b", "error"), ("c", "ok")]);
        assert_eq!(full_facets(&pairs, &groups, 3), ["service"]);
        assert_eq!(full_facets(&pairs, &groups, 2), ["service", "status"]);
        assert!(full_facets(&pairs, &groups, 4).is_empty());
        // Five values of the second facet over all, but no more than two within one service.
        assert!(full_facets(&of(&[("a", "1"), ("a", "2"), ("b", "3"), ("b", "4")]), &groups, 3).is_empty());
        assert_eq!(full_facets(&buckets(&json!([{"by": {"other": 1}}, {"by": {"other": 2}}])), &groups[..1], 2), ["service"]);
        assert!(cut(&["a", "b", "c"], 21, 100, "count").contains("21 are the most"));
    }

    #[test]
    fn steps_without_records_are_zeros_of_a_count() {
        let (groups, computes) = (vec!["service".to_owned()], computes(&["count"]));
        let from_ms = instant_ms("2023-06-29T09:40:00Z").unwrap();
        let data = buckets(&json!([
            {"by": {"service": "a"}, "computes": {"c0": [{"time": "2023-06-29T09:40:00.000Z", "value": 4}, {"time": "2023-06-29T09:55:00.000Z", "value": 8}]}},
            {"by": {"service": "b"}, "computes": {"c0": [{"time": "2023-06-29T09:45:00.000Z", "value": 6}]}}
        ]));
        let grid = Grid::of(TimeRange { from_ms, to_ms: from_ms + 1_200_000 }, "5m", times(&data, 1));
        let layout = Layout { groups: &groups, computes: &computes, nanos: false, grid };
        let Content::Lines(lines) = layout.lines("logs", &data).content else { panic!("lines") };
        assert_eq!(
            lines,
            [
                "service:a: min 0 avg 3 max 8 at 2023-06-29T09:55:00Z last 8 sum 12 shape 5009",
                "service:b: min 0 avg 1.5 max 6 at 2023-06-29T09:45:00Z last 0 sum 6 shape 0900",
            ]
        );
        let Content::Rows { records, .. } = layout.points("logs", &data).content else { panic!("rows") };
        assert_eq!(records[2], json!({"time": "2023-06-29T09:50:00Z", "service:a": 0, "service:b": 0}));
    }

    #[test]
    fn numbers_lose_the_digits_nobody_reads() {
        assert_eq!(short(&json!(4_035_802_816.901_408_7), Form::Nanos), json!(4_035_802_817_i64));
        assert_eq!(short(&json!(4_035_802_816.901_408_7), Form::Plain), json!(4_035_800_000_i64));
        assert_eq!(short(&json!(0.123_456_789), Form::Plain), json!(0.123_457));
        assert_eq!(short(&json!(123_456_789), Form::Plain), json!(123_456_789));
        assert_eq!(short(&json!(123_456_789.0), Form::Plain), json!(123_456_789));
        assert_eq!(short(&Value::Null, Form::Plain), Value::Null);
    }

    #[test]
    fn nothing_is_no_bucket_or_zero_counts() {
        let count = computes(&["count"]);
        assert!(is_nothing(&[], &count));
        assert!(is_nothing(&buckets(&json!([{"computes": {"c0": 0}}])), &count));
        assert!(!is_nothing(&buckets(&json!([{"computes": {"c0": 2}}])), &count));
        let average = computes(&["avg(@d)"]);
        assert!(is_nothing(&buckets(&json!([{"computes": {"c0": null}}])), &average));
        assert!(!is_nothing(&buckets(&json!([{"computes": {"c0": 0}}])), &average), "an average of zero is a value");
    }
}
