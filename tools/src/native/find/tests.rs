#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::Selection;

fn search(query: &str) -> Vec<String> {
    let registry = Registry::build(Selection::default(), None).unwrap();
    let index = Index::of(&registry);
    index.search(query, |_| true).into_iter().take(8).map(|entry| describe::brief(entry, &registry)).collect()
}

#[test]
fn words_find_the_operation_they_mean() {
    for (query, id) in [
        ("mute host", "v1.MuteHost"),
        ("create downtime", "v2.CreateDowntime"),
        ("list slo", "v1.ListSLOs"),
        ("delete monitor", "v1.DeleteMonitor"),
        ("aws accounts", "v2.ListAWSAccounts"),
        ("on-call schedule", "v2.GetOnCallSchedule"),
        ("service dependencies", "x.ListServiceDependencies"),
    ] {
        let found = search(query);
        assert!(found.iter().any(|text| text.starts_with(&format!("{id} — "))), "{query}: {found:#?}");
    }
}

#[test]
fn every_operation_is_found_by_its_own_id() {
    let registry = Registry::build(Selection::default(), None).unwrap();
    for operation in datadog_catalogue::operations() {
        let Some(Entry::Operation(found)) = exact(&registry, operation.id) else { panic!("{} is not found", operation.id) };
        assert_eq!(found.id, operation.id);
        let text = describe::whole(&Entry::Operation(operation), &registry);
        assert!(text.starts_with(operation.id) && text.contains(operation.path), "{text}");
        for param in operation.params {
            assert!(text.contains(param.name), "{} loses {}", operation.id, param.name);
        }
    }
}

#[test]
fn every_operation_is_among_the_first_for_the_words_of_its_id() {
    let registry = Registry::build(Selection::default(), None).unwrap();
    let index = Index::of(&registry);
    let mut missed = Vec::new();
    for operation in datadog_catalogue::operations() {
        let query = format!("{} {}", operation.id.split_once('.').unwrap().1, operation.tag);
        // What Datadog deprecates stands behind what it wants used instead.
        let first = if operation.deprecated { 20 } else { 10 };
        let hit = index
            .search(&query, |_| true)
            .into_iter()
            .take(first)
            .any(|entry| matches!(entry, Entry::Operation(found) if found.id == operation.id));
        if !hit {
            missed.push(operation.id);
        }
    }
    assert!(missed.is_empty(), "{} missed: {missed:?}", missed.len());
}

#[test]
fn a_withheld_operation_says_so() {
    let registry = Registry::build(Selection::default(), None).unwrap();
    let text = describe::brief(&Entry::Operation(datadog_catalogue::operation("v1.DeleteMonitor").unwrap()), &registry);
    assert!(text.contains("destructive") && text.contains("--allow-writes"), "{text}");
}
