//! What a sandbox is made with.

use jiff::Timestamp;
use std::path::PathBuf;
use std::time::Duration;

/// How a sandbox is made. `Options::default()` is a small org whose story ends now.
#[derive(Debug, Clone)]
pub struct Options {
    /// The same seed tells the same story, ids included.
    pub seed: u64,
    /// How much data.
    pub size: Size,
    /// The story's present; the sandbox's clock starts here and runs on. Default: real time.
    pub now: Timestamp,
    /// When the story has become so old, it is told again relative to the clock, with the same ids; cursors expire then.
    pub renew_after: Duration,
    /// Recorded answers (`recordings.jsonl.zst` or plain lines) for operations without a simulation.
    pub recordings: Option<PathBuf>,
    /// API keys accepted, besides nothing else.
    pub api_keys: Vec<String>,
    /// Unscoped application keys accepted.
    pub app_keys: Vec<String>,
    /// `X-RateLimit-*` and 429.
    pub rate_limits: RateLimits,
}

/// How much data an org has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Size {
    /// Some 3,000 log events.
    #[default]
    Small,
    /// More than 100,000 log events.
    Large,
    /// As many customer requests as given; each leaves about two log events and a half.
    Requests(usize),
}

/// Whether and how requests are limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RateLimits {
    /// As recorded from Datadog: ten log searches in ten seconds, and so on.
    #[default]
    Recorded,
    /// No limit and no headers.
    Off,
    /// The same for each bucket.
    Each {
        /// Requests in one period.
        limit: u64,
        /// Seconds.
        period: u64,
    },
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            size: Size::default(),
            now: Timestamp::now(),
            renew_after: Duration::from_secs(30 * 60),
            recordings: None,
            api_keys: vec!["fake-api-key-sandbox".to_owned()],
            app_keys: vec!["fake-app-key-sandbox".to_owned()],
            rate_limits: RateLimits::default(),
        }
    }
}

impl Size {
    /// Customer requests told.
    pub(crate) const fn requests(self) -> usize {
        match self {
            Self::Small => 1_100,
            Self::Large => 46_000,
            Self::Requests(count) => count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_is_more_than_a_hundred_thousand_logs() {
        // Each request leaves at least 2.3 log events (a loopback test counts them).
        assert!(Size::Large.requests() * 23 / 10 > 100_000);
        assert!((2_500..4_000).contains(&(Size::Small.requests() * 25 / 10)));
    }
}
