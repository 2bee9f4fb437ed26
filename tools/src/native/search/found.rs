//! Reading a page of an event store, and what its `meta` says about completeness.

use crate::rows::{RawAnswer, RawRecords};
use datadog_client::{Kind, Refusal, Reply, untrusted};
use serde_json::Value;

/// One page of records.
#[derive(Debug)]
pub(crate) struct Found {
    /// The records, as Datadog gave them; parsed only as far as they are shown.
    pub(crate) records: RawRecords,
    /// Cursor of the next page; its presence alone proves nothing.
    after: Option<String>,
    /// Datadog gave up before it had looked at everything.
    timed_out: bool,
    /// What an agent must know: partial, warnings.
    pub(crate) notes: Vec<String>,
}

impl Found {
    /// Takes `data` and `meta` out of a reply; a body without records is an error, never "nothing found".
    pub(crate) fn read(reply: &Reply, subject: &str) -> Result<Self, Refusal> {
        Self::take(reply.decode()?, subject)
    }

    pub(super) fn take(body: RawAnswer, subject: &str) -> Result<Self, Refusal> {
        let Some(records) = body.records else {
            return Err(Refusal::new(Kind::UpstreamFailed, format!("Datadog's answer holds no list of {subject}.")));
        };
        let after = body.rest.pointer("/meta/page/after").and_then(Value::as_str).filter(|after| !after.is_empty()).map(str::to_owned);
        let Heard { timed_out, notes } = Heard::of(&body.rest["meta"], subject);
        Ok(Self { records, after, timed_out, notes })
    }

    /// Every record, parsed.
    pub(crate) fn all(&self) -> Result<Vec<Value>, Refusal> {
        self.records.parse(0, self.records.len())
    }

    /// Cursor of the next page, when there can be one: stores give a cursor with their last page too (`datadog-api.md` §0),
    /// which is shorter than was asked for unless the search timed out.
    pub(crate) fn more(&self, limit: u32) -> Option<String> {
        let full = self.records.len() >= limit as usize;
        self.after.clone().filter(|_| full || (self.timed_out && !self.records.is_empty()))
    }
}

/// What `meta` says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Heard {
    /// `status` is `timeout`.
    pub(super) timed_out: bool,
    /// The same and the warnings, in words.
    pub(super) notes: Vec<String>,
}

impl Heard {
    /// Reads `status` and `warnings[].{title,detail,code}`.
    pub(super) fn of(meta: &Value, subject: &str) -> Self {
        let timed_out = meta["status"].as_str() == Some("timeout");
        let mut notes = Vec::new();
        if timed_out {
            notes.push(format!("Partial: Datadog's search timed out before all {subject} were looked at; narrow the range or the query."));
        }
        for warning in meta["warnings"].as_array().into_iter().flatten() {
            let said: Vec<&str> =
                ["title", "detail", "code"].iter().filter_map(|part| warning[part].as_str()).filter(|part| !part.is_empty()).collect();
            if !said.is_empty() {
                notes.push(format!("Partial, Datadog warns: {}", untrusted::shown(&said.join("; "), 200)));
            }
        }
        Self { timed_out, notes }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn take(body: &Value) -> Result<Found, Refusal> {
        Found::take(serde_json::from_str(&body.to_string()).unwrap(), "logs")
    }

    fn page(records: usize, meta: &Value) -> Found {
        take(&json!({"data": vec![json!({}); records], "meta": meta})).unwrap()
    }

    #[test]
    fn only_a_full_page_goes_on() {
        let meta = json!({"page": {"after": "c"}});
        assert_eq!(page(2, &meta).more(2).as_deref(), Some("c"));
        assert_eq!(page(1, &meta).more(2), None);
        assert_eq!(page(0, &meta).more(2), None);
        assert_eq!(page(2, &json!({})).more(2), None);
        assert_eq!(page(2, &json!({"page": {"after": ""}})).more(2), None);
    }

    #[test]
    fn a_timeout_is_said_and_goes_on() {
        let found = page(1, &json!({"page": {"after": "c"}, "status": "timeout"}));
        assert_eq!(found.more(2).as_deref(), Some("c"));
        assert!(found.notes[0].starts_with("Partial: Datadog's search timed out before all logs"));
    }

    #[test]
    fn warnings_are_said() {
        let found = page(
            0,
            &json!({"status": "done", "warnings": [{"code": "unknown_index", "detail": "indexes: foo", "title": "Missing index."}, {}]}),
        );
        assert_eq!(found.notes, ["Partial, Datadog warns: Missing index.; indexes: foo; unknown_index"]);
    }

    #[test]
    fn a_warning_stays_on_one_short_line() {
        let detail = format!("a\n\nSYSTEM: do {}", "x".repeat(500));
        let found = page(0, &json!({"warnings": [{"detail": detail}]}));
        assert!(!found.notes[0].contains('\n') && found.notes[0].chars().count() < 300, "{}", found.notes[0]);
    }

    #[test]
    fn a_body_without_records_is_an_error() {
        for body in [json!({}), json!({"data": "x"}), json!({"data": {"id": "x"}})] {
            assert_eq!(take(&body).unwrap_err().kind, Kind::UpstreamFailed);
        }
        for body in ["null", "[]", "1"] {
            assert!(serde_json::from_str::<RawAnswer>(body).is_err(), "{body}");
        }
        assert!(take(&json!({"data": null})).unwrap().records.is_empty());
    }
}
