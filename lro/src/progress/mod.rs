//! How a wait is getting on: rows that are drawn over on a terminal, lines in a
//! log, or nothing.
//!
//! `board` has what is known. From it `layout` makes the lines of a screen, and
//! `lines` those of a log; `screen` draws. Only this file prints. Times are
//! durations since the start of the wait, so that all of it can be tested
//! without a clock.
//!
//! | standard error | `--progress` | display |
//! |---|---|---|
//! | a terminal | auto | rows |
//! | a terminal with `-v`, or where `CI` is set | auto | lines |
//! | a file or a pipe | auto | lines |
//! | anything | always | rows |
//! | anything | never | nothing, not even a summary |

mod board;
mod estimate;
mod layout;
mod lines;
mod tally;
mod trouble;

use std::time::Duration;

use longrunning::Operation;

use crate::args::{Globals, ProgressArg};
use crate::output::{self, Painter};
use crate::screen::{Canvas, ScreenLine};
use crate::signals::Suspension;

use board::WaitBoard;
pub(crate) use lines::MANY;
use lines::ProgressLines;
pub(crate) use tally::WaitEnd;
pub(crate) use trouble::Trouble;

/// What is shown of a wait for several operations, known by their numbers;
/// times count from the start of the wait.
pub(crate) struct WaitDisplay {
    /// How it is shown.
    view: ProgressView,
    /// What is known. It is kept up to date for every view, since the summary
    /// needs its counts.
    board: WaitBoard,
    painter: Painter,
    /// When the screen was drawn last.
    drawn: Option<Duration>,
}

/// The form of the display, which is decided once.
enum ProgressView {
    /// Rows that are drawn over.
    Screen(Canvas),
    /// Lines that stay.
    Lines(ProgressLines),
    Nothing,
}

impl WaitDisplay {
    /// Chooses the display. While rows are drawn, messages of other threads are
    /// deferred, and printed above them.
    pub(crate) fn new(globals: &Globals, names: &[String]) -> Self {
        let painter = Painter::of_stderr(globals.color.unwrap_or_default());
        let is_terminal = output::stderr_is_terminal() && !output::is_build_server();
        let view = match (globals.progress.unwrap_or_default(), is_terminal) {
            (ProgressArg::Never, _) => ProgressView::Nothing,
            // What the log says would tear the screen apart.
            (ProgressArg::Auto, true) if !globals.verbose => ProgressView::Screen(Canvas::of_stderr(painter)),
            (ProgressArg::Auto, _) => ProgressView::Lines(ProgressLines::new(names.len())),
            (ProgressArg::Always, _) => ProgressView::Screen(Canvas::of_stderr(painter)),
        };
        output::defer_notes(matches!(view, ProgressView::Screen(_)));
        Self { view, board: WaitBoard::new(names), painter, drawn: None }
    }

    /// Returns whether there is something on the screen that must not stay
    /// there while the program is stopped.
    pub(crate) fn is_drawn(&self) -> bool {
        matches!(self.view, ProgressView::Screen(_))
    }

    /// Takes the state of an operation that is still running.
    pub(crate) fn seen(&mut self, number: usize, operation: &Operation, is_held: bool, elapsed: Duration) {
        self.board.seen(number, operation, is_held, elapsed);
        if let ProgressView::Lines(lines) = &mut self.view {
            tell(lines.seen(number, operation, &self.board, elapsed));
        }
    }

    /// Sets what keeps an operation from news; `None` if there is nothing any
    /// more.
    pub(crate) fn troubled(&mut self, number: usize, trouble: Option<Trouble>) {
        self.board.troubles.set(number, trouble);
    }

    /// Counts the end of the wait for an operation.
    pub(crate) fn ended(&mut self, number: usize, end: WaitEnd, elapsed: Duration) {
        self.board.ended(number, end);
        if let ProgressView::Lines(lines) = &mut self.view {
            tell(lines.ended(&self.board, elapsed));
        }
    }

    /// Returns whether the wait has ended for every operation.
    pub(crate) fn is_over(&self) -> bool {
        self.board.tally.ended() == self.board.tally.all()
    }

    /// Says what is due after some time, or after something has happened: draws
    /// rows at most every [`REDRAW`], or prints lines.
    pub(crate) fn refresh(&mut self, elapsed: Duration) {
        for note in output::take_notes() {
            self.above(|| output::say(&note));
        }
        match &mut self.view {
            ProgressView::Screen(canvas) => {
                // The size is read for every frame, because a resize sends no
                // event.
                if self.drawn.is_none_or(|drawn| elapsed >= drawn + REDRAW) {
                    let size = canvas.size();
                    canvas.draw(size, &layout::frame(size, &self.board, elapsed));
                    self.drawn = Some(elapsed);
                }
            }
            ProgressView::Lines(lines) => {
                // Troubles come before the sign of life: a line about a host
                // that is down makes "still waiting" unnecessary.
                let due = self.board.troubles.due(elapsed);
                if !due.is_empty() {
                    lines.reported(elapsed);
                }
                for line in due {
                    output::say(&line);
                }
                tell(lines.tick(&self.board, elapsed));
            }
            ProgressView::Nothing => {}
        }
    }

    /// Prints something where the rows would be in its way: they are removed
    /// first, and the next refresh draws them again.
    pub(crate) fn above<T>(&mut self, print: impl FnOnce() -> T) -> T {
        self.clear();
        print()
    }

    /// Removes the rows until the next refresh.
    pub(crate) fn clear(&mut self) {
        if let ProgressView::Screen(canvas) = &mut self.view {
            canvas.clear();
            // The next refresh draws at once, and does not wait for its turn.
            self.drawn = None;
        }
    }

    /// Removes the rows for good, and lets other threads print again.
    pub(crate) fn close(&mut self) {
        self.clear();
        output::defer_notes(false);
    }

    /// Returns whether there is a summary in the end.
    pub(crate) fn sums_up(&self) -> bool {
        !matches!(self.view, ProgressView::Nothing)
    }

    /// Prints the summary: `26 succeeded, 4 failed in 1m19s`; nothing if no
    /// wait has ended.
    pub(crate) fn sum_up(&mut self, elapsed: Duration) {
        self.close();
        if self.sums_up() && self.board.tally.ended() > 0 {
            let line = ScreenLine::joined(self.board.tally.in_the_end(elapsed));
            output::to_stderr(format_args!("lro: {}\n", line.text(self.painter)));
        }
    }

    /// Removes the rows while the program is stopped, so that the shell has a
    /// clean screen.
    pub(crate) fn suspended(&mut self, suspension: Suspension) {
        if let ProgressView::Screen(canvas) = &mut self.view {
            canvas.suspended(suspension);
            self.drawn = None;
        }
    }
}

/// Prints a line, if there is one.
fn tell(line: Option<String>) {
    if let Some(line) = line {
        output::say(&line);
    }
}

/// The least time between two frames. Markers and seconds need no more.
const REDRAW: Duration = Duration::from_millis(100);
