//! Where everything goes on a screen: its size and what is to be shown in,
//! lines out.
//!
//! ```text
//! index  [=========>          ]  45 %  26s  about 32s left  sorting
//! import [=============>      ]  65 %  26s  unreachable for 12 s
//! 1 of 3 done [======>             ] 26s
//! ```
//!
//! On a narrow screen the columns that matter least are left out:
//!
//! ```text
//! op-06 [==================>]  99 %  11s
//! op-07 [=================> ]  92 %  11s
//! 6 of 30 done 11s, 14 more running
//! ```
//!
//! Every line is at most as wide as the screen, since a line that wraps would
//! take a row that the arithmetic of `Canvas` does not count. What does not fit
//! is left out column by column, by importance, and a cut is marked with `…`.
//! Nothing here knows a terminal or a clock.

use std::time::Duration;

use crate::output::{TextStyle, columns, cut_end, cut_start, pad_end, pad_start, printable, short};
use crate::screen::{ColumnRoom, ScreenLine, ScreenSize};

use super::board::{WaitBoard, WatchedOperation};
use super::trouble::Trouble;

/// Returns the lines that show a wait: some of the operations that run, what
/// keeps them from news, and a total, which is always there if there are
/// several operations.
///
/// Of a screen of N rows, N - 2 are for operations, in the order in which they
/// were given. Those below are counted in the total.
pub(super) fn frame(size: ScreenSize, board: &WaitBoard, elapsed: Duration) -> Vec<ScreenLine> {
    let width = size.width.saturating_sub(MARGIN).max(1);
    // One operation has no total: its row says the same.
    let is_single = board.tally.all() == 1;
    let trouble = board.troubles.summary(elapsed).filter(|_| size.height > 1);
    // One row is for the total and one for a trouble, whether there is one or not:
    // so the rest stays where it is.
    let most = if is_single { 1 } else { size.height.saturating_sub(2) };
    let rows: Vec<RowContent> = board
        .open()
        .take(most)
        .map(|(number, operation)| RowContent::of(operation, board.trouble(number), elapsed))
        .collect();
    let hidden = board.open().count() - rows.len();
    let plan = ColumnPlan::fit(width, &rows);
    let mut lines: Vec<ScreenLine> = rows.iter().map(|row| plan.line(row)).collect();
    lines.extend(trouble.map(|text| ScreenLine::new(cut_end(&text, width), TextStyle::Unreachable)));
    if !is_single {
        lines.push(total(width, board, hidden, elapsed));
    }
    lines
}

/// What a row says, before its columns have widths.
struct RowContent {
    /// The name, not yet cut.
    name: String,
    /// From 0 to 100; none if no state had one.
    percent: Option<f64>,
    /// Turns the marker of an operation without a percentage.
    turn: u128,
    /// How long the operation has run, or was waited for.
    time: String,
    /// `about 32s left`; none without an estimate.
    left: Option<String>,
    /// What is wrong, or what the operation says of itself.
    note: String,
    /// The colour of the note.
    style: TextStyle,
}

impl RowContent {
    /// Trouble takes the place of the notes and of the remaining time, which it
    /// makes a guess.
    fn of(operation: &WatchedOperation, trouble: Option<&Trouble>, elapsed: Duration) -> Self {
        let estimate = &operation.estimate;
        let left = estimate.left(elapsed).map(|left| format!("about {} left", short(left)));
        // At first nothing has responded, which means nothing yet.
        let silent = !operation.is_known && elapsed >= SILENCE;
        let notes = match trouble {
            Some(trouble) => vec![trouble.label(elapsed)],
            None => [
                silent.then(|| "no response yet".to_owned()),
                operation.is_held.then(|| "long poll".to_owned()),
                estimate.status.as_deref().map(printable),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        Self {
            name: operation.name.clone(),
            percent: estimate.percent(),
            turn: elapsed.as_millis() / TURN,
            time: short(operation.time(elapsed)),
            left: left.filter(|_| trouble.is_none()),
            note: notes.join(", "),
            style: if trouble.is_some() { TextStyle::Unreachable } else { TextStyle::Plain },
        }
    }
}

/// The widths of the columns, the same for all rows. Those of width zero are
/// left out.
#[derive(Debug, Default, PartialEq)]
struct ColumnPlan {
    /// Of the name, which is always there.
    name: usize,
    /// Of the bar, brackets included.
    bar: usize,
    percent: usize,
    time: usize,
    left: usize,
    note: usize,
}

impl ColumnPlan {
    /// Gives the room to the columns in the order of their importance: name,
    /// percentage, time, what is wrong, bar, remaining time, other notes.
    ///
    /// A column is as wide as its widest cell, or is left out. The name gets at
    /// most half of the screen at first; a note takes what is left at last.
    fn fit(width: usize, rows: &[RowContent]) -> Self {
        let widest = |cell: fn(&RowContent) -> usize| rows.iter().map(cell).max().unwrap_or_default();
        let mut room = ColumnRoom::new(width);
        // The name is first, and takes no more than its share: a long name must
        // not hide what is wrong.
        let name = room.take_share(widest(|row| columns(&row.name)), NAME_SHARE, SHORTEST_NAME);
        let mut plan = Self { name, ..Self::default() };
        if rows.iter().any(|row| row.percent.is_some()) {
            plan.percent = room.take(PERCENT, 1);
        }
        plan.time = room.take(widest(|row| columns(&row.time)), 2);
        let urgent = rows.iter().any(|row| row.style == TextStyle::Unreachable);
        if urgent {
            plan.note = room.take_up_to(NOTE, NOTE, 2);
        }
        plan.bar = room.take_up_to(SHORTEST_BAR, LONGEST_BAR, 1);
        plan.left = room.take(widest(|row| row.left.as_deref().map_or(0, columns)), 2);
        // A trouble has its least room already; here it gets the rest of what
        // it needs.
        let wanted = widest(|row| columns(&row.note)).saturating_sub(plan.note);
        plan.note += match plan.note {
            0 => room.take_up_to(NOTE.min(wanted), wanted, 2),
            _ => room.take_rest(wanted),
        };
        plan
    }

    /// Returns a row: each column padded to its width, with its gap in front.
    fn line(&self, row: &RowContent) -> ScreenLine {
        let mut line = ScreenLine::default();
        let name = cut_start(&row.name, self.name);
        // Padded, so that all rows have their columns in the same places.
        line.push(pad_end(&name, self.name), TextStyle::Plain);
        if self.bar > 0 {
            line.push(" ", TextStyle::Plain);
            line.push(bar(row.percent, row.turn, self.bar), TextStyle::Running);
        }
        if self.percent > 0 {
            let percent = row.percent.map(|percent| format!("{:.0} %", percent.floor())).unwrap_or_default();
            line.push(" ", TextStyle::Plain);
            line.push(pad_start(&percent, self.percent), TextStyle::Plain);
        }
        if self.time > 0 {
            line.push("  ", TextStyle::Plain);
            line.push(pad_start(&row.time, self.time), TextStyle::Plain);
        }
        if self.left > 0 {
            line.push("  ", TextStyle::Plain);
            line.push(pad_end(row.left.as_deref().unwrap_or_default(), self.left), TextStyle::Faint);
        }
        if self.note > 0 {
            line.push("  ", TextStyle::Plain);
            line.push(cut_end(&row.note, self.note), row.style);
        }
        line
    }
}

/// Returns `[=====>    ]`, or a marker that turns where no percentage is known.
/// `width` includes the brackets.
fn bar(percent: Option<f64>, turn: u128, width: usize) -> String {
    let inner = width.saturating_sub(2);
    let Some(percent) = percent else {
        let marker = ["|", "/", "-", "\\"].get((turn % 4) as usize).copied().unwrap_or("|");
        return format!("[{marker:^inner$}]");
    };
    // Rounded down: a bar is full at 100 % only.
    let filled = (percent.clamp(0.0, 100.0) / 100.0 * inner as f64) as usize;
    // The head has a column of its own, so that a bar at 0 % is not empty.
    let head = if filled < inner { ">" } else { "" };
    let done = "=".repeat(filled);
    format!("[{:inner$}]", done + head)
}

/// Returns `3 of 30 done, 1 not found [==>      ] 26s, 16 more running`.
///
/// The counts come first. The time, the number below and the bar follow in this
/// order of importance, if there is room.
fn total(width: usize, board: &WaitBoard, hidden: usize, elapsed: Duration) -> ScreenLine {
    let mut line = ScreenLine::joined(board.tally.so_far());
    let mut room = ColumnRoom::new(width.saturating_sub(line.width()));
    let time = format!(" {}", short(elapsed));
    let more = if hidden > 0 { format!(", {hidden} more running") } else { String::new() };
    // The order of these three is the order of their importance, not of their
    // places.
    let time_width = room.take(columns(&time), 0);
    let more_width = if time_width > 0 { room.take(columns(&more), 0) } else { 0 };
    let bar_width = room.take_up_to(SHORTEST_BAR, LONGEST_BAR, 1);
    if bar_width > 0 {
        let percent = 100.0 * board.tally.ended() as f64 / board.tally.all().max(1) as f64;
        line.push(format!(" {}", bar(Some(percent), 0, bar_width)), TextStyle::Plain);
    }
    if time_width > 0 {
        line.push(time, TextStyle::Plain);
    }
    if more_width > 0 {
        line.push(more, TextStyle::Faint);
    }
    line.cut(width)
}

/// Columns at the right that stay free, for the `^C` of a terminal. If it had
/// to wrap, it would add a row.
const MARGIN: usize = 2;

/// From then on a row says that a service has not responded.
const SILENCE: Duration = Duration::from_secs(2);

/// Milliseconds between two positions of a marker.
const TURN: u128 = 200;

/// Columns of `100 %`.
const PERCENT: usize = 5;

/// Less than this of a note is of no use: `unreachable…`.
const NOTE: usize = 12;

/// How much of a screen names may take from the other columns.
const NAME_SHARE: f64 = 0.5;

/// The least columns of a name, and the least and most of a bar. A shorter bar
/// says nothing that the percentage does not.
const SHORTEST_NAME: usize = 8;
const SHORTEST_BAR: usize = 12;
const LONGEST_BAR: usize = 22;

#[cfg(test)]
mod tests;
