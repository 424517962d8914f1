//! Ctrl-C, Ctrl-Break and the end of the console, which Windows does not tell
//! apart here. All of them have the status of SIGINT.

use std::io;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Exit;

/// Installs the handler. Windows calls it on a thread of its own, so `stop`
/// runs there.
pub(super) fn take(stop: impl Fn(Exit) + Send + 'static) -> io::Result<()> {
    let stopping = AtomicBool::new(false);
    let handler = move || {
        // The second one: the thread of the first may be stuck.
        if stopping.swap(true, Ordering::Relaxed) {
            process::exit(Exit::Interrupted as i32);
        }
        stop(Exit::Interrupted);
    };
    ctrlc::set_handler(handler).map_err(io::Error::other)
}
