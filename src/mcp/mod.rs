//! The Model Context Protocol: the only module that names the SDK.
//!
//! [`Server`] answers the protocol for whatever a [`Surface`] offers; [`ToolboxSurface`] offers Datadog's tools; [`stdio`] carries it
//! over a pipe. Protocol 2025-06-18 and 2025-11-25 (with `initialize`) and 2026-07-28 (stateless) are served side by side.

pub mod client;
pub mod stdio;

mod errors;
mod handler;
mod instructions;
mod pages;
mod product;
mod progress;
mod surface;

pub use handler::Server;
pub use instructions::INSTRUCTIONS;
pub use product::ToolboxSurface;
pub use surface::{Beyond, Failure, Surface, ToolCall};

use rmcp::model::ProtocolVersion;

/// Protocol revisions that are served, oldest first.
pub const VERSIONS: &[ProtocolVersion] = &[ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28];
