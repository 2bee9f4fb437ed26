//! The command line: every option and subcommand, and the one table of facts about the options.

use crate::exit;
use clap::{Arg, CommandFactory as _, Parser, Subcommand, ValueEnum, builder::BoolishValueParser};
use datadog_client::Secret;
use datadog_sandbox::Size;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// An MCP server through which AI agents use Datadog.
///
/// Without a subcommand it serves on standard input and output. Every option can also be set by its variable (`DATADOG_MCP_` and the
/// option's name: DATADOG_MCP_ALLOW_WRITES) and by its key in the configuration file (`allow-writes = true`); options win over
/// variables, variables over the file. Credentials come from DD_API_KEY with DD_APP_KEY, DD_BEARER_TOKEN or DD_ACCESS_TOKEN.
#[derive(Debug, Parser)]
#[command(name = "datadog-mcp", version, after_help = exit::HELP, max_term_width = 100, subcommand_precedence_over_arg = true)]
pub struct Cli {
    /// Options of every subcommand.
    #[command(flatten)]
    pub options: Options,
    /// What to do; `serve` when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options, each with a variable and a key in the configuration file.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Datadog")]
pub struct Options {
    /// Datadog site: datadoghq.com, us3.datadoghq.com, us5.datadoghq.com, datadoghq.eu, ap1.datadoghq.com, ap2.datadoghq.com, ddog-gov.com, or a vanity host of one. DD_SITE works too
    #[arg(long, global = true, value_name = "SITE", default_value = "datadoghq.com")]
    pub site: String,
    /// Allow a base URL outside Datadog's domains as the site (a gateway, a sandbox); credentials are sent there
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    pub trust_site: bool,
    /// Name of the session to use, for people with several orgs. DD_ORG works too
    #[arg(long, global = true, value_name = "NAME", default_value = "default")]
    pub org: String,
    /// File with lines DD_API_KEY=…, DD_APP_KEY=…, DD_BEARER_TOKEN=…; variables of the environment win over it
    #[arg(long, global = true, value_name = "FILE")]
    pub credentials_file: Option<PathBuf>,
    /// Use a sandbox inside this process instead of Datadog; needs no account
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    pub sandbox: bool,

    /// Toolsets to offer, separated by commas; `all` for every one
    #[arg(long, global = true, value_name = "NAMES", value_delimiter = ',', default_value = "core", help_heading = "Tools")]
    pub toolsets: Vec<String>,
    /// Single tools to offer besides
    #[arg(long, global = true, value_name = "NAMES", value_delimiter = ',', help_heading = "Tools")]
    pub tools: Vec<String>,
    /// Tools or operations never to offer nor to reach; wins over everything
    #[arg(long, global = true, value_name = "NAMES", value_delimiter = ',', help_heading = "Tools")]
    pub exclude_tools: Vec<String>,
    /// Folder of your own tools, as TOML files
    #[arg(long, global = true, value_name = "DIR", help_heading = "Tools")]
    pub tools_dir: Option<PathBuf>,
    /// Offer tools and operations that change or delete things
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = BoolishValueParser::new(), value_name = "BOOL", help_heading = "Tools")]
    pub allow_writes: bool,
    /// Offer nothing that writes, whatever else says so
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = BoolishValueParser::new(), value_name = "BOOL", help_heading = "Tools")]
    pub read_only: bool,
    /// Reach operations whose answer holds key material
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = BoolishValueParser::new(), value_name = "BOOL", help_heading = "Tools")]
    pub allow_secrets: bool,

    /// Size of an answer in tokens when the caller names none
    #[arg(long, global = true, value_name = "TOKENS", default_value = "4000", value_parser = clap::value_parser!(u32).range(200..=200_000), help_heading = "Answers")]
    pub answer_tokens: u32,
    /// Largest size of an answer that a caller may ask for
    #[arg(long, global = true, value_name = "TOKENS", default_value = "25000", value_parser = clap::value_parser!(u32).range(200..=200_000), help_heading = "Answers")]
    pub max_tokens: u32,
    /// Show secrets that stand in telemetry (keys, JWTs, card numbers) instead of masking them
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = BoolishValueParser::new(), value_name = "BOOL", help_heading = "Answers")]
    pub no_mask: bool,

    /// Longest time one call may take, waits and retries included: 30s, 2m
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = duration, help_heading = "Network")]
    pub timeout: Duration,
    /// Largest answer taken from Datadog, in MB after decompression
    #[arg(long, global = true, value_name = "MB", default_value = "64", value_parser = clap::value_parser!(u32).range(1..=4_096), help_heading = "Network")]
    pub max_answer_mb: u32,
    /// Proxy for calls to Datadog, e.g. http://proxy:3128
    #[arg(long, global = true, value_name = "URL", value_parser = secret, hide_default_value = true, help_heading = "Network")]
    pub proxy: Option<Secret>,
    /// Take the proxy from HTTPS_PROXY and NO_PROXY
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = BoolishValueParser::new(), value_name = "BOOL", help_heading = "Network")]
    pub proxy_from_env: bool,

    /// Configuration file; by default datadog-mcp/config.toml in the user's configuration folder, when it is there
    #[arg(long, global = true, value_name = "FILE", help_heading = "Process")]
    pub config: Option<PathBuf>,
    /// Form of the log on standard error
    #[arg(long, global = true, value_name = "FORM", default_value = "human", value_enum, help_heading = "Process")]
    pub log_format: LogFormat,
    /// Least level that is logged; RUST_LOG wins over it
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info", value_enum, help_heading = "Process")]
    pub log_level: LogLevel,
}

/// Subcommands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve the Model Context Protocol on standard input and output (the default)
    Serve,
    /// List, show or find tools
    #[command(subcommand)]
    Tools(ToolsCommand),
    /// Call a tool the way an agent does, and print its answer
    Call(CallArguments),
    /// Check configuration, connection and credential, and say which tools they do not reach
    Doctor(DoctorArguments),
    /// Run a Datadog org on loopback, for trying and testing
    Sandbox(SandboxArguments),
    /// Watch an agent investigate an incident in the sandbox through this server
    Demo(DemoArguments),
    /// Print a completion script for a shell
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
}

/// `tools …`
#[derive(Debug, Clone, Subcommand)]
pub enum ToolsCommand {
    /// The tools that are offered with these options
    List {
        /// Every tool that exists, offered or not
        #[arg(long)]
        all: bool,
        /// As JSON: what `tools/list` sends
        #[arg(long)]
        json: bool,
    },
    /// One tool: description, arguments, what it needs
    Show {
        /// Name
        name: String,
    },
    /// Search every tool and API operation by words
    Find {
        /// Words
        #[arg(required = true)]
        words: Vec<String>,
    },
}

/// `call …`
#[derive(Debug, Clone, clap::Args)]
pub struct CallArguments {
    /// Name of a tool, e.g. `logs_search`
    pub tool: String,
    /// Arguments as a JSON object; `-` reads them from standard input, `@FILE` from a file
    #[arg(default_value = "{}")]
    pub arguments: String,
    /// `text` as an agent reads it, or `json` rows for programs
    #[arg(long, value_enum, default_value = "text")]
    pub output: OutputForm,
}

/// `doctor …`
#[derive(Debug, Clone, clap::Args)]
pub struct DoctorArguments {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `sandbox …`
#[derive(Debug, Clone, clap::Args)]
pub struct SandboxArguments {
    /// Address to listen on; loopback only
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8126")]
    pub listen: SocketAddr,
    /// Seed of its data: the same seed makes the same org
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    pub seed: u64,
    /// How much telemetry: `small` (some 3,000 log events), `large` (more than 100,000), or a number of customer requests
    #[arg(long, value_name = "SIZE", default_value = "small", value_parser = size)]
    pub size: Size,
    /// Recorded answers for operations it does not simulate (JSON lines, plain or zstd)
    #[arg(long, value_name = "FILE")]
    pub recordings: Option<PathBuf>,
}

/// `demo …`
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArguments {
    /// Print whole answers instead of their first lines
    #[arg(long)]
    pub full: bool,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Level of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the usual names")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputForm {
    /// As an agent reads it.
    Text,
    /// Rows as JSON.
    Json,
}

/// What is known of one option; the README's table is made from these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionDoc {
    /// `--allow-writes`
    pub flag: String,
    /// What its value is called; `None` for switches.
    pub value: Option<String>,
    /// `DATADOG_MCP_ALLOW_WRITES`
    pub variable: String,
    /// Key in the configuration file; `None` for `--config` itself.
    pub key: Option<String>,
    /// Default, as text; `None` when there is none.
    pub default: Option<String>,
    /// One sentence.
    pub help: String,
    /// Heading it stands under.
    pub group: String,
}

/// The command line, with each option's variable in its help.
#[must_use]
pub fn command() -> clap::Command {
    let mut command = Cli::command();
    for id in ids(&command) {
        command = command.mut_arg(&id, |arg| {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let variable = variable(&id);
            arg.help(format!("{help} [variable: {variable}]"))
        });
    }
    command
}

/// Every option in the order of `--help`.
#[must_use]
pub fn options() -> Vec<OptionDoc> {
    let command = Cli::command();
    command.get_arguments().filter(|arg| is_option(arg)).map(doc).collect()
}

/// Ids of the options that have a variable and a key.
pub(crate) fn ids(command: &clap::Command) -> Vec<String> {
    command.get_arguments().filter(|arg| is_option(arg)).map(|arg| arg.get_id().to_string()).collect()
}

/// Variable of an option: `max_tokens` → `DATADOG_MCP_MAX_TOKENS`.
pub(crate) fn variable(id: &str) -> String {
    format!("DATADOG_MCP_{}", id.to_ascii_uppercase())
}

fn is_option(arg: &Arg) -> bool {
    arg.is_global_set()
}

fn doc(arg: &Arg) -> OptionDoc {
    let id = arg.get_id().as_str();
    let name = arg.get_long().unwrap_or(id);
    let switch = arg.get_default_values().iter().any(|value| value == "false");
    let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    OptionDoc {
        flag: format!("--{name}"),
        value: value.filter(|_| !switch),
        variable: variable(id),
        key: (id != "config").then(|| name.to_owned()),
        default: arg.get_default_values().first().map(|value| value.to_string_lossy().into_owned()),
        help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        group: arg.get_help_heading().unwrap_or("Options").to_owned(),
    }
}

/// `30`, `30s`, `500ms`, `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time; write 30s, 2m or 500ms");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let time = match text[digits..].trim() {
        "" | "s" => Duration::from_secs(number),
        "ms" => Duration::from_millis(number),
        "m" => Duration::from_secs(number.checked_mul(60).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    };
    if time.is_zero() || time > Duration::from_secs(3_600) { Err(format!("`{text}` is not between 1ms and 60m")) } else { Ok(time) }
}

/// `small`, `large` or a number.
fn size(text: &str) -> Result<Size, String> {
    match text {
        "small" => Ok(Size::Small),
        "large" => Ok(Size::Large),
        number => match number.parse() {
            Ok(count @ 1..=1_000_000) => Ok(Size::Requests(count)),
            _ => Err(format!("`{number}` is neither small, large nor a number from 1 to 1000000")),
        },
    }
}

/// A URL that may hold a password.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a value parser")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_option_is_described_once() {
        let options = options();
        assert!(options.len() > 20);
        for option in &options {
            assert!(option.help.len() > 10, "{option:?}");
            assert!(option.flag.starts_with("--") && option.variable.starts_with("DATADOG_MCP_"), "{option:?}");
            assert_eq!(option.key.as_deref().unwrap_or("config"), &option.flag[2..]);
        }
        let flags: std::collections::BTreeSet<_> = options.iter().map(|option| &option.flag).collect();
        assert_eq!(flags.len(), options.len());
    }

    #[test]
    fn times_are_read_and_refused() {
        for (text, ms) in [("30", 30_000), ("2m", 120_000), ("500ms", 500), ("60s", 60_000)] {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(ms));
        }
        for text in ["", "s", "-1", "1h", "0", "61m", "99999999999999999999", "1.5s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
