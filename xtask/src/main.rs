//! `cargo xtask`: everything a maintainer runs, one file per subcommand.

mod catalogue;

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
    /// Write the static tables and body schemas of `crates/catalogue` from Datadog's published material.
    Catalogue(catalogue::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Catalogue(arguments) => catalogue::run(&arguments),
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
