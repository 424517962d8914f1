//! SIGTSTP, which Ctrl-Z sends, and the job control of a shell.

use std::io;
use std::thread;

use rustix::process::getpgrp;
use rustix::stdio::stderr;
use rustix::termios::tcgetpgrp;
use signal_hook::consts::SIGTSTP;
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::ignored::ignored;

pub(super) fn take(before: impl Fn() + Send + 'static, after: impl Fn() + Send + 'static) -> io::Result<()> {
    // A shell without job control starts programs that cannot be stopped.
    if ignored().contains(&SIGTSTP) {
        return Ok(());
    }
    let mut signals = Signals::new([SIGTSTP])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            before();
            // It stops the whole process, and returns when that is continued.
            let _ = emulate_default_handler(signal);
            after();
        }
    });
    Ok(())
}

/// Whether the terminal of standard error is that of this job. It belongs to the shell after `bg`.
pub(super) fn is_in_foreground() -> bool {
    tcgetpgrp(stderr()).map_or(true, |group| group == getpgrp())
}
