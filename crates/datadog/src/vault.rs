//! Where sign-in sessions are kept: the trait every store implements, and the one in memory.

use crate::{Principal, Secret};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// Sessions in memory: gone when the process ends. For tests and for servers that keep nothing.
#[derive(Debug, Default)]
pub struct MemoryVault {
    records: Mutex<BTreeMap<(Principal, SessionKey), Secret>>,
}

impl MemoryVault {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, BTreeMap<(Principal, SessionKey), Secret>> {
        // Every change is one map operation: a panic elsewhere cannot leave it half done.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn load(&self, who: &Principal, key: &SessionKey) -> Result<Option<Secret>, VaultError> {
        Ok(self.records().get(&(who.clone(), key.clone())).cloned())
    }

    async fn store(&self, who: &Principal, key: &SessionKey, record: Secret) -> Result<(), VaultError> {
        self.records().insert((who.clone(), key.clone()), record);
        Ok(())
    }

    async fn remove(&self, who: &Principal, key: &SessionKey) -> Result<(), VaultError> {
        self.records().remove(&(who.clone(), key.clone()));
        Ok(())
    }

    async fn list(&self, who: &Principal) -> Result<Vec<SessionKey>, VaultError> {
        Ok(self.records().keys().filter(|(owner, _)| owner == who).map(|(_, key)| key.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn key(org: &str) -> SessionKey {
        SessionKey { site: "datadoghq.com".to_owned(), org: org.to_owned() }
    }

    #[tokio::test]
    async fn each_caller_sees_their_own_sessions_only() {
        let vault = MemoryVault::new();
        let (ann, bob) = (Principal::verified("ann"), Principal::verified("bob"));
        vault.store(&ann, &key("default"), Secret::new("fake-record-ann".to_owned())).await.unwrap();
        vault.store(&ann, &key("other"), Secret::new("fake-record-other".to_owned())).await.unwrap();
        vault.store(&bob, &key("default"), Secret::new("fake-record-bob".to_owned())).await.unwrap();
        assert_eq!(vault.load(&ann, &key("default")).await.unwrap().unwrap().expose(), "fake-record-ann");
        assert_eq!(vault.list(&ann).await.unwrap(), [key("default"), key("other")]);
        assert_eq!(vault.list(&bob).await.unwrap(), [key("default")]);
        vault.remove(&ann, &key("default")).await.unwrap();
        vault.remove(&ann, &key("default")).await.unwrap();
        assert!(vault.load(&ann, &key("default")).await.unwrap().is_none());
        assert_eq!(vault.load(&bob, &key("default")).await.unwrap().unwrap().expose(), "fake-record-bob");
        assert!(!format!("{vault:?}").contains("fake-record"));
    }
}
