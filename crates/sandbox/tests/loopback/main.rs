//! The sandbox through a real loopback socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod access;
mod conformity;
mod faults;
mod org;
mod paging;
mod recordings;
mod shapes;
mod story;
