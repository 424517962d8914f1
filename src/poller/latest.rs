//! The latest state of an operation that was seen, shared by all that look at
//! it.

use std::sync::Arc;

use crate::types::Operation;
use crate::util::process::ProcessLock;

/// Clones are one place.
#[derive(Clone, Debug)]
pub(crate) struct Latest(Arc<ProcessLock<Option<Operation>>>);

impl Latest {
    pub(crate) fn new(operation: Option<Operation>) -> Self {
        Self(Arc::new(ProcessLock::new(operation, |parent| parent.and_then(|seen| seen.clone()))))
    }

    pub(crate) fn get(&self) -> Option<Operation> {
        self.0.lock().clone()
    }

    /// Keeps a state, unless the one that is kept is the end.
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
