//! The signals that stop the program: SIGHUP, SIGINT and SIGTERM; on Windows
//! Ctrl-C, Ctrl-Break and the end of the console.
//!
//! `start`, `wait` and `serve` take these three; other commands end by them as
//! any program does. All other signals keep what the program was started with.
//!
//! A display that is drawn over and over also takes SIGTSTP, to be gone while
//! the program is stopped.
//!
//! The handlers themselves only set flags or wake a thread; everything else
//! happens on that thread. Nothing may allocate or lock in a handler, since it
//! interrupts a thread that may hold the lock.
//!
//! | file | content |
//! |---|---|
//! | `unix.rs`, `console.rs` | the signals that stop, on Unix and on Windows |
//! | `suspend.rs`, `suspension.rs` | Ctrl-Z, and what it means for a display |
//! | `ignored.rs` | the signals that were ignored when the program started |

#[cfg(windows)]
mod console;
#[cfg(unix)]
mod ignored;
#[cfg(unix)]
mod suspend;
mod suspension;
#[cfg(unix)]
mod unix;

use std::io;
use std::sync::{Mutex, PoisonError};

use crate::exit::Exit;
use crate::failure::CommandFailure;

pub(crate) use suspension::Suspension;

/// Runs `stop` at the first signal, on a thread of its own, with the status
/// that belongs to the signal. The second one ends the program at once, with
/// its own status.
///
/// A signal that was ignored when the program started stays ignored: `nohup lro
/// wait` outlives its terminal.
///
/// A second call replaces `stop`, and runs it at once if a signal has come
/// meanwhile: `lro start --wait` has two parts.
///
/// # Errors
///
/// The system refuses a handler. The command does not begin then: a wait that
/// Ctrl-C ends without a word would be worse.
pub(crate) fn on_stop(stop: impl Fn(Exit) + Send + 'static) -> Result<(), CommandFailure> {
    let mut target = TARGET.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(exit) = target.received {
        stop(exit);
    }
    if target.stop.replace(Box::new(stop)).is_some() {
        return Ok(());
    }
    take(received).map_err(|error| CommandFailure::usage(format!("cannot wait for signals: {error}")))
}

/// Remembers the first signal, and runs what is to be stopped now.
fn received(exit: Exit) {
    let mut target = TARGET.lock().unwrap_or_else(PoisonError::into_inner);
    target.received = Some(exit);
    if let Some(stop) = &target.stop {
        stop(exit);
    }
}

/// What the signals stop. The system takes handlers once, so a second part of a
/// command changes this and not the handlers.
struct StopTarget {
    /// Set when the handlers are installed.
    stop: Option<Box<dyn Fn(Exit) + Send>>,
    /// The status of the first signal, if one has come.
    received: Option<Exit>,
}

static TARGET: Mutex<StopTarget> = Mutex::new(StopTarget { stop: None, received: None });

/// Reports when Ctrl-Z is about to stop the program, and when it continues;
/// `report` returns whether that arrived.
///
/// If the shell has no job control, there is nothing to report and this does
/// nothing.
#[cfg(unix)]
pub(crate) fn on_suspend(report: impl Fn(Suspension) -> bool + Send + 'static) -> Result<(), CommandFailure> {
    suspend::take(report).map_err(|error| CommandFailure::usage(format!("cannot wait for signals: {error}")))
}

/// There is no such signal.
#[cfg(windows)]
pub(crate) fn on_suspend(
    _report: impl Fn(Suspension) -> bool + Send + 'static,
) -> Result<(), CommandFailure> {
    Ok(())
}

/// Returns whether the terminal belongs to this program and not to a shell that
/// has it in the background. What is drawn there would mix with the work of the
/// user.
#[cfg(unix)]
pub(crate) fn is_in_foreground() -> bool {
    suspend::is_in_foreground()
}

#[cfg(windows)]
pub(crate) fn is_in_foreground() -> bool {
    true
}

/// Installs the handlers of this system.
#[cfg(unix)]
fn take(stop: impl Fn(Exit) + Send + 'static) -> io::Result<()> {
    unix::take(stop)
}

#[cfg(windows)]
fn take(stop: impl Fn(Exit) + Send + 'static) -> io::Result<()> {
    console::take(stop)
}
