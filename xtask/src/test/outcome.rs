//! How a suite ended, and the count of all.

use std::{
    fmt, io,
    process::{ExitStatus, Output},
};

/// How one suite ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It passed.
    Passed,
    /// It failed; what it printed last.
    Failed(String),
    /// It could not run here; why.
    Skipped(String),
}

impl Outcome {
    /// Of a command whose output went to the terminal.
    pub(super) fn of_status(status: io::Result<ExitStatus>) -> Self {
        match status {
            Ok(status) if status.success() => Self::Passed,
            Ok(status) => Self::Failed(format!("{status}")),
            Err(error) => Self::Failed(error.to_string()),
        }
    }

    /// Of a command whose output was kept.
    pub(super) fn of_output(output: io::Result<Output>) -> Self {
        match output {
            Ok(output) if output.status.success() => Self::Passed,
            Ok(output) => {
                let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                let lines: Vec<&str> = text.lines().collect();
                let last = lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n");
                Self::Failed(format!("{}\n{last}", output.status))
            }
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

/// What passed, failed and was skipped.
#[derive(Debug, Default)]
pub(super) struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Tally {
    /// Counts a suite and prints its line.
    pub(super) fn add(&mut self, name: &str, outcome: Outcome) {
        match outcome {
            Outcome::Passed => {
                self.passed += 1;
                println!("passed   {name}");
            }
            Outcome::Failed(why) => {
                self.failed += 1;
                println!("FAILED   {name}: {why}");
            }
            Outcome::Skipped(why) => {
                self.skipped += 1;
                println!("skipped  {name}: {why}");
            }
        }
    }

    pub(super) fn failed(&self) -> usize {
        self.failed
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "suites: {} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}
