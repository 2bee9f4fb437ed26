//! A text that is never shown: no `Display`, `Debug` prints `[redacted]`, memory is wiped on drop.

use std::fmt;
use zeroize::Zeroizing;

/// A token, key, code or verifier. [`Secret::expose`] is the one way to its text.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself; call it only where it leaves for Datadog or the vault.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}
