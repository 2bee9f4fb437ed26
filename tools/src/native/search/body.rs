//! Request bodies of the event stores (`reference/pup.md` §5.3 and §5.4).

use super::compute::Compute;
use crate::{CallContext, TimeRange};
use datadog_client::{Kind, Refusal, Request};
use serde_json::{Map, Value, json};

/// One of Datadog's event stores.
#[derive(Debug)]
pub(crate) struct Store {
    /// What its records are, plural: `logs`.
    pub(crate) subject: &'static str,
    /// Operation that lists.
    pub(crate) list: &'static str,
    /// Operation that aggregates, where there is one.
    pub(crate) aggregate: Option<&'static str>,
    /// Bodies stand under `data.attributes` (spans), or bare (all others).
    pub(crate) wrapped: bool,
}

/// What is asked for, in which range, and where it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Query in Datadog's syntax, passed on as it is; never empty.
    pub(crate) query: String,
    /// Absolute range.
    pub(crate) range: TimeRange,
    /// Storage tier when it is not the default one (logs).
    pub(crate) tier: Option<&'static str>,
    /// Indexes when not all are meant (logs).
    pub(crate) indexes: Vec<String>,
}

/// Order of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}

impl Sort {
    /// Reads `newest` or `oldest`, and what models write instead (`desc`, `asc`, `-timestamp`, `timestamp`).
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        match text.map(str::trim).map(str::to_ascii_lowercase).as_deref() {
            None | Some("" | "newest" | "desc" | "descending" | "-timestamp" | "-time" | "latest") => Ok(Self::Newest),
            Some("oldest" | "asc" | "ascending" | "timestamp" | "+timestamp" | "time" | "earliest") => Ok(Self::Oldest),
            Some(_) => Err(Refusal::invalid("`sort` must be `newest` or `oldest`.")),
        }
    }

    fn wire(self) -> &'static str {
        match self {
            Self::Newest => "-timestamp",
            Self::Oldest => "timestamp",
        }
    }
}

impl Filter {
    /// A filter over a store without tiers; an empty query means everything.
    pub(crate) fn new(query: Option<&str>, range: TimeRange) -> Self {
        let query = query.map(str::trim).filter(|query| !query.is_empty()).unwrap_or("*").to_owned();
        Self { query, range, tier: None, indexes: Vec::new() }
    }

    /// The range of a call, and its query.
    pub(crate) fn of(cx: &CallContext<'_>, query: Option<&str>, from: Option<&str>, to: Option<&str>) -> Result<Self, Refusal> {
        Ok(Self::new(query, cx.range(from, to, super::DEFAULT_FROM)?))
    }

    /// The same over another range.
    pub(crate) fn over(&self, range: TimeRange) -> Self {
        Self { range, ..self.clone() }
    }

    /// The same with another query.
    pub(crate) fn asking(&self, query: &str) -> Self {
        Self { query: query.to_owned(), ..self.clone() }
    }

    /// The same in another tier; the default one is `indexes`.
    pub(crate) fn stored_in(&self, tier: &'static str) -> Self {
        Self { tier: (tier != "indexes").then_some(tier), ..self.clone() }
    }

    /// Times are milliseconds in a string: the one form that all event stores take.
    fn json(&self) -> Value {
        let mut filter = Map::new();
        filter.insert("query".to_owned(), self.query.clone().into());
        filter.insert("from".to_owned(), self.range.from_ms.to_string().into());
        filter.insert("to".to_owned(), self.range.to_ms.to_string().into());
        if !self.indexes.is_empty() {
            filter.insert("indexes".to_owned(), json!(self.indexes));
        }
        if let Some(tier) = self.tier {
            filter.insert("storage_tier".to_owned(), tier.into());
        }
        Value::Object(filter)
    }
}

impl Store {
    /// One page of records.
    pub(crate) fn list(&self, filter: &Filter, sort: Sort, limit: u32, after: Option<&str>) -> Result<Request, Refusal> {
        let mut page = json!({"limit": limit});
        if let Some(after) = after {
            page["cursor"] = after.into();
        }
        let body = json!({"filter": filter.json(), "page": page, "sort": sort.wire()});
        request(self.list, self.wrap("search_request", body))
    }

    /// Buckets: one per value of the facets, largest first by the first compute; a series each when there is an interval.
    pub(crate) fn aggregate(
        &self,
        filter: &Filter,
        computes: &[Compute],
        interval: Option<&str>,
        groups: &[String],
        limit: u32,
    ) -> Result<Request, Refusal> {
        let operation = self.aggregate.ok_or_else(|| Refusal::new(Kind::Internal, format!("{} cannot be aggregated.", self.subject)))?;
        let rules: Vec<Value> = computes.iter().map(|compute| compute.json(interval)).collect();
        let mut body = json!({"filter": filter.json(), "compute": rules});
        if !groups.is_empty() {
            let sort = computes.first().map(Compute::sort);
            let each = per_facet(limit, groups.len());
            body["group_by"] = groups.iter().map(|facet| json!({"facet": facet, "limit": each, "sort": sort})).collect();
        }
        request(operation, self.wrap("aggregate_request", body))
    }

    fn wrap(&self, kind: &str, body: Value) -> Value {
        if self.wrapped { json!({"data": {"type": kind, "attributes": body}}) } else { body }
    }
}

/// Datadog allows 10,000 buckets: the product of the limits of all facets.
pub(super) fn per_facet(limit: u32, facets: usize) -> u32 {
    let mut each = limit.max(1);
    while u64::from(each).saturating_pow(facets as u32) > 10_000 {
        each -= 1;
    }
    each
}

/// A request of an operation whose arguments all stand in its body.
pub(crate) fn request(operation: &str, body: Value) -> Result<Request, Refusal> {
    let operation = datadog_catalogue::operation(operation)
        .ok_or_else(|| Refusal::new(Kind::Internal, format!("The catalogue has no operation {operation}.")))?;
    Request::new(operation).body(body).build()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    static LOGS: Store = Store { subject: "logs", list: "v2.ListLogs", aggregate: Some("v2.AggregateLogs"), wrapped: false };
    static SPANS: Store = Store { subject: "spans", list: "v2.ListSpans", aggregate: Some("v2.AggregateSpans"), wrapped: true };
    const RANGE: TimeRange = TimeRange { from_ms: 1_700_000_000_000, to_ms: 1_700_003_600_000 };

    fn filter(query: &str) -> Filter {
        Filter::new(Some(query), RANGE)
    }

    #[test]
    fn a_search() {
        let mut filter = filter(" service:web ").stored_in("flex");
        filter.indexes = vec!["main".to_owned()];
        let request = LOGS.list(&filter, Sort::Newest, 50, Some("c")).unwrap();
        assert_eq!(request.path, "/api/v2/logs/events/search");
        assert_eq!(
            request.body.unwrap(),
            json!({"filter": {"query": "service:web", "from": "1700000000000", "to": "1700003600000", "indexes": ["main"], "storage_tier": "flex"},
                "page": {"limit": 50, "cursor": "c"}, "sort": "-timestamp"})
        );
    }

    #[test]
    fn nothing_asked_means_everything() {
        for filter in [filter("  "), Filter::new(None, RANGE).stored_in("indexes")] {
            let body = LOGS.list(&filter, Sort::Oldest, 2, None).unwrap().body.unwrap();
            assert_eq!(
                body,
                json!({"filter": {"query": "*", "from": "1700000000000", "to": "1700003600000"}, "page": {"limit": 2}, "sort": "timestamp"})
            );
        }
    }

    #[test]
    fn bodies_of_spans_are_wrapped() {
        let list = SPANS.list(&filter("*"), Sort::Newest, 1, None).unwrap().body.unwrap();
        assert_eq!(list["data"]["type"], "search_request");
        assert_eq!(list["data"]["attributes"]["page"], json!({"limit": 1}));
        let aggregate = SPANS.aggregate(&filter("*"), &[Compute::count()], None, &[], 10).unwrap();
        assert_eq!(aggregate.path, "/api/v2/spans/analytics/aggregate");
        assert_eq!(
            aggregate.body.unwrap(),
            json!({"data": {"type": "aggregate_request", "attributes": {"filter": {"query": "*", "from": "1700000000000", "to": "1700003600000"},
                "compute": [{"aggregation": "count", "type": "total"}]}}})
        );
    }

    #[test]
    fn groups_are_sorted_by_the_first_compute() {
        let computes = Compute::list(&["p95(@duration)".to_owned(), "count".to_owned()]).unwrap();
        let body =
            LOGS.aggregate(&filter("*"), &computes, Some("5m"), &["service".to_owned(), "host".to_owned()], 500).unwrap().body.unwrap();
        let sort = json!({"type": "measure", "order": "desc", "aggregation": "pc95", "metric": "@duration"});
        assert_eq!(
            body["group_by"],
            json!([{"facet": "service", "limit": 100, "sort": sort}, {"facet": "host", "limit": 100, "sort": sort}])
        );
        assert_eq!(body["compute"][1], json!({"aggregation": "count", "type": "timeseries", "interval": "5m"}));
    }

    #[test]
    fn sorts() {
        for (text, sort) in [
            (None, Sort::Newest),
            (Some("desc"), Sort::Newest),
            (Some("-timestamp"), Sort::Newest),
            (Some("ASC"), Sort::Oldest),
            (Some("timestamp"), Sort::Oldest),
            (Some("oldest"), Sort::Oldest),
        ] {
            assert_eq!(Sort::parse(text).unwrap(), sort);
        }
        assert!(Sort::parse(Some("best")).unwrap_err().message.contains("newest"));
    }

    proptest! {
        #[test]
        fn buckets_stay_within_what_datadog_allows(limit in 0..20_000_u32, facets in 1..5_usize) {
            let each = per_facet(limit, facets);
            prop_assert!(each >= 1 && u64::from(each).pow(facets as u32) <= 10_000);
            prop_assert!(each == limit.max(1) || u64::from(each + 1).pow(facets as u32) > 10_000);
        }
    }
}
