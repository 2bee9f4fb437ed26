//! The rate gate: holds calls back while a bucket is known to be empty, instead of burning them on 429s.
//!
//! A bucket belongs to one caller, one credential identity and one name (`X-RateLimit-Name`, else the operation).

use super::rate::RateFacts;
use crate::Principal;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Most (caller, identity) pairs that are remembered; the one unused for longest goes first.
const MOST_LANES: usize = 1024;
/// Most buckets of one pair.
const MOST_BUCKETS: usize = 512;
/// Two reports whose periods end within this are about one period: Datadog counts in whole seconds.
const SAME_PERIOD: Duration = Duration::from_millis(1500);
/// Most of the random delay after a period's end, so that held calls do not start in one instant.
const JITTER_MS: u64 = 250;

/// All gates of one client.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    lanes: Mutex<HashMap<LaneKey, Lane>>,
}

/// Whose calls share buckets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LaneKey {
    pub(crate) who: Principal,
    /// Hash of the credential's identity; never the credential.
    pub(crate) identity: u64,
}

#[derive(Debug)]
struct Lane {
    used: Instant,
    /// Bucket name per operation, as answers told.
    names: HashMap<&'static str, Arc<str>>,
    buckets: HashMap<Arc<str>, Arc<Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    state: Mutex<State>,
    /// Wakes held calls when the state has changed.
    changed: Notify,
}

#[derive(Debug)]
enum State {
    /// Nothing holds.
    Free,
    /// What is left until the period ends; `limit` is what the next one starts with.
    Counted { left: u64, limit: u64, period: Duration, ends: Instant, facts: RateFacts },
    /// A 429 without numbers: closed until then, and then one call goes ahead to see.
    Closed { until: Instant, probing: bool, facts: Option<RateFacts> },
}

/// A call that may go; tells the gate how it went. Dropped without a report (cancelled), it gives a probe's place back.
#[derive(Debug)]
pub(crate) struct Admission<'a> {
    gates: &'a Gates,
    lane: LaneKey,
    operation: &'static str,
    bucket: Arc<Bucket>,
    reported: bool,
}

/// The bucket stays empty beyond what the caller can wait.
#[derive(Debug, Clone)]
pub(crate) struct Empty {
    pub(crate) wait: Duration,
    pub(crate) facts: Option<RateFacts>,
}

/// What one look at a bucket gives.
enum Look {
    Go,
    /// Until then, or until the state changes.
    Hold(Instant, Option<RateFacts>),
}

impl Gates {
    /// Waits until the bucket has room, or says at once that this will not be before `deadline`.
    pub(crate) async fn admit(&self, lane: LaneKey, operation: &'static str, deadline: Instant) -> Result<Admission<'_>, Empty> {
        loop {
            // Looked up anew each time: an answer may have told the bucket's name meanwhile.
            let bucket = self.bucket(&lane, operation);
            // Registered before looking, so that a change between the look and the wait is not missed.
            let changed = bucket.changed.notified();
            let look = lock(&bucket.state).look(Instant::now());
            let (until, facts) = match look {
                Look::Go => {
                    let bucket = bucket.clone();
                    return Ok(Admission { gates: self, lane, operation, bucket, reported: false });
                }
                Look::Hold(until, facts) => (until, facts),
            };
            if until >= deadline {
                return Err(Empty { wait: until.saturating_duration_since(Instant::now()), facts });
            }
            let jitter = Duration::from_millis(rand::random_range(0..=JITTER_MS));
            tokio::select! {
                () = tokio::time::sleep_until((until + jitter).min(deadline)) => {}
                () = changed => {}
            }
        }
    }

    fn bucket(&self, lane: &LaneKey, operation: &'static str) -> Arc<Bucket> {
        let mut lanes = lock(&self.lanes);
        if !lanes.contains_key(lane) && lanes.len() >= MOST_LANES {
            let oldest = lanes.iter().min_by_key(|(_, lane)| lane.used).map(|(key, _)| key.clone());
            oldest.map(|key| lanes.remove(&key));
        }
        let lane = lanes.entry(lane.clone()).or_insert_with(Lane::new);
        lane.used = Instant::now();
        let name = lane.names.get(operation).cloned().unwrap_or_else(|| Arc::from(operation));
        lane.bucket(name)
    }

    /// Learns which bucket an operation counts against.
    fn named(&self, lane: &LaneKey, operation: &'static str, name: &str) -> Option<Arc<Bucket>> {
        let mut lanes = lock(&self.lanes);
        let lane = lanes.get_mut(lane)?;
        let name: Arc<str> = Arc::from(name);
        lane.names.insert(operation, name.clone());
        Some(lane.bucket(name))
    }

    #[cfg(test)]
    fn lanes(&self) -> usize {
        lock(&self.lanes).len()
    }
}

impl Lane {
    fn new() -> Self {
        Self { used: Instant::now(), names: HashMap::new(), buckets: HashMap::new() }
    }

    fn bucket(&mut self, name: Arc<str>) -> Arc<Bucket> {
        if !self.buckets.contains_key(&name) && self.buckets.len() >= MOST_BUCKETS {
            let now = Instant::now();
            self.buckets.retain(|_, bucket| !lock(&bucket.state).is_over(now));
            if self.buckets.len() >= MOST_BUCKETS {
                let any = self.buckets.keys().next().cloned();
                any.map(|key| self.buckets.remove(&key));
            }
        }
        self.buckets.entry(name).or_insert_with(|| Arc::new(Bucket { state: Mutex::new(State::Free), changed: Notify::new() })).clone()
    }
}

impl State {
    fn look(&mut self, now: Instant) -> Look {
        match self {
            Self::Free => Look::Go,
            Self::Counted { left, limit, period, ends, facts } => {
                if now >= *ends {
                    if *limit == 0 || period.is_zero() {
                        *self = Self::Free;
                        return Look::Go;
                    }
                    // A new period: as many calls as the limit allows, the others wait for the next.
                    *left = *limit;
                    *ends = now + *period;
                }
                if *left == 0 {
                    return Look::Hold(*ends, Some(facts.clone()));
                }
                *left -= 1;
                Look::Go
            }
            Self::Closed { until, probing, facts } => {
                if now < *until {
                    return Look::Hold(*until, facts.clone());
                }
                if *probing {
                    // The probe's report wakes this call; a second is a bound in case it takes long.
                    return Look::Hold(now + Duration::from_secs(1), facts.clone());
                }
                *probing = true;
                Look::Go
            }
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        match self {
            Self::Free => true,
            Self::Counted { ends, .. } => now >= *ends,
            Self::Closed { until, probing, .. } => now >= *until && !probing,
        }
    }
}

impl Admission<'_> {
    /// An answer came: 429 with `wait` closes the bucket, anything else updates its count.
    pub(crate) fn answered(mut self, facts: Option<&RateFacts>, limited_for: Option<Duration>) {
        self.reported = true;
        let now = Instant::now();
        let named = facts.and_then(|facts| facts.name.as_deref()).and_then(|name| self.gates.named(&self.lane, self.operation, name));
        if let Some(named) = named.filter(|named| !Arc::ptr_eq(named, &self.bucket)) {
            // Counted under the operation's name so far: those who wait there look again, and at the named one later.
            *lock(&self.bucket.state) = State::Free;
            self.bucket.changed.notify_waiters();
            self.bucket = named;
        }
        {
            let mut state = lock(&self.bucket.state);
            match (limited_for, facts) {
                (Some(wait), Some(facts)) if facts.limit > 0 && facts.period_s > 0 => {
                    *state = State::Counted {
                        left: 0,
                        limit: facts.limit,
                        period: Duration::from_secs(facts.period_s),
                        ends: now + wait,
                        facts: facts.clone(),
                    };
                }
                (Some(wait), facts) => *state = State::Closed { until: now + wait, probing: false, facts: facts.cloned() },
                (None, Some(facts)) => *state = state.counted(facts, now),
                // No numbers, and Datadog answered: nothing holds any more.
                (None, None) if matches!(*state, State::Closed { .. }) => *state = State::Free,
                (None, None) => {}
            }
        }
        self.bucket.changed.notify_waiters();
    }
}

impl State {
    /// The state after a report. Within one period the smaller count is right: calls under way are not in the report yet.
    fn counted(&self, facts: &RateFacts, now: Instant) -> Self {
        let reported = now + Duration::from_secs(facts.reset_s);
        let (left, ends) = match self {
            Self::Counted { left, ends, .. } if reported <= *ends + SAME_PERIOD && now < *ends => {
                // An end that was reckoned here gives way to one that was told.
                let ends = if reported + SAME_PERIOD < *ends { reported } else { *ends };
                ((*left).min(facts.remaining), ends)
            }
            _ => (facts.remaining, reported),
        };
        Self::Counted { left, limit: facts.limit, period: Duration::from_secs(facts.period_s), ends, facts: facts.clone() }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.reported {
            return;
        }
        if let State::Closed { probing, .. } = &mut *lock(&self.bucket.state) {
            *probing = false;
        }
        self.bucket.changed.notify_waiters();
    }
}

/// No code panics while it holds one of these locks; a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
