//! How a wait is getting on: rows that are drawn over on a terminal, lines in a
//! log, or nothing.
//!
//! [`board`] has what is known. From it [`layout`] makes the lines of a screen,
//! and [`lines`] those of a log.

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
    view: ProgressView,
    board: WaitBoard,
    painter: Painter,
    /// When the screen was drawn last.
    drawn: Option<Duration>,
}

enum ProgressView {
    Screen(Canvas),
    Lines(ProgressLines),
    Nothing,
}

impl WaitDisplay {
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

    /// Whether there is something on the screen that must not stay there while
    /// the program is stopped.
    pub(crate) fn is_drawn(&self) -> bool {
        matches!(self.view, ProgressView::Screen(_))
    }

    /// A poll has shown an operation that is still running.
    pub(crate) fn seen(&mut self, number: usize, operation: &Operation, is_held: bool, elapsed: Duration) {
        self.board.seen(number, operation, is_held, elapsed);
        if let ProgressView::Lines(lines) = &mut self.view {
            tell(lines.seen(number, operation, &self.board, elapsed));
        }
    }

    /// There is something that keeps an operation from news, or nothing any
    /// more.
    pub(crate) fn troubled(&mut self, number: usize, trouble: Option<Trouble>) {
        self.board.troubles.set(number, trouble);
    }

    /// The wait for an operation is over.
    pub(crate) fn ended(&mut self, number: usize, end: WaitEnd, elapsed: Duration) {
        self.board.ended(number, end);
        if let ProgressView::Lines(lines) = &mut self.view {
            tell(lines.ended(&self.board, elapsed));
        }
    }

    /// Whether the wait is over for every operation.
    pub(crate) fn is_over(&self) -> bool {
        self.board.tally.ended() == self.board.tally.all()
    }

    /// Time has passed, or something has happened: says what is due.
    pub(crate) fn refresh(&mut self, elapsed: Duration) {
        for note in output::take_notes() {
            self.above(|| output::say(&note));
        }
        match &mut self.view {
            ProgressView::Screen(canvas) => {
                if self.drawn.is_none_or(|drawn| elapsed >= drawn + REDRAW) {
                    let size = canvas.size();
                    canvas.draw(size, &layout::frame(size, &self.board, elapsed));
                    self.drawn = Some(elapsed);
                }
            }
            ProgressView::Lines(lines) => {
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

    /// Prints something where the screen would be in its way.
    pub(crate) fn above<T>(&mut self, print: impl FnOnce() -> T) -> T {
        self.clear();
        print()
    }

    /// Takes the screen away, until the next time.
    pub(crate) fn clear(&mut self) {
        if let ProgressView::Screen(canvas) = &mut self.view {
            canvas.clear();
            self.drawn = None;
        }
    }

    /// Takes the screen away for good.
    pub(crate) fn close(&mut self) {
        self.clear();
        output::defer_notes(false);
    }

    /// Whether there is a summary in the end.
    pub(crate) fn sums_up(&self) -> bool {
        !matches!(self.view, ProgressView::Nothing)
    }

    /// Sums up: `26 succeeded, 4 failed in 1m19s`.
    pub(crate) fn sum_up(&mut self, elapsed: Duration) {
        self.close();
        if self.sums_up() && self.board.tally.ended() > 0 {
            let line = ScreenLine::joined(self.board.tally.in_the_end(elapsed));
            output::to_stderr(format_args!("lro: {}\n", line.text(self.painter)));
        }
    }

    /// Takes the screen away while the program is stopped.
    pub(crate) fn suspended(&mut self, suspension: Suspension) {
        if let ProgressView::Screen(canvas) = &mut self.view {
            canvas.suspended(suspension);
            self.drawn = None;
        }
    }
}

fn tell(line: Option<String>) {
    if let Some(line) = line {
        output::say(&line);
    }
}

/// Between two frames. Markers and seconds need no more.
const REDRAW: Duration = Duration::from_millis(100);
