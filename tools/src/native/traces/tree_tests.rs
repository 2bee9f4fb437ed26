//! The tree of a trace, by example and by law.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;
use serde_json::json;

/// `(id, parent, start, duration, error)`
type Sketch = (u64, u64, i64, i64, bool);

pub(in crate::native::traces) fn spans(sketches: &[Sketch]) -> Vec<Span<'static>> {
    let span = |&(id, parent, start, duration, error): &Sketch| {
        let status = if error { "error" } else { "ok" };
        let mut span = Span::of_event(json!({"attributes": {"span_id": id.to_string(), "parent_id": parent.to_string(), "service": "s", "resource_name": format!("r{}", id % 3), "status": status}})).unwrap();
        (span.start, span.duration) = (start, duration);
        span
    };
    sketches.iter().map(span).collect()
}

fn tree(sketches: &[Sketch]) -> Tree {
    Tree::of(&spans(sketches))
}

#[test]
fn self_time_is_what_no_child_covers() {
    let tree = tree(&[(1, 0, 0, 100, false), (2, 1, 10, 30, false), (3, 1, 30, 30, false), (4, 1, 90, 50, false), (5, 2, 10, 30, false)]);
    let own: Vec<i64> = tree.nodes.iter().map(|node| node.own).collect();
    // 2 and 3 overlap (10..60), 4 outlives its parent (90..100 counts).
    assert_eq!(own, [40, 0, 30, 50, 30]);
    assert_eq!(tree.nodes[0].size, 5);
}

#[test]
fn the_critical_path_goes_through_the_child_that_ended_last() {
    let tree = tree(&[(1, 0, 0, 100, false), (2, 1, 0, 50, false), (3, 1, 5, 85, false), (4, 3, 20, 60, false), (5, 1, 91, 4, false)]);
    let critical: Vec<i64> = tree.nodes.iter().map(|node| node.critical).collect();
    // 5 (91..95), then 3 (5..90) with 4 inside; 2 ran beside 3 and was not waited for.
    assert_eq!(critical, [5 + 1 + 5, 0, 25, 60, 4]);
    assert_eq!(critical.iter().sum::<i64>(), 100);
}

#[test]
fn orphans_cycles_and_duplicates_are_kept_and_counted() {
    let orphan = tree(&[(1, 0, 0, 10, false), (2, 99, 0, 5, false)]);
    assert_eq!((orphan.roots.len(), orphan.orphans, orphan.cycles), (2, 1, 0));
    let circle = tree(&[(1, 3, 5, 10, false), (2, 1, 6, 5, false), (3, 2, 7, 5, false), (4, 3, 8, 1, false)]);
    assert_eq!((circle.roots.clone(), circle.cycles, circle.orphans, circle.preorder.len()), (vec![0], 1, 0, 4));
    let selfish = tree(&[(1, 1, 0, 10, false), (2, 1, 0, 5, false)]);
    assert_eq!((selfish.roots.clone(), selfish.cycles, selfish.orphans), (vec![0], 1, 0));
    let twice = tree(&[(1, 0, 0, 10, false), (1, 0, 0, 10, false), (2, 1, 0, 5, false)]);
    assert_eq!((twice.duplicates, twice.preorder.len()), (1, 3));
    assert_eq!(tree(&[]).main, None);
}

#[test]
fn the_error_origin_is_the_deepest() {
    let sketches = [(1, 0, 0, 100, true), (2, 1, 0, 10, true), (3, 1, 20, 50, true), (4, 3, 30, 20, true), (5, 4, 31, 2, false)];
    assert_eq!(tree(&sketches).error_origin(&spans(&sketches)), Some(3));
    assert_eq!(tree(&[(1, 0, 0, 1, false)]).error_origin(&spans(&[(1, 0, 0, 1, false)])), None);
}

#[test]
fn a_chain_of_twenty_thousand_does_not_overflow() {
    let sketches: Vec<Sketch> = (1..=20_000).map(|id| (id, id - 1, id as i64, 40_000 - 2 * id as i64, id == 20_000)).collect();
    let tree = tree(&sketches);
    assert_eq!(tree.nodes[19_999].depth, 19_999);
    assert_eq!(tree.nodes.iter().map(|node| node.own).sum::<i64>(), sketches[0].3);
}

/// Any spans at all: parents that are missing, later, themselves; times of any sign.
fn wild() -> impl Strategy<Value = Vec<Sketch>> {
    proptest::collection::vec((1..40_u64, 0..45_u64, -1000..1000_i64, 0..500_i64, any::<bool>()), 0..60)
}

/// A well-formed trace: children one after the other inside their parent.
fn sequential() -> impl Strategy<Value = Vec<Sketch>> {
    proptest::collection::vec((0..8_usize, 1..10_i64), 0..80).prop_map(|steps| {
        let mut spans: Vec<Sketch> = vec![(1, 0, 0, 1_000_000, false)];
        let mut free: Vec<i64> = vec![0];
        for (choice, share) in steps {
            let parent = choice % spans.len();
            let (start, end) = (free[parent], spans[parent].2 + spans[parent].3);
            let length = (end - start) * share / 10;
            if length > 0 {
                let id = spans.len() as u64 + 1;
                spans.push((id, spans[parent].0, start, length, false));
                free.push(start);
                free[parent] = start + length;
            }
        }
        spans
    })
}

proptest! {
    #[test]
    fn every_span_stands_in_the_tree_once(sketches in wild()) {
        let tree = tree(&sketches);
        let mut order = tree.preorder.clone();
        order.sort_unstable();
        prop_assert_eq!(order, (0..sketches.len()).collect::<Vec<_>>());
        prop_assert_eq!(tree.roots.iter().map(|&root| tree.nodes[root].size).sum::<usize>(), sketches.len());
        for (node, sketch) in tree.nodes.iter().zip(&sketches) {
            prop_assert!(0 <= node.own && node.own <= sketch.3);
            prop_assert!(node.critical >= 0);
        }
    }

    #[test]
    fn the_critical_path_is_as_long_as_the_root(sketches in wild()) {
        let tree = tree(&sketches);
        let expected = tree.main.map_or(0, |main| sketches[main].3);
        prop_assert_eq!(tree.nodes.iter().map(|node| node.critical).sum::<i64>(), expected);
    }

    #[test]
    fn self_times_sum_to_the_root(sketches in sequential()) {
        let tree = tree(&sketches);
        prop_assert_eq!(tree.nodes.iter().map(|node| node.own).sum::<i64>(), 1_000_000);
        // One after the other, everything is waited for.
        for node in &tree.nodes {
            prop_assert_eq!(node.own, node.critical);
        }
    }
}
