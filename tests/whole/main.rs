//! Whole-program tests: the real binary on real pipes, against a sandbox in this process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod abuse;
mod canary;
mod commands;
mod demo;
mod ending;
mod eras;
mod faults;
mod process;
mod surface;

/// The binary under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_datadog-mcp");
