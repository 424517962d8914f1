//! Standard output, which carries operations, and standard error, which carries
//! everything else.
//!
//! | file | content |
//! |---|---|
//! | `mod.rs` | operations in the selected format; what the streams are |
//! | `stream.rs` | writes, and which of them failed |
//! | `closed.rs` | streams that were closed from the start |
//! | `place.rs` | whether both streams end up in one place |
//! | `text.rs`, `details.rs` | operations and errors for people |
//! | `json.rs` | JSON on one line, or indented |
//! | `paint.rs` | colours |
//! | `width.rs`, `parent.rs`, `printable.rs` | text that fits, is short, and is safe |
//!
//! Text that comes from a server or a user passes `printable` before it reaches
//! a terminal.

mod closed;
mod details;
mod json;
mod paint;
mod parent;
mod place;
mod printable;
mod stream;
mod text;
mod width;

use std::env;
use std::io::{self, IsTerminal, StdoutLock};

use longrunning::Operation;

use console::Term;

use crate::args::{Globals, OutputFormat};

pub(crate) use paint::{Painter, TextStyle};
pub(crate) use parent::shared_parent;
pub(crate) use place::is_one_place;
pub(crate) use printable::{printable, short};
pub(crate) use stream::{
    defer_notes, exit_status, guard_stderr, guard_stdout, note_aside, say, take_notes, to_stderr,
};
pub(crate) use text::{state, state_style};
pub(crate) use width::{columns, cut_end, cut_start, pad_end, pad_start};

/// Standard output in the selected format.
///
/// Each method returns whether all was written. It is no error of the command
/// if it was not: the exit status follows from what was found out about the
/// operations (see [`exit_status`]).
///
/// It holds the lock of standard output for as long as it lives, so only one
/// thread can write operations.
pub(crate) struct StandardOutput {
    /// For people, or for programs.
    format: OutputFormat,
    /// Whether there are colours.
    painter: Painter,
    stdout: StdoutLock<'static>,
    /// A write failed. Nothing is written after it, so that no line begins in
    /// the middle of another one.
    failed: bool,
}

impl StandardOutput {
    /// Locks standard output. It must not be locked already by this thread's
    /// caller in another `StandardOutput`.
    pub(crate) fn new(globals: &Globals) -> Self {
        let painter = Painter::of_stdout(globals.color.unwrap_or_default());
        Self { format: globals.format(), painter, stdout: io::stdout().lock(), failed: false }
    }

    /// Returns the selected format.
    pub(crate) fn format(&self) -> OutputFormat {
        self.format
    }

    /// Shows an operation with all that is known of it: several lines of text,
    /// a line of JSON, or its name.
    pub(crate) fn operation(&mut self, operation: &Operation) -> bool {
        match self.format {
            OutputFormat::Json => self.line(&json::fold(&operation.to_json())),
            OutputFormat::Text => self.text(&text::block(operation, self.painter)),
            OutputFormat::Name => self.line(&printable(operation.name())),
        }
    }

    /// Shows an operation as one of several: on one line in every format.
    pub(crate) fn item(&mut self, operation: &Operation) -> bool {
        match self.format {
            OutputFormat::Text => self.line(&text::item(operation, self.painter)),
            OutputFormat::Json | OutputFormat::Name => self.operation(operation),
        }
    }

    /// Returns whether operations are printed for people.
    pub(crate) fn is_text(&self) -> bool {
        self.format == OutputFormat::Text
    }

    /// Prints a line that is no operation.
    pub(crate) fn line(&mut self, line: &str) -> bool {
        self.text(&format!("{line}\n"))
    }

    /// Writes text as it is, and flushes: the reader of a pipe gets a result
    /// when it is known.
    pub(crate) fn text(&mut self, text: &str) -> bool {
        // After a failure nothing is written, even if the stream has room
        // again: a file with a hole is worse than a short one.
        self.failed = self.failed || !stream::to_stdout(&mut self.stdout, text.as_bytes());
        !self.failed
    }
}

/// Writes a document that is no operation to standard output: help,
/// completions, a man page, a scenario.
pub(crate) fn raw(bytes: &[u8]) {
    stream::to_stdout(&mut io::stdout().lock(), bytes);
}

/// Returns whether standard error is a terminal on which lines can be drawn
/// over.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal() && is_capable()
}

/// Returns whether standard output is a terminal on which lines can be drawn
/// over.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal() && is_capable()
}

/// Returns the columns of the terminal that shows standard output; none if
/// there is no terminal, where nothing needs to fit.
pub(crate) fn stdout_width() -> Option<usize> {
    let (_, columns) = Term::stdout().size_checked().filter(|_| io::stdout().is_terminal())?;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}

/// Returns whether the terminal can move its cursor: `TERM` names it, and it is
/// not `dumb`.
fn is_capable() -> bool {
    // Without `TERM` there is a terminal that nothing is known of, as under
    // `env -i` or `cron`.
    cfg!(windows) || env::var("TERM").is_ok_and(|kind| !kind.is_empty() && kind != "dumb")
}

/// Returns whether this runs on a build server, some of which have a terminal
/// without a reader: `CI` is set, and is not `false` or `0`.
pub(crate) fn is_build_server() -> bool {
    env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false" && value != "0")
}
