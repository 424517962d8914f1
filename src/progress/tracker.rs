//! The progress of one operation during a wait: over all states that the wait
//! has seen, and by the client's clock.
//!
//! A percentage that decreases would confuse a user, so the largest one counts.
//! Times that the service does not send are measured by the client. The clocks
//! of the two may differ, so measured times are never shorter than the wait.

use std::time::{Duration, Instant, SystemTime};

use crate::types::Operation;

use super::{Progress, duration, rest};

/// The progress of an operation over its states.
#[derive(Clone, Debug)]
pub(crate) struct ProgressTracker {
    /// The beginning of the wait.
    start: Instant,
    progress: Progress,
    /// The first percentage that was seen, and the latest change of it. The
    /// speed between the two gives the remaining time.
    marks: Option<(ProgressMark, ProgressMark)>,
}

/// A percentage, and when it was seen.
#[derive(Clone, Copy, Debug)]
struct ProgressMark {
    percent: f64,
    /// The elapsed time of the work at that moment, if its start is known.
    age: Option<Duration>,
    /// When the service last changed the metadata: a newer time confirms the
    /// same percentage.
    updated: Option<SystemTime>,
    /// By the client's clock.
    seen: Instant,
}

impl ProgressTracker {
    /// Starts tracking at the beginning of a wait.
    pub(crate) fn new(start: Instant) -> Self {
        Self { start, progress: Progress::default(), marks: None }
    }

    /// Returns the progress at the latest state.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Adds the next state of the operation, seen at `now`; `wall` is the same
    /// instant as a date.
    pub(crate) fn saw(&mut self, operation: &Operation, now: Instant, wall: SystemTime) {
        let mut progress = Progress::of(operation);
        // A service may start over, or lose its metadata for a moment.
        if self.progress.percent > progress.percent {
            progress.percent = self.progress.percent;
        }
        self.mark(&progress, now, wall);
        if !operation.is_done() {
            progress.remaining = self.remaining(now);
        }
        let measured = now.saturating_duration_since(self.start);
        progress.elapsed = Some(match (progress.begin(), progress.end_time) {
            (Some(begin), Some(end)) => end.duration_since(begin).unwrap_or(measured),
            // The clocks of two machines differ: it has taken at least as long as the wait.
            (begin, _) => duration(begin, Some(wall)).unwrap_or_default().max(measured),
        });
        self.progress = progress;
    }

    /// Remembers the percentage, if it is the first, larger, or newer by the
    /// time of the service.
    fn mark(&mut self, progress: &Progress, seen: Instant, wall: SystemTime) {
        let Some(percent) = progress.percent else { return };
        let updated = progress.update_time;
        // The percentage belongs to the time at which the service wrote it, not
        // to the time at which it was seen.
        let age = duration(progress.begin(), updated.or(Some(wall)));
        let mark = ProgressMark { percent, age, updated, seen };
        match &mut self.marks {
            None => self.marks = Some((mark, mark)),
            Some((_, latest)) if percent > latest.percent || updated > latest.updated => *latest = mark,
            Some(_) => {}
        }
    }

    /// Returns the remaining time at `now`, or `None` if the speed is unknown.
    ///
    /// It goes by the age of the work if that is known, else by the changes
    /// that the wait has seen.
    fn remaining(&self, now: Instant) -> Option<Duration> {
        let (first, latest) = self.marks?;
        let left = match latest.age.filter(|age| !age.is_zero()) {
            Some(age) => rest(latest.percent, age, 100.0 - latest.percent)?,
            None => {
                // Without a start time: the speed since the first percentage
                // that was seen.
                let took = latest.seen.saturating_duration_since(first.seen);
                let done = latest.percent - first.percent;
                rest(done, took, 100.0 - latest.percent)?
            }
        };
        // Since the latest mark, time has passed: the estimate decreases
        // between two changes.
        Some(left.saturating_sub(now.saturating_duration_since(latest.seen)))
    }
}
