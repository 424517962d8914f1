//! A limit on concurrent exchanges.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::connection::IoLimit;
use super::error::ConnectionError;

use crate::util::sync::{lock, recover};

/// A counting semaphore that limits concurrent exchanges, each of which has a
/// connection of its own.
pub(crate) struct Permits {
    most: usize,
    state: Mutex<PermitState>,
    released: Condvar,
}

#[derive(Default)]
struct PermitState {
    taken: usize,
    /// Waking a thread is a system call even if there is none.
    waiting: usize,
}

/// The right to one exchange, until it is dropped.
pub(crate) struct Permit<'a>(&'a Permits);

impl Permits {
    /// Zero counts as 1.
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), state: Mutex::default(), released: Condvar::new() }
    }

    /// Takes a permit, and waits for one within `limit` if all are taken.
    pub(crate) fn take(&self, limit: IoLimit<'_>) -> Result<Permit<'_>, ConnectionError> {
        let mut state = self.lock();
        while state.taken >= self.most {
            let remaining = limit.remaining()?;
            // The condition variable knows nothing of stop tokens, so a waiter with one
            // wakes up to check it.
            let piece = if limit.stop.is_some() { remaining.min(LONGEST_DEAF) } else { remaining };
            state.waiting += 1;
            state = recover(self.released.wait_timeout(state, piece)).0;
            state.waiting -= 1;
        }
        state.taken += 1;
        Ok(Permit(self))
    }

    fn lock(&self) -> MutexGuard<'_, PermitState> {
        lock(&self.state)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.taken -= 1;
        if state.waiting > 0 {
            // One, because a permit is of use to one waiter only.
            self.0.released.notify_one();
        }
    }
}

/// How often a stop token is checked.
const LONGEST_DEAF: Duration = Duration::from_millis(30);

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
