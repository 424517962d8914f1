//! Locks of the fake server.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex that a panic may have poisoned: no state here is ever left half changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
