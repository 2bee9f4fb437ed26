//! Rate limits as once recorded: a hint for pacing, never a promise (they are per org, and change).

use crate::Operation;
use crate::generated::rates::RATES;

/// One recorded rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateHint {
    /// Datadog's name of the bucket (`X-RateLimit-Name`), when it was sent; operations that share one share the limit.
    pub name: Option<&'static str>,
    /// Requests allowed per period.
    pub limit: u32,
    /// The period in seconds.
    pub period_s: u32,
}

/// The rate limit recorded for an operation in the newest year (2020–2023), if any was.
#[must_use]
pub fn rate(operation: &Operation) -> Option<RateHint> {
    let at = RATES.binary_search_by(|(id, _)| (*id).cmp(operation.id)).ok()?;
    RATES.get(at).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::operation;

    #[test]
    fn recorded_limits_are_found_and_others_are_not_made_up() {
        assert!(RATES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(RATES.len(), 94);
        let logs = rate(operation("v2.ListLogs").unwrap()).unwrap();
        assert_eq!(logs, RateHint { name: Some("logs_public_search_api"), limit: 10, period_s: 10 });
        assert_eq!(rate(operation("x.ListDatabaseQuerySamples").unwrap()), None);
        assert!(RATES.iter().all(|(id, hint)| operation(id).is_some() && hint.limit > 0 && hint.period_s > 0));
    }
}
