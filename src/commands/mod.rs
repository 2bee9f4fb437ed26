//! One file per subcommand, and what they share: start-up, output, exit codes.

mod app;
mod call;
mod completions;
mod demo;
mod doctor;
mod sandbox;
mod serve;
mod signals;
mod terminal;
mod tools;

pub use app::App;

use crate::{
    cli::{Command, LogLevel},
    config::{Config, ConfigError, Layers, Source, Variables},
    exit::Exit,
    logging,
};
use std::{
    ffi::OsString,
    io::{self, Write as _},
};

/// Runs a command line.
#[must_use]
pub fn run(arguments: &[OsString], variables: &Variables) -> Exit {
    let read = Layers::read(arguments, variables).and_then(|layers| Ok((Config::new(&layers, variables)?, layers)));
    let (config, layers) = match read {
        Ok(read) => read,
        Err(error) => return refuse(&error),
    };
    let command = layers.cli.command.unwrap_or(Command::Serve);
    logging::start(config.log_format, log_level(&config, &command), config.log_filter.as_deref());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("the runtime did not start")),
    };
    let done = runtime.block_on(dispatch(command, config));
    // A thread that still waits for standard input must not hold the process.
    runtime.shutdown_background();
    done.unwrap_or_else(|error| fail(&error))
}

async fn dispatch(command: Command, config: Config) -> anyhow::Result<Exit> {
    match command {
        Command::Serve => serve::run(config).await,
        Command::Tools(command) => tools::run(config, command).await,
        Command::Call(arguments) => call::run(config, arguments).await,
        Command::Doctor(arguments) => doctor::run(config, &arguments).await,
        Command::Sandbox(arguments) => sandbox::run(&arguments).await,
        Command::Demo(arguments) => demo::run(&config, &arguments).await,
        Command::Completions { shell } => completions::run(shell),
    }
}

/// One-shot commands log warnings alone unless somebody asked for more.
fn log_level(config: &Config, command: &Command) -> LogLevel {
    let asked = config.sources.get("log_level").is_some_and(|source| *source != Source::Default);
    if asked || matches!(command, Command::Serve) { config.log_level } else { LogLevel::Warn }
}

fn refuse(error: &ConfigError) -> Exit {
    match error {
        ConfigError::CommandLine(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            if error.print().is_err() { Exit::Failed } else { exit }
        }
        ConfigError::Value(message) => {
            complain(message);
            Exit::Usage
        }
    }
}

fn fail(error: &anyhow::Error) -> Exit {
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        return refuse(error);
    }
    complain(&format!("{error:#}"));
    Exit::Failed
}

fn complain(message: &str) {
    // Nothing is left to say it to when standard error is gone.
    let _gone = writeln!(io::stderr().lock(), "error: {message}");
}

/// Prints to standard output; a reader that left early (`| head`) is not a failure.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") })
        .and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
