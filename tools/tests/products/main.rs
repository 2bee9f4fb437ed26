//! Metrics, traces, monitors, incidents, hosts, services, dashboards and error issues, called as a transport calls them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod against_sandbox;
mod recorded;
mod schemas;
mod stubbed;
#[allow(dead_code, unreachable_pub, reason = "the other searches use the rest of it")]
#[path = "../searches/upstream.rs"]
mod upstream;
