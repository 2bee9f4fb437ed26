#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const OP: &str = "v2.ListLogs";

fn lane(who: &str) -> LaneKey {
    LaneKey { who: Principal::verified(who), identity: 1 }
}

fn facts(limit: u64, remaining: u64, reset_s: u64, period_s: u64) -> RateFacts {
    RateFacts { name: Some("logs_public_search_api".to_owned()), limit, remaining, reset_s, period_s }
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

async fn go(gates: &Gates) -> Admission<'_> {
    gates.admit(lane("ann"), OP, far()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn nothing_known_holds_nothing() {
    let gates = Gates::default();
    let start = Instant::now();
    for _ in 0..100 {
        go(&gates).await.answered(None, None);
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_empty_bucket_holds_until_its_reset_and_no_longer() {
    let gates = Gates::default();
    go(&gates).await.answered(Some(&facts(10, 0, 7, 10)), None);
    let start = Instant::now();
    go(&gates).await.answered(Some(&facts(10, 9, 10, 10)), None);
    let waited = start.elapsed();
    assert!(waited >= Duration::from_secs(7) && waited <= Duration::from_millis(7_000 + JITTER_MS + 5), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn beyond_the_deadline_the_wait_is_told_at_once() {
    let gates = Gates::default();
    go(&gates).await.answered(Some(&facts(10, 0, 37, 60)), None);
    let start = Instant::now();
    let empty = gates.admit(lane("ann"), OP, start + Duration::from_secs(30)).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(empty.wait.as_secs(), 37);
    assert_eq!(empty.facts.unwrap().name.as_deref(), Some("logs_public_search_api"));
}

#[tokio::test(start_paused = true)]
async fn callers_and_operations_do_not_share_and_bucket_names_join() {
    let gates = Gates::default();
    go(&gates).await.answered(Some(&facts(10, 0, 60, 60)), None);
    let soon = Instant::now() + Duration::from_secs(1);
    // Another caller and another identity are free.
    drop(gates.admit(lane("bob"), OP, soon).await.unwrap());
    drop(gates.admit(LaneKey { identity: 2, ..lane("ann") }, OP, soon).await.unwrap());
    // Another operation is free until its answer names the same bucket.
    gates.admit(lane("ann"), "v2.ListLogsGet", soon).await.unwrap().answered(Some(&facts(10, 0, 60, 60)), None);
    assert!(gates.admit(lane("ann"), "v2.ListLogsGet", soon).await.is_err());
    drop(gates.admit(lane("ann"), "v2.ListUsers", soon).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_hundred_held_calls_do_not_stampede_at_the_reset() {
    let gates = Gates::default();
    go(&gates).await.answered(Some(&facts(10, 0, 5, 10)), None);
    let start = Instant::now();
    let mut times: Vec<Duration> = Vec::new();
    let mut calls = Vec::new();
    for _ in 0..100 {
        calls.push(async {
            let admission = go(&gates).await;
            let at = start.elapsed();
            admission.answered(None, None);
            at
        });
    }
    let mut set: Vec<std::pin::Pin<Box<dyn Future<Output = Duration>>>> = Vec::new();
    for call in calls {
        set.push(Box::pin(call));
    }
    // All are polled together, as tasks of one thread.
    std::future::poll_fn(|cx| {
        set.retain_mut(|call| match call.as_mut().poll(cx) {
            std::task::Poll::Ready(at) => {
                times.push(at);
                false
            }
            std::task::Poll::Pending => true,
        });
        if set.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    assert_eq!(times.len(), 100);
    assert!(times.iter().all(|at| *at >= Duration::from_secs(5)));
    for period in 0..10 {
        let from = Duration::from_secs(5 + 10 * period);
        let within = times.iter().filter(|at| **at >= from && **at < from + Duration::from_secs(10)).count();
        assert!(within <= 10, "{within} calls in period {period}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_bare_429_one_call_goes_ahead_and_the_others_wait_for_it() {
    let gates = Arc::new(Gates::default());
    go(&gates).await.answered(None, Some(Duration::from_secs(2)));
    let started = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..20 {
        let (gates, started) = (gates.clone(), started.clone());
        tasks.push(tokio::spawn(async move {
            let admission = gates.admit(lane("ann"), OP, far()).await.unwrap();
            let is_probe = started.fetch_add(1, Ordering::SeqCst) == 0;
            if is_probe {
                // Under way for longer than the others look away: nobody else may start.
                tokio::time::sleep(Duration::from_secs(5)).await;
                assert_eq!(started.load(Ordering::SeqCst), 1);
            }
            admission.answered(None, None);
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(started.load(Ordering::SeqCst), 20);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_gives_its_place_back() {
    let gates = Gates::default();
    go(&gates).await.answered(None, Some(Duration::from_secs(2)));
    let probe = go(&gates).await;
    assert!(gates.admit(lane("ann"), OP, Instant::now() + Duration::from_millis(100)).await.is_err());
    drop(probe);
    drop(gates.admit(lane("ann"), OP, Instant::now() + Duration::from_millis(100)).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_429_with_numbers_closes_its_bucket_for_the_time_told() {
    let gates = Gates::default();
    go(&gates).await.answered(Some(&facts(10, 3, 4, 10)), Some(Duration::from_secs(4)));
    let start = Instant::now();
    drop(go(&gates).await);
    assert!(start.elapsed() >= Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn reports_that_arrive_late_do_not_open_the_bucket() {
    let gates = Gates::default();
    let (one, two) = (go(&gates).await, go(&gates).await);
    two.answered(Some(&facts(2, 0, 10, 10)), None);
    one.answered(Some(&facts(2, 1, 10, 10)), None);
    assert!(gates.admit(lane("ann"), OP, Instant::now() + Duration::from_secs(5)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_table_is_bounded() {
    let gates = Gates::default();
    for n in 0..(MOST_LANES + 200) {
        tokio::time::advance(Duration::from_millis(1)).await;
        drop(gates.admit(lane(&n.to_string()), OP, far()).await.unwrap());
    }
    assert_eq!(gates.lanes(), MOST_LANES);
    let mut one = Lane::new();
    for n in 0..(MOST_BUCKETS + 200) {
        one.bucket(Arc::from(n.to_string()));
    }
    assert!(one.buckets.len() <= MOST_BUCKETS);
}
