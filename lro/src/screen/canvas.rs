//! The part of a terminal that is drawn over and over, below everything that is
//! printed.
//!
//! The program does not take over the whole screen: results above the drawn
//! part scroll away like any output, and stay in the scrollback. So the
//! position of the drawn part is never known from the terminal. It is computed
//! from what was drawn: the cursor is at the end of the last line, and the
//! first line is some rows above.
//!
//! A resize makes that arithmetic hard. A narrower terminal wraps lines that
//! were drawn before, so they take more rows; a shorter one pushes rows into
//! the scrollback, and a taller one may bring them back. [`DrawnFrame`]
//! remembers what is needed for that.

use std::io;
use std::time::{Duration, Instant};

use console::Term;

use crate::output::{self, Painter};
use crate::signals::{self, Suspension};

use super::{ScreenLine, ScreenSize};

/// Draws on a standard stream, terminal or not.
///
/// The cursor stays behind the last word and not at the margin, where the `^C`
/// of a terminal would begin a new line. It moves by `console` only, which
/// knows the terminals of Windows.
///
/// States: nothing drawn; drawn; suspended by Ctrl-Z, when nothing is drawn;
/// failed for good, when nothing is drawn either.
pub(crate) struct Canvas {
    /// A buffered stream: a frame goes out in one write, so that it does not
    /// flicker.
    terminal: Term,
    /// Whether lines can be drawn over.
    is_terminal: bool,
    /// Whether there are colours.
    painter: Painter,
    /// Does a write to the stream, and returns whether it succeeded.
    guard: fn(&mut dyn FnMut() -> io::Result<()>) -> bool,
    drawn: Option<DrawnFrame>,
    /// What was drawn last where lines cannot be drawn over, and when.
    printed: Option<(Vec<String>, Instant)>,
    /// The program is being stopped, and what is drawn now would stay.
    is_suspended: bool,
    /// A write failed. The wait goes on for its exit status, and nothing is
    /// drawn any more.
    has_failed: bool,
}

/// The lines that are on the screen, with the size of the screen when they were
/// drawn.
#[derive(Debug)]
struct DrawnFrame {
    /// The lines with their colours, to find out whether anything has changed.
    texts: Vec<String>,
    /// The columns that each line takes, without colours: they say how a
    /// narrower terminal wraps it.
    widths: Vec<usize>,
    /// The size that the lines were drawn for.
    size: ScreenSize,
    /// Rows that a smaller screen has pushed out of sight. A larger one may
    /// bring them back.
    pushed: usize,
}

impl Canvas {
    /// Draws on standard error, as waits do.
    pub(crate) fn of_stderr(painter: Painter) -> Self {
        let guard = |write: &mut dyn FnMut() -> io::Result<()>| output::guard_stderr(write);
        Self::new(Term::buffered_stderr(), output::stderr_is_terminal(), painter, guard)
    }

    /// Draws on standard output, as `lro list --watch` does.
    pub(crate) fn of_stdout(painter: Painter) -> Self {
        let guard = |write: &mut dyn FnMut() -> io::Result<()>| output::guard_stdout(write);
        Self::new(Term::buffered_stdout(), output::stdout_is_terminal(), painter, guard)
    }

    /// Draws nothing yet.
    fn new(
        terminal: Term,
        is_terminal: bool,
        painter: Painter,
        guard: fn(&mut dyn FnMut() -> io::Result<()>) -> bool,
    ) -> Self {
        Self {
            terminal,
            is_terminal,
            painter,
            guard,
            drawn: None,
            printed: None,
            is_suspended: false,
            has_failed: false,
        }
    }

    /// Returns whether nothing can be drawn any more.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Returns the size of the terminal; 80 by 24 if it is not known.
    pub(crate) fn size(&self) -> ScreenSize {
        let (rows, columns) = self.terminal.size_checked().unwrap_or((24, 80));
        // Terminals that do not know their size say that it is zero.
        // Read again for every frame, as the user may resize at any time.
        let known = |size: u16, usual: usize| if size == 0 { usual } else { usize::from(size) };
        ScreenSize { width: known(columns, 80), height: known(rows, 24) }
    }

    /// Draws the lines in place of those that are there. `size` is the one that
    /// the lines were made for.
    ///
    /// Nothing is written if nothing has changed, so that an idle wait costs no
    /// output over a slow connection.
    pub(crate) fn draw(&mut self, size: ScreenSize, lines: &[ScreenLine]) {
        let texts: Vec<String> = lines.iter().map(|line| line.text(self.painter)).collect();
        if self.has_failed || self.is_suspended {
            return;
        }
        if !self.is_terminal {
            return self.print(texts);
        }
        if !signals::is_in_foreground() {
            // The screen belongs to another program now.
            self.drawn = None;
            return;
        }
        if self.drawn.as_ref().is_some_and(|drawn| drawn.texts == texts && drawn.size == size) {
            return;
        }
        // A frame that was drawn for another size may have moved. Its rows are
        // counted for the size of now.
        let (up, pushed) = match &self.drawn {
            Some(drawn) => (Some(drawn.rows_up(size)), drawn.pushed_at(size)),
            None => (None, 0),
        };
        self.write(|terminal| replace(terminal, up, &texts));
        let widths = lines.iter().map(ScreenLine::width).collect();
        self.drawn = Some(DrawnFrame { texts, widths, size, pushed });
    }

    /// Removes the lines, and leaves the cursor where the first one began.
    pub(crate) fn clear(&mut self) {
        let size = self.size();
        if let Some(drawn) = self.drawn.take() {
            let up = drawn.rows_up(size);
            self.write(|terminal| replace(terminal, Some(up), &[]));
        }
    }

    /// Removes the lines while the program is stopped, and reports when that is
    /// done, so that the stop waits for it.
    pub(crate) fn suspended(&mut self, suspension: Suspension) {
        match suspension {
            Suspension::Suspended(done) => {
                self.clear();
                self.is_suspended = true;
                // If the receiver is gone, it has not waited so long.
                let _ = done.send(());
            }
            Suspension::Resumed => self.is_suspended = false,
        }
    }

    /// Prints the lines where they cannot be drawn over, as with `--progress
    /// always` in a pipe: below each other, at most every [`PRINTS`].
    fn print(&mut self, texts: Vec<String>) {
        let due =
            self.printed.as_ref().is_none_or(|(printed, at)| *printed != texts && at.elapsed() >= PRINTS);
        if due {
            let text = texts.iter().fold(String::new(), |text, line| text + line + "\n");
            self.write(|terminal| terminal.write_str(&text));
            self.printed = Some((texts, Instant::now()));
        }
    }

    /// Writes and flushes in one guarded step; a failure ends all drawing.
    fn write(&mut self, write: impl Fn(&Term) -> io::Result<()>) {
        let terminal = &self.terminal;
        let written = (self.guard)(&mut || write(terminal).and_then(|()| terminal.flush()));
        // A terminal that is gone does not come back, and every further write
        // would fail too.
        self.has_failed |= !written;
    }
}

/// Writes lines over those that begin `up` rows above the cursor, or where the
/// cursor is if there are none.
///
/// Each row is cleared by itself: some terminals take a screen that is cleared
/// at once for one to keep, and put it into what can be scrolled back to.
fn replace(terminal: &Term, up: Option<usize>, texts: &[String]) -> io::Result<()> {
    // The cursor is in the last of the old rows, so there is one more than it
    // moves up.
    let old = up.map_or(0, |up| up + 1);
    control(terminal, |terminal| terminal.move_cursor_up(up.unwrap_or_default()))?;
    // Old rows below the new lines are cleared too, and the cursor goes back
    // up.
    let rows = old.max(texts.len());
    for row in 0..rows {
        // A line feed and not a move: below the last row of the screen it
        // scrolls, which a move would not do.
        if row > 0 {
            terminal.write_str("\n")?;
        }
        if row < old {
            control(terminal, Term::clear_line)?;
        }
        terminal.write_str(texts.get(row).map_or("", String::as_str))?;
    }
    // Back to the end of the last line; without lines to the start of the first
    // row.
    let last = texts.len().saturating_sub(1);
    // Fewer lines than before: the cursor is below the last one now.
    let back = rows.saturating_sub(1) - last;
    if back > 0 {
        control(terminal, |terminal| terminal.move_cursor_up(back))?;
        terminal.write_str(&format!("\r{}", texts.last().map_or("", String::as_str)))?;
    }
    Ok(())
}

/// Moves the cursor or clears a line. On Windows that happens at once, so what
/// was written before has to be out.
fn control(terminal: &Term, act: impl FnOnce(&Term) -> io::Result<()>) -> io::Result<()> {
    if cfg!(windows) {
        terminal.flush()?;
    }
    act(terminal)
}

impl DrawnFrame {
    /// Returns how many rows are out of sight above a terminal of this size.
    fn pushed_at(&self, now: ScreenSize) -> usize {
        // What came back is in sight again; what does not fit any more goes out
        // of sight.
        self.pushed - self.returned(now) + self.rows(now).saturating_sub(now.height)
    }

    /// How many rows above the cursor the drawn lines begin.
    ///
    /// A narrower terminal wraps lines that were drawn before, and a taller one
    /// brings back what a smaller one has pushed out of sight.
    fn rows_up(&self, now: ScreenSize) -> usize {
        // The cursor cannot move above the first row. What is further up stays
        // in the scrollback, where nothing can be cleared.
        (self.rows(now) + self.returned(now)).saturating_sub(1).min(now.height.saturating_sub(1))
    }

    /// Returns how many pushed rows a taller terminal brings back: at most as
    /// many as it has grown by.
    fn returned(&self, now: ScreenSize) -> usize {
        self.pushed.min(now.height.saturating_sub(self.size.height))
    }

    /// Returns how many rows the drawn lines take at this width. A line that is
    /// exactly as wide as the terminal takes one row.
    fn rows(&self, now: ScreenSize) -> usize {
        self.widths.iter().map(|width| width.div_ceil(now.width).max(1)).sum()
    }
}

/// The least time between two prints where lines cannot be drawn over.
const PRINTS: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_lines_are_found_after_a_resize() {
        let rows = [
            ("the same size", (80, 24), 0, (80, 24), 3),
            ("wider", (80, 24), 0, (120, 24), 3),
            ("narrower: the two long lines wrap", (80, 24), 0, (60, 24), 5),
            ("much narrower", (80, 24), 0, (20, 24), 10),
            ("lower", (80, 24), 0, (80, 3), 2),
            ("taller, nothing was pushed", (80, 12), 0, (80, 24), 3),
            ("taller again: what was pushed comes back", (80, 12), 5, (80, 24), 8),
            ("a little taller", (80, 12), 5, (80, 14), 5),
        ];
        for (row, (width, height), pushed, (new_width, new_height), up) in rows {
            let drawn = DrawnFrame {
                texts: Vec::new(),
                widths: vec![78, 78, 40, 0],
                size: ScreenSize { width, height },
                pushed,
            };
            let now = ScreenSize { width: new_width, height: new_height };
            assert_eq!(drawn.rows_up(now), up, "{row}");
        }
    }

    #[test]
    fn what_a_smaller_screen_pushes_out_of_sight_is_counted() {
        let size = ScreenSize { width: 80, height: 24 };
        let drawn = DrawnFrame { texts: Vec::new(), widths: vec![70; 22], size, pushed: 0 };
        assert_eq!(drawn.pushed_at(ScreenSize { width: 80, height: 12 }), 10);
        assert_eq!(drawn.pushed_at(ScreenSize { width: 40, height: 24 }), 20);
        assert_eq!(drawn.pushed_at(size), 0);
        let small = ScreenSize { width: 80, height: 12 };
        let drawn = DrawnFrame { widths: vec![70; 12], size: small, pushed: 10, ..drawn };
        assert_eq!(drawn.pushed_at(ScreenSize { width: 80, height: 16 }), 6);
        assert_eq!(drawn.pushed_at(size), 0);
    }
}
