//! What an answer that is no success means: Datadog's words, and the refusal that follows.

mod cause;
mod explain;
mod said;

#[cfg(test)]
mod tests;

pub use cause::lacking_scopes;
pub(crate) use explain::{Failed, MAYBE_DONE, Probe, Situation, another_identity_may_help, rate_refusal, redirected, refusal};
pub(crate) use said::Said;

#[cfg(test)]
mod recorded;
