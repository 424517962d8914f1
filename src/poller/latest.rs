//! The latest state of an operation that was seen, shared by all handles and
//! waits of it.

use std::sync::Arc;

use crate::types::Operation;
use crate::util::process::ProcessLock;

/// A shared place for one state. Clones are one place; a forked child gets a
/// copy of it.
///
/// The end of an operation is final, so a state that is done is never replaced:
/// of two waits, one may receive an old state after the other has seen the end.
#[derive(Clone, Debug)]
pub(crate) struct Latest(Arc<ProcessLock<Option<Operation>>>);

impl Latest {
    /// Creates a place with a state that is known already, if there is one.
    pub(crate) fn new(operation: Option<Operation>) -> Self {
        Self(Arc::new(ProcessLock::new(operation, |parent| parent.and_then(|seen| seen.clone()))))
    }

    /// Returns a copy of the state, which is cheap: an operation shares its
    /// text.
    pub(crate) fn get(&self) -> Option<Operation> {
        self.0.lock().clone()
    }

    /// Stores a state, unless the stored one is done.
    pub(crate) fn set(&self, operation: &Operation) {
        let mut latest = self.0.lock();
        if !latest.as_ref().is_some_and(Operation::is_done) {
            *latest = Some(operation.clone());
        }
    }
}

impl Default for Latest {
    fn default() -> Self {
        Self::new(None)
    }
}
