//! Whether a range reaches past what the tier still holds (`peers.md` §3, lesson 7: fewer logs and no warning otherwise).

use super::super::search::{DAY_MS, Filter, instant};
use crate::{CallContext, native};
use datadog_client::CallLimits;
use serde_json::Value;
use std::time::Duration;

/// Shortest retention an index can have: younger ranges need no look.
const SHORTEST_DAYS: i64 = 3;

/// Retention of most indexes; beyond it, an unknown retention is worth a note.
const USUAL_DAYS: i64 = 15;

/// Longest time for reading the configuration.
const PATIENCE: Duration = Duration::from_secs(5);

/// Days that one index keeps its logs.
#[derive(Debug, PartialEq, Eq)]
struct Index {
    name: String,
    /// In the index itself.
    days: i64,
    /// In the index and Flex together, when it has Flex.
    flex_days: Option<i64>,
}

/// A note when the range begins before the end of retention. Not a word when it is known to be held.
///
/// The configuration of the indexes says it (`v1.ListLogIndexes`, role permission `logs_read_config`); who may not read it
/// is told that it is not known. Logs in online archives have no such end.
pub(super) async fn check(cx: &CallContext<'_>, filter: &Filter) -> Option<String> {
    let age_days = (cx.now.as_millisecond() - filter.range.from_ms) / DAY_MS;
    if age_days < SHORTEST_DAYS || cx.page.is_some_and(|page| page.state.is_some()) || filter.tier == Some("online-archives") {
        return None;
    }
    match indexes(cx).await {
        Some(indexes) => note(&indexes, filter, cx.now.as_millisecond()),
        None if age_days >= USUAL_DAYS && filter.tier.is_none() => Some(format!(
            "The range begins {age_days} days ago; how long the indexes keep logs could not be read. Logs this old may be in another tier only: storage_tier=all searches every tier."
        )),
        None => None,
    }
}

async fn indexes(cx: &CallContext<'_>) -> Option<Vec<Index>> {
    let request = native::plan("v1.ListLogIndexes", Value::Null).ok()?;
    let limits =
        CallLimits { cancel: cx.limits.cancel.clone(), deadline: Some(cx.limits.deadline.map_or(PATIENCE, |given| given.min(PATIENCE))) };
    let answer = CallContext { limits: &limits, ..*cx }.send(&request).await.ok()?.json().ok()?;
    let read = |index: &Value| {
        Some(Index {
            name: index["name"].as_str()?.to_owned(),
            days: index["num_retention_days"].as_i64()?,
            flex_days: index["num_flex_logs_retention_days"].as_i64(),
        })
    };
    let indexes: Vec<Index> = answer["indexes"].as_array()?.iter().filter_map(read).collect();
    (!indexes.is_empty()).then_some(indexes)
}

fn note(indexes: &[Index], filter: &Filter, now_ms: i64) -> Option<String> {
    let flex = filter.tier == Some("flex");
    let chosen =
        indexes.iter().filter(|index| filter.indexes.is_empty() || filter.indexes.iter().any(|name| name == "*" || *name == index.name));
    let mut short: Vec<(&Index, i64)> = chosen
        .filter_map(|index| {
            let days = if flex { index.flex_days? } else { index.days };
            (now_ms - days * DAY_MS > filter.range.from_ms).then_some((index, days))
        })
        .collect();
    short.sort_by_key(|(index, days)| (*days, index.name.clone()));
    let (_, fewest) = short.first()?;
    let names: Vec<String> = short.iter().take(5).map(|(index, days)| format!("{} {days} d", index.name)).collect();
    let rest = short.len().saturating_sub(names.len());
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let tier = if flex { "flex" } else { "indexes" };
    let other = if !flex && short.iter().any(|(index, days)| index.flex_days.is_some_and(|flex| flex > *days)) {
        "older ones are in storage_tier=flex or online-archives (all searches every tier)"
    } else {
        "older ones, if archived, are in storage_tier=online-archives"
    };
    Some(format!(
        "Partial: the range reaches past retention. Tier {tier} keeps logs of {}{rest}, so none of those before {}: {other}.",
        names.join(", "),
        instant(now_ms - fewest * DAY_MS)
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::TimeRange;

    const NOW: i64 = 1_700_000_000_000;

    fn index(name: &str, days: i64, flex_days: Option<i64>) -> Index {
        Index { name: name.to_owned(), days, flex_days }
    }

    fn filter(days_ago: i64) -> Filter {
        Filter::new(None, TimeRange { from_ms: NOW - days_ago * DAY_MS, to_ms: NOW })
    }

    #[test]
    fn only_what_is_too_short_is_named() {
        let indexes = [index("main", 15, Some(90)), index("audit", 30, None)];
        assert_eq!(note(&indexes, &filter(15), NOW), None);
        let said = note(&indexes, &filter(20), NOW).unwrap();
        assert!(
            said.contains("main 15 d, so none of those before 2023-10-30T22:13:20Z")
                && said.contains("storage_tier=flex")
                && !said.contains("audit"),
            "{said}"
        );
        let said = note(&indexes, &filter(40), NOW).unwrap();
        assert!(said.contains("main 15 d, audit 30 d"), "{said}");
    }

    #[test]
    fn flex_and_chosen_indexes_count() {
        let indexes = [index("main", 15, Some(90)), index("audit", 30, None)];
        assert_eq!(note(&indexes, &filter(40).stored_in("flex"), NOW), None);
        assert!(note(&indexes, &filter(100).stored_in("flex"), NOW).unwrap().contains("Tier flex keeps logs of main 90 d"));
        let mut chosen = filter(20);
        chosen.indexes = vec!["audit".to_owned()];
        assert_eq!(note(&indexes, &chosen, NOW), None);
    }
}
