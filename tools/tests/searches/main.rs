//! The searches over logs, spans, RUM, events and query samples, called as a transport calls them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod against_sandbox;
mod asked;
mod recorded;
mod schemas;
mod upstream;
