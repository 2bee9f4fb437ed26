//! Traces: one trace whole, as a tree.

use crate::Tool;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    Vec::new()
}
