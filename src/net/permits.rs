//! How many exchanges are under way at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::stop::StopToken;

/// So many exchanges, each on a connection of its own; the next one waits.
pub(crate) struct Slots {
    most: usize,
    taken: Mutex<usize>,
    freed: Condvar,
}

/// The right to one exchange, until it is dropped.
pub(crate) struct Slot<'a>(&'a Slots);

impl Slots {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), taken: Mutex::new(0), freed: Condvar::new() }
    }

    /// Waits for a slot, at most so long, or until `stop` is stopped.
    pub(crate) fn take(&self, limit: Duration, stop: Option<&StopToken>) -> Option<Slot<'_>> {
        let start = Instant::now();
        let mut taken = self.taken();
        while *taken >= self.most {
            let left = limit.checked_sub(start.elapsed()).filter(|left| !left.is_zero())?;
            if stop.is_some_and(StopToken::is_stopped) {
                return None;
            }
            let piece = if stop.is_some() { left.min(LONGEST_DEAF) } else { left };
            taken = self.freed.wait_timeout(taken, piece).unwrap_or_else(PoisonError::into_inner).0;
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

/// After so long a token is looked at again.
const LONGEST_DEAF: Duration = Duration::from_millis(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_so_many_at_a_time() {
        let slots = Slots::new(2);
        let (first, second) = (slots.take(Duration::ZERO, None), slots.take(Duration::ZERO, None));
        assert!(first.is_some() && second.is_some());
        assert!(slots.take(Duration::ZERO, None).is_none());
        std::thread::scope(|scope| {
            // Without the wake-up the test would hang here.
            let waiting = scope.spawn(|| slots.take(Duration::from_secs(3600), None).is_some());
            drop(first);
            assert!(waiting.join().unwrap());
        });
        assert!(Slots::new(0).take(Duration::ZERO, None).is_some());
    }

    #[test]
    fn a_stop_ends_the_waiting() {
        let (slots, token) = (Slots::new(1), StopToken::new());
        let _taken = slots.take(Duration::ZERO, None);
        std::thread::scope(|scope| {
            // Without the look at the token the test would hang here.
            let waiting = scope.spawn(|| slots.take(Duration::from_secs(3600), Some(&token)).is_none());
            token.stop();
            assert!(waiting.join().unwrap());
        });
    }
}
