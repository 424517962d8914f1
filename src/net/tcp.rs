//! TCP that keeps deadlines to the millisecond.
//!
//! `SO_RCVTIMEO` alone does not: Linux counts it in ticks of up to 10 ms and
//! rounds up by an eighth, so that 10 s may take 10.2 s.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::connection::{Connection, IoLimit};
use super::error::ConnectionError;
use super::sockets::{Seat, Sockets};

/// A connection without TLS.
#[derive(Debug)]
pub(super) struct TcpConnection {
    seat: Seat,
    reading: SocketTimeout,
    writing: SocketTimeout,
}

impl TcpConnection {
    /// Connects to the first of the addresses that accepts, within `limit`.
    pub(super) fn open(
        addresses: &[SocketAddr],
        sockets: &Sockets,
        limit: IoLimit<'_>,
    ) -> Result<Self, ConnectionError> {
        let stream = connect(addresses, limit)?;
        // Each request is written at once, and Nagle's algorithm would only hold back
        // the end of a long one.
        stream.set_nodelay(true).map_err(ConnectionError::Io)?;
        let reading = SocketTimeout { set: TcpStream::set_read_timeout, now: None };
        let writing = SocketTimeout { set: TcpStream::set_write_timeout, now: None };
        Ok(Self { seat: sockets.add(stream), reading, writing })
    }
}

impl Connection for TcpConnection {
    fn read(&mut self, into: &mut [u8], limit: IoLimit<'_>) -> Result<usize, ConnectionError> {
        let reading = &mut self.reading;
        let read = self.seat.with(|stream| reading.until(limit, stream, |mut stream| stream.read(into)));
        read.unwrap_or_else(inherited)
    }

    fn write(&mut self, bytes: &[u8], limit: IoLimit<'_>) -> Result<(), ConnectionError> {
        let (mut rest, writing) = (bytes, &mut self.writing);
        let written = self.seat.with(|stream| {
            // Not `write_all`: the deadline is for all of the bytes, and a slow peer could
            // extend a timeout that starts with each part.
            while !rest.is_empty() {
                let written = writing.until(limit, stream, |mut stream| stream.write(rest))?;
                rest = rest.get(written..).unwrap_or_default();
            }
            Ok(())
        });
        written.unwrap_or_else(inherited)
    }

    fn is_silent(&mut self) -> bool {
        self.seat.with(|stream| is_silent(stream).unwrap_or(false)).unwrap_or(false)
    }

    fn is_tls(&self) -> bool {
        false
    }
}

fn is_silent(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    // Silence is `WouldBlock`. Data or an end on an idle connection mean that it
    // must not be reused for a request.
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock))
}

/// Returns the error for using a connection of the parent in a forked child.
fn inherited<T>() -> Result<T, ConnectionError> {
    Err(ConnectionError::Io(io::ErrorKind::NotConnected.into()))
}

/// Tries each address with half of the remaining time, and the last with all of
/// it.
fn connect(addresses: &[SocketAddr], limit: IoLimit<'_>) -> Result<TcpStream, ConnectionError> {
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (index, address) in addresses.iter().enumerate() {
        let remaining = limit.remaining()?;
        let is_last = index + 1 == addresses.len();
        // A host with a dead first address must not use up the whole deadline; the last
        // address has nothing to leave for.
        let timeout = if is_last { remaining } else { remaining / 2 + TICK };
        match TcpStream::connect_timeout(address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    limit.remaining()?;
    Err(ConnectionError::Io(failure))
}

/// One of the two timeouts of a socket.
#[derive(Debug)]
struct SocketTimeout {
    set: fn(&TcpStream, Option<Duration>) -> io::Result<()>,
    now: Option<Duration>,
}

impl SocketTimeout {
    /// Repeats `attempt` until it returns more than "not yet", or `limit` ends
    /// it.
    fn until<T>(
        &mut self,
        limit: IoLimit<'_>,
        stream: &TcpStream,
        mut attempt: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> Result<T, ConnectionError> {
        loop {
            let remaining = limit.remaining()?;
            // Far from the deadline the system waits, in slices; near it, its clock is too
            // coarse and this loop polls.
            let longest = if limit.stop.is_some() { LONGEST_DEAF } else { Duration::MAX };
            let left = remaining.min(longest);
            let is_coarse = left > COARSE;
            let outcome = if is_coarse {
                self.set_to(slice(left), stream).and_then(|()| attempt(stream))
            } else {
                without_blocking(stream, &mut attempt)
            };
            match outcome {
                // The slice is over, the deadline is not: the loop computes the next slice.
                Err(error) if is_not_yet(&error) && is_coarse => {}
                Err(error) if is_not_yet(&error) => thread::sleep(TICK.min(left)),
                outcome => return outcome.map_err(ConnectionError::Io),
            }
        }
    }

    fn set_to(&mut self, wanted: Duration, stream: &TcpStream) -> io::Result<()> {
        // Setting the timeout is a system call, and slices are mostly equal from read
        // to read.
        if self.now == Some(wanted) {
            return Ok(());
        }
        match (self.set)(stream, Some(wanted)) {
            Ok(()) => self.now = Some(wanted),
            // macOS refuses when the peer has closed; what it sent before can still be read.
            Err(error) if cfg!(target_os = "macos") && error.kind() == io::ErrorKind::InvalidInput => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn without_blocking<T>(
    stream: &TcpStream,
    attempt: &mut impl FnMut(&TcpStream) -> io::Result<T>,
) -> io::Result<T> {
    stream.set_nonblocking(true)?;
    let outcome = attempt(stream);
    stream.set_nonblocking(false)?;
    outcome
}

/// Returns the largest power of two, in nanoseconds, within half of the
/// remaining time: far enough from the end for the rounding of any system, and
/// mostly the same from call to call, which saves setting it.
fn slice(left: Duration) -> Duration {
    let half = u64::try_from(left.as_nanos() / 2).unwrap_or(u64::MAX).max(1);
    Duration::from_nanos(1 << half.ilog2())
}

fn is_not_yet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// Up to here from the end the system may do the waiting, however coarse its
/// clock.
const COARSE: Duration = Duration::from_millis(50);

/// A socket with a stop token waits for at most half of this, which is a power
/// of two, before it looks at it again.
const LONGEST_DEAF: Duration = Duration::from_nanos(1 << 26);

/// How often a socket is polled after that.
const TICK: Duration = Duration::from_micros(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_leave_room_for_rounding() {
        let rows = [
            ("a second", Duration::from_secs(1), Duration::from_nanos(1 << 28)),
            ("ten seconds", Duration::from_secs(10), Duration::from_nanos(1 << 32)),
            ("a little less", Duration::from_millis(9_900), Duration::from_nanos(1 << 32)),
            ("a nanosecond", Duration::from_nanos(1), Duration::from_nanos(1)),
            ("for ever", Duration::MAX, Duration::from_nanos(1 << 63)),
        ];
        for (name, left, expected) in rows {
            assert_eq!(slice(left), expected, "{name}");
        }
    }
}
