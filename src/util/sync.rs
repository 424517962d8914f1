//! Mutexes that a panic does not spoil.
//!
//! A `std` mutex is poisoned when a thread panics while it holds the lock, and
//! each later `lock` fails. This crate never wants that, so it locks through
//! [`lock`], or through `ProcessLock`, which builds on it.

use std::sync::{LockResult, Mutex, MutexGuard, PoisonError};

/// Locks a mutex, even if a thread has panicked while it held the lock.
///
/// No value in this crate is left half changed by a panic. And a panic of other
/// code (a logger, a callback of the user) must not end all other calls of the
/// process.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    recover(mutex.lock())
}

/// Returns the guard of a lock or of a condition variable, poisoned or not.
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
