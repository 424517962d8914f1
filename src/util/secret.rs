//! Secrets in memory: printed as `[redacted]`, wiped when they are dropped.
//!
//! Keys, tokens and client secrets are a [`Secret`] from the moment at which
//! they are parsed until they are sent. The wiping covers this copy only:
//! serde, the TLS library and the operating system have their own.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Text that must never be printed: a token, a private key.
///
/// It has no `Display`, `PartialEq` or `Serialize`, so it cannot get into a
/// message by accident. [`expose`](Self::expose) is the only way to the text.
/// Each clone is wiped by itself.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Returns the text itself, for the one place that sends or uses it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// Reads a JSON string, so that fields of credentials files are secret at once.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The string moves into the secret. A copy remains where serde had to
        // unescape it.
        String::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_redacted() {
        let secret = Secret::new("CANARY-token-1".into());
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(secret.expose(), "CANARY-token-1");
    }
}
