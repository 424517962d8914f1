//! What threads that wait on a socket or for time need to end early.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::util::sync::{lock, recover};

/// Tells the threads of a server to end. Once set, it stays set.
#[derive(Debug, Default)]
pub(super) struct ShutdownSignal {
    flag: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl ShutdownSignal {
    /// Returns whether the server shuts down.
    pub(super) fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    /// Sets the signal and wakes the threads that wait.
    pub(super) fn set(&self) {
        // Without the lock, a thread could miss the notification between its
        // look at the flag and its wait.
        let _lock = lock(&self.lock);
        self.flag.store(true, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Waits for `duration`, or until the signal is set; returns whether it is.
    pub(super) fn wait(&self, duration: Duration) -> bool {
        let waiting = self.changed.wait_timeout_while(lock(&self.lock), duration, |()| !self.is_set());
        drop(recover(waiting));
        self.is_set()
    }
}

/// Returns whether the client has closed its end. Bytes that the client has
/// sent stay in the socket.
pub(super) fn has_left(stream: &TcpStream) -> io::Result<bool> {
    // One thread serves the connection, so nothing else sees the socket in this
    // mode.
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(match peeked {
        Ok(count) => count == 0,
        // No bytes and no error means that the client is there and waits.
        Err(error) => !is_timeout(&error),
    })
}

/// Returns whether a read ended without bytes because its timeout has passed.
/// The kind differs between platforms; a signal may end a read too.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
