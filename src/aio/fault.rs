//! The errors that only the async client has.
//!
//! They are about threads, which blocking calls do not need.

use std::io;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Seconds};

/// Returns the error for an attempt that waited for a thread for its whole
/// timeout. It was not sent, and is retried like any other timeout.
pub(super) fn no_free_thread(timeout: Duration) -> Error {
    let timeout = Seconds(timeout);
    Error::new(ErrorKind::Timeout, format!("no thread was free for an attempt within {timeout} s"))
        .transient(true)
}

/// Returns the error for an attempt that was dropped without being made.
pub(super) fn lost_attempt() -> Error {
    Error::new(
        ErrorKind::Transport,
        "an attempt was not made: the executor dropped it, or could not start a thread",
    )
}

/// Returns the error for a sleep that would never end.
pub(super) fn no_timer(cause: io::Error) -> Error {
    Error::new(ErrorKind::Transport, "cannot start a thread for the sleeps between attempts")
        .with_source(cause)
}
