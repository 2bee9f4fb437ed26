//! `completions SHELL`: prints a completion script.

use super::print;
use crate::{cli, exit::Exit};
use clap_complete::Shell;

pub(super) fn run(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "datadog-mcp", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
