//! One page of `logs-analytics/list`, which has no cursor: pages go on by time.

use super::{
    super::search::{Sort, request},
    LIST,
};
use crate::{CallContext, TimeRange, Total};
use datadog_client::{Kind, Refusal, Reply, Request};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Most records of one request (`reference/pup.md` §5.1).
const MAX_LIMIT: u32 = 1_000;

/// Where records may say their time; the shape is not specified.
const TIMES: [(&str, &str); 3] =
    [("event.timestamp", "/event/timestamp"), ("timestamp", "/timestamp"), ("event.custom.timestamp", "/event/custom/timestamp")];

/// Where a search goes on: at the time of the last record shown, without those shown around it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Time of the last record shown, milliseconds; none on the first page.
    edge_ms: Option<i64>,
    /// Ids of the records shown within a millisecond of it.
    at_edge: BTreeSet<String>,
    /// Records shown on the pages before.
    seen: u64,
}

/// One page.
#[derive(Debug)]
pub(super) struct Samples {
    pub(super) records: Vec<Value>,
    pub(super) next: Option<Place>,
    pub(super) total: Total,
    pub(super) notes: Vec<String>,
}

impl Place {
    pub(super) fn of(cx: &CallContext<'_>) -> Self {
        cx.page.and_then(|page| page.state.clone()).and_then(|state| serde_json::from_value(state).ok()).unwrap_or_default()
    }

    pub(super) fn is_first(&self) -> bool {
        self.edge_ms.is_none()
    }

    /// Records to ask for: those shown before come again.
    fn asked(&self, limit: u32) -> u32 {
        limit.saturating_add(self.at_edge.len() as u32).min(MAX_LIMIT)
    }

    /// The part of the range that is left. One millisecond more is asked for, since nothing says whether ends are included.
    fn rest(&self, range: TimeRange, sort: Sort) -> TimeRange {
        match (self.edge_ms, sort) {
            (None, _) => range,
            (Some(edge), Sort::Newest) => TimeRange { to_ms: range.to_ms.min(edge + 1), ..range },
            (Some(edge), Sort::Oldest) => TimeRange { from_ms: range.from_ms.max(edge - 1), ..range },
        }
    }
}

/// The request: times are integers here, unlike those of logs and spans.
pub(super) fn list(query: &str, range: TimeRange, sort: Sort, limit: u32) -> Result<Request, Refusal> {
    let order = if sort == Sort::Newest { "desc" } else { "asc" };
    let body = json!({"list": {
        "indexes": ["databasequery"],
        "limit": limit,
        "search": {"query": query},
        "sorts": [{"time": {"order": order}}],
        "time": {"from": range.from_ms, "to": range.to_ms},
    }});
    request(LIST, body)
}

/// Fetches the page at `place`.
pub(super) async fn page(
    cx: &CallContext<'_>,
    query: &str,
    range: TimeRange,
    sort: Sort,
    limit: u32,
    place: Place,
) -> Result<(Reply, Samples), Refusal> {
    let asked = place.asked(limit);
    let reply = cx.send(&list(query, place.rest(range, sort), sort, asked)?).await?;
    let records = events(reply.json()?)?;
    let full = records.len() >= asked as usize;
    Ok((reply, place.shown(records, limit as usize, full)))
}

impl Place {
    fn shown(self, records: Vec<Value>, limit: usize, full: bool) -> Samples {
        let mut fresh: Vec<Value> = records.into_iter().filter(|record| !self.at_edge.contains(&id_of(record))).collect();
        let more = full || fresh.len() > limit;
        fresh.truncate(limit);
        let seen = self.seen + fresh.len() as u64;
        let total = if more { Total::AtLeast(seen) } else { Total::Exact(seen) };
        let mut samples = Samples { records: fresh, next: None, total, notes: Vec::new() };
        if !more {
            return samples;
        }
        match samples.records.last().and_then(time_of) {
            Some(edge) => {
                let near = |record: &&Value| time_of(record).is_some_and(|time| (time - edge).abs() <= 1);
                let mut at_edge: BTreeSet<String> = samples.records.iter().filter(near).map(id_of).collect();
                if self.edge_ms.is_some_and(|before| (before - edge).abs() <= 1) {
                    at_edge.extend(self.at_edge);
                }
                samples.next = Some(Place { edge_ms: Some(edge), at_edge, seen });
            }
            None => samples.notes.push("There are more, but they cannot be paged: ask for a shorter range or a larger limit.".to_owned()),
        }
        samples
    }
}

/// Records of an answer: `result.events`; `data` is tolerated, as in the mocks of Datadog's CLI.
pub(super) fn events(mut body: Value) -> Result<Vec<Value>, Refusal> {
    for path in ["/result/events", "/data"] {
        match body.pointer_mut(path).map(Value::take) {
            Some(Value::Array(records)) => return Ok(records),
            Some(Value::Null) => return Ok(Vec::new()),
            _ => {}
        }
    }
    Err(Refusal::new(Kind::UpstreamFailed, "Datadog's answer holds no list of samples.").on(LIST))
}

/// Dotted path at which these records say their time.
pub(super) fn time_path(records: &[Value]) -> &'static str {
    let first = records.first();
    TIMES.iter().find(|(_, pointer)| first.is_some_and(|record| record.pointer(pointer).is_some())).map_or(TIMES[0].0, |(dotted, _)| dotted)
}

/// Time of a record: milliseconds or ISO text.
pub(super) fn time_of(record: &Value) -> Option<i64> {
    let time = TIMES.iter().find_map(|(_, pointer)| record.pointer(pointer))?;
    time.as_i64()
        .or_else(|| time.as_f64().map(|ms| ms as i64))
        .or_else(|| time.as_str()?.parse::<Timestamp>().ok().map(Timestamp::as_millisecond))
}

fn id_of(record: &Value) -> String {
    let id = ["/id", "/event_id", "/event/id"].iter().find_map(|pointer| record.pointer(pointer)?.as_str());
    id.map_or_else(|| record.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_request_is_as_the_endpoint_takes_it() {
        let range = TimeRange { from_ms: 1_700_000_000_000, to_ms: 1_700_003_600_000 };
        let request = list("dbm_type:activity service:orders", range, Sort::Newest, 10).unwrap();
        assert_eq!(request.path, "/api/v1/logs-analytics/list?type=databasequery");
        assert_eq!(
            request.body.unwrap(),
            json!({"list": {"indexes": ["databasequery"], "limit": 10, "search": {"query": "dbm_type:activity service:orders"},
                "sorts": [{"time": {"order": "desc"}}], "time": {"from": 1_700_000_000_000_i64, "to": 1_700_003_600_000_i64}}})
        );
        assert_eq!(list("q", range, Sort::Oldest, 1).unwrap().body.unwrap()["list"]["sorts"], json!([{"time": {"order": "asc"}}]));
    }

    #[test]
    fn records_are_found_in_either_shape_and_rubbish_is_refused() {
        assert_eq!(events(json!({"result": {"events": [{"event": {}}]}})).unwrap().len(), 1);
        assert_eq!(events(json!({"data": []})).unwrap().len(), 0);
        assert_eq!(events(json!({"result": {"events": null}})).unwrap().len(), 0);
        assert_eq!(events(json!({"status": "x"})).unwrap_err().kind, Kind::UpstreamFailed);
    }

    #[test]
    fn records_without_a_time_say_that_they_cannot_be_paged() {
        let samples = Place::default().shown(vec![json!({"id": "a"})], 1, true);
        assert!(samples.next.is_none() && samples.notes[0].contains("cannot be paged"));
    }

    fn walk(times: &[i64], sort: Sort, limit: u32, end_included: bool) -> Vec<String> {
        let mut all: Vec<(i64, String)> = times.iter().enumerate().map(|(nth, ms)| (*ms, format!("s{nth}"))).collect();
        all.sort_by_key(|(ms, _)| if sort == Sort::Newest { -*ms } else { *ms });
        let (range, mut place, mut walked) = (TimeRange { from_ms: -1, to_ms: 1_000 }, Place::default(), Vec::new());
        for _ in 0..200 {
            let rest = place.rest(range, sort);
            let inside = |ms: i64| if end_included { ms >= rest.from_ms && ms <= rest.to_ms } else { ms > rest.from_ms && ms < rest.to_ms };
            let asked = place.asked(limit);
            let page: Vec<Value> = all
                .iter()
                .filter(|(ms, _)| inside(*ms))
                .take(asked as usize)
                .map(|(ms, id)| json!({"id": id, "event": {"timestamp": ms}}))
                .collect();
            let full = page.len() >= asked as usize;
            let samples = place.shown(page, limit as usize, full);
            walked.extend(samples.records.iter().map(id_of));
            match samples.next {
                Some(next) => place = next,
                None => return walked,
            }
        }
        unreachable!("the walk does not end")
    }

    proptest! {
        /// Every record once, whether or not the ends of a range are included, also when many share a millisecond.
        #[test]
        fn nothing_is_lost_or_doubled(times in proptest::collection::vec(0..8_i64, 0..30), limit in 1..6_u32, newest in any::<bool>(), end_included in any::<bool>()) {
            let walked = walk(&times, if newest { Sort::Newest } else { Sort::Oldest }, limit, end_included);
            let ids: BTreeSet<&String> = walked.iter().collect();
            prop_assert_eq!(ids.len(), walked.len());
            prop_assert_eq!(walked.len(), times.len());
        }
    }
}
