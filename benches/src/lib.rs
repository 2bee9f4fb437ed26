//! What it takes to measure `datadog-mcp`: an upstream stand-in, a client over pipes, readers of `/proc`, the figures and their table.
//!
//! Three programs use it: `bench-upstream` (stands in for Datadog), `bench-bare` (a server that does nothing but pass the answer on)
//! and `bench-drive`, which starts the others and measures. `cargo xtask bench` builds and runs them.

pub mod bodies;
pub mod client;
pub mod events;
pub mod figures;
pub mod pipe;
pub mod process;
pub mod report;
pub mod statistics;
pub mod tokens;
pub mod upstream;
