//! SIGHUP, SIGINT and SIGTERM, each with its status: 128 and the number of the
//! signal, as shells report a program that a signal has ended.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::exit::Exit;

use super::ignored::ignored;

/// The signals, and the exit status of each.
const TAKEN: [(i32, Exit); 3] =
    [(SIGHUP, Exit::HungUp), (SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)];

/// Installs the handlers of those that are not ignored.
pub(super) fn take(stop: impl Fn(Exit) + Send + 'static) -> io::Result<()> {
    let ignored = ignored();
    // A handler for an ignored signal would take it from `nohup`.
    let taken: Vec<_> = TAKEN.into_iter().filter(|(signal, _)| !ignored.contains(signal)).collect();
    let stopping = Arc::new(AtomicBool::new(false));
    for (signal, exit) in &taken {
        // In this order: the second signal finds what the first one has set. Both are
        // done by the handler itself, so that the second one ends the program
        // whatever its threads are stuck in.
        flag::register_conditional_shutdown(*signal, *exit as i32, Arc::clone(&stopping))?;
        flag::register(*signal, Arc::clone(&stopping))?;
    }
    // Only the first signal is read here. The handlers above end the program at
    // the second.
    let mut signals = Signals::new(taken.iter().map(|(signal, _)| signal))?;
    thread::spawn(move || {
        let first = signals.forever().next();
        let exit = taken.iter().find(|(signal, _)| Some(*signal) == first).map(|(_, exit)| *exit);
        if let Some(exit) = exit {
            stop(exit);
        }
    });
    Ok(())
}
