//! Metrics: names, tags, metadata; and the v1 query.

use crate::call::{Call, Handler};
use crate::metrics::{Grid, Line, evaluate, parse_queries};
use crate::query::Glob;
use crate::reply::{Answer, Reply};
use crate::story::metrics::{Metric, Unit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v1.QueryMetrics" => query,
        "v1.ListActiveMetrics" => active,
        "v1.ListMetrics" => search,
        "v1.GetMetricMetadata" => metadata,
        "v2.ListTagConfigurations" => list,
        "v2.ListTagsByMetricName" => all_tags,
        "v2.ListTagConfigurationByName" => configuration,
        "v2.ListActiveMetricConfigurations" => queried,
        "v2.ListVolumesByMetricName" => volumes,
        "v2.ListMetricAssets" => assets,
        _ => return None,
    })
}

/// `[unit, null]` as queries answer it.
pub(crate) fn unit_pair(unit: Option<Unit>) -> Value {
    let Some((family, name, plural, short)) = unit else { return Value::Null };
    json!([{"family": family, "scale_factor": 1.0, "name": name, "short_name": short, "plural": plural, "id": name.len() + 3}, null])
}

fn metric<'a>(call: &'a Call<'_>) -> Result<&'a Metric, Reply> {
    let name = call.segment("metric_name");
    call.world()
        .metrics()
        .iter()
        .find(|metric| metric.name == name)
        .ok_or_else(|| Reply::errors(404, &[&format!("Metric not found: {name}")]))
}

fn query(call: &Call<'_>) -> Answer {
    let (Some(from), Some(to), Some(text)) = (call.seconds("from")?, call.seconds("to")?, call.param("query")) else {
        return Err(Reply::errors(400, &["The parameters 'from', 'to' and 'query' are required"]));
    };
    let grid = Grid::new(from * 1_000, to * 1_000, None);
    // What is wrong with a query is said with a 200.
    let failed = |error: String| {
        Reply::json(&json!({"status": "error", "error": error, "query": text, "from_date": grid.from, "to_date": grid.to, "series": [],
                "res_type": "time_series", "resp_version": 1, "message": "", "values": [], "times": [], "group_by": []}))
    };
    if from >= to {
        return Ok(failed("'from' must be before 'to'".to_owned()));
    }
    let expressions = match parse_queries(text) {
        Ok(expressions) => expressions,
        Err(error) => return Ok(failed(error)),
    };
    let mut series = Vec::new();
    for (nth, expression) in expressions.iter().enumerate() {
        match evaluate(expression, call.world(), call.now, grid, &std::collections::HashMap::new()) {
            Ok(lines) => series.extend(lines.into_iter().map(|line| v1_series(&line, grid, nth))),
            Err(error) => return Ok(failed(error)),
        }
    }
    Ok(Reply::json(&json!({
        "status": "ok", "resp_version": 1, "series": series, "from_date": grid.from, "to_date": grid.to, "query": text, "message": "",
        "res_type": "time_series", "times": [], "values": [], "group_by": [],
    })))
}

fn v1_series(line: &Line, grid: Grid, nth: usize) -> Value {
    let points: Vec<Value> = grid.times().zip(&line.points).map(|(at, value)| json!([at, value])).collect();
    let first = grid.times().next().unwrap_or(grid.from);
    json!({
        "metric": line.metric, "display_name": line.metric, "expression": line.expression, "scope": line.scope, "tag_set": line.tags,
        "interval": grid.step / 1_000, "length": points.len(), "aggr": line.aggregator, "start": first,
        "end": first + points.len() as i64 * grid.step - 1, "unit": unit_pair(line.unit), "query_index": nth, "attributes": {}, "pointlist": points,
    })
}

fn active(call: &Call<'_>) -> Answer {
    let Some(from) = call.param("from") else {
        return Err(Reply::errors(400, &["The parameter 'from' is required"]));
    };
    let host = call.param("host").map(|host| format!("host:{host}"));
    let filter = call.param("tag_filter");
    let fits = |metric: &&Metric| {
        let has = |tag: &str| metric.series.iter().any(|series| series.tags.iter().any(|own| own == tag));
        host.as_deref().is_none_or(has) && filter.is_none_or(|filter| filter.split(" AND ").all(|tag| has(tag.trim())))
    };
    let names: Vec<&str> = call.world().metrics().iter().filter(fits).map(|metric| metric.name.as_str()).collect();
    Ok(Reply::json(&json!({"metrics": names, "from": from})))
}

fn search(call: &Call<'_>) -> Answer {
    let Some(text) = call.param("q").map(|q| q.strip_prefix("metrics:").unwrap_or(q)) else {
        return Err(Reply::errors(400, &["The parameter 'q' is required"]));
    };
    let names: Vec<&str> = call.world().metrics().iter().map(|metric| metric.name.as_str()).filter(|name| name.contains(text)).collect();
    Ok(Reply::json(&json!({"results": {"metrics": names}})))
}

fn metadata(call: &Call<'_>) -> Answer {
    let metric = metric(call)?;
    Ok(Reply::json(&json!({
        "type": metric.kind, "description": metric.about, "unit": metric.unit.map(|unit| unit.1), "per_unit": Value::Null, "short_name": Value::Null,
        "integration": metric.integration, "statsd_interval": if metric.kind == "count" { json!(10) } else { Value::Null },
    })))
}

/// Keys, or whole tags, of a metric.
fn tags(metric: &Metric, whole: bool) -> BTreeSet<String> {
    let all = metric.series.iter().flat_map(|series| &series.tags);
    all.map(|tag| if whole { tag.clone() } else { tag.split_once(':').map_or(tag.as_str(), |(key, _)| key).to_owned() }).collect()
}

/// Metrics with a tag configuration, which the list shows in another shape.
fn configured(metric: &Metric) -> bool {
    metric.kind == "distribution"
}

fn configuration_of(metric: &Metric) -> Value {
    let mut attributes = json!({"metric_type": metric.kind, "tags": tags(metric, false), "created_at": "2026-01-12T09:00:00.000000+00:00",
        "modified_at": "2026-03-02T14:30:00.000000+00:00", "exclude_tags_mode": false});
    if metric.kind == "distribution" {
        attributes["include_percentiles"] = json!(true);
    } else {
        attributes["aggregations"] = json!([{"time": "sum", "space": "sum"}]);
    }
    json!({"type": "manage_tags", "id": metric.name, "attributes": attributes})
}

fn list(call: &Call<'_>) -> Answer {
    let wanted = call.param("filter[tags]").map(str::to_owned);
    let kind = call.param("filter[metric_type]");
    let fits = |metric: &&Metric| {
        let tags = || metric.series.iter().map(|series| series.tags.as_slice());
        call.param("filter[configured]").is_none_or(|flag| configured(metric) == (flag == "true"))
            && call
                .param("filter[tags_configured]")
                .is_none_or(|pattern| configured(metric) && self::tags(metric, false).iter().any(|key| Glob::new(pattern).fits(key, true)))
            && kind.is_none_or(|kind| (kind == "distribution") == (metric.kind == "distribution"))
            && wanted.as_deref().is_none_or(|text| tags().any(|tags| tag_filter(text, tags)))
    };
    let metrics: Vec<&Metric> = call.world().metrics().iter().filter(fits).collect();
    let row = |metric: &&Metric| if configured(metric) { configuration_of(metric) } else { json!({"type": "metrics", "id": metric.name}) };
    // Without a page size everything comes at once.
    if call.param("page[size]").is_none() && call.param("page[cursor]").is_none() {
        let rows: Vec<Value> = metrics.iter().map(row).collect();
        return Ok(Reply::json(&json!({"data": rows})));
    }
    let size = call.page_size("page[size]", 10_000, 10_000)?;
    let start = match call.param("page[cursor]") {
        None => 0,
        Some(cursor) => {
            let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            text.and_then(|text| text.strip_prefix("metrics:")?.parse::<usize>().ok())
                .ok_or_else(|| Reply::errors(400, &["Invalid cursor"]))?
        }
    };
    let rows: Vec<Value> = metrics.iter().skip(start).take(size).map(row).collect();
    let more = start + rows.len() < metrics.len();
    let next = more.then(|| URL_SAFE_NO_PAD.encode(format!("metrics:{}", start + rows.len())));
    let link = next.as_ref().map(|cursor| format!("{}/api/v2/metrics?page[cursor]={cursor}&page[size]={size}", call.base));
    Ok(Reply::json(&json!({
        "data": rows,
        "meta": {"pagination": {"cursor": call.param("page[cursor]"), "next_cursor": next, "limit": size, "type": "cursor_limit"}},
        "links": {"self": format!("{}/api/v2/metrics", call.base), "first": format!("{}/api/v2/metrics?page[size]={size}", call.base),
            "last": null, "next": link, "prev": null},
    })))
}

/// `env:prod AND service:x`, `OR`, `NOT`, wildcards.
fn tag_filter(text: &str, tags: &[String]) -> bool {
    let term = |term: &str| {
        let (term, negated) = term.trim().strip_prefix("NOT ").map_or((term.trim(), false), |rest| (rest.trim(), true));
        let glob = Glob::new(term);
        tags.iter().any(|tag| glob.fits(tag, true)) != negated
    };
    text.split(" OR ").any(|any| any.split(" AND ").flat_map(|all| all.split(',')).all(term))
}

fn resource(call: &Call<'_>, kind: &str, attributes: &Value) -> Answer {
    Ok(Reply::json(&json!({"data": {"type": kind, "id": metric(call)?.name, "attributes": attributes}})))
}

fn all_tags(call: &Call<'_>) -> Answer {
    let tags = tags(metric(call)?, true);
    let ingested: Map<String, Value> = Map::new();
    resource(call, "metrics", &json!({"tags": tags, "ingested_tags": ingested.keys().collect::<Vec<_>>()}))
}

fn configuration(call: &Call<'_>) -> Answer {
    let metric = metric(call)?;
    if configured(metric) {
        Ok(Reply::json(&json!({"data": configuration_of(metric)})))
    } else {
        Err(Reply::errors(404, &["Metric has no tag configuration"]))
    }
}

fn queried(call: &Call<'_>) -> Answer {
    let tags = tags(metric(call)?, false);
    resource(
        call,
        "actively_queried_configurations",
        &json!({"active_tags": tags, "active_aggregations": [{"time": "avg", "space": "avg"}]}),
    )
}

fn volumes(call: &Call<'_>) -> Answer {
    let count = metric(call)?.series.len();
    resource(call, "metric_volumes", &json!({"indexed_volume": count, "ingested_volume": count}))
}

fn assets(call: &Call<'_>) -> Answer {
    let metric = metric(call)?;
    let monitors = if metric.name.starts_with("trace.servlet.request") {
        vec![json!({"type": "monitors", "id": call.world().story.monitor_id.to_string()})]
    } else {
        Vec::new()
    };
    let included: Vec<Value> = monitors
        .iter()
        .map(|monitor| {
            json!({"type": "monitors", "id": monitor["id"],
        "attributes": {"title": call.world().story.monitor_name, "url": format!("/monitors/{}", call.world().story.monitor_id)}})
        })
        .collect();
    Ok(Reply::json_api(&json!({"data": {"type": "metrics", "id": metric.name, "relationships": {"monitors": {"data": monitors},
            "dashboards": {"data": []}, "notebooks": {"data": []}, "slos": {"data": []}}}, "included": included})))
}
