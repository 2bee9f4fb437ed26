//! Why no sample was found: what there is in the range at all, and whether a wider one has any.

use super::{
    super::search::{Diagnosis, Sort, plural, wider},
    fetch,
};
use crate::{CallContext, TimeRange};
use serde_json::Value;
use std::collections::BTreeMap;

/// Records looked at.
const SAMPLE: u32 = 100;

/// Values named of each key.
const NAMED: usize = 6;

/// Two questions at once: the same query over a wider range, and everything of this type in the range.
pub(super) async fn diagnose(cx: &CallContext<'_>, query: &str, kind: &str, range: TimeRange) -> Diagnosis {
    let mut found = Diagnosis::default();
    let everything = format!("dbm_type:{kind}");
    let wide = wider(range, cx.now.as_millisecond()).map(|(wide, _)| wide);
    let (in_wide, in_range) = futures::join!(async { look(cx, query, wide?).await }, async {
        if query == everything { None } else { look(cx, &everything, range).await }
    });
    match in_range {
        Some(records) if records.is_empty() => found.notes.push(format!("There is no {kind} at all in this range.")),
        Some(records) => {
            found
                .notes
                .push("The range has samples that this query excludes; the newest of them come from what is listed above.".to_owned());
            found.seen.extend(values(&records));
        }
        None => {}
    }
    match in_wide {
        Some(records) if records.is_empty() => {
            found.notes.push("A wider range has none either; is Database Monitoring set up for this database?".to_owned());
        }
        Some(records) => {
            let more = if records.len() >= SAMPLE as usize { "at least " } else { "" };
            let from = wide.map(|wide| wide.from_iso()).unwrap_or_default();
            found.notes.push(format!(
                "From {from} on the same query finds {more}{}: call again with that `from`.",
                plural(records.len() as u64, "samples")
            ));
        }
        None => {}
    }
    found
}

async fn look(cx: &CallContext<'_>, query: &str, range: TimeRange) -> Option<Vec<Value>> {
    let request = fetch::list(query, range, Sort::Newest, SAMPLE).ok()?;
    fetch::events(cx.send(&request).await.ok()?.json().ok()?).ok()
}

/// `services: checkout, orders`, and so on for hosts and databases.
fn values(records: &[Value]) -> Vec<String> {
    let keys = [
        ("service", "/event/service"),
        ("host", "/event/host"),
        ("@db.instance", "/event/custom/db/instance"),
        ("@db.user", "/event/custom/db/user"),
    ];
    let line = |(name, pointer): (&str, &str)| {
        let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
        for value in records.iter().filter_map(|record| record.pointer(pointer)?.as_str()) {
            *counted.entry(value).or_default() += 1;
        }
        let mut ranked: Vec<(&str, usize)> = counted.into_iter().collect();
        ranked.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        let named: Vec<String> = ranked.iter().take(NAMED).map(|(value, number)| format!("{value} ({number})")).collect();
        (!named.is_empty()).then(|| format!("values of {name}: {}", named.join(", ")))
    };
    keys.into_iter().filter_map(line).collect()
}
