//! Reads `compute` and `group_by` of the aggregate requests of logs, spans and RUM.

use crate::aggregate::{Compute, Function, GroupBy};
use crate::reply::Reply;
use crate::search::Refuse;
use crate::time;
use serde_json::Value;

/// Groups of one facet when nothing is said, and at most.
const GROUPS: (usize, usize) = (10, 10_000);

/// `compute[]`; counting when it is left out.
pub(crate) fn computes(body: &Value, refuse: Refuse) -> Result<Vec<Compute>, Reply> {
    let Some(list) = body["compute"].as_array() else {
        return match &body["compute"] {
            Value::Null => Ok(vec![Compute { function: Function::Count, metric: None, interval: None }]),
            _ => Err(refuse("compute", "a list is needed")),
        };
    };
    list.iter().map(|item| compute(item, refuse)).collect()
}

/// One `{aggregation, metric, type, interval}`.
pub(crate) fn compute(item: &Value, refuse: Refuse) -> Result<Compute, Reply> {
    let name = item["aggregation"].as_str().unwrap_or_default();
    let function = Function::named(name).ok_or_else(|| refuse("compute.aggregation", &format!("'{name}' is not an aggregation")))?;
    let metric = item["metric"].as_str().filter(|metric| *metric != "*" && *metric != "count").map(str::to_owned);
    if metric.is_none() && function != Function::Count {
        return Err(refuse("compute.metric", &format!("'{name}' needs a metric")));
    }
    let interval = match item["type"].as_str() {
        Some("timeseries") => Some(match &item["interval"] {
            Value::Null => 300_000,
            value => time::interval(value).ok_or_else(|| refuse("compute.interval", "not an interval: use 5m"))?,
        }),
        None | Some("total") => None,
        Some(_) => return Err(refuse("compute.type", "total and timeseries are the types")),
    };
    Ok(Compute { function, metric, interval })
}

/// `group_by[]`.
pub(crate) fn groups(body: &Value, refuse: Refuse) -> Result<Vec<GroupBy>, Reply> {
    body["group_by"].as_array().into_iter().flatten().map(|item| group(item, refuse)).collect()
}

fn group(item: &Value, refuse: Refuse) -> Result<GroupBy, Reply> {
    let facet = item["facet"].as_str().filter(|facet| !facet.is_empty()).ok_or_else(|| refuse("group_by.facet", "it is missing"))?;
    let limit = match &item["limit"] {
        Value::Null => GROUPS.0,
        value => value
            .as_u64()
            .filter(|limit| (1..=GROUPS.1 as u64).contains(limit))
            .ok_or_else(|| refuse("group_by.limit", "it must be between 1 and 10000"))? as usize,
    };
    let sort = &item["sort"];
    let alphabetical = sort["type"].as_str() == Some("alphabetical");
    let by = match (alphabetical, sort["aggregation"].as_str()) {
        (true, _) => None,
        (false, None) => Some(Compute { function: Function::Count, metric: None, interval: None }),
        (false, Some(_)) => Some(compute(&serde_json::json!({"aggregation": sort["aggregation"], "metric": sort["metric"]}), refuse)?),
    };
    let descending = match sort["order"].as_str() {
        None => !alphabetical,
        Some("desc") => true,
        Some("asc") => false,
        Some(_) => return Err(refuse("group_by.sort.order", "asc and desc are the orders")),
    };
    let missing = Some(item["missing"].clone()).filter(|missing| !missing.is_null());
    let histogram = item["histogram"]["interval"].as_f64().filter(|width| *width > 0.0);
    Ok(GroupBy { facet: facet.to_owned(), limit, missing, descending, by, histogram })
}
