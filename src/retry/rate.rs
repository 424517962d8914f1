//! A limit on how often something is done.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::util::process::ProcessLock;

/// Hands out evenly spaced permits, in the order of requests.
///
/// A permit is an instant. That is a token bucket that holds one token, and
/// returns at once when the token will be there: a waiter sleeps once, and does
/// not take a permit that lies after its deadline.
#[derive(Debug)]
pub(crate) struct RateLimit {
    /// The time between two permits.
    spacing: Duration,
    /// The instant of the next permit; `None` before the first.
    next: ProcessLock<Option<Instant>>,
}

impl RateLimit {
    /// Creates a limit of `per_second`.
    ///
    /// # Errors
    ///
    /// `Config` if that is not a positive, finite number.
    pub(crate) fn new(per_second: f64) -> Result<Self, Error> {
        let spacing = Some(per_second).filter(|rate| rate.is_finite() && *rate > 0.0);
        let spacing = spacing.and_then(|rate| Duration::try_from_secs_f64(rate.recip()).ok());
        let refused =
            || Error::config(format!("rate `{per_second}` is no positive number of polls a second"));
        // So that the instants of permits stay within the range of the clock.
        let spacing = spacing.ok_or_else(refused)?.min(WIDEST_SPACING);
        Ok(Self { spacing, next: ProcessLock::default() })
    }

    /// Takes the next permit and returns its instant: `now`, or later. Returns
    /// `None`, and takes none, if that is not before `end`.
    ///
    /// ```text
    /// 4 a second, all at 0 ms:   0 ms, 250 ms, 500 ms, …
    /// then one at 2000 ms:       2000 ms             unused time is not saved up
    /// ```
    pub(crate) fn reserve(&self, now: Instant, end: Option<Instant>) -> Option<Instant> {
        // The lock covers only this arithmetic. Waiters sleep without it, until their
        // own instant.
        let mut next = self.next.lock();
        let permit = next.map_or(now, |next| next.max(now));
        if end.is_some_and(|end| end <= permit) {
            return None;
        }
        // Only a permit that is taken moves the next one, so waits that end do not
        // delay the others.
        *next = Some(permit.checked_add(self.spacing)?);
        Some(permit)
    }
}

/// One permit a year.
const WIDEST_SPACING: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_spaced_evenly_and_never_come_early() {
        let limit = RateLimit::new(4.0).unwrap();
        let start = Instant::now();
        let ms = |ms| start + Duration::from_millis(ms);
        for (row, now, end, turn) in [
            ("the first", 0, None, Some(0)),
            ("the second", 0, None, Some(250)),
            ("too late for its end", 0, Some(500), None),
            ("just in time", 0, Some(501), Some(500)),
            ("after a rest", 2000, None, Some(2000)),
            ("no credit for the rest", 2001, None, Some(2250)),
        ] {
            assert_eq!(limit.reserve(ms(now), end.map(ms)), turn.map(ms), "{row}");
        }
    }

    #[test]
    fn turns_do_not_run_out() {
        let limit = RateLimit::new(1.2e-19).unwrap();
        let start = Instant::now();
        let turns: Vec<_> = (0..3).filter_map(|_| limit.reserve(start, None)).collect();
        let year = Duration::from_secs(31_536_000);
        assert_eq!(turns, [start, start + year, start + year * 2]);
        assert_eq!(limit.reserve(start, start.checked_add(Duration::from_secs(5))), None);
    }

    #[test]
    fn rates_that_are_none_are_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300] {
            assert!(RateLimit::new(rate).is_err(), "{rate}");
        }
        let error = RateLimit::new(0.0).unwrap_err().to_string();
        assert_eq!(error, "rate `0` is no positive number of polls a second");
    }
}
