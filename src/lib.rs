//! `datadog-mcp`: the server through which AI agents use Datadog, and its command line.

pub mod cli;
pub mod commands;
pub mod config;
pub mod exit;
pub mod logging;
pub mod mcp;
