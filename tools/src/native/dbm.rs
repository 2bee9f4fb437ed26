//! Database Monitoring: query samples and explain plans.

use crate::Tool;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    Vec::new()
}
