//! The log: on standard error, human or JSON, and never a header of a request to Datadog.

use crate::cli::{LogFormat, LogLevel};
use std::{backtrace::Backtrace, io::IsTerminal as _, panic::PanicHookInfo};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Libraries that write headers and frames into their log below `info`; no filter of the user opens them.
const WIRE: &[&str] = &["h2", "hyper", "hyper_util", "reqwest", "rustls", "tower"];

/// Starts the log. Where it is started already (in tests), that one stays.
pub fn start(format: LogFormat, level: LogLevel, filter: Option<&str>) {
    let filter = filter_of(level, filter);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Human => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if started.is_err() {
        tracing::debug!("the log was started before");
    }
    std::panic::set_hook(Box::new(on_panic));
}

fn filter_of(level: LogLevel, filter: Option<&str>) -> EnvFilter {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let text = filter.unwrap_or_default();
    let mut built = EnvFilter::builder().with_default_directive(level.into()).parse_lossy(text);
    // The SDK logs requests with their arguments below `error`, and protocol errors that clients cause as warnings.
    let sdk = if text.contains("rmcp=") { None } else { Some("rmcp=error".to_owned()) };
    let wire = WIRE.iter().map(|library| format!("{library}=info"));
    for directive in sdk.into_iter().chain(wire).filter_map(|text| text.parse().ok()) {
        built = built.add_directive(directive);
    }
    built
}

/// Logs where a panic was. Its message is logged only when it is fixed text of the program: a formatted one may hold anything.
fn on_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let message = info.payload().downcast_ref::<&'static str>().copied().unwrap_or("(message withheld: it may hold data)");
    let backtrace = Backtrace::capture();
    tracing::error!(place, message, %backtrace, "panic");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_logs_stay_shut_and_the_sdk_opens_only_by_name() {
        let trace = filter_of(LogLevel::Info, Some("trace")).to_string();
        for part in ["trace", "h2=info", "hyper=info", "reqwest=info", "rmcp=error"] {
            assert!(trace.split(',').any(|directive| directive == part), "{part} in {trace}");
        }
        let named = filter_of(LogLevel::Info, Some("h2=trace,rmcp=debug")).to_string();
        assert!(named.contains("h2=info") && named.contains("rmcp=debug"), "{named}");
    }
}
