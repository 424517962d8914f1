//! What is known of every operation of a wait, for whichever display shows it.
//!
//! States are kept, not events: a display that is drawn late shows the latest
//! state, and nothing queues up.

use std::time::Duration;

use longrunning::{Operation, Progress};

use crate::output::{printable, shared_parent};

use super::estimate::Estimate;
use super::tally::{WaitEnd, WaitTally};
use super::trouble::{Trouble, Troubles};

/// The operations of a wait by their numbers. Times count from the start of the
/// wait.
pub(super) struct WaitBoard {
    /// The operations, each at the place of its number.
    pub(super) operations: Vec<WatchedOperation>,
    /// How many have ended, and how.
    pub(super) tally: WaitTally,
    /// What keeps operations from news.
    pub(super) troubles: Troubles,
}

/// One operation: not known until a poll has found it, then running, then
/// ended.
#[derive(Default)]
pub(super) struct WatchedOperation {
    /// The name without the parent that all share, safe to print.
    pub(super) name: String,
    pub(super) estimate: Estimate,
    /// How old the operation was when the wait began; none if it does not say.
    age: Option<Duration>,
    /// A poll has shown it.
    pub(super) is_known: bool,
    /// The service holds the response to the next poll.
    pub(super) is_held: bool,
    /// How its wait ended; none while it lasts.
    pub(super) end: Option<WaitEnd>,
}

impl WaitBoard {
    /// Begins with operations of which only the names are known. Names are
    /// shown without the parent that all of them share.
    pub(super) fn new(names: &[String]) -> Self {
        // Decided once: names do not change their place while rows come and go.
        let shared = shared_parent(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let operation = |name: &String| WatchedOperation {
            name: printable(name.get(shared..).unwrap_or(name)),
            ..WatchedOperation::default()
        };
        Self {
            operations: names.iter().map(operation).collect(),
            tally: WaitTally::new(names.len()),
            troubles: Troubles::default(),
        }
    }

    /// Takes a state that a poll has found.
    pub(super) fn seen(&mut self, number: usize, operation: &Operation, is_held: bool, elapsed: Duration) {
        if let Some(watched) = self.operations.get_mut(number) {
            watched.seen(operation, is_held, elapsed);
        }
    }

    /// Counts the end, and drops the trouble of the operation: it is not waited
    /// for any more.
    pub(super) fn ended(&mut self, number: usize, end: WaitEnd) {
        self.tally.add(end);
        self.troubles.set(number, None);
        if let Some(watched) = self.operations.get_mut(number) {
            watched.end = Some(end);
        }
    }

    /// Returns the operations whose wait has not ended, with their numbers, in
    /// the order in which they were given.
    pub(super) fn open(&self) -> impl Iterator<Item = (usize, &WatchedOperation)> {
        self.operations.iter().enumerate().filter(|(_, operation)| operation.end.is_none())
    }

    /// Returns what keeps an operation from news.
    pub(super) fn trouble(&self, number: usize) -> Option<&Trouble> {
        self.troubles.get(number)
    }
}

impl WatchedOperation {
    /// The first state tells when the operation began; later ones cannot change
    /// that.
    fn seen(&mut self, operation: &Operation, is_held: bool, elapsed: Duration) {
        self.estimate.seen(operation, elapsed);
        self.is_held = is_held;
        if !std::mem::replace(&mut self.is_known, true) {
            // Read once: later states have the same times, and the metadata may
            // be large.
            let progress = Progress::of(operation);
            let begin = progress.create_time().or(progress.start_time());
            // Another machine's clock may be ahead, so an age is never less than the time
            // that was waited.
            let age = begin.and_then(|begin| begin.elapsed().ok());
            self.age = age.map(|age| age.saturating_sub(elapsed));
        }
    }

    /// Returns how long the operation has run, if its metadata say when it
    /// began; else how long it was waited for.
    pub(super) fn time(&self, elapsed: Duration) -> Duration {
        self.age.unwrap_or_default() + elapsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_its_own_time() {
        let secs = Duration::from_secs;
        let mut board = WaitBoard::new(&["a".to_owned(), "b".to_owned()]);
        let old = r#"{"name":"a","metadata":{"@type":"x/y","createTime":"2001-02-03T04:05:06Z"}}"#;
        board.seen(0, &Operation::from_json(old).unwrap(), false, secs(3));
        board.seen(1, &Operation::running("b"), false, secs(3));
        let [a, b] = &board.operations[..] else { panic!() };
        assert!(a.time(secs(5)) > secs(20 * 365 * 86_400));
        assert_eq!(a.time(secs(7)) - a.time(secs(5)), secs(2));
        assert_eq!(b.time(secs(7)), secs(7));
    }
}
