//! The clock that a [`FakeServer`](super::FakeServer) and its client share.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::sync::lock;
use crate::clock::Clock;
use crate::stop::StopToken;

/// Whether time passes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Time passes when someone sleeps, and then at once.
    Virtual,
    /// The machine's time; it can still be put forward.
    Real,
}

/// Time that passes only when someone sleeps, unless its pace is real.
#[derive(Debug)]
pub(crate) struct VirtualClock {
    pace: Pace,
    start: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    advanced: Duration,
    /// Wall-clock time, and the elapsed time at which it was so.
    wall: (SystemTime, Duration),
    sleeps: Vec<Duration>,
    budget: Option<Duration>,
    chance: f64,
}

impl VirtualClock {
    pub(super) fn new(pace: Pace) -> Self {
        let state = State {
            advanced: Duration::ZERO,
            wall: (start_of_wall(pace), Duration::ZERO),
            sleeps: Vec::new(),
            budget: None,
            chance: 0.5,
        };
        Self { pace, start: Instant::now(), state: Mutex::new(state) }
    }

    pub(super) fn is_virtual(&self) -> bool {
        self.pace == Pace::Virtual
    }

    /// Time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.elapsed_in(&lock(&self.state))
    }

    pub(super) fn advance(&self, duration: Duration) {
        let mut state = lock(&self.state);
        state.advanced = state.advanced.saturating_add(duration).min(LONGEST);
    }

    /// What the client slept, in order.
    pub(super) fn sleeps(&self) -> Vec<Duration> {
        lock(&self.state).sleeps.clone()
    }

    /// How much time the exchange under way has, where the client runs on this clock.
    pub(super) fn budget(&self) -> Option<Duration> {
        lock(&self.state).budget
    }

    pub(super) fn set_wall(&self, wall: SystemTime) {
        let mut state = lock(&self.state);
        state.wall = (wall, self.elapsed_in(&state));
    }

    pub(super) fn set_chance(&self, chance: f64) {
        lock(&self.state).chance = if chance.is_nan() { 0.5 } else { chance.clamp(0.0, 1.0 - f64::EPSILON) };
    }

    fn elapsed_in(&self, state: &State) -> Duration {
        let passed = if self.is_virtual() { Duration::ZERO } else { self.start.elapsed() };
        passed.saturating_add(state.advanced)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.start + self.elapsed()
    }

    fn wall(&self) -> SystemTime {
        let state = lock(&self.state);
        let (wall, then) = state.wall;
        let passed = self.elapsed_in(&state).saturating_sub(then);
        wall.checked_add(passed).unwrap_or(wall)
    }

    fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now() + duration.min(LONGEST), None);
    }

    fn sleep_until(&self, until: Instant, stop: Option<&StopToken>) {
        let duration = until.saturating_duration_since(self.now());
        lock(&self.state).sleeps.push(duration);
        match (self.pace, stop) {
            (Pace::Virtual, Some(token)) if token.is_stopped() => {}
            (Pace::Virtual, _) => self.advance(duration),
            (Pace::Real, Some(token)) => token.sleep(duration),
            (Pace::Real, None) => std::thread::sleep(duration),
        }
    }

    fn socket_budget(&self, left: Duration) -> Duration {
        lock(&self.state).budget = Some(left);
        match self.pace {
            Pace::Virtual => SOCKET_BUDGET,
            Pace::Real => left,
        }
    }

    /// No time passes for what is under way: it ends first, however long it takes.
    fn patience(&self, left: Duration) -> Duration {
        match self.pace {
            Pace::Virtual => LONGEST,
            Pace::Real => left,
        }
    }

    fn chance(&self) -> f64 {
        lock(&self.state).chance
    }
}

/// Virtual wall time starts on a whole second, so that HTTP dates, which have no fractions, are exact.
fn start_of_wall(pace: Pace) -> SystemTime {
    let now = SystemTime::now();
    match now.duration_since(UNIX_EPOCH) {
        Ok(since) if pace == Pace::Virtual => UNIX_EPOCH + Duration::from_secs(since.as_secs()),
        _ => now,
    }
}

/// Real seconds for an exchange in virtual time: it takes microseconds, on a busy machine some more.
const SOCKET_BUDGET: Duration = Duration::from_secs(30);

/// As far as virtual time goes: instants of every platform can hold it.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_passes_by_sleeping_only() {
        let clock = VirtualClock::new(Pace::Virtual);
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
        let clock = VirtualClock::new(Pace::Virtual);
        let now = clock.now();
        clock.advance(Duration::from_secs(5));
        clock.set_wall(UNIX_EPOCH);
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.wall(), UNIX_EPOCH + Duration::from_secs(2));
        assert_eq!(clock.now() - now, Duration::from_secs(7));
    }

    #[test]
    fn sleeping_for_ever_neither_panics_nor_blocks() {
        let clock = VirtualClock::new(Pace::Virtual);
        clock.sleep(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now() - clock.start, LONGEST);
        assert!(clock.wall() > SystemTime::now());
    }

    #[test]
    fn the_socket_gets_real_time_and_the_server_learns_the_virtual_one() {
        let clock = VirtualClock::new(Pace::Virtual);
        assert_eq!(clock.budget(), None);
        assert_eq!(clock.socket_budget(Duration::from_millis(3)), SOCKET_BUDGET);
        assert_eq!(clock.budget(), Some(Duration::from_millis(3)));
        let clock = VirtualClock::new(Pace::Real);
        assert_eq!(clock.socket_budget(Duration::from_millis(3)), Duration::from_millis(3));
    }

    #[test]
    fn chance_is_even_until_set() {
        let clock = VirtualClock::new(Pace::Virtual);
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
        let clock = VirtualClock::new(Pace::Real);
        let now = clock.now();
        clock.advance(Duration::from_secs(60));
        assert!(clock.now() - now >= Duration::from_secs(60));
        assert!(clock.wall() >= SystemTime::now() + Duration::from_secs(59));
    }
}
