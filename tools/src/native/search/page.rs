//! Where a search goes on: Datadog's cursor and how many records were shown before.

use crate::answer::{Page, Total};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// State of a page.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Place {
    /// Datadog's cursor of this page; none on the first.
    pub(super) after: Option<String>,
    /// Records of the pages before.
    #[serde(default)]
    seen: u64,
}

impl Place {
    /// The place a caller's cursor names; the first page without one.
    pub(super) fn of(page: Option<&Page>) -> Self {
        page.and_then(|page| page.state.clone()).and_then(|state| serde_json::from_value(state).ok()).unwrap_or_default()
    }

    pub(super) fn is_first(&self) -> bool {
        self.after.is_none()
    }

    /// Exact once nothing follows.
    pub(super) fn total(&self, shown: usize, more: bool) -> Total {
        let so_far = self.seen + shown as u64;
        if more { Total::AtLeast(so_far) } else { Total::Exact(so_far) }
    }

    /// State of the page after this one.
    pub(super) fn then(&self, after: &str, shown: usize) -> Value {
        json!({"after": after, "seen": self.seen + shown as u64})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_over_pages() {
        let first = Place::of(None);
        assert!(first.is_first());
        assert_eq!(first.total(50, true), Total::AtLeast(50));
        let page = Page { state: Some(first.then("c", 50)), skip: 0, seen: 50, range: None };
        let second = Place::of(Some(&page));
        assert_eq!(second.after.as_deref(), Some("c"));
        assert_eq!(second.total(7, false), Total::Exact(57));
    }
}
