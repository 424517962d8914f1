//! The time at one moment, for operations that have to get the same delay.

use std::time::{Duration, Instant, SystemTime};

use crate::util::clock::Clock;

/// A clock that stands still, so that operations which are as old as each other
/// stay together: they get the same delay.
#[derive(Debug)]
pub(crate) struct FrozenClock<'a> {
    clock: &'a dyn Clock,
    pub(crate) now: Instant,
    chance: f64,
}

impl<'a> FrozenClock<'a> {
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
