//! A refresh token, which its server may replace at every use.

use crate::util::process::ProcessLock;
use crate::util::secret::Secret;

/// The refresh token of a login, and the last one that replaced it.
#[derive(Debug)]
pub(super) struct RefreshToken {
    first: Secret,
    replaced: ProcessLock<Option<Secret>>,
}

impl RefreshToken {
    pub(super) fn new(first: Secret) -> Self {
        // A child whose parent was just replacing it starts from the first.
        let replaced = ProcessLock::new(None, |parent: Option<&mut Option<Secret>>| parent?.clone());
        Self { first, replaced }
    }

    pub(super) fn current(&self) -> Secret {
        self.replaced.lock().as_ref().unwrap_or(&self.first).clone()
    }

    pub(super) fn replace(&self, next: Secret) {
        *self.replaced.lock() = Some(next);
    }
}
