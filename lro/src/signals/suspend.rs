//! SIGTSTP, which Ctrl-Z sends, and the job control of a shell.
//!
//! The handler delays the stop until the display is gone, and then stops the
//! process in the way that would have happened without it. After `fg` it
//! continues behind that.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::getpgrp;
use rustix::stdio::stderr;
use rustix::termios::tcgetpgrp;
use signal_hook::consts::SIGTSTP;
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::ignored::ignored;
use super::suspension::Suspension;

/// Installs the handler, unless the shell has no job control.
pub(super) fn take(report: impl Fn(Suspension) -> bool + Send + 'static) -> io::Result<()> {
    // A shell without job control starts programs that cannot be stopped.
    if ignored().contains(&SIGTSTP) {
        return Ok(());
    }
    // A thread of its own takes the signal: the handler of the crate only
    // writes to a pipe that this thread reads.
    let mut signals = Signals::new([SIGTSTP])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            let (done, tidied) = mpsc::sync_channel(1);
            // A program that is stuck in a write is stopped all the same.
            if report(Suspension::Suspended(done)) {
                let _ = tidied.recv_timeout(TIDYING);
            }
            // It stops the whole process, and returns when that is continued.
            let _ = emulate_default_handler(signal);
            report(Suspension::Resumed);
        }
    });
    Ok(())
}

/// Returns whether the terminal of standard error is that of this job. It
/// belongs to the shell after `bg`.
///
/// Without a terminal it is true: nothing else can be in the foreground there.
pub(super) fn is_in_foreground() -> bool {
    // The display is on standard error, so the terminal of that stream decides.
    tcgetpgrp(stderr()).map_or(true, |group| group == getpgrp())
}

/// How long a stop waits until the screen is tidy. A display may be stuck in a
/// write to a terminal that was stopped by Ctrl-S.
const TIDYING: Duration = Duration::from_millis(500);
