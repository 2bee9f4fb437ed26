//! The demonstration finds what the story says, quickly, and leaves nothing behind.

use super::{
    PROGRAM,
    process::{bare, run},
};
use std::time::{Duration, Instant};

#[tokio::test]
async fn it_finds_every_fact_and_ends_by_itself() {
    let started = Instant::now();
    let printed = run(bare(PROGRAM, &["demo"]), "").await;
    assert_eq!(printed.code, 0, "{}{}", printed.out, printed.err);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(printed.out.contains("built_in_features") && printed.out.contains("facts of the story were found"));
    assert!(!printed.out.contains('✗') && !printed.out.contains('\u{1b}'), "{}", printed.out);
    let widest = printed.out.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    assert!(widest <= 100, "{widest} columns");
    assert!(printed.err.is_empty(), "{}", printed.err);
}
