//! `metric_describe`: what one metric is, from four calls made at once; each may fail without the others.

use super::{
    diagnose::{Tags, tags_of},
    missing_part,
    search::link,
};
use crate::{
    CallContext, Content, Draft, Effect, Total,
    native::{Facts, Run, plan},
};
use async_trait::async_trait;
use datadog_client::{Fix, Kind, Refusal};
use futures::future::join4;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

const METADATA: &str = "v1.GetMetricMetadata";
const ACTIVE: &str = "v2.ListActiveMetricConfigurations";
const VOLUMES: &str = "v2.ListVolumesByMetricName";
/// Tag pairs asked for.
const PAIRS: u32 = 20_000;
/// Values shown of one tag key.
const VALUES: usize = 15;

pub(super) struct MetricDescribe;

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// Name, e.g. `trace.http.request.errors`
    metric: String,
    /// Tags of the last, e.g. `1d`; default and least `4h`
    window: Option<String>,
    /// Every value of this tag key, e.g. `service`
    tag: Option<String>,
    /// Answer size, e.g. `8000`
    #[expect(dead_code, reason = "the way of a call takes it out; `CallContext::budget` is what comes of it")]
    max_tokens: Option<usize>,
}

#[async_trait]
impl Run for MetricDescribe {
    type Arguments = Arguments;

    const FACTS: Facts = Facts {
        name: "metric_describe",
        title: "Describe a metric",
        description: "What a metric is: type, unit, description, its tags with their values, volume, which tags are queried. \
            Use it before metrics_query to filter (`{service:checkout}`) and group (`by {host}`) by tags that exist. Names come from metrics_search, e.g. `postgresql.queries.time`.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[METADATA, "v2.ListTagsByMetricName", ACTIVE, VOLUMES],
        view: false,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: Arguments) -> Result<Draft, Refusal> {
        let metric = arguments.metric.trim();
        let window = match &arguments.window {
            Some(window) => {
                let range = crate::TimeRange::parse(window, "now", cx.now)?;
                Some(((range.to_ms - range.from_ms) / 1_000).max(14_400))
            }
            None => None,
        };
        let (metadata, tags, active, volumes) =
            join4(part(cx, METADATA, metric), tags_of(cx, metric, window, PAIRS), part(cx, ACTIVE, metric), part(cx, VOLUMES, metric))
                .await;
        // Datadog knows no metadata for a metric that nobody described; only when the tags are missing too it does not exist.
        if let (Err(refusal), true) = (&metadata, tags.as_ref().map_or(true, Tags::is_empty)) {
            let mut refusal = refusal.clone();
            if refusal.kind == Kind::NotFound {
                refusal.message = format!("There is no active metric named {metric}.");
                refusal.fixes.insert(0, Fix::new("metrics_search", "Finds names by a fragment.").with("query", longest(metric)));
            }
            return Err(refusal);
        }
        let mut lines = Vec::new();
        let mut notes = Vec::new();
        match &metadata {
            Ok(metadata) => lines.extend(described(metadata)),
            Err(refusal) => notes.push(missing_part("Type and unit", refusal)),
        }
        match &volumes {
            Ok(volumes) => lines.extend(volume(volumes)),
            Err(refusal) => notes.push(missing_part("Volumes", refusal)),
        }
        match &active {
            Ok(active) => lines.extend(queried(active)),
            Err(refusal) => notes.push(missing_part("What is queried", refusal)),
        }
        match &tags {
            Ok(tags) => lines.extend(tag_lines(tags, arguments.tag.as_deref())),
            Err(refusal) => notes.push(missing_part("Tags", refusal)),
        }
        let mut draft = Draft::new("metric", Content::Lines(lines));
        draft.total = Total::Exact(1);
        draft.facts.push(format!("tags of the last {}", arguments.window.as_deref().unwrap_or("4h")));
        draft.link = Some(link(cx, metric));
        draft.notes = notes;
        if let Ok(tags) = &tags
            && tags.values().map(Vec::len).sum::<usize>() >= PAIRS as usize
        {
            draft.notes.push(format!("Only the first {PAIRS} tag values were read."));
        }
        Ok(draft)
    }
}

async fn part(cx: &CallContext<'_>, operation: &str, metric: &str) -> Result<Value, Refusal> {
    cx.send(&plan(operation, json!({"metric_name": metric}))?).await?.json()
}

/// `type: count, unit: error/second, interval: 10s, integration: postgres` and the description.
fn described(metadata: &Value) -> Vec<String> {
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut facts = Vec::new();
    facts.extend(text("type").map(|kind| format!("type: {kind}")));
    match (text("unit"), text("per_unit")) {
        (Some(unit), Some(per)) => facts.push(format!("unit: {unit}/{per}")),
        (Some(unit), None) => facts.push(format!("unit: {unit}")),
        (None, Some(per)) => facts.push(format!("unit: per {per}")),
        (None, None) => {}
    }
    facts.extend(metadata.get("statsd_interval").and_then(Value::as_i64).map(|interval| format!("interval: {interval}s")));
    facts.extend(text("integration").map(|integration| format!("integration: {integration}")));
    facts.extend(text("short_name").map(|name| format!("short name: {name}")));
    let mut lines = Vec::new();
    lines.push(if facts.is_empty() { "no metadata".to_owned() } else { facts.join(", ") });
    lines.extend(text("description").map(|description| format!("description: {description}")));
    lines
}

fn volume(volumes: &Value) -> Option<String> {
    let attributes = volumes.pointer("/data/attributes")?;
    let names = [("ingested_volume", "ingested"), ("indexed_volume", "indexed"), ("distinct_volume", "distinct")];
    let facts: Vec<String> =
        names.iter().filter_map(|(key, word)| attributes.get(key).and_then(Value::as_i64).map(|count| format!("{word} {count}"))).collect();
    (!facts.is_empty()).then(|| format!("time series: {}", facts.join(", ")))
}

fn queried(active: &Value) -> Option<String> {
    let attributes = active.pointer("/data/attributes")?;
    let tags: Vec<&str> = attributes.get("active_tags").and_then(Value::as_array)?.iter().filter_map(Value::as_str).collect();
    let aggregations: Vec<String> = attributes
        .get("active_aggregations")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| Some(format!("{}/{}", one.get("time")?.as_str()?, one.get("space")?.as_str()?)))
        .collect();
    let mut facts = Vec::new();
    if !tags.is_empty() {
        facts.push(format!("by {}", tags.join(", ")));
    }
    if !aggregations.is_empty() {
        facts.push(format!("as {}", aggregations.join(", ")));
    }
    (!facts.is_empty()).then(|| format!("queried {}", facts.join("; ")))
}

/// A line a tag key, those with the most values last; of the key asked for, every value.
fn tag_lines(tags: &Tags, wanted: Option<&str>) -> Vec<String> {
    if tags.is_empty() {
        return vec!["no tags in this window".to_owned()];
    }
    if let Some(key) = wanted {
        return match tags.get(key) {
            Some(values) => vec![format!("tag {key}, {} values:", values.len()), values.join(", ")],
            None => vec![format!("no tag {key}; its tags are {}", tags.keys().map(String::as_str).collect::<Vec<_>>().join(", "))],
        };
    }
    let mut keys: Vec<(&String, &Vec<String>)> = tags.iter().collect();
    keys.sort_by_key(|(key, values)| (values.len(), *key));
    let line = |(key, values): (&String, &Vec<String>)| match values.len() {
        0 => format!("  {key}"),
        count if count <= VALUES => format!("  {key}: {}", values.join(", ")),
        count => format!("  {key}: {} … {} more", values[..VALUES].join(", "), count - VALUES),
    };
    std::iter::once(format!("tags ({} keys):", keys.len())).chain(keys.into_iter().map(line)).collect()
}

fn longest(metric: &str) -> &str {
    metric.split(['.', '_']).max_by_key(|part| part.len()).unwrap_or(metric)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn facts_are_one_line() {
        let metadata = json!({"type": "count", "unit": "error", "per_unit": "second", "statsd_interval": 10, "integration": "", "description": "Words."});
        assert_eq!(described(&metadata), ["type: count, unit: error/second, interval: 10s", "description: Words."]);
        assert_eq!(described(&json!({})), ["no metadata"]);
        assert_eq!(
            volume(&json!({"data": {"attributes": {"ingested_volume": 12, "indexed_volume": 3}}})).unwrap(),
            "time series: ingested 12, indexed 3"
        );
        let active = json!({"data": {"attributes": {"active_tags": ["host"], "active_aggregations": [{"time": "avg", "space": "sum"}]}}});
        assert_eq!(queried(&active).unwrap(), "queried by host; as avg/sum");
    }

    #[test]
    fn long_tag_lists_are_counted() {
        let tags =
            Tags::from([("pod".to_owned(), (0..40).map(|n| format!("p{n:02}")).collect()), ("env".to_owned(), vec!["prod".to_owned()])]);
        let lines = tag_lines(&tags, None);
        assert_eq!(lines[0], "tags (2 keys):");
        assert_eq!(lines[1], "  env: prod");
        assert!(lines[2].ends_with("p14 … 25 more"), "{}", lines[2]);
        assert_eq!(tag_lines(&tags, Some("pod"))[1].split(", ").count(), 40);
        assert_eq!(tag_lines(&tags, Some("x")), ["no tag x; its tags are env, pod"]);
    }
}
