//! A refresh token, which its server may replace at every use ([RFC 6749
//! section 6](https://www.rfc-editor.org/rfc/rfc6749#section-6)).

use crate::util::process::ProcessLock;
use crate::util::secret::Secret;

/// The refresh token of a login, and the last one that replaced it. The clones
/// of a set of credentials share it, so that none uses a token that was
/// rotated.
#[derive(Debug)]
pub(super) struct RefreshToken {
    /// The token in the file.
    first: Secret,
    /// The last one that the server issued since.
    replaced: ProcessLock<Option<Secret>>,
}

impl RefreshToken {
    /// Creates it from the token in the file.
    pub(super) fn new(first: Secret) -> Self {
        // A forked child inherits the last token. If its parent was just
        // replacing it, the child starts from the first one.
        let replaced = ProcessLock::new(None, |parent: Option<&mut Option<Secret>>| parent?.clone());
        Self { first, replaced }
    }

    /// Returns the token to send.
    pub(super) fn current(&self) -> Secret {
        self.replaced.lock().as_ref().unwrap_or(&self.first).clone()
    }

    /// Uses another token from now on. It is not written to the file, which may
    /// belong to another program.
    pub(super) fn replace(&self, next: Secret) {
        *self.replaced.lock() = Some(next);
    }
}
