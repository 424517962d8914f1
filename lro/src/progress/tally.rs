//! How many operations of a wait have ended, and how.
//!
//! "Done" is the word of the API: an operation that succeeded, failed or was
//! cancelled. A wait can end without that, so the other ends are counted apart:
//! `3 of 30 done, 1 not found, 1 unreachable`.

use std::time::Duration;

use crate::output::{TextStyle, short};

/// How the wait for an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitEnd {
    Succeeded,
    Failed,
    Cancelled,
    /// It was still running at the timeout.
    Running,
    /// The service does not know it.
    NotFound,
    /// The service could not be reached, or it failed.
    Unreachable,
    /// A response was received, and could not be read.
    Unreadable,
    /// The service refused the request, or it could not be made.
    Refused,
}

impl WaitEnd {
    /// In the order in which totals name them.
    const ALL: [Self; 8] = [
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Running,
        Self::NotFound,
        Self::Unreachable,
        Self::Unreadable,
        Self::Refused,
    ];

    /// The word in a total and in the summary.
    fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Running => "still running",
            Self::NotFound => "not found",
            Self::Unreachable => "unreachable",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
        }
    }

    /// Returns whether the operation itself has ended, and not only the wait
    /// for it.
    fn is_done(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The colour of the count.
    fn style(self) -> TextStyle {
        match self {
            Self::Succeeded => TextStyle::Succeeded,
            Self::Failed | Self::Cancelled | Self::NotFound | Self::Refused => TextStyle::Failed,
            Self::Running => TextStyle::Running,
            Self::Unreachable | Self::Unreadable => TextStyle::Unreachable,
        }
    }
}

/// The counts of a wait.
#[derive(Clone, Debug, Default)]
pub(super) struct WaitTally {
    /// How many operations there are.
    all: usize,
    /// How many ended in each way, in the order of [`WaitEnd::ALL`].
    counts: [usize; WaitEnd::ALL.len()],
}

impl WaitTally {
    /// Begins with none of `all` operations ended.
    pub(super) fn new(all: usize) -> Self {
        Self { all, ..Self::default() }
    }

    /// Counts one end.
    pub(super) fn add(&mut self, end: WaitEnd) {
        if let Some(at) = WaitEnd::ALL.iter().position(|each| *each == end)
            && let Some(count) = self.counts.get_mut(at)
        {
            *count += 1;
        }
    }

    /// Returns how many operations are waited for in all.
    pub(super) fn all(&self) -> usize {
        self.all
    }

    /// Returns for how many the wait has ended, whatever came of it.
    pub(super) fn ended(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Returns how many operations are done.
    pub(super) fn done(&self) -> usize {
        self.counted().filter(|(end, _)| end.is_done()).map(|(_, count)| count).sum()
    }

    /// Returns the total so far, in pieces with their colours: `3 of 30 done, 1
    /// not found, 1 unreachable`.
    pub(super) fn so_far(&self) -> Vec<(String, TextStyle)> {
        let done = (format!("{} of {} done", self.done(), self.all), TextStyle::Plain);
        let others = self.counted().filter(|(end, _)| !end.is_done());
        std::iter::once(done).chain(others.map(|(end, count)| counted(end, count))).collect()
    }

    /// Returns the summary in pieces: `26 succeeded, 4 failed in 1m19s`; of one
    /// operation `succeeded in 1m19s`, and `still running after 15m00s`.
    pub(super) fn in_the_end(&self, elapsed: Duration) -> Vec<(String, TextStyle)> {
        let parts = self.counted().map(|(end, count)| match self.all {
            1 => (end.word().to_owned(), end.style()),
            _ => counted(end, count),
        });
        let mut parts: Vec<_> = parts.collect();
        if let Some((last, _)) = parts.last_mut() {
            // "26 succeeded in 1m19s", and "still running after 15m00s".
            *last += if last.ends_with("running") { " after " } else { " in " };
            // To the nearest second: a wait that ends at its timeout of a second has lasted
            // a little less.
            *last += &short(elapsed.saturating_add(Duration::from_millis(500)));
        }
        parts
    }

    /// The ends that happened, with their counts.
    fn counted(&self) -> impl Iterator<Item = (WaitEnd, usize)> + '_ {
        WaitEnd::ALL.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }
}

/// `4 failed`, in the colour of failures.
fn counted(end: WaitEnd, count: usize) -> (String, TextStyle) {
    (format!("{count} {}", end.word()), end.style())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(parts: &[(String, TextStyle)]) -> String {
        parts.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn done_counts_only_what_has_ended() {
        use WaitEnd::{Cancelled, Failed, NotFound, Refused, Running, Succeeded, Unreachable, Unreadable};
        let rows: [(usize, &[WaitEnd], &str, &str); 9] = [
            (2, &[], "0 of 2 done", ""),
            (2, &[Succeeded], "1 of 2 done", "1 succeeded in 1m19s"),
            (1, &[Succeeded], "1 of 1 done", "succeeded in 1m19s"),
            (1, &[NotFound], "0 of 1 done, 1 not found", "not found in 1m19s"),
            (
                3,
                &[Succeeded, Failed, Cancelled],
                "3 of 3 done",
                "1 succeeded, 1 failed, 1 cancelled in 1m19s",
            ),
            (2, &[Failed, Running], "1 of 2 done, 1 still running", "1 failed, 1 still running after 1m19s"),
            (
                5,
                &[Succeeded, Succeeded, Succeeded, NotFound, Unreachable],
                "3 of 5 done, 1 not found, 1 unreachable",
                "3 succeeded, 1 not found, 1 unreachable in 1m19s",
            ),
            (1, &[Unreadable], "0 of 1 done, 1 unreadable", "unreadable in 1m19s"),
            (1, &[Refused], "0 of 1 done, 1 refused", "refused in 1m19s"),
        ];
        for (all, ends, so_far, in_the_end) in rows {
            let mut tally = WaitTally::new(all);
            ends.iter().for_each(|end| tally.add(*end));
            assert_eq!(joined(&tally.so_far()), so_far);
            for millis in [78_500, 79_000, 79_499] {
                assert_eq!(joined(&tally.in_the_end(Duration::from_millis(millis))), in_the_end);
            }
            assert_eq!(tally.ended(), ends.len());
        }
    }
}
