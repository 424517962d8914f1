//! Progress over the states of one operation: it does not go back, and knows
//! what time it is.

use std::time::{Duration, Instant, SystemTime};

use crate::types::Operation;

use super::{Progress, duration, rest};

/// The progress of an operation that is looked at again and again.
#[derive(Clone, Debug)]
pub(crate) struct ProgressTracker {
    start: Instant,
    progress: Progress,
    /// The first percentage that was seen, and the latest news of it.
    marks: Option<(ProgressMark, ProgressMark)>,
}

#[derive(Clone, Copy, Debug)]
struct ProgressMark {
    percent: f64,
    /// The elapsed time of the work at that moment, if its start is known.
    age: Option<Duration>,
    updated: Option<SystemTime>,
    seen: Instant,
}

impl ProgressTracker {
    pub(crate) fn new(start: Instant) -> Self {
        Self { start, progress: Progress::default(), marks: None }
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Takes the next state of the operation.
    pub(crate) fn saw(&mut self, operation: &Operation, now: Instant, wall: SystemTime) {
        let mut progress = Progress::of(operation);
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
            // The calendars of two machines differ: it has taken at least as long as it was waited for.
            (begin, _) => duration(begin, Some(wall)).unwrap_or_default().max(measured),
        });
        self.progress = progress;
    }

    fn mark(&mut self, progress: &Progress, seen: Instant, wall: SystemTime) {
        let Some(percent) = progress.percent else { return };
        let updated = progress.update_time;
        let age = duration(progress.begin(), updated.or(Some(wall)));
        let mark = ProgressMark { percent, age, updated, seen };
        match &mut self.marks {
            None => self.marks = Some((mark, mark)),
            Some((_, latest)) if percent > latest.percent || updated > latest.updated => *latest = mark,
            Some(_) => {}
        }
    }

    /// By the age of the work if that is known, else by the changes that the
    /// wait saw.
    fn remaining(&self, now: Instant) -> Option<Duration> {
        let (first, latest) = self.marks?;
        let left = match latest.age.filter(|age| !age.is_zero()) {
            Some(age) => rest(latest.percent, age, 100.0 - latest.percent)?,
            None => {
                let took = latest.seen.saturating_duration_since(first.seen);
                let done = latest.percent - first.percent;
                rest(done, took, 100.0 - latest.percent)?
            }
        };
        Some(left.saturating_sub(now.saturating_duration_since(latest.seen)))
    }
}
