//! All tools, the operator's selection of them, and the aliases of old names.

use crate::Tool;
use std::sync::Arc;

/// Which tools the operator offers. A request may narrow it, never widen it.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Toolsets by name; `all` for every one. Empty means `core`.
    pub toolsets: Vec<String>,
    /// Single tools added.
    pub tools: Vec<String>,
    /// Single tools taken away; wins over everything.
    pub exclude: Vec<String>,
    /// Writes are offered too.
    pub allow_writes: bool,
}

/// Why a registry could not be built.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RegistryError(pub String);

/// All tools in a fixed order, and which of them are offered.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    all: Vec<Arc<Tool>>,
}

impl Registry {
    /// Every tool that exists, offered or not.
    #[must_use]
    pub fn all(&self) -> &[Arc<Tool>] {
        &self.all
    }
}
