//! Parse, run, exit code; nothing else.

use datadog_mcp::{commands, config::Variables};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    commands::run(&arguments, &Variables::of_process()).into()
}
