//! Datadog over HTTP: sites, credentials, requests, answers and refusals.
//!
//! Knows no MCP, no agent and no terminal; it reads no environment and no home directory, it is given what it needs.

mod answer;
mod json;
mod principal;
mod refusal;
mod secret;

pub mod client;
pub mod credentials;
pub mod request;
pub mod site;
pub mod untrusted;
pub mod vault;

pub use answer::lacking_scopes;
pub use client::{CallLimits, Client, ClientConfig, Identity, RateFacts, Reply};
pub use credentials::{Configuration, ConfiguredCredentials, Credential, CredentialKind, CredentialSource, Keys, SessionSource};
pub use json::parse_json;
pub use principal::Principal;
pub use refusal::{Cause, CredentialFacts, Fix, Kind, Refusal, WhoCanFix};
pub use request::{PathSegment, Request, RequestBuilder};
pub use secret::Secret;
pub use site::{Site, SiteError, Trust};
