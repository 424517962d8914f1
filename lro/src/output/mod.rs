//! Standard output, which carries operations, and standard error, which carries
//! everything else.

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
pub(crate) struct StandardOutput {
    format: OutputFormat,
    painter: Painter,
    stdout: StdoutLock<'static>,
    /// A write failed. Nothing is written after it, so that no line begins in
    /// the middle of another one.
    failed: bool,
}

impl StandardOutput {
    pub(crate) fn new(globals: &Globals) -> Self {
        let painter = Painter::of_stdout(globals.color.unwrap_or_default());
        Self { format: globals.format(), painter, stdout: io::stdout().lock(), failed: false }
    }

    pub(crate) fn format(&self) -> OutputFormat {
        self.format
    }

    /// Shows an operation with all that is known of it.
    pub(crate) fn operation(&mut self, operation: &Operation) -> bool {
        match self.format {
            OutputFormat::Json => self.line(&json::fold(&operation.to_json())),
            OutputFormat::Text => self.text(&text::block(operation, self.painter)),
            OutputFormat::Name => self.line(&printable(operation.name())),
        }
    }

    /// Shows an operation as one of several: on one line.
    pub(crate) fn item(&mut self, operation: &Operation) -> bool {
        match self.format {
            OutputFormat::Text => self.line(&text::item(operation, self.painter)),
            OutputFormat::Json | OutputFormat::Name => self.operation(operation),
        }
    }

    /// Whether operations are printed for people.
    pub(crate) fn is_text(&self) -> bool {
        self.format == OutputFormat::Text
    }

    /// Prints a line that is no operation.
    pub(crate) fn line(&mut self, line: &str) -> bool {
        self.text(&format!("{line}\n"))
    }

    pub(crate) fn text(&mut self, text: &str) -> bool {
        self.failed = self.failed || !stream::to_stdout(&mut self.stdout, text.as_bytes());
        !self.failed
    }
}

/// Writes a document that is no operation to standard output.
pub(crate) fn raw(bytes: &[u8]) {
    stream::to_stdout(&mut io::stdout().lock(), bytes);
}

/// Whether standard error is a terminal on which lines can be drawn over.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal() && is_capable()
}

/// Whether standard output is a terminal on which lines can be drawn over.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal() && is_capable()
}

/// The columns of the terminal that shows standard output; none if there is no
/// terminal, where nothing needs to fit.
pub(crate) fn stdout_width() -> Option<usize> {
    let (_, columns) = Term::stdout().size_checked().filter(|_| io::stdout().is_terminal())?;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}

fn is_capable() -> bool {
    cfg!(windows) || env::var("TERM").is_ok_and(|kind| !kind.is_empty() && kind != "dumb")
}

/// Whether this runs on a build server, some of which have a terminal without a
/// reader.
pub(crate) fn is_build_server() -> bool {
    env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false" && value != "0")
}
