//! What an agent can call: the registry of tools and the way of one call.
//!
//! Arguments are checked, planned into requests, sent through `datadog-client`, turned into rows and rendered for a
//! context window. Knows no MCP; reads no environment, no home directory and no terminal.

pub mod answer;
pub mod arguments;
pub mod definition;
pub mod registry;
pub mod rows;
pub mod time;
pub mod tool;
pub mod toolbox;

mod defined;
mod native;
mod paging;

pub use answer::{Answer, Column, Content, Draft, Output, Total};
pub use datadog_catalogue::Effect;
pub use registry::{Registry, RegistryError, Selection};
pub use time::TimeRange;
pub use tool::{CallContext, NativeTool, NoProgress, Progress, Tool};
pub use toolbox::{Call, CallError, Toolbox, ToolboxConfig};
