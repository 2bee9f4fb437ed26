//! One `Config`, built once from the command line, variables and the configuration file.

mod credentials;
mod layers;
mod network;

pub use credentials::{Credentials, Found};
pub use layers::{Layers, Source};

use crate::cli::{LogFormat, LogLevel, Options};
use datadog_client::{ClientConfig, Secret, Site, Trust};
use datadog_tools::{Selection, ToolboxConfig};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io::IsTerminal as _,
    path::PathBuf,
};

/// What the process was told to be. Nothing reads the environment after this.
#[derive(Debug, Clone)]
pub struct Config {
    /// Datadog site.
    pub site: Site,
    /// Session name.
    pub org: String,
    /// Configured keys and tokens.
    pub credentials: Credentials,
    /// Use a sandbox in this process instead of the site and the credentials.
    pub sandbox: bool,
    /// Tools that are offered.
    pub selection: Selection,
    /// Folder of the team's own tools.
    pub tools_dir: Option<PathBuf>,
    /// Connection to Datadog.
    pub client: ClientConfig,
    /// Answers.
    pub answers: ToolboxConfig,
    /// Form of the log.
    pub log_format: LogFormat,
    /// Level of the log.
    pub log_level: LogLevel,
    /// `RUST_LOG`
    pub log_filter: Option<String>,
    /// Standard output takes colours: a terminal, and nothing says no.
    pub color: bool,
    /// Source of each option by id; for `doctor`.
    pub sources: BTreeMap<String, Source>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line, or a question about it (`--help`).
    #[error(transparent)]
    CommandLine(clap::Error),
    /// A value; says where it stands and what is wrong. Never holds a secret.
    #[error("{0}")]
    Value(String),
}

/// The environment, read once by `main`.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<OsString, OsString>);

impl Variables {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// Given ones, for tests.
    #[must_use]
    pub fn from_pairs<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, value)| !value.is_empty()).filter_map(|(name, _)| name.to_str())
    }

    /// A variable's text; an empty one counts as not set, since many hosts cannot leave one out.
    fn text(&self, name: &str) -> Result<Option<&str>, ConfigError> {
        self.secret(name)
    }

    /// The same, for what must not be shown: the message says that it is not UTF-8, and nothing of it.
    fn secret(&self, name: &str) -> Result<Option<&str>, ConfigError> {
        let Some(value) = self.0.get(OsStr::new(name)) else { return Ok(None) };
        let text = value.to_str().ok_or_else(|| ConfigError::Value(format!("the variable {name} is not UTF-8")))?;
        Ok(Some(text.trim()).filter(|text| !text.is_empty()))
    }
}

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Variables").field("count", &self.0.len()).finish()
    }
}

impl Config {
    /// Makes sense of what was said.
    pub fn new(layers: &Layers, variables: &Variables) -> Result<Self, ConfigError> {
        let options = &layers.cli.options;
        let trust = if options.trust_site { Trust::Operator } else { Trust::DatadogOnly };
        let site = Site::parse(&options.site, trust).map_err(|error| ConfigError::Value(format!("--site: {error}")))?;
        let proxy = proxy(options, variables, &site)?;
        if options.answer_tokens > options.max_tokens {
            return Err(ConfigError::Value(format!(
                "--answer-tokens {} is more than --max-tokens {}",
                options.answer_tokens, options.max_tokens
            )));
        }
        let client = ClientConfig {
            deadline: options.timeout,
            max_answer_bytes: u64::from(options.max_answer_mb) << 20,
            proxy,
            extra_roots_pem: network::extra_roots(variables)?,
            ..ClientConfig::default()
        };
        let credentials = Credentials::read(variables, options.credentials_file.as_deref())?;
        let answers = ToolboxConfig {
            seal_key: credentials.seal_key(&site, &options.org).unwrap_or_else(|| ToolboxConfig::default().seal_key),
            org: options.org.clone(),
            default_tokens: options.answer_tokens as usize,
            max_tokens: options.max_tokens as usize,
            mask_secrets: !options.no_mask,
        };
        Ok(Self {
            site,
            org: options.org.clone(),
            credentials,
            sandbox: options.sandbox,
            selection: Selection {
                toolsets: names(&options.toolsets),
                tools: names(&options.tools),
                exclude: names(&options.exclude_tools),
                allow_writes: options.allow_writes && !options.read_only,
                allow_secrets: options.allow_secrets,
            },
            tools_dir: options.tools_dir.clone(),
            client,
            answers,
            log_format: options.log_format,
            log_level: options.log_level,
            log_filter: variables.text("RUST_LOG")?.map(str::to_owned),
            color: std::io::stdout().is_terminal() && variables.text("NO_COLOR")?.is_none() && variables.text("TERM")? != Some("dumb"),
            sources: layers.sources.clone(),
        })
    }
}

fn names(list: &[String]) -> Vec<String> {
    list.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn proxy(options: &Options, variables: &Variables, site: &Site) -> Result<Option<Secret>, ConfigError> {
    if let Some(url) = &options.proxy {
        return Ok(Some(url.clone()));
    }
    if !options.proxy_from_env {
        return Ok(None);
    }
    let base = site.base(datadog_catalogue::Host::Api);
    network::proxy_of(variables, base.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests;
