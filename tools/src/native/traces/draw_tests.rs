//! The lines of traces small and huge.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{super::span::Trace, *};
use crate::answer::estimated_tokens as cost;
use serde_json::{Value, json};

fn span(id: u64, parent: u64, service: &str, resource: &str, start: i64, duration: i64, error: bool) -> Value {
    let meta = if error {
        json!({"error.type": "TimeoutError", "error.message": "gave up", "error.stack": "TimeoutError: gave up\n  at a\n\n  at b"})
    } else {
        json!({})
    };
    json!({"spanID": id, "parentID": parent, "service": service, "name": "op", "resource": resource, "startTime": 1_700_000_000_000_000_000_i64 + start, "duration": duration, "error": i64::from(error), "meta": meta, "metrics": {}})
}

fn body(spans: &[Value]) -> Vec<u8> {
    serde_json::to_vec(&json!({"data": {"id": "x", "type": "trace", "attributes": {"is_truncated": false, "spans": spans}}})).unwrap()
}

#[test]
fn a_small_trace_reads_like_a_tree() {
    let ms = 1_000_000;
    let body = body(&[
        span(1, 0, "web", "GET /buy", 0, 100 * ms, true),
        span(2, 1, "checkout", "buy", 5 * ms, 90 * ms, true),
        span(3, 2, "checkout", "validate", 6 * ms, 4 * ms, false),
        span(18_446_744_073_709_551_615, 2, "db", "SELECT 1", 15 * ms, 75 * ms, true),
    ]);
    let trace = Trace::read(&body).unwrap();
    let tree = Tree::of(&trace.spans);
    let (lines, choice) = draw(&trace.spans, &tree, &Wanted::default(), 4_000, cost);
    assert_eq!(choice.shown(), 4);
    assert_eq!(
        lines,
        [
            "root: web: op GET /buy 100ms at 2023-11-14T22:13:20.000Z",
            "error origin: db: op SELECT 1 span_id=18446744073709551615 TimeoutError: gave up",
            "  TimeoutError: gave up",
            "  at a",
            "  at b",
            "self time by service: db 75% 75ms 1 span, 1 error; checkout 15% 15ms 2 spans, 1 error; web 10% 10ms 1 span, 1 error",
            "*!web: op GET /buy @0 100ms self 10ms TimeoutError span_id=1",
            " *!checkout: op buy @5ms 90ms self 11ms TimeoutError span_id=2",
            "  *op validate @6ms 4ms",
            "  *!db: op SELECT 1 @15ms 75ms TimeoutError span_id=18446744073709551615",
        ]
    );
}

/// A request that runs `spans` queries and calls, with one error deep inside.
fn huge(spans: u64) -> Vec<u8> {
    let mut all = vec![span(1, 0, "web", "GET /report", 0, 60_000_000_000, false)];
    for id in 2..=spans {
        // Ten services, chains of up to eight below every eighth span, resources that seldom repeat.
        let parent = if id % 8 == 0 { 1 } else { id - 1 };
        let start = (id as i64) * 2_000_000;
        let table: String = [id % 26, id / 26 % 26, id / 676 % 26].iter().map(|letter| char::from(b'a' + *letter as u8)).collect();
        let resource = format!("SELECT * FROM {table} WHERE id = ?");
        all.push(span(
            id,
            parent,
            &format!("service-{}", id % 10),
            &resource,
            start,
            40_000_000 - (id % 8) as i64 * 1_000_000,
            id == spans - 3,
        ));
    }
    body(&all)
}

#[test]
fn a_huge_trace_holds_the_budget_and_loses_nothing() {
    for count in [200, 2_000, 20_000] {
        let body = huge(count);
        let trace = Trace::read(&body).unwrap();
        let tree = Tree::of(&trace.spans);
        for budget in [600, 4_000, 25_000] {
            let (lines, choice) = draw(&trace.spans, &tree, &Wanted::default(), budget, cost);
            let spent: usize = lines.iter().map(|line| cost(line)).sum();
            assert!(spent <= budget, "{count} spans: {spent} of {budget}");
            assert_eq!(choice.shown() + choice.behind() + choice.hidden(), trace.spans.len());
            assert!(spent > budget / 2 || choice.hidden() == 0, "{count} spans use {spent} of {budget}");
            let text = lines.join("\n");
            assert!(text.contains(&format!("span_id={}", count - 3)), "the error is shown");
        }
    }
}

#[test]
fn a_deep_chain_is_cut_into_its_ends() {
    let mut all = vec![span(1, 0, "web", "GET /", 0, 1_000_000_000, false)];
    all.extend((2..=5_000).map(|id| span(id, id - 1, "web", &format!("f{id}"), id as i64, 1_000_000_000 - 2 * id as i64, id == 5_000)));
    let body = body(&all);
    let trace = Trace::read(&body).unwrap();
    let tree = Tree::of(&trace.spans);
    let (lines, choice) = draw(&trace.spans, &tree, &Wanted::default(), 1_500, cost);
    assert!(lines.iter().map(|line| cost(line)).sum::<usize>() <= 1_500);
    assert_eq!(choice.shown() + choice.behind() + choice.hidden(), 5_000);
    let text = lines.join("\n");
    assert!(text.contains("…4") && lines.last().is_some_and(|line| line.contains("*!op f5000")), "{text}");
}

#[test]
fn repeated_siblings_are_one_line_that_says_how_many() {
    let mut all = vec![span(1, 0, "web", "GET /", 0, 1_000_000_000, false)];
    all.extend((0..37).map(|n| span(100 + n, 1, "db", "SELECT 1", n as i64 * 20_000_000, 10_000_000 + n as i64 * 100_000, false)));
    let body = body(&all);
    let trace = Trace::read(&body).unwrap();
    let tree = Tree::of(&trace.spans);
    let (lines, _) = draw(&trace.spans, &tree, &Wanted::default(), 4_000, cost);
    let tree_lines = &lines[2..];
    assert_eq!(tree_lines.len(), 2);
    assert!(tree_lines[0].ends_with("span_id=1"), "its parent can be opened: {}", tree_lines[0]);
    assert!(tree_lines[1].contains("×37 alike: total 437ms, 10ms to 13.6ms"), "{}", tree_lines[1]);
}

#[test]
fn an_opened_span_shows_its_tags_and_the_way_to_it() {
    let body = body(&[
        span(1, 0, "web", "GET /", 0, 100, false),
        span(2, 1, "web", "inner", 10, 50, true),
        span(3, 2, "db", "SELECT 1", 20, 10, false),
        span(4, 1, "db", "SELECT 2", 70, 10, false),
    ]);
    let trace = Trace::read(&body).unwrap();
    let tree = Tree::of(&trace.spans);
    let (lines, choice) = draw(&trace.spans, &tree, &Wanted { under: Some(1), ..Wanted::default() }, 4_000, cost);
    let text = lines.join("\n");
    assert_eq!(choice.shown(), 2);
    assert!(
        text.contains("above: web: op GET /") && text.contains("\"error.message\":\"gave up\"") && !text.contains("SELECT 2"),
        "{text}"
    );
}
