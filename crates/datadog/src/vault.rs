//! Where sign-in sessions are kept: the trait every store implements, and the one in memory.

use crate::{Principal, Secret};
use async_trait::async_trait;

/// Names one session of one caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey {
    /// Site name.
    pub site: String,
    /// Session name, `default` unless another was chosen.
    pub org: String,
}

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct VaultError {
    /// What happened and what to do.
    pub message: String,
}

/// A store of serialised session records. There is no way to ask without a [`Principal`].
#[async_trait]
pub trait Vault: Send + Sync + std::fmt::Debug {
    /// The record, or `None` when there is none.
    async fn load(&self, who: &Principal, key: &SessionKey) -> Result<Option<Secret>, VaultError>;
    /// Stores durably before it returns.
    async fn store(&self, who: &Principal, key: &SessionKey, record: Secret) -> Result<(), VaultError>;
    /// Removes; removing what is not there is fine.
    async fn remove(&self, who: &Principal, key: &SessionKey) -> Result<(), VaultError>;
    /// The caller's sessions in order.
    async fn list(&self, who: &Principal) -> Result<Vec<SessionKey>, VaultError>;
}
