//! How many exchanges are under way at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many exchanges, each on a connection of its own; the next one waits.
pub(crate) struct Slots {
    most: usize,
    taken: Mutex<usize>,
    freed: Condvar,
}

/// The right to one exchange, until it is dropped.
pub(crate) struct Slot<'a>(&'a Slots);

impl Slots {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), taken: Mutex::new(0), freed: Condvar::new() }
    }

    /// Waits for a slot, at most so long.
    pub(crate) fn take(&self, limit: Duration) -> Option<Slot<'_>> {
        let waiting = self.freed.wait_timeout_while(self.taken(), limit, |taken| *taken >= self.most);
        let (mut taken, timeout) = waiting.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() && *taken >= self.most {
            return None;
        }
        *taken += 1;
        Some(Slot(self))
    }

    fn taken(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.taken() -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_so_many_at_a_time() {
        let slots = Slots::new(2);
        let (first, second) = (slots.take(Duration::ZERO), slots.take(Duration::ZERO));
        assert!(first.is_some() && second.is_some());
        assert!(slots.take(Duration::ZERO).is_none());
        std::thread::scope(|scope| {
            // Without the wake-up the test would hang here.
            let waiting = scope.spawn(|| slots.take(Duration::from_secs(3600)).is_some());
            drop(first);
            assert!(waiting.join().unwrap());
        });
        assert!(Slots::new(0).take(Duration::ZERO).is_some());
    }
}
