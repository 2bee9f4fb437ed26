//! `cargo xtask`: everything a maintainer runs, one file per subcommand.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "these tasks talk to the person who runs them")]

#[cfg(feature = "product")]
mod bench;
mod catalogue;
#[cfg(feature = "product")]
mod docs;
mod server;
mod test;
mod tokens;

use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};

/// Maintainer's tasks of datadog-mcp.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Measure speed, memory and tokens against a bare rmcp server and a bare HTTP client.
    #[cfg(feature = "product")]
    Bench(bench::Arguments),
    /// Write the static tables and body schemas of `crates/catalogue` from Datadog's published material.
    Catalogue(catalogue::Arguments),
    /// Write the README's tables from what the program says of itself.
    #[cfg(feature = "product")]
    Docs(docs::Arguments),
    /// Count what the tools cost a context window, and hold it against the budget.
    Tokens,
    /// Run every test there is.
    Test(test::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        #[cfg(feature = "product")]
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Catalogue(arguments) => catalogue::run(&arguments),
        #[cfg(feature = "product")]
        Task::Docs(arguments) => docs::run(&arguments),
        Task::Tokens => tokens::run(),
        Task::Test(arguments) => test::run(&arguments),
    }
}

/// The workspace's root folder.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The folder of Datadog's material: `$DATADOG_MCP_DATA`, or `../shared/data` beside the workspace.
fn data_folder() -> PathBuf {
    std::env::var_os("DATADOG_MCP_DATA").map_or_else(|| workspace().join("../shared/data"), PathBuf::from)
}
