//! A limit on concurrent exchanges.
//!
//! An HTTP client opens a connection for each concurrent request if no idle one
//! is left. A program with hundreds of threads would open hundreds, so requests
//! take a [`Permit`] first.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::connection::IoLimit;
use super::error::ConnectionError;

use crate::util::sync::{lock, recover};

/// A counting semaphore that limits concurrent exchanges, each of which has a
/// connection of its own.
///
/// It is not fair: a thread that comes at the right moment may overtake one
/// that waits. Permits are released in any order, and each thread has its own
/// deadline.
pub(crate) struct Permits {
    /// How many permits there are, at least 1.
    most: usize,
    /// Locked for a moment only, never during an exchange.
    state: Mutex<PermitState>,
    /// Notified when a permit is returned.
    released: Condvar,
}

/// How many permits are taken, and how many threads wait.
#[derive(Default)]
struct PermitState {
    /// At most `most`.
    taken: usize,
    /// Counted, because waking a thread costs a system call even if none waits.
    waiting: usize,
}

/// The right to one exchange, returned when it is dropped.
pub(crate) struct Permit<'a>(&'a Permits);

impl Permits {
    /// Creates permits. Zero counts as 1, because a limit of zero would block
    /// all requests.
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), state: Mutex::default(), released: Condvar::new() }
    }

    /// Takes a permit, and waits for one within `limit` if all are taken.
    ///
    /// # Errors
    ///
    /// `Timeout` or `Stopped`.
    pub(crate) fn take(&self, limit: IoLimit<'_>) -> Result<Permit<'_>, ConnectionError> {
        let mut state = self.lock();
        while state.taken >= self.most {
            // In the loop, so that a thread that is woken in vain still ends at
            // its deadline.
            let remaining = limit.remaining()?;
            // A stop token does not wake a condition variable of ours, so a
            // waiter that has one wakes up to check it.
            let piece = if limit.stop.is_some() { remaining.min(STOP_CHECK) } else { remaining };
            state.waiting += 1;
            state = recover(self.released.wait_timeout(state, piece)).0;
            state.waiting -= 1;
        }
        state.taken += 1;
        Ok(Permit(self))
    }

    /// Locks the counters.
    fn lock(&self) -> MutexGuard<'_, PermitState> {
        lock(&self.state)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.taken -= 1;
        if state.waiting != 0 {
            // One thread, because a permit is of use to one only.
            self.0.released.notify_one();
        }
    }
}

/// How often a waiter checks its stop token.
const STOP_CHECK: Duration = Duration::from_millis(30);

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::util::stop::StopToken;

    fn within(time: Duration) -> IoLimit<'static> {
        IoLimit::new(Instant::now() + time, None)
    }

    #[test]
    fn no_more_than_so_many_at_a_time() {
        let permits = Permits::new(2);
        let now = || within(Duration::ZERO);
        let (first, second) = (permits.take(now()), permits.take(now()));
        assert!(first.is_ok() && second.is_ok());
        assert!(matches!(permits.take(now()), Err(ConnectionError::Timeout)));
        std::thread::scope(|scope| {
            // Without the wake-up the test would hang here.
            let waiting = scope.spawn(|| permits.take(within(Duration::from_secs(3600))).is_ok());
            while permits.lock().waiting == 0 {
                std::thread::yield_now();
            }
            drop(first);
            assert!(waiting.join().unwrap());
        });
        assert_eq!(permits.lock().waiting, 0);
        assert!(Permits::new(0).take(now()).is_ok());
    }

    #[test]
    fn a_stop_ends_the_waiting() {
        let (permits, token) = (&Permits::new(1), &StopToken::new());
        let _taken = permits.take(within(Duration::ZERO));
        std::thread::scope(|scope| {
            let limit = IoLimit { stop: Some(token), ..within(Duration::from_secs(3600)) };
            // Without the look at the token the test would hang here.
            let waiting =
                scope.spawn(move || matches!(permits.take(limit).err(), Some(ConnectionError::Stopped)));
            token.stop();
            assert!(waiting.join().unwrap());
        });
    }
}
