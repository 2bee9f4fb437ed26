//! All tools, the operator's selection of them, and the aliases of old names.

use crate::{Effect, Tool, arguments::nearest, definition, native};
use datadog_catalogue::Operation;
use std::{collections::BTreeSet, path::Path, sync::Arc};

/// Toolset that is offered when the operator names none.
pub const DEFAULT_TOOLSET: &str = "core";

/// Names that tools had before, each with today's name. They keep working and are never listed.
const ALIASES: &[(&str, &str)] = &[
    ("search_logs", "logs_search"),
    ("aggregate_logs", "logs_aggregate"),
    ("query_metrics", "metrics_query"),
    ("search_spans", "spans_search"),
    ("get_trace", "trace_get"),
    ("search_monitors", "monitors_search"),
    ("tools_search", "tools_find"),
];

/// Which tools the operator offers. A request may narrow it, never widen it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Toolsets by name; `all` for every one. Empty means `core`.
    pub toolsets: Vec<String>,
    /// Single tools added.
    pub tools: Vec<String>,
    /// Single tools or operations (`v1.DeleteMonitor`) taken away; wins over everything.
    pub exclude: Vec<String>,
    /// Writes are offered too.
    pub allow_writes: bool,
    /// Reads that answer with key material are offered too.
    pub allow_secrets: bool,
}

/// Why a registry could not be built.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RegistryError(pub String);

/// Why an operation is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// The server is read-only.
    ReadOnly,
    /// The operator excluded it.
    Excluded,
    /// Its answer carries key material.
    Secret,
}

/// All tools in a fixed order, and which of them are offered.
#[derive(Debug, Clone)]
pub struct Registry {
    all: Arc<[Arc<Tool>]>,
    listed: Arc<[Arc<Tool>]>,
    selection: Arc<Selection>,
}

impl Registry {
    /// Builds the registry of the built-in tools and, when given, those in the TOML files of `dir`.
    ///
    /// Fails on an unknown toolset or tool in the selection, on a bad definition and on a name taken twice.
    pub fn build(selection: Selection, dir: Option<&Path>) -> Result<Self, RegistryError> {
        let mut tools = native::all();
        tools.extend(definition::built_in()?);
        if let Some(dir) = dir {
            tools.extend(definition::read_dir(dir)?);
        }
        Self::of(tools, selection)
    }

    /// Builds the registry of given tools.
    pub fn of(mut tools: Vec<Tool>, selection: Selection) -> Result<Self, RegistryError> {
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = tools.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(RegistryError(format!("two tools are named `{}`; rename one of them", twice[0].name)));
        }
        let all: Arc<[Arc<Tool>]> = tools.into_iter().map(Arc::new).collect();
        let registry = Self { all, listed: Arc::from([]), selection: Arc::new(selection) };
        registry.check_selection()?;
        let listed = registry.all.iter().filter(|tool| registry.lists(tool)).cloned().collect();
        Ok(Self { listed, ..registry })
    }

    /// Every tool that exists, offered or not, sorted by name.
    #[must_use]
    pub fn all(&self) -> &[Arc<Tool>] {
        &self.all
    }

    /// The tools a client is shown, sorted by name.
    #[must_use]
    pub fn listed(&self) -> &[Arc<Tool>] {
        &self.listed
    }

    /// A tool that a client may call by its own name or an alias.
    #[must_use]
    pub fn listed_tool(&self, name: &str) -> Option<&Arc<Tool>> {
        let name = current_name(name);
        self.listed.iter().find(|tool| tool.name == name)
    }

    /// A tool that may be reached through `tools_find` and `tools_call_*`: in any toolset, if not withheld.
    #[must_use]
    pub fn reachable_tool(&self, name: &str) -> Option<&Arc<Tool>> {
        let name = current_name(name);
        self.all.iter().find(|tool| tool.name == name)
    }

    /// Whether the operator withholds a tool, and why.
    #[must_use]
    pub fn withheld_tool(&self, tool: &Tool) -> Option<Withheld> {
        if self.selection.exclude.iter().any(|name| current_name(name) == tool.name) {
            Some(Withheld::Excluded)
        } else if tool.effect != Effect::Read && !self.selection.allow_writes {
            Some(Withheld::ReadOnly)
        } else {
            // A tool is no way around what is withheld of the operations under it.
            tool.operations.iter().find_map(|operation| self.withheld_operation(operation))
        }
    }

    /// Whether the operator withholds an operation, and why.
    #[must_use]
    pub fn withheld_operation(&self, operation: &Operation) -> Option<Withheld> {
        if self.selection.exclude.iter().any(|name| name == operation.id) {
            Some(Withheld::Excluded)
        } else if operation.kind.effect() != Effect::Read && !self.selection.allow_writes {
            Some(Withheld::ReadOnly)
        } else if datadog_catalogue::returns_secret(operation) && !self.selection.allow_secrets {
            Some(Withheld::Secret)
        } else {
            None
        }
    }

    /// Listed names most like `name`.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Vec<String> {
        let name: String = name.chars().take(80).collect();
        let mut near: Vec<(f64, &str)> = self
            .listed
            .iter()
            .map(|tool| (strsim::jaro_winkler(&name, &tool.name), tool.name.as_str()))
            .filter(|(score, _)| *score > 0.7)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
    }

    /// Every toolset that exists.
    #[must_use]
    pub fn toolsets(&self) -> BTreeSet<&str> {
        self.all.iter().map(|tool| tool.toolset.as_str()).collect()
    }

    /// What the operator selected.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    fn lists(&self, tool: &Tool) -> bool {
        let chosen = |set: &String| set == "all" || *set == tool.toolset;
        let in_toolset =
            if self.selection.toolsets.is_empty() { tool.toolset == DEFAULT_TOOLSET } else { self.selection.toolsets.iter().any(chosen) };
        let added = self.selection.tools.iter().any(|name| current_name(name) == tool.name);
        (in_toolset || added) && self.withheld_tool(tool).is_none()
    }

    fn check_selection(&self) -> Result<(), RegistryError> {
        let sets = self.toolsets();
        for set in &self.selection.toolsets {
            if set != "all" && !sets.contains(set.as_str()) {
                let names = sets.iter().copied().collect::<Vec<_>>().join(", ");
                return Err(RegistryError(format!("there is no toolset `{set}`; the toolsets are {names}, and `all`")));
            }
        }
        for name in self.selection.tools.iter().chain(&self.selection.exclude) {
            let known = self.reachable_tool(name).is_some() || datadog_catalogue::operation(name).is_some();
            if !known {
                let hint = nearest(name, self.all.iter().map(|tool| tool.name.as_str()))
                    .map(|near| format!(", did you mean `{near}`?"))
                    .unwrap_or_default();
                return Err(RegistryError(format!("there is no tool `{name}`{hint}")));
            }
        }
        Ok(())
    }
}

/// Today's name of a tool; names that were never renamed are their own.
pub(crate) fn current_name(name: &str) -> &str {
    ALIASES.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new)
}
