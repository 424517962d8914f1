//! How far an operation is, and when it may be done.
//!
//! The estimate is a straight line through the first and the last percentage
//! that was seen. Work is rarely that even, so it is shown as "about".

use std::time::Duration;

use longrunning::{Operation, Progress};

/// What is known from the states of one operation. Times count from the start
/// of the wait.
#[derive(Debug, Default)]
pub(super) struct Estimate {
    /// When the first percentage was seen, and what it was.
    first: Option<(Duration, f64)>,
    /// The same of the last percentage that was higher.
    last: Option<(Duration, f64)>,
    /// What the operation says of itself, in the words of the service.
    pub(super) status: Option<String>,
}

impl Estimate {
    /// Takes the percentage and the message, or else the stage, of a state.
    pub(super) fn seen(&mut self, operation: &Operation, elapsed: Duration) {
        let progress = Progress::of(operation);
        self.status = progress.message().or(progress.stage()).map(str::to_owned);
        self.reached(progress.percent(), elapsed);
    }

    /// Takes a percentage. Progress never goes back, and a percentage that
    /// comes again says nothing new.
    fn reached(&mut self, percent: Option<f64>, elapsed: Duration) {
        let Some(percent) = percent.filter(|percent| self.percent().is_none_or(|known| *percent > known))
        else {
            return;
        };
        self.first.get_or_insert((elapsed, percent));
        self.last = Some((elapsed, percent));
    }

    /// Returns the last percentage, from 0 to 100; none if no state had one.
    pub(super) fn percent(&self) -> Option<f64> {
        self.last.map(|(_, percent)| percent)
    }

    /// Returns how long the work may still take if it continues as it went;
    /// none before two percentages are known, and at 100 %, where a service may
    /// still be busy.
    pub(super) fn left(&self, elapsed: Duration) -> Option<Duration> {
        let ((start, from), (at, to)) = (self.first?, self.last?);
        // A line needs two different points.
        if to <= from || to >= 100.0 {
            return None;
        }
        // From the last percentage on. What has passed since then is
        // subtracted, so that the figure falls between polls too.
        let whole = at.saturating_sub(start).as_secs_f64() * (100.0 - to) / (to - from);
        let whole = Duration::try_from_secs_f64(whole).ok()?;
        Some(whole.saturating_sub(elapsed.saturating_sub(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_goes_as_the_part_that_was_seen() {
        let secs = Duration::from_secs;
        let mut estimate = Estimate::default();
        assert_eq!(estimate.left(secs(1)), None);
        estimate.reached(Some(20.0), secs(10));
        assert_eq!(estimate.left(secs(11)), None, "one point is no line");
        estimate.reached(Some(40.0), secs(20));
        assert_eq!(estimate.left(secs(20)), Some(secs(30)));
        assert_eq!(estimate.left(secs(25)), Some(secs(25)), "time passes between polls, too");
        assert_eq!(estimate.left(secs(900)), Some(secs(0)), "and may be over");
        estimate.reached(Some(30.0), secs(30));
        estimate.reached(None, secs(40));
        assert_eq!(estimate.percent(), Some(40.0), "it never goes back");
        estimate.reached(Some(100.0), secs(50));
        assert_eq!(estimate.left(secs(50)), None);
    }
}
