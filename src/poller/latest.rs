//! The latest state of an operation that was seen, shared by all that look at it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::types::Operation;

/// Clones are one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latest(Arc<Mutex<Option<Operation>>>);

impl Latest {
    pub(crate) fn new(operation: Option<Operation>) -> Self {
        Self(Arc::new(Mutex::new(operation)))
    }

    pub(crate) fn get(&self) -> Option<Operation> {
        self.lock().clone()
    }

    /// Keeps a state, unless the one that is kept is the end.
    pub(crate) fn set(&self, operation: &Operation) {
        let mut latest = self.lock();
        if !latest.as_ref().is_some_and(Operation::is_done) {
            *latest = Some(operation.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Operation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
