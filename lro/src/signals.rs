//! Ctrl-C, SIGTERM and SIGHUP; on Windows Ctrl-C, Ctrl-Break and the end of the console.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Exit;
use crate::failure::Failure;

/// Runs `stop` at the first signal, on a thread of its own; the second one ends the program at once.
pub(crate) fn on_stop(stop: impl Fn() + Send + 'static) -> Result<(), Failure> {
    let stopping = AtomicBool::new(false);
    let handler = move || {
        if stopping.swap(true, Ordering::Relaxed) {
            process::exit(Exit::Interrupted as i32);
        }
        stop();
    };
    ctrlc::set_handler(handler).map_err(|error| Failure::usage(format!("cannot wait for signals: {error}")))
}
