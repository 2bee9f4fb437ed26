//! The shape of a definition file, and of a definition that was checked.

use crate::{Effect, answer::Column, answer::Form};
use datadog_catalogue::Operation;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

/// A definition file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) toolset: String,
    #[serde(default, rename = "tool")]
    pub(super) tools: Vec<Spanned<RawTool>>,
}

/// One `[[tool]]` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTool {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) effect: Effect,
    #[serde(default)]
    pub(super) idempotent: Option<bool>,
    pub(super) operation: String,
    #[serde(default)]
    pub(super) subject: Option<String>,
    #[serde(default)]
    pub(super) rows: Option<String>,
    #[serde(default)]
    pub(super) record: bool,
    #[serde(default)]
    pub(super) columns: Vec<RawColumn>,
    #[serde(default)]
    pub(super) drop: Vec<String>,
    #[serde(default)]
    pub(super) link: Option<String>,
    #[serde(default)]
    pub(super) then: Option<String>,
    #[serde(default)]
    pub(super) arguments: IndexMap<String, Argument>,
    #[serde(default)]
    pub(super) time: Option<TimeArguments>,
    #[serde(default)]
    pub(super) fixed: IndexMap<String, Value>,
}

/// A column: a dotted path, or path, header and form.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawColumn {
    Path(String),
    Full(FullColumn),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FullColumn {
    path: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    form: Form,
}

impl RawColumn {
    pub(super) fn into_column(self) -> Column {
        let (path, name, form) = match self {
            Self::Path(path) => (path, None, Form::Plain),
            Self::Full(full) => (full.path, full.name, full.form),
        };
        let name = name.unwrap_or_else(|| path.rsplit('.').next().unwrap_or(&path).to_owned());
        Column { path, name, form }
    }
}

/// One argument.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Argument {
    /// `string`, `integer`, `number`, `boolean`, `list`.
    #[serde(rename = "type")]
    pub(crate) kind: ArgumentType,
    /// What it is, with an example.
    pub(crate) description: String,
    /// Must be given.
    #[serde(default)]
    pub(crate) required: bool,
    /// Sent when it is not given.
    #[serde(default)]
    pub(crate) default: Option<Value>,
    /// Allowed values.
    #[serde(default)]
    pub(crate) values: Vec<String>,
    /// Smallest number.
    #[serde(default)]
    pub(crate) min: Option<i64>,
    /// Largest number.
    #[serde(default)]
    pub(crate) max: Option<i64>,
    /// Where it goes; `None`: only into templates.
    #[serde(default)]
    pub(crate) to: Option<String>,
}

/// Type of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ArgumentType {
    String,
    Integer,
    Number,
    Boolean,
    List,
}

/// Where `from` and `to` go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimeArguments {
    /// Where the start goes.
    pub(crate) from: String,
    /// Where the end goes.
    pub(crate) to: String,
    /// How both are written.
    pub(crate) unit: TimeUnit,
    /// Range when the caller names no start, e.g. `15m`.
    pub(crate) default: String,
}

/// How an instant is written in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TimeUnit {
    /// RFC 3339.
    Iso,
    /// Unix milliseconds.
    Ms,
    /// Unix seconds.
    S,
}

/// A definition that was checked against the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) toolset: String,
    pub(crate) effect: Effect,
    pub(crate) idempotent: bool,
    pub(crate) operation: &'static Operation,
    pub(crate) subject: String,
    pub(crate) rows: Option<String>,
    pub(crate) record: bool,
    pub(crate) columns: Vec<Column>,
    pub(crate) drop: Vec<String>,
    pub(crate) link: Option<String>,
    pub(crate) then: Option<String>,
    pub(crate) arguments: IndexMap<String, Argument>,
    pub(crate) time: Option<TimeArguments>,
    pub(crate) fixed: IndexMap<String, Value>,
}
