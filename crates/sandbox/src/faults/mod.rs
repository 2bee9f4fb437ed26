//! Faults on demand: what is broken, for which requests, how often.

mod bodies;
mod respond;

pub(crate) use respond::respond;

use datadog_catalogue::Operation;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Mutex;

/// One fault rule, as `POST /_sandbox/faults` takes it.
///
/// `{"match": {"operation": "v2.ListLogs"}, "times": 1, "fault": {"kind": "rate_limited", "reset": "1"}}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Which requests; every one when left out.
    #[serde(rename = "match", default)]
    pub matches: FaultMatch,
    /// How many requests it meets; without end when left out.
    #[serde(default)]
    pub times: Option<u64>,
    /// How many matching requests pass untouched first.
    #[serde(default)]
    pub skip: u64,
    /// The operation runs although its answer is lost, as when a connection dies after a write.
    #[serde(default)]
    pub execute: bool,
    /// What happens.
    pub fault: Fault,
}

/// Which requests a rule meets: all that are given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultMatch {
    /// Operation id, e.g. `v2.ListLogs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Beginning of the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
}

/// What can go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// This status, with this body: a text is sent as it is, anything else as JSON; `{"errors":[…]}` when left out.
    Status {
        /// HTTP status.
        status: u16,
        /// Body.
        #[serde(default)]
        body: Option<Value>,
    },
    /// 429. `reset` is sent verbatim as `X-RateLimit-Reset` (so it can be garbage); no rate limit header when left out.
    RateLimited {
        /// Header value.
        #[serde(default)]
        reset: Option<String>,
    },
    /// The connection is reset after so many bytes of the answer; 0 is before its first.
    Reset {
        /// Bytes, headers included.
        #[serde(default)]
        after_bytes: usize,
    },
    /// The normal body, so many bytes at a time.
    SlowBody {
        /// Bytes at once.
        bytes: usize,
        /// Milliseconds between.
        interval_ms: u64,
    },
    /// The normal answer, later.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Log events without end: valid JSON of so many megabytes.
    HugeBody {
        /// Megabytes.
        megabytes: usize,
    },
    /// A small gzip body that unpacks to so many megabytes.
    GzipBomb {
        /// Megabytes unpacked.
        megabytes: usize,
    },
    /// JSON with bytes that are no UTF-8.
    InvalidUtf8,
    /// The normal body under another content type.
    ContentType {
        /// Header value.
        value: String,
    },
    /// A page of a proxy, 502 unless another status is given.
    Html {
        /// HTTP status.
        #[serde(default)]
        status: Option<u16>,
    },
    /// 200 without a body.
    Empty,
    /// A redirect elsewhere.
    Redirect {
        /// `Location`.
        location: String,
        /// HTTP status, 302 when left out.
        #[serde(default)]
        status: Option<u16>,
    },
    /// JSON nested so deep.
    DeepJson {
        /// Levels.
        depth: usize,
    },
    /// The first half of the normal body, with a length that says that it is all.
    TruncatedJson,
    /// The normal answer, marked as incomplete: `meta.status: "timeout"` and `meta.warnings`.
    Partial,
}

impl Fault {
    /// The word for it, as in its JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::RateLimited { .. } => "rate_limited",
            Self::Reset { .. } => "reset",
            Self::SlowBody { .. } => "slow_body",
            Self::Delay { .. } => "delay",
            Self::HugeBody { .. } => "huge_body",
            Self::GzipBomb { .. } => "gzip_bomb",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::ContentType { .. } => "content_type",
            Self::Html { .. } => "html",
            Self::Empty => "empty",
            Self::Redirect { .. } => "redirect",
            Self::DeepJson { .. } => "deep_json",
            Self::TruncatedJson => "truncated_json",
            Self::Partial => "partial",
        }
    }

    /// It changes the normal answer, so the operation runs; the others stand in for it.
    pub(crate) const fn alters(&self) -> bool {
        match self {
            Self::Reset { after_bytes } => *after_bytes > 0,
            Self::SlowBody { .. } | Self::Delay { .. } | Self::ContentType { .. } | Self::TruncatedJson | Self::Partial => true,
            _ => false,
        }
    }
}

/// The rules in force; the oldest that fits a request meets it.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<FaultRule>>);

impl Faults {
    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<FaultRule>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn add(&self, rule: FaultRule) {
        self.rules().push(rule);
    }

    pub(crate) fn clear(&self) {
        self.rules().clear();
    }

    pub(crate) fn count(&self) -> usize {
        self.rules().len()
    }

    pub(crate) fn list(&self) -> Vec<FaultRule> {
        self.rules().clone()
    }

    /// The rule that meets this request, used up by one.
    pub(crate) fn take(&self, operation: Option<&Operation>, path: &str) -> Option<FaultRule> {
        let mut rules = self.rules();
        let at = rules.iter().position(|rule| {
            let wanted = &rule.matches;
            wanted.operation.as_deref().is_none_or(|id| operation.is_some_and(|operation| operation.id == id))
                && wanted.path_prefix.as_deref().is_none_or(|prefix| path.starts_with(prefix))
                && rule.times != Some(0)
        })?;
        let rule = rules.get_mut(at)?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        let taken = rule.clone();
        if let Some(times) = &mut rule.times {
            *times -= 1;
            if *times == 0 {
                rules.remove(at);
            }
        }
        Some(taken)
    }
}
