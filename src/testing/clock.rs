//! The clock that a [`FakeServer`](super::FakeServer) and its client share.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::util::clock::Clock;
use crate::util::process::ProcessLock;
use crate::util::stop::StopToken;

/// Whether time passes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockPace {
    /// Time passes when someone sleeps, and then at once.
    Virtual,
    /// The machine's time; it can still be put forward.
    Real,
}

/// Time that passes only when someone sleeps, unless its pace is real.
#[derive(Debug)]
pub(crate) struct VirtualClock {
    pace: ClockPace,
    start: Instant,
    /// Time in a forked child passes apart from that of the server.
    state: ProcessLock<ClockState>,
}

#[derive(Clone, Debug)]
struct ClockState {
    advanced: Duration,
    /// Wall-clock time, and the elapsed time at which it was so.
    wall: (SystemTime, Duration),
    sleeps: Vec<Duration>,
    budget: Option<Duration>,
    chance: f64,
}

/// An instant of the server: for durations, and as date and time.
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
    pub(super) fn new(pace: ClockPace) -> Self {
        let inherit = |parent: Option<&mut ClockState>| {
            parent.map(|state| state.clone()).unwrap_or_else(|| ClockState::new(ClockPace::Real))
        };
        Self { pace, start: Instant::now(), state: ProcessLock::new(ClockState::new(pace), inherit) }
    }

    pub(super) fn is_virtual(&self) -> bool {
        self.pace == ClockPace::Virtual
    }

    /// Time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.elapsed_in(&self.state.lock())
    }

    pub(super) fn moment(&self) -> ServerMoment {
        let state = self.state.lock();
        ServerMoment { elapsed: self.elapsed_in(&state), wall: self.wall_in(&state) }
    }

    pub(super) fn advance(&self, duration: Duration) {
        let mut state = self.state.lock();
        state.advanced = state.advanced.saturating_add(duration).min(LONGEST);
    }

    /// The sleeps of the client, in order.
    pub(super) fn sleeps(&self) -> Vec<Duration> {
        self.state.lock().sleeps.clone()
    }

    /// Returns how much time the exchange under way has, where the client runs
    /// on this clock.
    pub(super) fn budget(&self) -> Option<Duration> {
        self.state.lock().budget
    }

    pub(super) fn set_wall(&self, wall: SystemTime) {
        let mut state = self.state.lock();
        state.wall = (wall, self.elapsed_in(&state));
    }

    pub(super) fn set_chance(&self, chance: f64) {
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
        self.state.lock().sleeps.push(duration);
        match (self.pace, stop) {
            (ClockPace::Virtual, Some(token)) if token.is_stopped() => {}
            (ClockPace::Virtual, _) => self.advance(duration),
            (ClockPace::Real, Some(token)) => token.sleep(duration),
            (ClockPace::Real, None) => std::thread::sleep(duration),
        }
    }

    fn socket_deadline(&self, deadline: Instant) -> Instant {
        let left = deadline.saturating_duration_since(self.now());
        self.state.lock().budget = Some(left);
        match self.pace {
            ClockPace::Virtual => Instant::now() + SOCKET_BUDGET,
            ClockPace::Real => Instant::now() + left,
        }
    }

    /// No time passes for what is under way: it ends first, however long it
    /// takes.
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

/// Real seconds for an exchange in virtual time: it takes microseconds, on a
/// busy machine some more.
const SOCKET_BUDGET: Duration = Duration::from_secs(30);

/// As far as virtual time goes: instants of every platform can hold it.
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
    fn the_socket_gets_real_time_and_the_server_learns_the_virtual_one() {
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
