//! Facts of Datadog's API as static tables: what each operation is called, takes, needs and answers.
//!
//! The tables under `generated/` are written by `cargo xtask catalogue`; they cost nothing at start-up.
//! Facts only: names, paths, types, scopes, relations. No sentence of Datadog's documentation is in here.

mod base;
// Written by a program, one operation to a few lines: neither formatted nor linted for style.
#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic)]
mod generated;
mod lookup;
mod operation;
mod outline;
mod rate;
mod route;
mod schemas;
mod scope;

pub use lookup::{operation, operation_loosely, operations, returns_secret, words};
pub use operation::{
    Auth, Body, Effect, Host, Kind, Method, OAuth, Operation, Paging, Param, ParamType, Permission, PermissionRule, Place,
};
pub use outline::body_outline;
pub use rate::{RateHint, rate};
pub use route::route;
pub use schemas::body_schema;
pub use scope::{Access, Obtainable, Requested, Scope, scope, scopes};
