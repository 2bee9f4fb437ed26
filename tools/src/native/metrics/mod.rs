//! Metrics: queries with statistics and sparklines, search by name, and what one metric is.

mod describe;
mod diagnose;
mod expression;
mod query;
mod search;

use crate::{Tool, native::tool};
use datadog_client::{Refusal, Site};
use url::form_urlencoded::Serializer;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(query::MetricsQuery), tool(search::MetricsSearch), tool(describe::MetricDescribe)]
}

/// The metrics explorer on one query.
fn explorer(site: &Site, query: &str, range: Option<crate::TimeRange>) -> String {
    let mut pairs = Serializer::new(String::new());
    match expression::parts(query) {
        Some(parts) => {
            pairs.append_pair("exp_metric", parts.metric);
            for (name, value) in [("exp_agg", parts.aggregator), ("exp_scope", parts.filter), ("exp_group", parts.group)] {
                if !value.is_empty() && value != "*" {
                    pairs.append_pair(name, value);
                }
            }
        }
        None => {
            pairs.append_pair("exp_metric", query);
        }
    }
    if let Some(range) = range {
        pairs
            .append_pair("from_ts", &range.from_ms.to_string())
            .append_pair("to_ts", &range.to_ms.to_string())
            .append_pair("live", "false");
    }
    site.ui(&format!("/metric/explorer?{}", pairs.finish()))
}

/// A part of an answer that failed while the rest is good: one line for the notes.
fn missing_part(what: &str, refusal: &Refusal) -> String {
    format!("{what} could not be read: {}", refusal.message)
}
