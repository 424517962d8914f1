//! Writes to the standard streams, and whether they succeeded.
//!
//! Rust's `println!` panics if a pipe is closed, and its streams report no
//! error at the end. Here every write is checked: the failure of one is
//! remembered for the exit status, reported once, and never a panic.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::exit::Exit;

use super::closed;
use super::printable::printable;

/// Whether text was lost that somebody could still have read.
///
/// One for the process, since the log and the bars write on threads and through
/// traits that return no result.
static LOST: AtomicBool = AtomicBool::new(false);

/// Returns the exit status of the program, given that of the command.
///
/// The status says what happened to the operations, and a reader that closes
/// its pipe early, as `head` does, changes nothing about that. Any other failed
/// write does only if the status were 0: a script that checks it must not take
/// a truncated file for a complete one.
pub(crate) fn exit_status(exit: Exit) -> Exit {
    match exit {
        Exit::Success if LOST.load(Ordering::Relaxed) => Exit::NotAsked,
        exit => exit,
    }
}

/// Remembers a failed write, and returns the result as it was.
fn note(result: io::Result<()>) -> io::Result<()> {
    if result.as_ref().is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::Relaxed);
    }
    result
}

/// Writes to standard output, and returns whether all of the text was written.
///
/// The first failure is reported on standard error, unless the reader closed
/// its pipe.
pub(super) fn to_stdout(stdout: &mut impl Write, text: &[u8]) -> bool {
    // Flushed with every write: the process may be killed after it, and a
    // journal relies on what was printed.
    let open = check(closed::stdout());
    let written = note(open.and_then(|()| stdout.write_all(text)).and_then(|()| stdout.flush()));
    if let Err(error) = &written
        && error.kind() != ErrorKind::BrokenPipe
    {
        // A closed pipe is how `head` ends; anything else loses data, and the
        // user has to know.
        say(&format!("cannot write to standard output: {error}"));
    }
    written.is_ok()
}

/// Writes a message to the user, on one line of standard error, and returns
/// whether it was written.
pub(crate) fn say(message: &str) -> bool {
    to_stderr(format_args!("lro: {}\n", printable(message)))
}

/// What other threads have to say while something is drawn, which their lines
/// would tear apart; none while nothing is.
static DEFERRED: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Writes a message as [`say`] does, or keeps it for [`take_notes`] while
/// messages are deferred.
pub(crate) fn note_aside(message: &str) {
    match &mut *DEFERRED.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(deferred) => deferred.push(message.to_owned()),
        None => drop(say(message)),
    }
}

/// Defers messages from now on, or no longer. Those that were deferred so far
/// are written.
pub(crate) fn defer_notes(are_deferred: bool) {
    for note in take_notes() {
        say(&note);
    }
    *DEFERRED.lock().unwrap_or_else(PoisonError::into_inner) = are_deferred.then(Vec::new);
}

/// Returns the messages that were deferred, oldest first.
pub(crate) fn take_notes() -> Vec<String> {
    DEFERRED.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(std::mem::take).unwrap_or_default()
}

/// Writes to standard error, and returns whether all of the text was written.
pub(crate) fn to_stderr(text: Arguments<'_>) -> bool {
    // One write for the whole text, so that lines of several threads do not mix.
    // Formatted before the stream is locked.
    let text = text.to_string();
    guard_stderr(|| io::stderr().write_all(text.as_bytes()))
}

/// Does a write to standard output, and returns whether it succeeded.
pub(crate) fn guard_stdout(write: impl FnOnce() -> io::Result<()>) -> bool {
    note(check(closed::stdout()).and_then(|()| write())).is_ok()
}

/// Does a write to standard error, and returns whether it succeeded.
pub(crate) fn guard_stderr(write: impl FnOnce() -> io::Result<()>) -> bool {
    note(check(closed::stderr()).and_then(|()| write())).is_ok()
}

/// Returns an error for a stream that was closed from the start, where a write
/// would seem to succeed.
fn check(closed: bool) -> io::Result<()> {
    if closed { Err(io::Error::other("it is closed")) } else { Ok(()) }
}
