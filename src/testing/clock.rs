//! The clock that a [`FakeServer`](super::FakeServer) and its client share.
//!
//! In virtual time nothing waits. The client "sleeps" by moving the clock
//! forward, and the server holds a response back in the same way. Only bytes on
//! the loopback socket take real time, and that time does not count:
//!
//! ```text
//! client                          clock          server
//! sleep_until(T+0.5s)             T+0.5s
//! sends a request, 10 s timeout   budget = 10 s
//!                                 T+4.5s         Reply::delay(4 s)
//! receives the response at T+4.5s
//! ```
//!
//! A sleep in one thread moves the time for all. Two threads that sleep a
//! minute each at the same moment may therefore move the clock by one minute or
//! by two; tests that compare times have one thread.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::util::clock::Clock;
use crate::util::process::ProcessLock;
use crate::util::stop::StopToken;

/// Whether time passes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockPace {
    /// Time passes only when the client or the server sleeps, and then at once.
    Virtual,
    /// The machine's time; [`VirtualClock::advance`] still moves it forward.
    Real,
}

/// A clock that tests control. Its time never goes backwards; only the date can
/// be [set](Self::set_wall).
#[derive(Debug)]
pub(crate) struct VirtualClock {
    pace: ClockPace,
    /// The zero of `elapsed`. `now` is this instant plus the elapsed time, so
    /// it is valid wherever an [`Instant`] is compared with it.
    start: Instant,
    /// Time in a forked child passes apart from that of the server.
    state: ProcessLock<ClockState>,
}

/// What changes. A forked child gets a copy.
#[derive(Clone, Debug)]
struct ClockState {
    /// The sum of sleeps and advances; in real time, of the advances alone.
    advanced: Duration,
    /// A date, and the elapsed time at which it was set.
    wall: (SystemTime, Duration),
    /// Every sleep that was requested, even one that a stop token cut short.
    sleeps: Vec<Duration>,
    /// The remaining time of the latest attempt that was sent, or `None` before
    /// the first. There is one for all threads.
    budget: Option<Duration>,
    /// What [`Clock::chance`] returns, below 1.
    chance: f64,
}

/// An instant of the server: the elapsed time, for durations, and the date.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerMoment {
    pub(super) elapsed: Duration,
    pub(super) wall: SystemTime,
}

/// When an operation was inserted, and its age, or its age when it ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct FakeTimes {
    pub(super) inserted: SystemTime,
    pub(super) age: Duration,
}

impl FakeTimes {
    /// Of an operation that is inserted now.
    pub(super) fn at(inserted: SystemTime) -> Self {
        Self { inserted, age: Duration::ZERO }
    }
}

impl VirtualClock {
    /// Creates a clock that starts now, and for virtual time at a whole second.
    pub(super) fn new(pace: ClockPace) -> Self {
        let inherit = |parent: Option<&mut ClockState>| {
            // A thread of the parent may have held the lock at the fork; then
            // the child starts anew.
            parent.map(|state| state.clone()).unwrap_or_else(|| ClockState::new(ClockPace::Real))
        };
        Self { pace, start: Instant::now(), state: ProcessLock::new(ClockState::new(pace), inherit) }
    }

    pub(super) fn is_virtual(&self) -> bool {
        self.pace == ClockPace::Virtual
    }

    /// Returns the time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.elapsed_in(&self.state.lock())
    }

    /// Returns the current time in both forms, read under one lock.
    pub(super) fn moment(&self) -> ServerMoment {
        let state = self.state.lock();
        ServerMoment { elapsed: self.elapsed_in(&state), wall: self.wall_in(&state) }
    }

    /// Moves the clock forward, to a hundred years after its start at most.
    pub(super) fn advance(&self, duration: Duration) {
        let mut state = self.state.lock();
        state.advanced = state.advanced.saturating_add(duration).min(LONGEST);
    }

    /// Returns the durations of the client's sleeps, in order.
    pub(super) fn sleeps(&self) -> Vec<Duration> {
        self.state.lock().sleeps.clone()
    }

    /// Returns the remaining time of the client's attempt, or `None` if no
    /// client runs on this clock.
    pub(super) fn budget(&self) -> Option<Duration> {
        self.state.lock().budget
    }

    /// Sets the date without moving the monotonic time: deadlines stay as they
    /// are.
    pub(super) fn set_wall(&self, wall: SystemTime) {
        let mut state = self.state.lock();
        state.wall = (wall, self.elapsed_in(&state));
    }

    /// Sets the random number, clamped to the range from 0 up to 1 without it.
    /// NaN restores the default of 0.5.
    pub(super) fn set_chance(&self, chance: f64) {
        // 1 is excluded, as in the range of a random number; NaN cannot be
        // clamped.
        self.state.lock().chance = if chance.is_nan() { 0.5 } else { chance.clamp(0.0, 1.0 - f64::EPSILON) };
    }

    fn wall_in(&self, state: &ClockState) -> SystemTime {
        let (wall, then) = state.wall;
        let passed = self.elapsed_in(state).saturating_sub(then);
        wall.checked_add(passed).unwrap_or(wall)
    }

    fn elapsed_in(&self, state: &ClockState) -> Duration {
        let passed = if self.is_virtual() { Duration::ZERO } else { self.start.elapsed() };
        passed.saturating_add(state.advanced)
    }
}

impl ClockState {
    fn new(pace: ClockPace) -> Self {
        let wall = (start_of_wall(pace), Duration::ZERO);
        Self { advanced: Duration::ZERO, wall, sleeps: Vec::new(), budget: None, chance: 0.5 }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        // Cannot overflow in virtual time: `advance` stops at `LONGEST`.
        self.start + self.elapsed()
    }

    fn wall(&self) -> SystemTime {
        self.wall_in(&self.state.lock())
    }

    fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now() + duration.min(LONGEST), None);
    }

    fn sleep_until(&self, until: Instant, stop: Option<&StopToken>) {
        let duration = until.saturating_duration_since(self.now());
        // Recorded even if it is zero: tests count sleeps.
        self.state.lock().sleeps.push(duration);
        match (self.pace, stop) {
            // A virtual sleep ends at once, so a token can stop it only
            // beforehand.
            (ClockPace::Virtual, Some(token)) if token.is_stopped() => {}
            (ClockPace::Virtual, _) => self.advance(duration),
            (ClockPace::Real, Some(token)) => token.sleep(duration),
            (ClockPace::Real, None) => std::thread::sleep(duration),
        }
    }

    fn socket_deadline(&self, deadline: Instant) -> Instant {
        let left = deadline.saturating_duration_since(self.now());
        // The server reads this when the request arrives: it must not sleep in
        // virtual time beyond the point at which the client gives up.
        self.state.lock().budget = Some(left);
        match self.pace {
            // Sockets keep real time, in which the whole attempt is over at
            // once.
            ClockPace::Virtual => Instant::now() + SOCKET_BUDGET,
            ClockPace::Real => Instant::now() + left,
        }
    }

    /// Returns the longest duration in virtual time: whatever the other thread
    /// does takes no virtual time, so it must not be cut off.
    fn patience(&self, left: Duration) -> Duration {
        match self.pace {
            ClockPace::Virtual => LONGEST,
            ClockPace::Real => left,
        }
    }

    fn chance(&self) -> f64 {
        self.state.lock().chance
    }
}

/// Virtual wall time starts on a whole second, so that HTTP dates, which have
/// no fractions, are exact.
fn start_of_wall(pace: ClockPace) -> SystemTime {
    let now = SystemTime::now();
    match now.duration_since(UNIX_EPOCH) {
        Ok(since) if pace == ClockPace::Virtual => UNIX_EPOCH + Duration::from_secs(since.as_secs()),
        _ => now,
    }
}

/// The limit, in real seconds, on an exchange in virtual time. It takes
/// microseconds, on a busy machine more; the limit only ends a test that hangs.
const SOCKET_BUDGET: Duration = Duration::from_secs(30);

/// The end of virtual time, a hundred years after its start. Instants of every
/// platform can represent it.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_passes_by_sleeping_only() {
        let clock = VirtualClock::new(ClockPace::Virtual);
        let (now, wall) = (clock.now(), clock.wall());
        assert_eq!((clock.now(), clock.wall()), (now, wall));
        clock.sleep(Duration::from_secs(3600));
        clock.advance(Duration::from_secs(60));
        assert_eq!(clock.now() - now, Duration::from_secs(3660));
        assert_eq!(clock.wall(), wall + Duration::from_secs(3660));
        assert_eq!(clock.sleeps(), [Duration::from_secs(3600)]);
        assert_eq!(clock.elapsed(), Duration::from_secs(3660));
    }

    #[test]
    fn wall_time_can_jump_without_moving_deadlines() {
        let clock = VirtualClock::new(ClockPace::Virtual);
        let now = clock.now();
        clock.advance(Duration::from_secs(5));
        clock.set_wall(UNIX_EPOCH);
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.wall(), UNIX_EPOCH + Duration::from_secs(2));
        assert_eq!(clock.now() - now, Duration::from_secs(7));
    }

    #[test]
    fn sleeping_for_ever_neither_panics_nor_blocks() {
        let clock = VirtualClock::new(ClockPace::Virtual);
        clock.sleep(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now() - clock.start, LONGEST);
        assert!(clock.wall() > SystemTime::now());
    }

    #[test]
    fn sockets_have_real_time_and_the_server_reads_the_virtual_budget() {
        let clock = VirtualClock::new(ClockPace::Virtual);
        assert_eq!(clock.budget(), None);
        let soon = Duration::from_millis(3);
        let before = Instant::now();
        assert!(clock.socket_deadline(clock.now() + soon) >= before + SOCKET_BUDGET);
        assert_eq!(clock.budget(), Some(soon));
        let clock = VirtualClock::new(ClockPace::Real);
        assert!(clock.socket_deadline(clock.now() + soon) <= Instant::now() + soon);
    }

    #[test]
    fn chance_is_even_until_set() {
        let clock = VirtualClock::new(ClockPace::Virtual);
        assert_eq!(clock.chance(), 0.5);
        for (set, got) in [(0.25, 0.25), (-1.0, 0.0), (f64::NAN, 0.5)] {
            clock.set_chance(set);
            assert_eq!(clock.chance(), got, "{set}");
        }
        clock.set_chance(1.0);
        assert!(clock.chance() < 1.0);
    }

    #[test]
    fn real_time_passes_by_itself_and_can_be_put_forward() {
        let clock = VirtualClock::new(ClockPace::Real);
        let now = clock.now();
        clock.advance(Duration::from_secs(60));
        assert!(clock.now() - now >= Duration::from_secs(60));
        assert!(clock.wall() >= SystemTime::now() + Duration::from_secs(59));
    }
}
