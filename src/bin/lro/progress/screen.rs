//! Standard error as something to draw on, be it a terminal or not.

use std::io::{self, Write};

use console::Term;
use indicatif::TermLike;

/// Draws as indicatif does by itself, with two differences: it draws also where there is no terminal, and leaves the
/// cursor behind the last word and not at the margin, where the `^C` of a terminal would begin a new line.
#[derive(Debug)]
pub(super) struct Screen(Term);

impl Screen {
    pub(super) fn new() -> Self {
        Self(Term::stderr())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.0.size_checked().map_or(80, |(_, columns)| columns)
    }

    fn height(&self) -> u16 {
        self.0.size_checked().map_or(24, |(rows, _)| rows)
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

    fn write_str(&self, text: &str) -> io::Result<()> {
        write!(io::stderr(), "{}", text.trim_end_matches(' '))
    }

    fn clear_line(&self) -> io::Result<()> {
        write!(io::stderr(), "\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn control(count: usize, what: char) -> io::Result<()> {
    if count == 0 { Ok(()) } else { write!(io::stderr(), "\x1b[{count}{what}") }
}
