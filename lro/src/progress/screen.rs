//! Standard error as something to draw on, be it a terminal or not.

use std::fmt::Arguments;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use console::Term;
use indicatif::TermLike;

use crate::output::{stderr_through, to_stderr};

/// Draws as indicatif does by itself, with two differences: it draws also where there is no terminal, and leaves the
/// cursor behind the last word and not at the margin, where the `^C` of a terminal would begin a new line.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Term,
    /// A line was written whose end was not.
    in_line: AtomicBool,
    /// A write failed.
    failed: AtomicBool,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { terminal: Term::stderr(), in_line: AtomicBool::new(false), failed: AtomicBool::new(false) }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.terminal.size_checked().map_or(80, |(_, columns)| columns)
    }

    fn height(&self) -> u16 {
        self.terminal.size_checked().map_or(24, |(rows, _)| rows)
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.control(|terminal| terminal.move_cursor_up(lines))
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.control(|terminal| terminal.move_cursor_down(lines))
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.control(|terminal| terminal.move_cursor_right(columns))
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.control(|terminal| terminal.move_cursor_left(columns))
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.write(format_args!("{}\n", line.trim_end()))
    }

    /// Each line comes with spaces behind it up to the margin, so that the next one starts below. A line break in front
    /// of the next one does the same.
    fn write_str(&self, text: &str) -> io::Result<()> {
        if text.bytes().all(|byte| byte == b' ') {
            self.in_line.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let line_break = if self.in_line.swap(false, Ordering::Relaxed) { "\n" } else { "" };
        self.write(format_args!("{line_break}{}", text.trim_end_matches(' ')))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.control(Term::clear_line)
    }

    fn flush(&self) -> io::Result<()> {
        self.in_line.store(false, Ordering::Relaxed);
        Ok(())
    }
}

impl Screen {
    /// Moves the cursor through `Term`: a console of Windows obeys escape codes only if a program enables them.
    fn control(&self, control: impl FnOnce(&Term) -> io::Result<()>) -> io::Result<()> {
        self.draw(|| stderr_through(|| control(&self.terminal)))
    }

    fn write(&self, text: Arguments<'_>) -> io::Result<()> {
        self.draw(|| to_stderr(text))
    }

    /// Always succeeds: indicatif panics if it cannot draw, where the wait has to go on. The failure is remembered for
    /// the exit status, and nothing is drawn any more.
    fn draw(&self, draw: impl FnOnce() -> bool) -> io::Result<()> {
        if !self.failed.load(Ordering::Relaxed) && !draw() {
            self.failed.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
