//! The metric query language: `avg:system.cpu.idle{env:prod} by {host}.rollup(max, 60) / 100`, formulas and functions.

mod evaluate;
mod filter;
mod syntax;

pub(crate) use evaluate::{Grid, Line, evaluate};
pub(crate) use syntax::{Expression, parse_formula, parse_queries};
