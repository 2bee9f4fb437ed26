//! Facts of Datadog's API as static tables: what each operation is called, takes, needs and answers.
//!
//! The tables under `generated/` are written by `cargo xtask catalogue`; they cost nothing at start-up.
//! Facts only: names, paths, types, scopes, relations. No sentence of Datadog's documentation is in here.

mod operation;

pub use operation::{
    Auth, Body, Effect, Host, Kind, Method, OAuth, Operation, Paging, Param, ParamType, Permission, PermissionRule, Place,
};
