//! No span is lost: shown, behind a sibling, hidden below a shown one, or filtered, and within the budget.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{super::tree::tests::spans, *};
use proptest::prelude::*;

fn wild() -> impl Strategy<Value = Vec<(u64, u64, i64, i64, bool)>> {
    proptest::collection::vec((1..60_u64, 0..20_u64, -1000..1000_i64, 0..500_i64, proptest::bool::weighted(0.2)), 1..120)
}

proptest! {
    #[test]
    fn every_span_is_accounted_for(sketches in wild(), budget in 0..400_usize, under in proptest::option::of(0..120_usize), errors_only: bool, service in proptest::option::of("[st]")) {
        let spans = spans(&sketches);
        let tree = Tree::of(&spans);
        let under = under.filter(|under| *under < spans.len());
        let wanted = Wanted { under, service, errors_only };
        let cost = |at: usize, alike: bool| 5 + at % 4 + usize::from(alike);
        let choice = choose(&spans, &tree, &wanted, budget, cost);
        let in_view = under.map_or(spans.len(), |under| tree.nodes[under].size);
        prop_assert_eq!(choice.shown() + choice.behind() + choice.hidden() + choice.filtered, in_view, "{:?}", choice);
        prop_assert!(choice.lines.iter().map(|line| cost(line.at, line.alike.is_some())).sum::<usize>() <= budget);
        let mut seen = std::collections::BTreeSet::new();
        for line in &choice.lines {
            prop_assert!(seen.insert(line.at));
            prop_assert!(line.above.is_none_or(|above| seen.contains(&above)));
            prop_assert!(!errors_only || spans[line.at].error);
        }
    }

    #[test]
    fn with_room_for_all_nothing_is_hidden(sketches in wild()) {
        let spans = spans(&sketches);
        let tree = Tree::of(&spans);
        let choice = choose(&spans, &tree, &Wanted::default(), usize::MAX, |_, _| 1);
        prop_assert_eq!(choice.hidden(), 0);
    }
}

#[test]
fn repeated_queries_become_one_line_and_open_by_their_parent() {
    let mut sketches = vec![(1, 0, 0, 1_000, false)];
    sketches.extend((0..37).map(|n| (10 + 3 * n, 1, 20 * n as i64, 10 + n as i64, false)));
    let spans = spans(&sketches);
    let tree = Tree::of(&spans);
    let choice = choose(&spans, &tree, &Wanted::default(), 10_000, |_, _| 10);
    assert_eq!((choice.shown(), choice.behind(), choice.hidden()), (2, 36, 0));
    let alike = choice.lines[1].alike.unwrap();
    assert_eq!((alike.count, alike.shortest, alike.longest, alike.total, alike.behind), (37, 10, 46, (10..=46).sum(), 36));
    let opened = choose(&spans, &tree, &Wanted { under: Some(0), ..Wanted::default() }, 10_000, |_, _| 10);
    assert_eq!((opened.shown(), opened.behind()), (38, 0));
}

#[test]
fn the_error_and_the_path_to_it_come_first() {
    let mut sketches = vec![(1, 0, 0, 10_000, false)];
    sketches.extend((0..200).map(|n| (100 + n, 1, 10 * n as i64, 9_000 - n as i64, false)));
    sketches.extend([(3, 1, 5_000, 5, false), (4, 3, 5_001, 3, true)]);
    let spans = spans(&sketches);
    let tree = Tree::of(&spans);
    let choice = choose(&spans, &tree, &Wanted::default(), 30, |_, _| 10);
    let ids: Vec<u64> = choice.lines.iter().map(|line| spans[line.at].id).collect();
    assert_eq!(ids, [1, 3, 4]);
}

#[test]
fn running_numbers_do_not_tell_spans_apart() {
    for (resource, expected) in [
        ("batch 12", "batch #"),
        ("GET /v1/carts/17/items", "GET /v1/carts/#/items"),
        ("table_3 x4", "table_# x4"),
        ("SELECT", "SELECT"),
        ("7", "#"),
    ] {
        assert_eq!(pattern(resource), expected);
    }
}
