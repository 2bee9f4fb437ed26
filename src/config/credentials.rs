//! Credentials from the environment and from a file of the same names.

use super::{ConfigError, Variables};
use datadog_client::{Secret, Site};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, path::Path};

/// What is configured; any part may be missing.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// `DD_API_KEY`
    pub api_key: Option<Found>,
    /// `DD_APP_KEY`
    pub app_key: Option<Found>,
    /// `DD_BEARER_TOKEN`, else `DD_ACCESS_TOKEN`
    pub bearer: Option<Found>,
}

/// A secret and where it came from.
#[derive(Debug, Clone)]
pub struct Found {
    /// The secret.
    pub secret: Secret,
    /// The variable's name, with the file when it stood in one.
    pub place: String,
}

const API_KEY: &[&str] = &["DD_API_KEY"];
/// The second is what Datadog's Terraform provider and older clients read.
const APP_KEY: &[&str] = &["DD_APP_KEY", "DD_APPLICATION_KEY"];
const BEARER: &[&str] = &["DD_BEARER_TOKEN", "DD_ACCESS_TOKEN"];

impl Credentials {
    /// From variables, and from `file` what they do not give.
    pub fn read(variables: &Variables, file: Option<&Path>) -> Result<Self, ConfigError> {
        let from_file = file.map(read_file).transpose()?.unwrap_or_default();
        let place = file.map(|file| file.display().to_string()).unwrap_or_default();
        let find = |names: &[&str]| -> Result<Option<Found>, ConfigError> {
            for name in names {
                if let Some(text) = variables.secret(name)? {
                    return found(text, (*name).to_owned()).map(Some);
                }
            }
            for name in names {
                if let Some(text) = from_file.get(*name) {
                    return found(text, format!("{name} in {place}")).map(Some);
                }
            }
            Ok(None)
        };
        Ok(Self { api_key: find(API_KEY)?, app_key: find(APP_KEY)?, bearer: find(BEARER)? })
    }

    /// Key for sealing cursors that is the same in the next process with the same credentials, so that a cursor printed by `call`
    /// works in the next `call`. `None` when nothing is configured. One-way: a cursor says nothing about the credentials.
    #[must_use]
    pub fn seal_key(&self, site: &Site, org: &str) -> Option<[u8; 32]> {
        if self.is_empty() {
            return None;
        }
        let mut hash = Sha256::new().chain_update(b"datadog-mcp seal 1");
        for found in [&self.api_key, &self.app_key, &self.bearer] {
            let text = found.as_ref().map_or("", |found| found.secret.expose());
            hash = hash.chain_update((text.len() as u64).to_be_bytes()).chain_update(text);
        }
        Some(hash.chain_update(site.name()).chain_update([0]).chain_update(org).finalize().into())
    }

    /// Nothing is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.api_key.is_none() && self.app_key.is_none() && self.bearer.is_none()
    }
}

/// Takes a secret that can be sent in a header; the message never repeats it.
fn found(text: &str, place: String) -> Result<Found, ConfigError> {
    let text = text.trim();
    if let Some(at) = text.find(|c: char| !c.is_ascii_graphic()) {
        let position = text[..at].chars().count() + 1;
        return Err(ConfigError::Value(format!(
            "{place}: character {position} cannot be part of a key or token (a blank, a line break or not ASCII); copy it again"
        )));
    }
    Ok(Found { secret: Secret::new(text.to_owned()), place })
}

/// Reads `NAME=value` lines; `#` begins a comment, `export` and quotes are allowed.
fn read_file(path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    let text = fs_err::read_to_string(path).map_err(|error| ConfigError::Value(format!("--credentials-file: {error}")))?;
    let known: Vec<&str> = [API_KEY, APP_KEY, BEARER].concat();
    let mut values = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("{}, line {}", path.display(), index + 1);
        let (name, value) = line
            .trim_start_matches("export ")
            .split_once('=')
            .ok_or_else(|| ConfigError::Value(format!("{place}: not of the form NAME=value")))?;
        let name = name.trim();
        if !known.contains(&name) {
            // The name is not repeated: a line without its name would show the secret here.
            return Err(ConfigError::Value(format!("{place}: the name is none of {}", known.join(", "))));
        }
        let value = value.trim();
        let bare = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value);
        if !bare.is_empty() {
            values.insert(name.to_owned(), bare.to_owned());
        }
    }
    Ok(values)
}
