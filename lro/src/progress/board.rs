//! What is known of every operation of a wait, for whichever display shows it.

use std::time::Duration;

use longrunning::{Operation, Progress};

use crate::output::{printable, shared_parent};

use super::estimate::Estimate;
use super::tally::{WaitEnd, WaitTally};
use super::trouble::{Trouble, Troubles};

/// The operations of a wait by their numbers; times count from the start of the
/// wait.
pub(super) struct WaitBoard {
    pub(super) operations: Vec<WatchedOperation>,
    pub(super) tally: WaitTally,
    pub(super) troubles: Troubles,
}

/// One operation.
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
    pub(super) end: Option<WaitEnd>,
}

impl WaitBoard {
    pub(super) fn new(names: &[String]) -> Self {
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

    pub(super) fn seen(&mut self, number: usize, operation: &Operation, is_held: bool, elapsed: Duration) {
        if let Some(watched) = self.operations.get_mut(number) {
            watched.seen(operation, is_held, elapsed);
        }
    }

    pub(super) fn ended(&mut self, number: usize, end: WaitEnd) {
        self.tally.add(end);
        self.troubles.set(number, None);
        if let Some(watched) = self.operations.get_mut(number) {
            watched.end = Some(end);
        }
    }

    /// The operations that the wait is not over for, with their numbers.
    pub(super) fn open(&self) -> impl Iterator<Item = (usize, &WatchedOperation)> {
        self.operations.iter().enumerate().filter(|(_, operation)| operation.end.is_none())
    }

    pub(super) fn trouble(&self, number: usize) -> Option<&Trouble> {
        self.troubles.get(number)
    }
}

impl WatchedOperation {
    fn seen(&mut self, operation: &Operation, is_held: bool, elapsed: Duration) {
        self.estimate.seen(operation, elapsed);
        self.is_held = is_held;
        if !std::mem::replace(&mut self.is_known, true) {
            let progress = Progress::of(operation);
            let begin = progress.create_time().or(progress.start_time());
            // Another machine's clock may be ahead, so an age is never less than the time
            // that was waited.
            let age = begin.and_then(|begin| begin.elapsed().ok());
            self.age = age.map(|age| age.saturating_sub(elapsed));
        }
    }

    /// How long the operation has run, as far as it says; else how long it was
    /// waited for.
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
