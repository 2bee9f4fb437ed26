//! The end: input closed, signals, calls under way. Prompt, and every call answered.

use super::process::{End, Org, Server};
use datadog_sandbox::{Fault, FaultRule};
use serde_json::json;
use std::{collections::BTreeSet, time::Duration};

const CALLS: usize = 10;

/// A server with ten calls that would take `ms`.
async fn busy(org: &Org, ms: u64) -> Server {
    org.sandbox.add_fault(serde_json::from_value::<FaultRule>(json!({"fault": Fault::Delay { ms }})).unwrap());
    let mut server = org.server(&["--timeout=60s"]);
    server.initialize("2025-11-25").await;
    for id in 100..100 + CALLS {
        server.say(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "monitor_get", "arguments": {"monitor_id": id}}})).await;
    }
    while org.sandbox.journal().requests.len() < CALLS {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server
}

fn answered(end: &End) -> BTreeSet<u64> {
    end.rest.iter().filter_map(|message| message["id"].as_u64()).collect()
}

fn all_cancelled(end: &End) -> bool {
    end.rest.iter().all(|message| message["result"]["structuredContent"]["error"]["kind"] == "cancelled")
}

#[tokio::test]
async fn idle_servers_leave_at_once() {
    let org = Org::start().await;
    let mut server = org.server(&[]);
    server.initialize("2025-11-25").await;
    let end = server.close().await;
    assert!(end.status.success() && end.took < Duration::from_millis(500), "{:?}", end.took);

    // Before any message.
    for signal in ["TERM", "INT"] {
        let server = org.server(&[]);
        while !server.log().contains("serving") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.signal(signal).await;
        let end = server.ended().await;
        assert!(end.status.success() && end.took < Duration::from_secs(1), "{signal}: {} {:?}", end.status, end.took);
    }
}

#[tokio::test]
async fn quick_calls_are_answered_after_the_input_ended() {
    let org = Org::start().await;
    let mut server = busy(&org, 400).await;
    server.hang_up();
    let end = server.ended().await;
    assert!(end.status.success() && end.took < Duration::from_secs(2), "{:?}", end.took);
    assert_eq!(answered(&end).len(), CALLS);
    assert!(!all_cancelled(&end));
}

#[tokio::test]
async fn slow_calls_are_cancelled_and_say_so() {
    for how in ["EOF", "TERM", "INT"] {
        let org = Org::start().await;
        let mut server = busy(&org, 30_000).await;
        if how == "EOF" {
            server.hang_up();
        } else {
            server.signal(how).await;
        }
        let end = server.ended().await;
        assert!(end.status.success(), "{how}: {}", end.status);
        assert!(end.took < Duration::from_millis(2_800), "{how}: {:?}", end.took);
        assert_eq!(answered(&end).len(), CALLS, "{how}: {:?}", end.rest);
        assert!(all_cancelled(&end), "{how}: {:?}", end.rest);
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let org = Org::start().await;
    let server = busy(&org, 30_000).await;
    server.signal("TERM").await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    server.signal("TERM").await;
    let end = server.ended().await;
    assert_eq!(end.status.code(), Some(130));
    assert!(end.took < Duration::from_millis(400), "{:?}", end.took);
}

#[tokio::test]
async fn no_request_is_taken_after_the_first_signal() {
    let org = Org::start().await;
    let mut server = busy(&org, 700).await;
    server.signal("TERM").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.say(&json!({"jsonrpc": "2.0", "id": "late", "method": "ping"})).await;
    let end = server.ended().await;
    assert_eq!(answered(&end).len(), CALLS);
    assert!(!end.rest.iter().any(|message| message["id"] == "late"));
}
