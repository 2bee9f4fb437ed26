//! Exit codes: the one table of them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Ok,
    /// Datadog, the tool or a check said no; standard output says why.
    Refused,
    /// The command line, a variable, the configuration file or a file of tools cannot be used; standard error says why.
    Usage,
    /// Something failed that should not; standard error says what.
    Failed,
    /// Asked twice to stop, or calls did not end in time.
    Interrupted,
}

/// The table as `--help` shows it.
pub const HELP: &str = "\
Exit codes:
  0    done
  1    refused: Datadog, the tool or a check of `doctor` said no (standard output says why)
  2    the command line, a variable, the configuration or a tool file cannot be used
  3    failed for a reason outside the call (standard error says which)
  130  asked twice to stop, or calls did not end in time";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Failed => 3,
            Exit::Interrupted => 130,
        })
    }
}
