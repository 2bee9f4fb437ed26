//! The client against a raw server on loopback: faults, identities, secrets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod identities;
mod loopback;
mod tls;
