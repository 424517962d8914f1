//! Standard error as something to draw on, be it a terminal or not.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use console::Term;
use indicatif::TermLike;

/// Draws as indicatif does by itself, with two differences: it draws also where there is no terminal, and leaves the
/// cursor behind the last word and not at the margin, where the `^C` of a terminal would begin a new line.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Term,
    /// A line was written whose end was not.
    in_line: AtomicBool,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { terminal: Term::stderr(), in_line: AtomicBool::new(false) }
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
        control(lines, 'A')
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        control(lines, 'B')
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        control(columns, 'C')
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        control(columns, 'D')
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        writeln!(io::stderr(), "{}", line.trim_end())
    }

    /// Each line comes with spaces behind it up to the margin, so that the next one starts below. A line break in front
    /// of the next one does the same.
    fn write_str(&self, text: &str) -> io::Result<()> {
        if text.bytes().all(|byte| byte == b' ') {
            self.in_line.store(true, Ordering::Relaxed);
            return Ok(());
        }
        if self.in_line.swap(false, Ordering::Relaxed) {
            writeln!(io::stderr())?;
        }
        write!(io::stderr(), "{}", text.trim_end_matches(' '))
    }

    fn clear_line(&self) -> io::Result<()> {
        write!(io::stderr(), "\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        self.in_line.store(false, Ordering::Relaxed);
        io::stderr().flush()
    }
}

fn control(count: usize, what: char) -> io::Result<()> {
    if count == 0 { Ok(()) } else { write!(io::stderr(), "\x1b[{count}{what}") }
}
