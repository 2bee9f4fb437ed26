//! `bench-drive`: starts the stand-in and the servers, measures, prints the table.

use anyhow::{Context, bail};
use clap::Parser;
use datadog_bench::{
    figures::{self, Bench, Effort},
    pipe::Program,
};
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Measures datadog-mcp against a bare rmcp server and a bare HTTP client.
#[derive(Debug, Parser)]
struct Arguments {
    /// The server to measure; without it, only the bare ones are.
    #[arg(long)]
    server: Option<PathBuf>,
    /// Few repetitions: shows that everything works, not figures to quote.
    #[arg(long)]
    quick: bool,
    /// Measure this part alone; may be repeated.
    #[arg(long, value_name = "PART", value_parser = figures::parts())]
    only: Vec<String>,
    /// Also writes everything as JSON to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// The stand-in; it ends when its stdin is closed.
struct Upstream {
    child: Child,
    address: String,
}

impl Upstream {
    fn start(path: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", path.display()))?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().context("no stdout")?).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let own = std::env::current_exe()?;
    let beside = |name: &str| own.with_file_name(name);
    let upstream = Upstream::start(&beside("bench-upstream"))?;
    let bare = Program { path: beside("bench-bare"), arguments: vec![upstream.address.clone()] };
    let ours = match arguments.server {
        // Servers run in a folder of their own.
        Some(path) => {
            let arguments = ["--site", &upstream.address, "--trust-site"].map(str::to_owned).to_vec();
            Some(Program { path: fs_err::canonicalize(path)?, arguments })
        }
        None => None,
    };
    let effort = if arguments.quick { Effort::QUICK } else { Effort::FULL };
    let report = Bench::new(bare, ours, upstream.address.clone(), effort)?.run(&arguments.only);
    write!(std::io::stdout(), "{}", report.markdown())?;
    if let Some(path) = arguments.json {
        fs_err::write(path, serde_json::to_vec_pretty(&report)?)?;
    }
    if !report.failures.is_empty() {
        bail!("{} of the figures could not be measured", report.failures.len());
    }
    Ok(())
}
