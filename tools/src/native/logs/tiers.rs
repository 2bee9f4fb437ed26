//! Storage tiers of logs, and a search over all of them as if they were one.

use super::{
    super::search::{Filter, Found, Sort},
    LOGS,
};
use crate::{CallContext, Column, Content, Draft, answer::Total};
use datadog_client::{Kind, Refusal, Reply, untrusted};
use futures::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Every tier, in the order they are looked into.
pub(super) const TIERS: [&str; 3] = ["indexes", "flex", "online-archives"];

/// What `storage_tier` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    /// One of [`TIERS`].
    One(&'static str),
    /// All of them, merged.
    All,
}

impl Tier {
    /// Reads the argument; `indexes` when there is none.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let text = text.map(|text| text.trim().to_ascii_lowercase().replace('_', "-"));
        match text.as_deref() {
            None | Some("" | "indexes" | "index" | "hot" | "standard") => Ok(Self::One(TIERS[0])),
            Some("flex" | "flex-tier") => Ok(Self::One(TIERS[1])),
            Some("online-archives" | "online-archive" | "archives" | "archive") => Ok(Self::One(TIERS[2])),
            Some("all" | "*" | "any") => Ok(Self::All),
            Some(_) => Err(Refusal::invalid("`storage_tier` must be indexes, flex, online-archives or all.")),
        }
    }
}

/// Where a merged search goes on.
///
/// Each tier's page is asked for again until all of its logs were shown: cursors lead to the ends of pages only, and what
/// was shown ends at a time within them.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Place {
    /// Tiers that are not at their end, each with the cursor of its page.
    open: Vec<(String, Option<String>)>,
    /// Time of the last log shown, milliseconds; none on the first page.
    last_ms: Option<i64>,
    /// Ids of the logs shown with that time.
    at_last: BTreeSet<String>,
    /// Logs shown on the pages before.
    seen: u64,
}

/// One tier's page.
#[derive(Debug)]
struct Part {
    tier: &'static str,
    cursor: Option<String>,
    after: Option<String>,
    records: Vec<Value>,
}

/// A log with what orders it and tells it from others.
struct Log {
    ms: i64,
    id: String,
    record: Value,
}

/// Pages of all tiers made one.
#[derive(Debug)]
struct Merged {
    records: Vec<Value>,
    /// Logs shown of each tier asked; one held twice counts for the first.
    shown: Vec<(&'static str, usize)>,
    next: Option<Place>,
}

/// Runs a search over every tier: logs in time order, each once, whichever tiers hold it.
pub(super) async fn search(cx: &CallContext<'_>, filter: &Filter, sort: Sort, limit: u32, columns: Vec<Column>) -> Result<Draft, Refusal> {
    let place = match cx.page.and_then(|page| page.state.clone()) {
        None => Place { open: TIERS.iter().map(|tier| ((*tier).to_owned(), None)).collect(), ..Place::default() },
        Some(state) => serde_json::from_value(state).map_err(|_| Refusal::invalid("This cursor is not one of a search over all tiers."))?,
    };
    let asked = join_all(TIERS.into_iter().filter_map(|tier| {
        let (_, cursor) = place.open.iter().find(|(name, _)| name == tier)?;
        Some(page(cx, filter, sort, limit, tier, cursor.clone()))
    }))
    .await;

    let mut draft = Draft::new(LOGS.subject, Content::Lines(Vec::new()));
    draft.range = Some(filter.range);
    let (mut parts, mut refused) = (Vec::new(), Vec::new());
    for (tier, answer) in asked {
        match answer {
            Ok((reply, part, notes)) => {
                if parts.is_empty() {
                    draft.heed(&reply);
                }
                draft.notes.extend(notes.into_iter().map(|note| format!("Tier {tier}: {note}")));
                parts.push(part);
            }
            // On a later page the tier has logs to give: the same cursor must be tried again.
            Err(refusal) if place.last_ms.is_some() || ends_all(refusal.kind) => return Err(refusal),
            Err(refusal) => refused.push((tier, refusal)),
        }
    }
    if parts.is_empty() && !refused.is_empty() {
        return Err(refused.swap_remove(0).1);
    }
    draft.notes.extend(refused.iter().map(|(tier, refusal)| not_searched(tier, refusal)));
    let seen = place.seen;
    let merged = merge(parts, &place, sort, limit as usize);
    draft
        .facts
        .push(format!("tiers: {}", merged.shown.iter().map(|(tier, shown)| format!("{tier} {shown}")).collect::<Vec<_>>().join(", ")));
    let so_far = seen + merged.records.len() as u64;
    draft.total = if merged.next.is_some() { Total::AtLeast(so_far) } else { Total::Exact(so_far) };
    draft.next = merged.next.map(|place| json!(place));
    draft.content = Content::Rows { records: merged.records, columns };
    Ok(draft)
}

type Answered = Result<(Reply, Part, Vec<String>), Refusal>;

async fn page(
    cx: &CallContext<'_>,
    filter: &Filter,
    sort: Sort,
    limit: u32,
    tier: &'static str,
    cursor: Option<String>,
) -> (&'static str, Answered) {
    let answer = async {
        let reply = cx.send(&LOGS.list(&filter.stored_in(tier), sort, limit, cursor.as_deref())?).await?;
        let found = Found::read(&reply, LOGS.subject)?;
        let part = Part { tier, cursor, after: found.more(limit), records: found.all()? };
        Ok((reply, part, found.notes))
    };
    (tier, answer.await)
}

/// Datadog refuses a tier that the org does not have with a plain 400 or 403: its words say more than the status.
fn not_searched(tier: &str, refusal: &Refusal) -> String {
    let said = refusal.datadog_said.as_deref().map(|said| format!(" (Datadog: {:?})", untrusted::shown(said, 160))).unwrap_or_default();
    format!("Tier {tier} was not searched: {}{said}", refusal.message)
}

/// The caller gave up or has to sign in: no other tier will fare better.
fn ends_all(kind: Kind) -> bool {
    matches!(kind, Kind::Cancelled | Kind::SignInRequired | Kind::SignInPending)
}

/// Puts the pages of all tiers in time order, as far as every tier is known, and at most `limit` logs.
fn merge(parts: Vec<Part>, place: &Place, sort: Sort, limit: usize) -> Merged {
    // Smaller keys come first in either order.
    let key = |ms: i64| if sort == Sort::Newest { -i128::from(ms) } else { i128::from(ms) };
    let was_shown =
        |log: &Log| place.last_ms.is_some_and(|last| key(log.ms) < key(last) || (log.ms == last && place.at_last.contains(&log.id)));

    let mut horizon: Option<i128> = None;
    let mut tiers = Vec::new();
    let mut logs: Vec<(usize, Log)> = Vec::new();
    for (nth, part) in parts.into_iter().enumerate() {
        let all = read(part.records);
        if part.after.is_some()
            && let Some(last) = all.last()
        {
            horizon = Some(horizon.map_or(key(last.ms), |known| known.min(key(last.ms))));
        }
        tiers.push((part.tier, part.cursor, part.after, 0_usize));
        logs.extend(all.into_iter().filter(|log| !was_shown(log)).map(|log| (nth, log)));
    }
    logs.sort_by_key(|(_, log)| key(log.ms));

    let mut ids = BTreeSet::new();
    let mut open = BTreeSet::new();
    let mut records = Vec::new();
    let mut last_ms = place.last_ms;
    let mut at_last = place.at_last.clone();
    for (nth, log) in logs {
        if ids.contains(&log.id) {
            continue;
        }
        if records.len() >= limit || horizon.is_some_and(|horizon| key(log.ms) > horizon) {
            open.insert(nth);
            continue;
        }
        if last_ms != Some(log.ms) {
            last_ms = Some(log.ms);
            at_last.clear();
        }
        at_last.insert(log.id.clone());
        ids.insert(log.id);
        tiers[nth].3 += 1;
        records.push(log.record);
    }

    let shown = tiers.iter().map(|(tier, _, _, shown)| (*tier, *shown)).collect();
    let rest: Vec<(String, Option<String>)> =
        tiers
            .into_iter()
            .enumerate()
            .filter_map(|(nth, (tier, cursor, after, _))| {
                if open.contains(&nth) { Some((tier.to_owned(), cursor)) } else { after.map(|after| (tier.to_owned(), Some(after))) }
            })
            .collect();
    let next = (!rest.is_empty()).then(|| Place { open: rest, last_ms, at_last, seen: place.seen + records.len() as u64 });
    Merged { records, shown, next }
}

/// Times and ids of a page's logs; one without a time stands where its neighbour before it stands.
fn read(records: Vec<Value>) -> Vec<Log> {
    let mut before = 0;
    let read = |record: Value| {
        before = time_of(&record).unwrap_or(before);
        let id = record["id"].as_str().map_or_else(|| record.to_string(), str::to_owned);
        Log { ms: before, id, record }
    };
    records.into_iter().map(read).collect()
}

/// `attributes.timestamp`: ISO text or milliseconds.
pub(super) fn time_of(record: &Value) -> Option<i64> {
    let time = record.pointer("/attributes/timestamp")?;
    time.as_i64().or_else(|| time.as_str()?.parse::<Timestamp>().ok().map(Timestamp::as_millisecond))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (text, tier) in [
            (None, Tier::One("indexes")),
            (Some("Flex"), Tier::One("flex")),
            (Some("online_archives"), Tier::One("online-archives")),
            (Some("all"), Tier::All),
        ] {
            assert_eq!(Tier::parse(text).unwrap(), tier);
        }
        assert!(Tier::parse(Some("cold")).unwrap_err().message.contains("online-archives"));
    }

    fn log(ms: i64, id: &str) -> Value {
        json!({"id": id, "attributes": {"timestamp": ms}})
    }

    /// A store of one tier: pages of `limit` in order, cursors are offsets.
    fn page_of(store: &[(i64, String)], sort: Sort, cursor: Option<&String>, limit: usize) -> (Vec<Value>, Option<String>) {
        let mut all: Vec<&(i64, String)> = store.iter().collect();
        all.sort_by_key(|(ms, _)| if sort == Sort::Newest { -*ms } else { *ms });
        let at: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let page: Vec<Value> = all.iter().skip(at).take(limit).map(|(ms, id)| log(*ms, id)).collect();
        let after = (page.len() == limit).then(|| (at + limit).to_string());
        (page, after)
    }

    fn walk(tiers: &[Vec<(i64, String)>], sort: Sort, limit: usize) -> Vec<(i64, String)> {
        let mut place = Place { open: TIERS.iter().take(tiers.len()).map(|tier| ((*tier).to_owned(), None)).collect(), ..Place::default() };
        let mut walked = Vec::new();
        for _ in 0..1_000 {
            let parts = TIERS
                .iter()
                .zip(tiers)
                .filter_map(|(tier, store)| {
                    let (_, cursor) = place.open.iter().find(|(name, _)| name == tier)?;
                    let (records, after) = page_of(store, sort, cursor.as_ref(), limit);
                    Some(Part { tier, cursor: cursor.clone(), after, records })
                })
                .collect();
            let merged = merge(parts, &place, sort, limit);
            assert!(merged.records.len() <= limit);
            walked.extend(merged.records.iter().map(|record| (time_of(record).unwrap(), record["id"].as_str().unwrap().to_owned())));
            match merged.next {
                None => return walked,
                Some(next) => place = serde_json::from_value(json!(next)).unwrap(),
            }
        }
        unreachable!("the walk does not end")
    }

    proptest! {
        /// Every log once, in time order, whatever tiers hold it and however pages fall.
        #[test]
        fn nothing_is_lost_or_doubled(times in proptest::collection::vec((0..12_i64, 1..8_u8), 0..40), limit in 1..7_usize, newest in any::<bool>()) {
            let sort = if newest { Sort::Newest } else { Sort::Oldest };
            let mut tiers = vec![Vec::new(), Vec::new(), Vec::new()];
            for (nth, (ms, held)) in times.iter().enumerate() {
                for (bit, tier) in tiers.iter_mut().enumerate() {
                    if held & (1 << bit) != 0 {
                        tier.push((*ms, format!("log-{nth}")));
                    }
                }
            }
            let walked = walk(&tiers, sort, limit);
            let in_order = walked.windows(2).all(|pair| if newest { pair[0].0 >= pair[1].0 } else { pair[0].0 <= pair[1].0 });
            prop_assert!(in_order);
            let ids: BTreeSet<&String> = walked.iter().map(|(_, id)| id).collect();
            prop_assert_eq!(ids.len(), walked.len());
            prop_assert_eq!(walked.len(), times.len());
        }
    }
}
