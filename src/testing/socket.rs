//! Helpers of threads that wait on a socket.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::util::sync::{lock, recover};

/// Makes all threads of a server end.
#[derive(Debug, Default)]
pub(super) struct ShutdownSignal {
    flag: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl ShutdownSignal {
    pub(super) fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    pub(super) fn set(&self) {
        let _lock = lock(&self.lock);
        self.flag.store(true, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Waits that long, or until it is set; says whether it is.
    pub(super) fn wait(&self, duration: Duration) -> bool {
        let waiting = self.changed.wait_timeout_while(lock(&self.lock), duration, |()| !self.is_set());
        drop(recover(waiting));
        self.is_set()
    }
}

/// Returns whether the client has closed its end.
pub(super) fn has_left(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(match peeked {
        Ok(count) => count == 0,
        Err(error) => !is_timeout(&error),
    })
}

/// Returns whether a read ended without bytes because its time was over.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
