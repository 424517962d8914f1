//! The signals that stop the program: SIGHUP, SIGINT and SIGTERM; on Windows
//! Ctrl-C, Ctrl-Break and the end of the console.
//!
//! A display that is drawn over and over also takes SIGTSTP, to be gone while
//! the program is stopped.
//!
//! All others keep what the program was started with. `start`, `wait` and
//! `serve` take these three, other commands end by them as any program does.

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
pub(crate) fn on_stop(stop: impl Fn(Exit) + Send + 'static) -> Result<(), CommandFailure> {
    let mut target = TARGET.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(exit) = target.received {
        stop(exit);
    }
    target.stop = Some(Box::new(stop));
    if target.is_taken {
        return Ok(());
    }
    target.is_taken = true;
    take(received).map_err(|error| CommandFailure::usage(format!("cannot wait for signals: {error}")))
}

/// Takes the first signal.
fn received(exit: Exit) {
    let mut target = TARGET.lock().unwrap_or_else(PoisonError::into_inner);
    target.received = Some(exit);
    if let Some(stop) = &target.stop {
        stop(exit);
    }
}

/// What the signals stop. Their handlers can be set only once.
struct StopTarget {
    stop: Option<Box<dyn Fn(Exit) + Send>>,
    received: Option<Exit>,
    is_taken: bool,
}

static TARGET: Mutex<StopTarget> = Mutex::new(StopTarget { stop: None, received: None, is_taken: false });

/// Reports when Ctrl-Z is about to stop the program, and when it goes on;
/// `report` returns whether that arrived.
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

/// Whether the terminal belongs to this program and not to a shell that has it
/// in the background.
#[cfg(unix)]
pub(crate) fn is_in_foreground() -> bool {
    suspend::is_in_foreground()
}

#[cfg(windows)]
pub(crate) fn is_in_foreground() -> bool {
    true
}

#[cfg(unix)]
fn take(stop: impl Fn(Exit) + Send + 'static) -> io::Result<()> {
    unix::take(stop)
}

#[cfg(windows)]
fn take(stop: impl Fn(Exit) + Send + 'static) -> io::Result<()> {
    console::take(stop)
}
