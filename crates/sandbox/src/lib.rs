//! A Datadog org on loopback: its API over one seeded story, with credentials, permissions, rate limits, cursors and faults.
//!
//! [`Sandbox::new`] makes the org, [`serve`] listens for it. Nothing here is Datadog's: the shapes of the answers are,
//! the data is a story of our own (see [`Story`]).

mod access;
mod accounts;
mod admin;
mod aggregate;
mod call;
mod dice;
mod dispatch;
mod faults;
mod journal;
mod json;
mod limits;
mod metrics;
mod options;
mod products;
mod query;
mod recordings;
mod reply;
mod sandbox;
mod search;
mod server;
mod story;
mod time;
mod worlds;

pub use accounts::FakeCredential;
pub use faults::{Fault, FaultMatch, FaultRule};
pub use journal::{Journal, Received};
pub use options::{Options, RateLimits, Size};
pub use recordings::RecordingsError;
pub use sandbox::Sandbox;
pub use server::serve;
pub use story::Story;
