//! `cargo xtask test`: every test there is; installs what the whole-program ones need, and says what it skips.

mod interop;
mod outcome;

use crate::server::build;
use anyhow::{Result, bail};
use interop::Peers;
use outcome::{Outcome, Tally};
use std::process::Command;

/// Arguments of the task.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only the Rust tests: no conformance suite, no Inspector, no SDK clients.
    #[arg(long)]
    rust_only: bool,
    /// Only those.
    #[arg(long, conflicts_with = "rust_only")]
    peers_only: bool,
}

/// Runs all, prints a line each and a closing count; fails when anything failed.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut tally = Tally::default();
    if !arguments.peers_only {
        tally.add("rust tests", rust());
    }
    if arguments.rust_only {
        return tally.close();
    }
    let product = build("datadog-mcp", "datadog-mcp")?;
    let fixture = build("conformance-fixture", "conformance-fixture")?;
    let peers = Peers::install();
    for (name, outcome) in peers.run(&product, &fixture) {
        tally.add(&name, outcome);
    }
    tally.close()
}

/// The workspace's own tests, by nextest where it is installed: it runs each test in a process of its own.
fn rust() -> Outcome {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let nextest = Command::new(&cargo).args(["nextest", "--version"]).output().is_ok_and(|output| output.status.success());
    let run = if nextest {
        Command::new(&cargo).args(["nextest", "run", "--workspace", "--no-fail-fast"]).current_dir(crate::workspace()).status()
    } else {
        Command::new(&cargo).args(["test", "--workspace", "--no-fail-fast", "--quiet"]).current_dir(crate::workspace()).status()
    };
    Outcome::of_status(run)
}

impl Tally {
    fn close(self) -> Result<()> {
        println!("\n{self}");
        if self.failed() > 0 {
            bail!("{} failed", self.failed());
        }
        Ok(())
    }
}
