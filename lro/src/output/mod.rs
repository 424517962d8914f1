//! Standard output, which carries operations, and standard error, which carries everything else.

mod closed;
mod json;
mod paint;
mod place;
mod printable;
mod stream;
mod text;
mod width;

use std::env;
use std::io::{self, IsTerminal, StdoutLock};

use longrunning::Operation;

use crate::args::OutputFormat;

pub(crate) use paint::{Painter, TextStyle};
pub(crate) use place::is_one_place;
pub(crate) use printable::{printable, short};
pub(crate) use stream::{exit_status, guard_stderr, say, to_stderr};
pub(crate) use text::{state, table};
pub(crate) use width::{columns, cut_end, cut_start, pad_end, pad_start};

/// Standard output in the selected format.
///
/// Each method returns whether all was written. It is no error of the command if it was not: the exit status follows
/// from what was found out about the operations (see [`exit_status`]).
pub(crate) struct StandardOutput {
    format: OutputFormat,
    stdout: StdoutLock<'static>,
    /// A write failed. Nothing is written after it, so that no line begins in the middle of another one.
    failed: bool,
}

impl StandardOutput {
    pub(crate) fn new(format: OutputFormat) -> Self {
        Self { format, stdout: io::stdout().lock(), failed: false }
    }

    /// Shows an operation with all that is known of it.
    pub(crate) fn operation(&mut self, operation: &Operation) -> bool {
        match self.format {
            OutputFormat::Json => self.line(&json::fold(&operation.to_json())),
            OutputFormat::Text => self.text(&text::block(operation)),
        }
    }

    /// Shows an operation as one of several: on one line.
    pub(crate) fn item(&mut self, operation: &Operation) -> bool {
        match self.format {
            OutputFormat::Json => self.operation(operation),
            OutputFormat::Text => self.line(&text::item(operation)),
        }
    }

    /// Shows the operations of a page; `widths` keeps the columns of all pages alike.
    pub(crate) fn page(&mut self, operations: &[Operation], widths: &mut Vec<usize>) -> bool {
        match self.format {
            OutputFormat::Json => operations.iter().all(|operation| self.operation(operation)),
            OutputFormat::Text => self.text(&table(operations, widths)),
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

    fn text(&mut self, text: &str) -> bool {
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
    let capable = || cfg!(windows) || env::var("TERM").is_ok_and(|kind| !kind.is_empty() && kind != "dumb");
    io::stderr().is_terminal() && capable()
}

/// Whether this runs on a build server, some of which have a terminal that nobody watches.
pub(crate) fn is_build_server() -> bool {
    env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false" && value != "0")
}
