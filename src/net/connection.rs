//! An open connection, and how long its reads and writes may take.
//!
//! [`Connection`] is the seam between the layers: TCP, a tunnel, plain HTTP and
//! TLS implement it, HTTP/1.1 and HTTP/2 use it. It is blocking, and every read
//! and write has its own [`IoLimit`], because one connection serves requests
//! with different deadlines.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use crate::util::stop::StopToken;

use super::error::ConnectionError;

/// Limits a blocking operation by a deadline, and by a stop token if there is
/// one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IoLimit<'a> {
    /// By the machine's clock.
    pub(crate) deadline: Instant,
    /// Stops the operation within 50 ms.
    pub(crate) stop: Option<&'a StopToken>,
}

impl<'a> IoLimit<'a> {
    /// Creates a limit for one exchange or one step of it.
    pub(crate) fn new(deadline: Instant, stop: Option<&'a StopToken>) -> Self {
        Self { deadline, stop }
    }

    /// Returns the remaining time, which is more than zero.
    ///
    /// # Errors
    ///
    /// `Stopped` if the token is stopped, else `Timeout` if no time remains.
    pub(crate) fn remaining(&self) -> Result<Duration, ConnectionError> {
        if self.is_stopped() {
            return Err(ConnectionError::Stopped);
        }
        match self.deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(ConnectionError::Timeout),
            remaining => Ok(remaining),
        }
    }

    /// Returns whether the token is stopped; false without a token.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_some_and(StopToken::is_stopped)
    }
}

/// An open connection to a server, or to a proxy on the way to it.
///
/// Dropping it closes it, without a word to the peer. After an error it must
/// not be used again.
pub(crate) trait Connection: Send + Sync {
    /// Reads the bytes that have arrived, or waits for the first within
    /// `limit`. Returns their number, which is zero at the end.
    fn read(&mut self, into: &mut [u8], limit: IoLimit<'_>) -> Result<usize, ConnectionError>;

    /// Writes all of `bytes` within `limit`. After an error, any number of them
    /// may have been sent.
    fn write(&mut self, bytes: &[u8], limit: IoLimit<'_>) -> Result<(), ConnectionError>;

    /// Returns whether there is nothing to read, not even the end. Does not
    /// block.
    ///
    /// An idle connection is silent. Bytes, an end or an error mean that it
    /// must not be reused.
    fn is_silent(&mut self) -> bool;

    /// Returns whether the peer is authenticated and the bytes are encrypted.
    fn is_tls(&self) -> bool;
}

/// Prints nothing of what goes over the wire.
impl fmt::Debug for dyn Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_tls() { "Connection(TLS)" } else { "Connection(TCP)" })
    }
}

/// A connection with a limit, for code that reads and writes through the traits
/// of `std::io`, such as rustls.
pub(super) struct Limited<'c, 'l> {
    pub(super) connection: &'c mut dyn Connection,
    pub(super) limit: IoLimit<'l>,
}

impl io::Read for Limited<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.connection.read(into, self.limit).map_err(ConnectionError::into_io)
    }
}

impl io::Write for Limited<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.connection.write(bytes, self.limit).map_err(ConnectionError::into_io)?;
        // `Connection::write` takes all or fails.
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
