#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn records(shown: usize, total: Option<u64>, cursor: Option<&str>) -> Records {
    Records { rows: vec![json!({}); shown], total, cursor: cursor.map(str::to_owned), ..Records::default() }
}

fn judge(id: &str, arguments: Value, records: &Records) -> Beyond {
    let Value::Object(arguments) = arguments else { panic!("an object") };
    beyond(datadog_catalogue::operation(id).unwrap(), &arguments, records, None)
}

#[test]
fn a_short_page_is_the_last_whatever_the_cursor_says() {
    let found = judge("v2.ListAuditLogs", json!({"page[limit]": 10}), &records(3, None, Some("c")));
    assert_eq!(found, Beyond { next: None, total: Total::Exact(3), note: None });
}

#[test]
fn a_capped_or_partial_page_goes_on() {
    let found = judge("v2.ListProcesses", json!({"page[limit]": 5000}), &records(1000, None, Some("c")));
    assert_eq!((found.next, found.total), (Some(json!({"cursor": "c"})), Total::AtLeast(1000)));
    let mut partial = records(3, None, Some("c"));
    partial.warnings.push("timeout".to_owned());
    assert_eq!(judge("v2.ListAuditLogs", json!({"page[limit]": 10}), &partial).next, Some(json!({"cursor": "c"})));
}

#[test]
fn a_stated_total_decides() {
    let found = judge("v2.ListUsers", json!({"page[size]": 100}), &records(5, Some(12), None));
    assert_eq!((found.next, found.total), (Some(json!({"page": 1})), Total::Exact(12)));
    let found = judge("v2.ListUsers", json!({"page[size]": 100}), &records(12, Some(12), None));
    assert_eq!((found.next, found.total), (None, Total::Exact(12)));
}

#[test]
fn an_operation_that_heeds_no_paging_is_not_paged() {
    let found = judge("v1.ListMonitors", json!({"page_size": 2}), &records(15, None, None));
    assert_eq!(found, Beyond { next: None, total: Total::Exact(15), note: None });
}

#[test]
fn without_a_known_page_size_nothing_is_claimed() {
    let unsized_pages = datadog_catalogue::operations().iter().filter(|operation| {
        operation.paging.is_some_and(|paging| paging.cursor.is_none() && asked(operation, &paging, &Map::new()).is_none())
    });
    let mut seen = 0;
    for operation in unsized_pages {
        let found = beyond(operation, &Map::new(), &records(7, None, None), None);
        assert_eq!(
            (&found.next, found.total),
            (&None, if found.note.is_some() { Total::Unknown } else { Total::AtLeast(7) }),
            "{}",
            operation.id
        );
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}
