//! Why a metric query found nothing: the metric's name, the tags of its filter, a wider range. At most six calls.

use super::{
    expression::{Expressions, conditions, parts},
    missing_part,
    query::last_seen,
    search::names_like,
};
use crate::{
    CallContext, TimeRange,
    native::{decode, plan},
};
use datadog_client::{Kind, Refusal};
use futures::future::{join, join_all};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Metrics looked into.
const METRICS: usize = 2;
/// How far the wider look goes back.
const WIDER_MS: i64 = 7 * 86_400_000;

/// Tag values of a metric by tag key.
pub(super) type Tags = BTreeMap<String, Vec<String>>;

/// Tags of a metric (v2.ListTagsByMetricName), at most `limit` pairs of the last `window_s` seconds.
pub(super) async fn tags_of(cx: &CallContext<'_>, metric: &str, window_s: Option<i64>, limit: u32) -> Result<Tags, Refusal> {
    #[derive(Default, Deserialize)]
    struct Answer {
        data: Option<Data>,
    }
    #[derive(Default, Deserialize)]
    struct Data {
        attributes: Option<Attributes>,
    }
    #[derive(Default, Deserialize)]
    struct Attributes {
        tags: Option<Vec<String>>,
        ingested_tags: Option<Vec<String>>,
    }
    const OPERATION: &str = "v2.ListTagsByMetricName";
    let mut arguments = json!({"metric_name": metric, "page[limit]": limit, "filter[allow_partial]": true});
    if let Some(window) = window_s {
        arguments["window[seconds]"] = window.into();
    }
    let reply = cx.send(&plan(OPERATION, arguments)?).await?;
    let answer: Answer = decode(&reply, OPERATION)?;
    let attributes = answer.data.and_then(|data| data.attributes).unwrap_or_default();
    let mut tags = Tags::new();
    for tag in attributes.tags.into_iter().flatten().chain(attributes.ingested_tags.into_iter().flatten()) {
        let (key, value) = tag.split_once(':').unwrap_or((&tag, ""));
        let values = tags.entry(key.to_owned()).or_default();
        if !value.is_empty() {
            values.push(value.to_owned());
        }
    }
    for values in tags.values_mut() {
        values.sort_unstable();
        values.dedup();
    }
    Ok(tags)
}

/// Lines that say why nothing was found and what to try.
pub(super) async fn explain(cx: &CallContext<'_>, expressions: &Expressions, range: TimeRange) -> Vec<String> {
    cx.progress.report(1, Some(2), "No series; looking why");
    let mut metrics: Vec<(&str, &str)> = Vec::new();
    for query in &expressions.queries {
        if let Some(parts) = parts(&query.text)
            && !metrics.iter().any(|(metric, _)| *metric == parts.metric)
        {
            metrics.push((parts.metric, parts.filter));
        }
    }
    let looked = join_all(metrics.iter().take(METRICS).map(|(metric, filter)| about(cx, metric, filter)));
    let (mut lines, wider) = join(looked, wider(cx, expressions, range)).await;
    lines.push(wider);
    let mut lines: Vec<String> = lines.into_iter().flatten().collect();
    if metrics.len() > METRICS {
        lines.push(format!("{} more metrics of the queries were not looked into.", metrics.len() - METRICS));
    }
    lines
}

async fn wider(cx: &CallContext<'_>, expressions: &Expressions, range: TimeRange) -> Vec<String> {
    let wide =
        TimeRange { from_ms: range.to_ms.saturating_sub(WIDER_MS).min(range.from_ms), to_ms: cx.now.as_millisecond().max(range.to_ms) };
    if wide.from_ms == range.from_ms && wide.to_ms == range.to_ms {
        return vec!["The range is already wide; no series in it.".to_owned()];
    }
    let day = |time: i64| {
        Timestamp::from_millisecond(time).map_or_else(|_| time.to_string(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    };
    match last_seen(cx, expressions, wide).await {
        Ok(Some(last)) => vec![format!(
            "The same queries have data in a wider range ({} to {}), last at {}.",
            day(wide.from_ms),
            day(wide.to_ms),
            day(last)
        )],
        Ok(None) => vec![format!("A wider range ({} to {}) has no data either.", day(wide.from_ms), day(wide.to_ms))],
        Err(refusal) => vec![missing_part("A wider range", &refusal)],
    }
}

async fn about(cx: &CallContext<'_>, metric: &str, filter: &str) -> Vec<String> {
    let (names, tags) = join(names_like(cx, metric), tags_of(cx, metric, None, 5_000)).await;
    let mut lines = Vec::new();
    match names {
        Ok(names) if names.iter().any(|name| name == metric) => lines.push(format!("Metric {metric} exists.")),
        Ok(_) => {
            let near = similar(cx, metric).await;
            let hint = if near.is_empty() { "; try metrics_search".to_owned() } else { format!("; similar: {}", near.join(", ")) };
            lines.push(format!("No active metric is named {metric}{hint}."));
        }
        Err(refusal) => lines.push(missing_part("Names of metrics", &refusal)),
    }
    match tags {
        Ok(tags) if !tags.is_empty() => {
            lines.extend(conditions(filter).into_iter().filter_map(|(key, value)| absent(&tags, metric, key, value)));
        }
        Ok(_) => {}
        Err(refusal) if refusal.kind == Kind::NotFound => {}
        Err(refusal) => lines.push(missing_part("Its tags", &refusal)),
    }
    lines
}

/// Says that a condition of the filter matches no tag of the metric, and what comes nearest.
fn absent(tags: &Tags, metric: &str, key: &str, value: &str) -> Option<String> {
    let Some(values) = tags.get(key) else {
        let keys = nearest(key, tags.keys().map(String::as_str), 12).join(", ");
        return Some(format!("{metric} has no tag {key}; it has {keys}."));
    };
    if values.iter().any(|known| known == value) {
        return None;
    }
    Some(format!(
        "Tag {key} of {metric} has no value {value} in the last hours; it has {}.",
        nearest(value, values.iter().map(String::as_str), 8).join(", ")
    ))
}

/// Names that share the rarest part with one that does not exist.
async fn similar(cx: &CallContext<'_>, metric: &str) -> Vec<String> {
    let Some(part) = metric.split(['.', '_']).max_by_key(|part| part.len()).filter(|part| part.len() > 2) else {
        return Vec::new();
    };
    match names_like(cx, part).await {
        Ok(names) => nearest(metric, names.iter().map(String::as_str), 5).into_iter().map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    }
}

/// The `count` most alike, best first.
fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>, count: usize) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = names.map(|name| (strsim::jaro_winkler(wanted, name), name)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(count).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn an_absent_condition_is_named_with_what_comes_nearest() {
        let tags = Tags::from([
            ("service".to_owned(), vec!["cart".to_owned(), "checkout".to_owned()]),
            ("env".to_owned(), vec!["prod".to_owned()]),
        ]);
        assert_eq!(absent(&tags, "m", "service", "checkout"), None);
        assert_eq!(
            absent(&tags, "m", "service", "chekout").unwrap(),
            "Tag service of m has no value chekout in the last hours; it has checkout, cart."
        );
        assert_eq!(absent(&tags, "m", "servce", "x").unwrap(), "m has no tag servce; it has service, env.");
    }
}
