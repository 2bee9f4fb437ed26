//! Runs a tool that is defined as data.
