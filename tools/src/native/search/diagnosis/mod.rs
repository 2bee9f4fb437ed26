//! Why nothing was found: a few cheap questions whose answers tell "no data" from "wrong question".
//!
//! At most three requests at once and five in all, with a short deadline; what cannot be asked is left out, and nothing
//! is said that an answer did not say.

mod tell;

use super::{
    DAY_MS, Filter, Sort, Store,
    buckets::Buckets,
    compute::Compute,
    found::Found,
    plural,
    query::{self, Term},
};
use crate::{CallContext, Draft, TimeRange};
use datadog_client::{CallLimits, Refusal, Request, untrusted};
use futures::future::join_all;
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};
use tell::{Facet, Sample, Wide, nearest_first};

/// Longest time for one of the questions.
const PATIENCE: Duration = Duration::from_secs(5);

/// Values of a facet that are looked at.
const VALUES: u32 = 100;

/// Records of a sample.
const SAMPLE: u32 = 50;

/// Why nothing was found.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Diagnosis {
    /// In our own words.
    pub(crate) notes: Vec<String>,
    /// Values and names out of telemetry; they belong into the fence.
    pub(crate) seen: Vec<String>,
}

impl Diagnosis {
    /// Puts itself into an empty draft.
    pub(crate) fn into_draft(self, draft: &mut Draft) {
        draft.notes.extend(self.notes);
        draft.hints.extend(self.seen);
    }
}

/// Looks for the reason why `filter` found nothing; `elsewhere` are other tiers to look into.
pub(crate) async fn diagnose(cx: &CallContext<'_>, store: &Store, filter: &Filter, elsewhere: &[&'static str]) -> Diagnosis {
    let limits =
        CallLimits { cancel: cx.limits.cancel.clone(), deadline: Some(cx.limits.deadline.map_or(PATIENCE, |given| given.min(PATIENCE))) };
    let asker = Asker { cx: &CallContext { limits: &limits, ..*cx }, store, filter };
    let terms = query::terms(&filter.query);
    let suspects = suspects(&terms);
    let (wide, facets) = futures::join!(asker.wider(), join_all(suspects.iter().map(|term| asker.facet(term))));
    let facets: Vec<(&Term<'_>, Facet)> =
        suspects.into_iter().zip(facets.into_iter().map(|facet| facet.unwrap_or(Facet::Unknown))).collect();
    let needs_sample = filter.query != "*" && facets.iter().all(|(_, facet)| !matches!(facet, Facet::Has(_) | Facet::Lacks { .. }))
        || facets.iter().any(|(_, facet)| matches!(facet, Facet::Empty));
    let in_wide = wide.as_ref().ok().is_some_and(|wide| wide.as_ref().is_some_and(|wide| wide.number > 0));
    let tier = elsewhere.first().filter(|_| !in_wide);
    let (sample, other) = futures::join!(asker.sample(needs_sample), asker.tier(tier.copied()));
    let mut found = Diagnosis::default();
    found.notes.extend(equals_signs(&terms));
    let nothing_at_all = sample.as_ref().is_some_and(Sample::is_empty);
    if nothing_at_all {
        found.notes.push(format!(
            "There are no {} at all in this range{}.",
            store.subject,
            filter.tier.map(|tier| format!(" in tier {tier}")).unwrap_or_default()
        ));
    } else {
        for (term, facet) in &facets {
            facet.tell(term, store, sample.as_ref(), &mut found);
        }
    }
    match wide {
        Ok(Some(wide)) => found.notes.push(wide.note(store, cx.now.as_millisecond())),
        Ok(None) => {}
        Err(refusal) => found.notes.push(format!("A wider range could not be checked: {}", refusal.message)),
    }
    found.notes.extend(other);
    found
}

/// `service=checkout` is free text to Datadog; a key and its value are joined by a colon.
fn equals_signs(terms: &[Term<'_>]) -> Option<String> {
    terms.iter().filter(|term| term.key.is_none() && !term.value.starts_with('"')).find_map(|term| {
        let (key, value) = term.value.split_once('=')?;
        let name = |c: char| c.is_ascii_alphanumeric() || "@_.-".contains(c);
        let value = value.trim_start_matches('=');
        (!key.is_empty() && key.chars().all(name) && !value.is_empty()).then(|| {
            let (key, value) = (untrusted::shown(key, 60), untrusted::shown(value, 60));
            format!("`{key}={value}` is searched as free text: a key and its value are joined by `:`, as in `{key}:{value}`.")
        })
    })
}

/// Up to two terms that can be to blame, likeliest first: the service, attributes, other tags.
fn suspects<'t, 'q>(terms: &'t [Term<'q>]) -> Vec<&'t Term<'q>> {
    let rank = |term: &Term<'_>| match term.key {
        Some("service") => Some(0),
        Some(key) if key.starts_with('@') => Some(1),
        // Trees of free text, ids and paths have no facet worth listing.
        Some("message" | "trace_id" | "span_id" | "id" | "*" | "index") | None => None,
        Some(_) => Some(2),
    };
    let mut ranked: Vec<(i32, &Term<'_>)> =
        terms.iter().filter(|term| !term.negated).filter_map(|term| rank(term).map(|rank| (rank, term))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.dedup_by_key(|(_, term)| term.key);
    ranked.into_iter().take(2).map(|(_, term)| term).collect()
}

/// Asks on behalf of one search.
struct Asker<'a> {
    cx: &'a CallContext<'a>,
    store: &'a Store,
    filter: &'a Filter,
}

impl Asker<'_> {
    async fn wider(&self) -> Result<Option<Wide>, Refusal> {
        let Some((range, step)) = wider(self.filter.range, self.cx.now.as_millisecond()) else { return Ok(None) };
        let filter = self.filter.over(range);
        if self.store.aggregate.is_none() {
            let found = self.found(&self.store.list(&filter, Sort::Newest, SAMPLE, None)?).await?;
            let last = found.records.parse(0, 1)?.first().and_then(time_of);
            return Ok(Some(Wide { range, number: found.records.len() as u64, exact: found.records.len() < SAMPLE as usize, last }));
        }
        let buckets = self.buckets(&self.store.aggregate(&filter, &[Compute::count()], Some(step), &[], 1)?).await?;
        let points = || buckets.list.iter().filter_map(|bucket| bucket.value(0).as_array()).flatten();
        let number = buckets.list.iter().map(|bucket| bucket.number(0)).sum::<f64>() as u64;
        let last = points()
            .filter(|point| point["value"].as_f64().unwrap_or(0.0) > 0.0)
            .filter_map(|point| point["time"].as_str())
            .max()
            .map(str::to_owned);
        Ok(Some(Wide { range, number, exact: true, last }))
    }

    async fn facet(&self, term: &Term<'_>) -> Result<Facet, Refusal> {
        let Some(key) = term.key.filter(|_| self.store.aggregate.is_some()) else { return Ok(Facet::Unknown) };
        let request = self.store.aggregate(&self.filter.asking("*"), &[Compute::count()], None, &[key.to_owned()], VALUES)?;
        let buckets = self.buckets(&request).await?;
        let all = buckets.list.len() < VALUES as usize;
        let values: Vec<(String, u64)> = buckets
            .list
            .iter()
            .filter_map(|bucket| bucket.by.values().next().map(|value| (plain(value), bucket.number(0) as u64)))
            .filter(|(_, number)| *number > 0)
            .collect();
        Ok(match term.exact() {
            _ if values.is_empty() => Facet::Empty,
            None => Facet::Any,
            Some(wanted) => match values.iter().find(|(value, _)| *value == wanted) {
                Some((_, number)) => Facet::Has(*number),
                None => Facet::Lacks { values: nearest_first(&wanted, values), all },
            },
        })
    }

    async fn sample(&self, needed: bool) -> Option<Sample> {
        if !needed {
            return None;
        }
        let request = self.store.list(&self.filter.asking("*"), Sort::Newest, SAMPLE, None).ok()?;
        let found = self.found(&request).await.ok()?;
        let mut attributes = BTreeSet::new();
        for record in &found.all().ok()? {
            for room in ["/attributes/attributes", "/attributes/custom"] {
                if let Some(nested) = record.pointer(room) {
                    tell::collect(nested, "@", &mut attributes);
                }
            }
        }
        Some(Sample { records: found.records.len(), attributes })
    }

    async fn tier(&self, tier: Option<&'static str>) -> Option<String> {
        let tier = tier?;
        let request = self.store.aggregate(&self.filter.stored_in(tier), &[Compute::count()], None, &[], 1).ok()?;
        let number = self.buckets(&request).await.ok()?.list.iter().map(|bucket| bucket.number(0)).sum::<f64>() as u64;
        let here = self.filter.tier.unwrap_or("indexes");
        Some(match number {
            0 => format!("Tier {tier} has none either."),
            number => format!(
                "Searched tier {here}; tier {tier} has {}: call again with storage_tier={tier}.",
                plural(number, self.store.subject)
            ),
        })
    }

    async fn found(&self, request: &Request) -> Result<Found, Refusal> {
        Found::read(&self.cx.send(request).await?, self.store.subject)
    }

    async fn buckets(&self, request: &Request) -> Result<Buckets, Refusal> {
        Buckets::read(&self.cx.send(request).await?, self.store.subject)
    }
}

/// A wider range that ends no earlier, and the step to count it in; none beyond a month.
pub(crate) fn wider(range: TimeRange, now_ms: i64) -> Option<(TimeRange, &'static str)> {
    let length = range.to_ms - range.from_ms;
    let (days, step) = match length {
        _ if length <= DAY_MS / 2 => (1, "1h"),
        _ if length <= 4 * DAY_MS => (7, "4h"),
        _ if length <= 20 * DAY_MS => (30, "1d"),
        _ => return None,
    };
    let from_ms = range.to_ms - days * DAY_MS;
    let to_ms = range.to_ms.max(now_ms.min(range.to_ms + days * DAY_MS));
    Some((TimeRange { from_ms, to_ms }, step))
}

fn time_of(record: &Value) -> Option<String> {
    record.pointer("/attributes/timestamp").map(plain)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const NOW: i64 = 1_700_000_000_000;

    #[test]
    fn the_service_is_suspected_first_then_attributes() {
        let keys =
            |query: &'static str| suspects(&query::terms(query)).iter().filter_map(|term| term.key.map(str::to_owned)).collect::<Vec<_>>();
        assert_eq!(keys("env:prod @a:1 service:web boom"), ["service", "@a"]);
        assert_eq!(keys("-service:web status:error trace_id:1"), ["status"]);
        assert!(keys("boom \"a:b\" *").is_empty());
    }

    #[test]
    fn an_equals_sign_is_told() {
        let told = |query| equals_signs(&query::terms(query));
        assert!(told("env:prod service=checkout").is_some_and(|note| note.ends_with("as in `service:checkout`.")));
        assert!(told("status==error").is_some_and(|note| note.contains("`status:error`")));
        for fine in ["service:checkout", "\"a=b\"", "@url:*a=b*", "=x", "a="] {
            assert_eq!(told(fine), None, "{fine}");
        }
    }

    #[test]
    fn a_wider_range_ends_no_earlier() {
        let range = |hours: i64, ago: i64| TimeRange { from_ms: NOW - ago - hours * HOUR, to_ms: NOW - ago };
        assert_eq!(wider(range(1, 0), NOW), Some((TimeRange { from_ms: NOW - DAY_MS, to_ms: NOW }, "1h")));
        assert_eq!(wider(range(24, 0), NOW), Some((TimeRange { from_ms: NOW - 7 * DAY_MS, to_ms: NOW }, "4h")));
        assert_eq!(wider(range(30 * 24, 0), NOW), None);
        // An old range is widened to both sides, but not all the way to now.
        let (wide, _) = wider(range(1, 30 * DAY_MS), NOW).unwrap_or((TimeRange { from_ms: 0, to_ms: 0 }, ""));
        assert_eq!(wide, TimeRange { from_ms: NOW - 31 * DAY_MS, to_ms: NOW - 29 * DAY_MS });
    }
}
