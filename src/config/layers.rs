//! Where a value comes from: options over variables over the configuration file over defaults.
//!
//! Variables and the file are handed to the command-line parser as defaults, so one parser reads all of them and one set of rules
//! refuses what is wrong.

use super::{ConfigError, Variables};
use crate::cli::{self, Cli};
use clap::{ArgMatches, FromArgMatches as _, parser::ValueSource};
use etcetera::BaseStrategy as _;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Where one option's value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Option,
    /// A variable, by name.
    Variable(String),
    /// The configuration file.
    File(PathBuf),
    /// Nobody set it.
    Default,
}

/// Everything that was said on the command line, in variables and in the file.
#[derive(Debug)]
pub struct Layers {
    /// The values.
    pub cli: Cli,
    /// Source of each option by id (`max_tokens`).
    pub sources: BTreeMap<String, Source>,
}

/// Variables of Datadog's own tools that stand for an option.
const DATADOG_VARIABLES: &[(&str, &str)] = &[("site", "DD_SITE"), ("org", "DD_ORG")];

impl Layers {
    /// Reads all layers.
    pub fn read(arguments: &[OsString], variables: &Variables) -> Result<Self, ConfigError> {
        let first = cli::command();
        let mut given = from_variables(&first, variables)?;
        let early = layered(first, &given).try_get_matches_from(arguments).map_err(ConfigError::CommandLine)?;
        if let Some((path, values)) = from_file(&early, variables)? {
            for (id, value) in values {
                given.entry(id).or_insert((value, Source::File(path.clone())));
            }
        }
        let matches = layered(cli::command(), &given).try_get_matches_from(arguments).map_err(ConfigError::CommandLine)?;
        let sources = cli::ids(&cli::command()).into_iter().map(|id| (id.clone(), source(&matches, &id, &given))).collect();
        Ok(Self { cli: Cli::from_arg_matches(&matches).map_err(ConfigError::CommandLine)?, sources })
    }
}

type Given = BTreeMap<String, (String, Source)>;

fn source(matches: &ArgMatches, id: &str, given: &Given) -> Source {
    match matches.value_source(id) {
        Some(ValueSource::CommandLine) => Source::Option,
        _ => given.get(id).map_or(Source::Default, |(_, source)| source.clone()),
    }
}

/// The command line with `given` as defaults.
fn layered(mut command: clap::Command, given: &Given) -> clap::Command {
    for (id, (value, _)) in given {
        command = command.mut_arg(id, |arg| {
            let parts: Vec<String> = match arg.get_value_delimiter() {
                Some(delimiter) => value.split(delimiter).map(str::to_owned).collect(),
                None => vec![value.clone()],
            };
            arg.default_values(parts)
        });
    }
    command
}

/// Checks one value with the parser of its option; the message names where it stands and never repeats the value of a proxy.
fn check(command: &clap::Command, id: &str, value: &str, place: &str) -> Result<(), ConfigError> {
    let Some(arg) = command.get_arguments().find(|arg| arg.get_id() == id) else { return Ok(()) };
    let flag = format!("--{}={value}", arg.get_long().unwrap_or(id));
    let alone = clap::Command::new("check").arg(arg.clone());
    alone.try_get_matches_from(["check", &flag]).map(drop).map_err(|error| {
        let said = error.to_string();
        let line = said.lines().next().unwrap_or_default().trim_start_matches("error: ");
        ConfigError::Value(format!("{place}: {line}"))
    })
}

fn from_variables(command: &clap::Command, variables: &Variables) -> Result<Given, ConfigError> {
    let mut given = Given::new();
    for id in cli::ids(command) {
        let own = cli::variable(&id);
        let theirs = DATADOG_VARIABLES.iter().filter(|(option, _)| *option == id).map(|(_, name)| (*name).to_owned());
        for name in std::iter::once(own).chain(theirs) {
            if let Some(value) = variables.text(&name)? {
                check(command, &id, value, &format!("the variable {name}"))?;
                given.insert(id, (value.to_owned(), Source::Variable(name)));
                break;
            }
        }
    }
    let known: Vec<String> = cli::ids(command).iter().map(|id| cli::variable(id)).collect();
    if let Some(unknown) =
        variables.names().find(|name| name.starts_with("DATADOG_MCP_") && *name != "DATADOG_MCP_DATA" && !known.iter().any(|k| k == name))
    {
        return Err(ConfigError::Value(format!("unknown variable {unknown}{}", did_you_mean(unknown, known.iter().map(String::as_str)))));
    }
    Ok(given)
}

/// A configuration file and its values by option id.
type FileValues = (PathBuf, BTreeMap<String, String>);

fn from_file(early: &ArgMatches, variables: &Variables) -> Result<Option<FileValues>, ConfigError> {
    let named = early.get_one::<PathBuf>("config").cloned();
    let Some(path) = named.clone().or_else(|| usual_file(variables)) else { return Ok(None) };
    let text = match fs_err::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ConfigError::Value(error.to_string())),
    };
    let values = read_file(&path, &text)?;
    Ok(Some((path, values)))
}

/// `datadog-mcp/config.toml` in the user's configuration folder.
fn usual_file(variables: &Variables) -> Option<PathBuf> {
    let base = match variables.text("XDG_CONFIG_HOME").ok().flatten() {
        Some(folder) => PathBuf::from(folder),
        None => etcetera::choose_base_strategy().ok()?.config_dir(),
    };
    Some(base.join("datadog-mcp").join("config.toml"))
}

/// Keys and values of a configuration file, by option id.
pub(super) fn read_file(path: &Path, text: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let place = path.display();
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        ConfigError::Value(format!("{place}, line {line}: {}", error.message()))
    })?;
    let command = cli::command();
    let keys: Vec<String> = cli::options().into_iter().filter_map(|option| option.key).collect();
    let mut values = BTreeMap::new();
    for (key, value) in table {
        if !keys.contains(&key) {
            return Err(ConfigError::Value(format!("{place}: unknown key `{key}`{}", did_you_mean(&key, keys.iter().map(String::as_str)))));
        }
        let text = scalar(&value)
            .ok_or_else(|| ConfigError::Value(format!("{place}: `{key}` must be text, a number, true, false or a list of texts")))?;
        let id = key.replace('-', "_");
        check(&command, &id, &text, &format!("{place}, key `{key}`"))?;
        values.insert(id, text);
    }
    Ok(values)
}

fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        toml::Value::Array(items) => items.iter().map(toml::Value::as_str).collect::<Option<Vec<_>>>().map(|texts| texts.join(",")),
        _ => None,
    }
}

/// `; did you mean X?` when something comes near.
fn did_you_mean<'a>(wrong: &str, right: impl Iterator<Item = &'a str>) -> String {
    right
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}
