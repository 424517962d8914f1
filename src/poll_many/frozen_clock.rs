//! The time at one moment, for operations that have to get the same delay.
//!
//! A delay depends on the age of a wait and on a random number. If both were
//! read for each member of a group, the members would drift apart, and every
//! one would need a pass of its own.

use std::time::{Duration, Instant, SystemTime};

use crate::util::clock::Clock;

/// A clock that stands still, so that operations of the same age stay together:
/// they get the same delay.
#[derive(Debug)]
pub(crate) struct FrozenClock<'a> {
    clock: &'a dyn Clock,
    /// The instant at which it was made.
    pub(crate) now: Instant,
    /// The random number that all get, from 0 to 1.
    chance: f64,
}

impl<'a> FrozenClock<'a> {
    /// Reads the time and one random number.
    pub(crate) fn of(clock: &'a dyn Clock) -> Self {
        Self { clock, now: clock.now(), chance: clock.chance() }
    }
}

impl Clock for FrozenClock<'_> {
    fn now(&self) -> Instant {
        self.now
    }

    fn wall(&self) -> SystemTime {
        self.clock.wall()
    }

    fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration);
    }

    fn chance(&self) -> f64 {
        self.chance
    }
}
