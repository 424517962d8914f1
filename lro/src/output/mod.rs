//! Standard output, which carries operations, and standard error, which carries everything else.

mod closed;
mod json;
mod stream;
mod text;

use std::env;
use std::io::{self, IsTerminal, StdoutLock};
use std::time::Duration;

use longrunning::Operation;

use crate::args::Format;

pub(crate) use stream::{exit_status, to_stderr};
pub(crate) use text::{state, table};

/// Standard output in the selected format.
///
/// Each method returns whether all was written. It is no error of the command if it was not: the exit status follows
/// from what was found out about the operations (see [`exit_status`]).
pub(crate) struct Output {
    format: Format,
    stdout: StdoutLock<'static>,
    /// A write failed. Nothing is written after it, so that no line begins in the middle of another one.
    failed: bool,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, stdout: io::stdout().lock(), failed: false }
    }

    /// Shows an operation with all that is known of it.
    pub(crate) fn operation(&mut self, operation: &Operation) -> bool {
        match self.format {
            Format::Json => self.line(&json::fold(&operation.to_json())),
            Format::Text => self.text(&text::block(operation)),
        }
    }

    /// Shows an operation as one of several: on one line.
    pub(crate) fn item(&mut self, operation: &Operation) -> bool {
        match self.format {
            Format::Json => self.operation(operation),
            Format::Text => self.line(&text::item(operation)),
        }
    }

    /// Shows the operations of a page; `widths` keeps the columns of all pages alike.
    pub(crate) fn page(&mut self, operations: &[Operation], widths: &mut Vec<usize>) -> bool {
        match self.format {
            Format::Json => operations.iter().all(|operation| self.operation(operation)),
            Format::Text => self.text(&table(operations, widths)),
        }
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

/// Writes a message to the user, on one line of standard error, and returns whether it was written.
pub(crate) fn say(message: &str) -> bool {
    to_stderr(format_args!("lro: {}\n", printable(message)))
}

/// Whether standard error is a terminal on which lines can be drawn over.
pub(crate) fn stderr_is_terminal() -> bool {
    let capable = || cfg!(windows) || env::var("TERM").is_ok_and(|kind| !kind.is_empty() && kind != "dumb");
    io::stderr().is_terminal() && capable()
}

/// Removes what a terminal obeys from text of others.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => shown.push(' '),
            // Also the characters that turn the direction of writing around.
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                shown.extend(c.escape_unicode());
            }
            c => shown.push(c),
        }
    }
    shown
}

/// A duration for people: `8s`, `1m20s`, `2h05m`, `3d04h`.
pub(crate) fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_for_people() {
        let rows =
            [(0, "0s"), (59, "59s"), (80, "1m20s"), (3599, "59m59s"), (7500, "2h05m"), (273_600, "3d04h")];
        for (seconds, text) in rows {
            assert_eq!(short(Duration::from_secs(seconds)), text);
        }
    }
}
