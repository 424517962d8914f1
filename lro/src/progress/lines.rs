//! Progress as lines for a log: few, and never none for long.
//!
//! ```text
//! lro: copy: running 45 %, sorting, about 32s left [26s]
//! lro: 1 of 3 done [40s]
//! lro: still waiting for 2 operations [1m40s]
//! ```
//!
//! For up to [`MANY`] operations each has lines of its own; beyond that there
//! are totals only. Everything here returns text, and prints nothing.

use std::time::Duration;

use longrunning::Operation;

use crate::output::{short, state};

use super::board::WaitBoard;

/// Decides which lines are due.
pub(super) struct ProgressLines {
    /// For each operation, what was said of it last, and when.
    said: Vec<Option<(Duration, String)>>,
    /// There are too many operations to show more than their total.
    is_summary: bool,
    /// The total has changed since it was said.
    has_news: bool,
    /// When the last line was printed, about anything.
    last: Duration,
    /// When the last total was printed.
    last_total: Duration,
}

impl ProgressLines {
    /// Begins at the start of the wait, for this many operations.
    pub(super) fn new(operations: usize) -> Self {
        Self {
            said: vec![None; operations],
            is_summary: operations > MANY,
            has_news: false,
            last: Duration::ZERO,
            last_total: Duration::ZERO,
        }
    }

    /// Returns the line about an operation that is still running: if its state
    /// has changed, and its last line is [`SPACING`] old.
    pub(super) fn seen(
        &mut self,
        number: usize,
        operation: &Operation,
        board: &WaitBoard,
        elapsed: Duration,
    ) -> Option<String> {
        self.has_news = true;
        let (watched, said) = (board.operations.get(number)?, self.said.get_mut(number)?);
        if self.is_summary || operation.is_done() {
            return None;
        }
        let mut news = state(operation);
        if let Some(status) = &watched.estimate.status {
            news += &format!(", {status}");
        }
        // So that a log without changes for minutes has its reason.
        if watched.is_held {
            news += ", long poll";
        }
        // The first state is printed at once; a state that repeats is never
        // printed, and one that changes often is printed every ten seconds.
        if said.as_ref().is_some_and(|(at, said)| *said == news || elapsed < *at + SPACING) {
            return None;
        }
        let left = watched.estimate.left(elapsed).map(|left| format!(", about {} left", short(left)));
        let time = short(watched.time(elapsed));
        let text = format!("{}: {news}{} [{time}]", watched.name, left.unwrap_or_default());
        *said = Some((elapsed, news));
        self.last = elapsed;
        Some(text)
    }

    /// Remembers that something else was printed, so that the log is not
    /// silent.
    pub(super) fn reported(&mut self, elapsed: Duration) {
        self.last = elapsed;
    }

    /// Returns the total after an operation has ended. After the last one the
    /// summary follows in its place.
    pub(super) fn ended(&mut self, board: &WaitBoard, elapsed: Duration) -> Option<String> {
        self.has_news = true;
        // Hundreds of operations would print hundreds of lines; their totals
        // come by the clock.
        if self.is_summary || board.tally.ended() == board.tally.all() {
            return None;
        }
        Some(self.total(board, elapsed))
    }

    /// Returns the line that is due because time has passed: a new total of
    /// many operations, or a sign of life after [`SILENCE`].
    pub(super) fn tick(&mut self, board: &WaitBoard, elapsed: Duration) -> Option<String> {
        // After the last end only the summary may follow.
        let left = board.tally.all().saturating_sub(board.tally.ended());
        if left == 0 {
            return None;
        }
        // Without news a total would repeat itself.
        if self.is_summary && self.has_news && elapsed >= self.last_total + SPACING {
            return Some(self.total(board, elapsed));
        }
        if elapsed < self.last + SILENCE {
            return None;
        }
        self.last = elapsed;
        let what = if left == 1 { "1 operation".to_owned() } else { format!("{left} operations") };
        Some(format!("still waiting for {what} [{}]", short(elapsed)))
    }

    /// Returns the total: `120 of 500 done, 1 not found; 379 running, 40 % on
    /// average [1m10s]`.
    ///
    /// The average is over the operations that have a percentage, rounded down.
    fn total(&mut self, board: &WaitBoard, elapsed: Duration) -> String {
        (self.has_news, self.last, self.last_total) = (false, elapsed, elapsed);
        let so_far: Vec<_> = board.tally.so_far().into_iter().map(|(text, _)| text).collect();
        let mut text = so_far.join(", ");
        if self.is_summary {
            let known: Vec<f64> =
                board.open().filter_map(|(_, watched)| watched.estimate.percent()).collect();
            text += &format!("; {} running", board.open().filter(|(_, watched)| watched.is_known).count());
            if !known.is_empty() {
                text += &format!(
                    ", {:.0} % on average",
                    (known.iter().sum::<f64>() / known.len() as f64).floor()
                );
            }
        }
        format!("{text} [{}]", short(elapsed))
    }
}

/// More operations than these have one line in common.
pub(crate) const MANY: usize = 20;

/// The least time between two lines about one operation, and between two totals
/// of many.
const SPACING: Duration = Duration::from_secs(10);

/// After so long without a line there is one that says nothing new: logs that
/// are silent for long are taken for dead.
const SILENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::WaitEnd;

    fn at(percent: u32) -> Operation {
        Operation::from_json(&format!(
            r#"{{"name":"a","metadata":{{"percent":{percent},"statusMessage":"x"}}}}"#
        ))
        .unwrap()
    }

    fn board(operations: usize) -> WaitBoard {
        WaitBoard::new(&(0..operations).map(|number| format!("operations/{number}")).collect::<Vec<_>>())
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_line_for_news_but_not_too_many() {
        let (mut board, mut lines) = (board(2), ProgressLines::new(2));
        let mut seen = |lines: &mut ProgressLines, percent, is_held, at_second| {
            board.seen(0, &at(percent), is_held, secs(at_second));
            lines.seen(0, &at(percent), &board, secs(at_second))
        };
        assert_eq!(seen(&mut lines, 10, false, 0).as_deref(), Some("0: running 10 %, x [0s]"));
        assert_eq!(seen(&mut lines, 20, false, 5), None, "too early");
        let third = seen(&mut lines, 30, true, 10);
        assert_eq!(third.as_deref(), Some("0: running 30 %, x, long poll, about 35s left [10s]"));
        assert_eq!(seen(&mut lines, 30, true, 30), None, "nothing new");
        assert_eq!(lines.tick(&board, secs(69)), None);
        let line = lines.tick(&board, secs(70));
        assert_eq!(line.as_deref(), Some("still waiting for 2 operations [1m10s]"));
        assert_eq!(lines.tick(&board, secs(71)), None);
        board.ended(0, WaitEnd::NotFound);
        let line = lines.ended(&board, secs(80));
        assert_eq!(line.as_deref(), Some("0 of 2 done, 1 not found [1m20s]"));
        board.ended(1, WaitEnd::Succeeded);
        assert_eq!(lines.ended(&board, secs(81)), None, "the summary follows");
        assert_eq!(lines.tick(&board, secs(999)), None);
    }

    #[test]
    fn hundreds_of_operations_have_no_lines_of_their_own() {
        let (mut board, mut lines) = (board(300), ProgressLines::new(300));
        let mut said = Vec::new();
        for second in 0..25 {
            for number in 0..300 {
                board.seen(number, &at(second * 2), false, secs(second.into()));
                said.extend(lines.seen(number, &at(second * 2), &board, secs(second.into())));
            }
            board.ended(second as usize, WaitEnd::Succeeded);
            said.extend(lines.ended(&board, secs(second.into())));
            said.extend(lines.tick(&board, secs(second.into())));
        }
        let expected = [
            "11 of 300 done; 289 running, 20 % on average [10s]",
            "21 of 300 done; 279 running, 40 % on average [20s]",
        ];
        assert_eq!(said, expected);
        lines.has_news = false;
        assert_eq!(lines.tick(&board, secs(79)), None);
        let line = lines.tick(&board, secs(80));
        assert_eq!(line.as_deref(), Some("still waiting for 275 operations [1m20s]"));
    }
}
