//! An open connection, and how long its reads and writes may take.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use crate::stop::StopToken;

use super::error::ConnectionError;
use super::tcp::TcpConnection;
use super::tls::TlsConnection;

/// What ends a blocking operation: its deadline, and a stop token if there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IoLimit<'a> {
    pub(crate) deadline: Instant,
    pub(crate) stop: Option<&'a StopToken>,
}

impl<'a> IoLimit<'a> {
    pub(crate) fn new(deadline: Instant, stop: Option<&'a StopToken>) -> Self {
        Self { deadline, stop }
    }

    /// The remaining time, which is more than zero.
    pub(crate) fn remaining(&self) -> Result<Duration, ConnectionError> {
        if self.is_stopped() {
            return Err(ConnectionError::Stopped);
        }
        match self.deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(ConnectionError::Timeout),
            remaining => Ok(remaining),
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_some_and(StopToken::is_stopped)
    }
}

/// A connection to a server, or to a proxy on the way to it.
pub(crate) enum Connection {
    Tcp(TcpConnection),
    Tls(Box<TlsConnection>),
}

impl Connection {
    /// Reads what has come, or what comes first within `limit`; returns its length, which is zero at the end.
    pub(crate) fn read(&mut self, into: &mut [u8], limit: IoLimit<'_>) -> Result<usize, ConnectionError> {
        match self {
            Self::Tcp(tcp) => tcp.read(into, limit),
            Self::Tls(tls) => tls.read(into, limit),
        }
    }

    /// Writes all of `bytes` within `limit`.
    pub(crate) fn write(&mut self, bytes: &[u8], limit: IoLimit<'_>) -> Result<(), ConnectionError> {
        match self {
            Self::Tcp(tcp) => tcp.write(bytes, limit),
            Self::Tls(tls) => tls.write(bytes, limit),
        }
    }

    /// Whether nothing is there to be read, not even the end. Does not block.
    pub(crate) fn is_silent(&mut self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.is_silent(),
            Self::Tls(tls) => tls.is_silent(),
        }
    }

    /// Whether the peer is authenticated and the bytes are encrypted.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

/// Shows nothing of what goes over the wire.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_tls() { "Connection(TLS)" } else { "Connection(TCP)" })
    }
}

/// A connection with a limit, for code that reads and writes by the traits of `std::io`.
pub(super) struct Limited<'c, 'l> {
    pub(super) connection: &'c mut Connection,
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
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
