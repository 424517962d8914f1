//! The signals that stop the program: SIGHUP, SIGINT and SIGTERM; on Windows Ctrl-C, Ctrl-Break and the end of the
//! console.
//!
//! All others keep what the program was started with. `wait` and `serve` take these three, other commands end by them
//! as any program does.

#[cfg(windows)]
mod console;
#[cfg(unix)]
mod ignored;
#[cfg(unix)]
mod unix;

use std::io;

use crate::exit::Exit;
use crate::failure::CommandFailure;

/// Runs `stop` at the first signal, on a thread of its own, with the status that belongs to the signal. The second
/// one ends the program at once, with its own status.
///
/// A signal that was ignored when the program started stays ignored: `nohup lro wait` outlives its terminal.
pub(crate) fn on_stop(stop: impl Fn(Exit) + Send + 'static) -> Result<(), CommandFailure> {
    take(stop).map_err(|error| CommandFailure::usage(format!("cannot wait for signals: {error}")))
}

#[cfg(unix)]
fn take(stop: impl Fn(Exit) + Send + 'static) -> io::Result<()> {
    unix::take(stop)
}

#[cfg(windows)]
fn take(stop: impl Fn(Exit) + Send + 'static) -> io::Result<()> {
    console::take(stop)
}
