//! Time, sleep and chance: a trait, so that tests run without waiting.
//!
//! Each client has one [`Clock`]. `SystemClock` is the real one; the virtual
//! clock of `testing` advances instead of sleeping. Code of the crate reads the
//! time from its client's clock, with a few exceptions, which measure real I/O:
//! the deadlines of sockets ([`Clock::socket_deadline`]) and of pipes
//! (`util::file`).
//!
//! ```text
//! now()   Instant     monotonic     deadlines, delays, ages
//! wall()  SystemTime  can jump      expiry of tokens, HTTP dates, journals
//! ```

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::util::stop::StopToken;

/// The source of time for the whole crate: [`SystemClock`] outside tests.
pub(crate) trait Clock: fmt::Debug + Send + Sync {
    /// Returns the monotonic time, with which deadlines are measured. Whether
    /// it advances while the machine is suspended depends on the operating
    /// system.
    fn now(&self) -> Instant;

    /// Returns the time of day, with which token lifetimes and HTTP dates are
    /// measured. It can jump in either direction.
    fn wall(&self) -> SystemTime;

    /// Blocks for `duration`; at once if it is zero.
    fn sleep(&self, duration: Duration);

    /// Blocks until `until`, or until `stop` is stopped. It does not say which:
    /// callers look at the clock and the token again.
    fn sleep_until(&self, until: Instant, stop: Option<&StopToken>) {
        let left = until.saturating_duration_since(self.now());
        match stop {
            Some(token) => token.sleep(left),
            None => self.sleep(left),
        }
    }

    /// Converts a deadline of this clock into one of the machine's clock, by
    /// which sockets measure.
    ///
    /// They differ for a virtual clock, which stands still while a real socket
    /// waits.
    fn socket_deadline(&self, deadline: Instant) -> Instant {
        deadline
    }

    /// Returns how long to block, in real time, for what another thread does,
    /// if that may take `left` on this clock.
    ///
    /// A virtual clock returns a very long time: no virtual time passes while
    /// work is under way, so the work always ends first.
    fn patience(&self, left: Duration) -> Duration {
        left
    }

    /// Returns a number in `0.0..1.0` that spreads delays (jitter). It need not
    /// be hard to guess. Virtual clocks return a fixed one.
    fn chance(&self) -> f64;
}

/// Returns the instant `timeout` after `start`, or a year after it if `timeout`
/// is longer.
///
/// Adding `Duration::MAX` to an instant panics, and users pass it to mean "no
/// limit".
pub(crate) fn deadline(start: Instant, timeout: Duration) -> Instant {
    start + timeout.min(LONGEST)
}

/// Longer than any process waits, and near enough that every platform can
/// represent it.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The clock of the machine.
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
        // 53 bits, as many as a `f64` represents exactly.
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
