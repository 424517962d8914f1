//! Time, sleep and chance: the seams that let every test run without waiting.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::util::stop::StopToken;

/// The source of time for the whole crate: [`SystemClock`] outside tests.
pub(crate) trait Clock: fmt::Debug + Send + Sync {
    /// Monotonic time; deadlines are measured with it.
    fn now(&self) -> Instant;

    /// Wall-clock time; token lifetimes and HTTP dates are measured with it.
    fn wall(&self) -> SystemTime;

    /// Blocks for `duration`.
    fn sleep(&self, duration: Duration);

    /// Blocks until `until`, or until `stop` is stopped.
    fn sleep_until(&self, until: Instant, stop: Option<&StopToken>) {
        let left = until.saturating_duration_since(self.now());
        match stop {
            Some(token) => token.sleep(left),
            None => self.sleep(left),
        }
    }

    /// Returns the deadline by the machine's clock, which sockets keep, for one
    /// by this clock.
    fn socket_deadline(&self, deadline: Instant) -> Instant {
        deadline
    }

    /// Returns how long to wait, outside, for what another thread does, if that
    /// may take `left` on this clock.
    fn patience(&self, left: Duration) -> Duration {
        left
    }

    /// Returns a number in `0.0..1.0` that spreads delays.
    fn chance(&self) -> f64;
}

/// Returns the point in time that is `timeout` after `start`, or a year if that
/// is less: one too far away does not exist.
pub(crate) fn deadline(start: Instant, timeout: Duration) -> Instant {
    start + timeout.min(LONGEST)
}

const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The machine's clock.
#[derive(Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }

    fn chance(&self) -> f64 {
        // The hasher's keys are seeded by the operating system and differ at every
        // call. A forked child goes on with the keys of its parent, and must
        // not draw the same delays.
        let bits = RandomState::new().hash_one(std::process::id()) >> 11;
        bits as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_spreads_over_the_unit_interval() {
        let draws: Vec<f64> = (0..1000).map(|_| SystemClock.chance()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}
