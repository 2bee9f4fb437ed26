//! `cargo xtask bench`: the figures of speed, memory and tokens, measured against a bare rmcp server and a bare HTTP client.

use anyhow::{Context as _, Result, ensure};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Arguments of the task.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Few repetitions: shows that everything works, not figures to quote.
    #[arg(long)]
    quick: bool,
    /// Measure this part alone: start, processor, latency, load, memory or tokens; may be repeated.
    #[arg(long, value_name = "PART", conflicts_with = "write")]
    only: Vec<String>,
    /// Also write everything as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Put the table into README.md, between `<!-- bench:start -->` and `<!-- bench:end -->`.
    #[arg(long)]
    write: bool,
    /// Build profile; another than `release` tells nothing about speed.
    #[arg(long, default_value = "release")]
    profile: String,
}

/// Builds what is measured and what measures, runs it, and shows the table.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--profile", &arguments.profile, "--package", "datadog-mcp", "--package", "datadog-bench", "--bins"])
        .current_dir(crate::workspace())
        .status()?;
    ensure!(status.success(), "the build failed");

    let built = folder(&arguments.profile);
    let mut driver = Command::new(built.join("bench-drive"));
    driver.arg("--server").arg(built.join("datadog-mcp")).stdout(Stdio::piped());
    if arguments.quick {
        driver.arg("--quick");
    }
    for part in &arguments.only {
        driver.arg("--only").arg(part);
    }
    if let Some(file) = &arguments.json {
        driver.arg("--json").arg(file);
    }
    let output = driver.spawn().context("bench-drive")?.wait_with_output()?;
    let table = String::from_utf8(output.stdout)?;
    write!(std::io::stdout(), "{table}")?;
    ensure!(output.status.success(), "not everything could be measured");
    if arguments.write {
        let path = crate::workspace().join("README.md");
        let readme = fs_err::read_to_string(&path)?;
        fs_err::write(&path, crate::docs::replace(&readme, "bench", &table)?)?;
    }
    Ok(())
}

/// Where Cargo puts the programs of a profile.
fn folder(profile: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::workspace().join("target"), PathBuf::from);
    target.join(Path::new(if profile == "dev" { "debug" } else { profile }))
}
