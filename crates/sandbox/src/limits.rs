//! Rate limits: one bucket per name, fixed windows, and the headers that tell of them.

use crate::options::RateLimits;
use crate::reply::Reply;
use datadog_catalogue::Operation;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

/// Where an operation's requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) name: &'static str,
    pub(crate) limit: u64,
    /// Seconds.
    pub(crate) period: u64,
}

/// State of a bucket after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) bucket: Bucket,
    pub(crate) remaining: u64,
    /// Seconds until the window ends.
    pub(crate) reset: u64,
}

/// Counts requests.
#[derive(Debug)]
pub(crate) struct Limits {
    policy: RateLimits,
    started: Instant,
    /// Window number and requests in it, by bucket.
    used: Mutex<HashMap<&'static str, (u64, u64)>>,
}

/// Recorded values; names before 2022 are unknown and then the operation's id is the bucket (`reference/datadog-api.md` §0).
fn bucket(operation: &Operation) -> Bucket {
    let (name, limit, period) = match operation.id {
        "v2.ListLogs" | "v2.ListLogsGet" | "v1.ListLogs" => ("logs_public_search_api", 10, 10),
        "v2.ListSpans" | "v2.ListSpansGet" => (operation.id, 300, 3_600),
        "v2.GetTraceByID" | "v2.GetPrunedTraceByID" => (operation.id, 60, 60),
        "v1.QueryMetrics" => (operation.id, 1_600, 3_600),
        "v1.ListActiveMetrics" => (operation.id, 1_000, 3_600),
        "v1.ListEvents" => ("event_stream_api", 600, 60),
        "v1.ListMonitors" => ("get_all_monitors", 1_000, 10),
        "v1.GetMonitor" => ("get_monitors", 3_000, 10),
        "v1.CreateMonitor" => ("post_monitors", 500, 10),
        "v1.UpdateMonitor" => ("put_monitors", 500, 10),
        "v1.ListDashboards" => ("get_custom_dashboards", 60, 60),
        "v1.ListSLOs" => ("slo_get_all", 1_000, 10),
        "v1.GetSLO" => ("slo_get", 3_000, 10),
        "v1.GetSLOHistory" => ("slo_history", 150, 10),
        _ => ("global_org", 12_000, 60),
    };
    Bucket { name, limit, period }
}

impl Limits {
    pub(crate) fn new(policy: RateLimits) -> Self {
        Self { policy, started: Instant::now(), used: Mutex::default() }
    }

    /// Counts a request; `Err` when its bucket is empty, `None` when nothing is limited.
    pub(crate) fn take(&self, operation: &Operation) -> Result<Option<Standing>, (Standing, Reply)> {
        let mut bucket = bucket(operation);
        match self.policy {
            RateLimits::Off => return Ok(None),
            RateLimits::Recorded => {}
            RateLimits::Each { limit, period } => (bucket.limit, bucket.period) = (limit, period.max(1)),
        }
        let elapsed = self.started.elapsed().as_secs();
        let window = elapsed / bucket.period;
        let reset = bucket.period - elapsed % bucket.period;
        let mut used = self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = used.entry(bucket.name).or_default();
        if count.0 != window {
            *count = (window, 0);
        }
        let standing = |remaining| Standing { bucket, remaining, reset };
        if count.1 >= bucket.limit {
            return Err((standing(0), refusal(bucket.limit, bucket.period, bucket.name)));
        }
        count.1 += 1;
        Ok(Some(standing(bucket.limit - count.1)))
    }
}

/// The body of a 429.
pub(crate) fn refusal(limit: u64, period: u64, name: &str) -> Reply {
    Reply::errors(429, &[&format!("Rate limit of {limit} requests in {period} seconds reached for {name}")])
}
