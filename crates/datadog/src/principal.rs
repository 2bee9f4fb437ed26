//! Who calls: the identity every cache, limiter, cursor and session is keyed by.

use std::{fmt, sync::Arc};

/// A caller. On stdio there is one, [`Principal::local`]; over HTTP each verified caller is another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Principal(Arc<str>);

impl Principal {
    /// The single user of a stdio server.
    #[must_use]
    pub fn local() -> Self {
        Self(Arc::from("local"))
    }

    /// A caller by a stable id that was verified before (never taken from an unverified header).
    #[must_use]
    pub fn verified(id: &str) -> Self {
        Self(Arc::from(id))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
