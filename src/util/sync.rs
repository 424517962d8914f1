//! Locks that a panic does not spoil.

use std::sync::{LockResult, Mutex, MutexGuard, PoisonError};

/// Locks a mutex, also if a thread has panicked with the lock.
///
/// No value in this crate is left half changed by a panic, and a panic of other
/// code (a logger, a callback of the user) must not end all other calls.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    recover(mutex.lock())
}

/// Returns what a lock or a condition variable gives, poisoned or not.
pub(crate) fn recover<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_panic_does_not_spoil_a_lock() {
        let mutex = Mutex::new(1);
        thread::scope(|scope| {
            let panicking = scope.spawn(|| {
                let _guard = lock(&mutex);
                panic!("with the lock");
            });
            panicking.join().unwrap_err();
        });
        assert!(mutex.is_poisoned());
        assert_eq!(*lock(&mutex), 1);
    }
}
