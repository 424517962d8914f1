//! TCP with deadlines that hold to the millisecond.
//!
//! `SO_RCVTIMEO` alone does not hold them: Linux counts it in ticks of up to 10
//! ms and rounds up by an eighth, so that 10 s may take 10.2 s. So the socket
//! waits in slices, each a part of the remaining time, and polls during the
//! last 50 ms:
//!
//! ```text
//! remaining 10 s     wait 4.3 s, then 2.1 s, …    by SO_RCVTIMEO
//! remaining 50 ms    look every 0.25 ms           without blocking
//! ```
//!
//! A stop token is checked between the slices, which are then at most 34 ms
//! long.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::connection::{Connection, IoLimit};
use super::error::ConnectionError;
use super::sockets::{ListedSocket, Sockets};

/// A TCP connection, the lowest layer of every other one.
#[derive(Debug)]
pub(super) struct TcpConnection {
    /// The socket, which a forked child can close.
    socket: ListedSocket,
    /// `SO_RCVTIMEO`.
    reading: SocketTimeout,
    /// `SO_SNDTIMEO`.
    writing: SocketTimeout,
}

impl TcpConnection {
    /// Connects to the first of the addresses that accepts, within `limit`.
    ///
    /// # Errors
    ///
    /// `Io` with the error of the last address, or `Timeout` or `Stopped`.
    pub(super) fn open(
        addresses: &[SocketAddr],
        sockets: &Sockets,
        limit: IoLimit<'_>,
    ) -> Result<Self, ConnectionError> {
        let stream = connect(addresses, limit)?;
        // Each request is written as a whole. Nagle's algorithm would only hold
        // back the end of a long one.
        stream.set_nodelay(true).map_err(ConnectionError::Io)?;
        let reading = SocketTimeout { set: TcpStream::set_read_timeout, now: None };
        let writing = SocketTimeout { set: TcpStream::set_write_timeout, now: None };
        Ok(Self { socket: sockets.add(stream), reading, writing })
    }
}

/// Every method takes the socket out of its place for the time of the call; see
/// [`ListedSocket::with`].
impl Connection for TcpConnection {
    fn read(&mut self, into: &mut [u8], limit: IoLimit<'_>) -> Result<usize, ConnectionError> {
        let reading = &mut self.reading;
        let read = self.socket.with(|stream| reading.until(limit, stream, |mut stream| stream.read(into)));
        read.unwrap_or_else(inherited)
    }

    /// Writes all of `bytes`. A peer that does not read is a timeout at the
    /// deadline, with any part of them sent.
    fn write(&mut self, bytes: &[u8], limit: IoLimit<'_>) -> Result<(), ConnectionError> {
        let (mut rest, writing) = (bytes, &mut self.writing);
        let written = self.socket.with(|stream| {
            // Not `write_all`: the deadline is for all of the bytes, and a slow
            // peer could extend a timeout that starts again with each part.
            while !rest.is_empty() {
                let written = writing.until(limit, stream, |mut stream| stream.write(rest))?;
                rest = rest.get(written..).unwrap_or_default();
            }
            Ok(())
        });
        written.unwrap_or_else(inherited)
    }

    /// Returns false if the socket was taken away, or cannot be examined.
    fn is_silent(&mut self) -> bool {
        self.socket.with(|stream| is_silent(stream).unwrap_or(false)).unwrap_or(false)
    }

    fn is_tls(&self) -> bool {
        false
    }
}

/// Returns whether there is nothing to read, not even the end.
fn is_silent(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    // `WouldBlock` means silence. Data or an end on an idle connection mean
    // that it must not be reused for a request.
    let peeked = stream.peek(&mut [0]);
    // Reset before the result is examined, so that no path leaves the socket in
    // this mode.
    stream.set_nonblocking(false)?;
    Ok(peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock))
}

/// Returns the error for using a connection of the parent in a forked child.
/// The pools of a child are empty, so this happens only to a connection that
/// was in use at the fork.
fn inherited<T>() -> Result<T, ConnectionError> {
    Err(ConnectionError::Io(io::ErrorKind::NotConnected.into()))
}

/// Tries one address after the other: each with half of the remaining time, the
/// last with all of it.
///
/// A stop token does not interrupt a connect, because the standard library
/// cannot.
fn connect(addresses: &[SocketAddr], limit: IoLimit<'_>) -> Result<TcpStream, ConnectionError> {
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut untried = addresses.iter();
    while let Some(address) = untried.next() {
        // Also ends the loop between two addresses if the token was stopped.
        let remaining = limit.remaining()?;
        match TcpStream::connect_timeout(address, connect_timeout(remaining, untried.len())) {
            Ok(stream) => return Ok(stream),
            // The last error is returned. The first address is mostly IPv6,
            // whose error says little if the machine has only IPv4.
            Err(error) => failure = error,
        }
    }
    // If the time is over, that is the error, and not the one of the address.
    limit.remaining()?;
    Err(ConnectionError::Io(failure))
}

/// Returns how long to try an address, if `untried` others follow.
fn connect_timeout(remaining: Duration, untried: usize) -> Duration {
    match untried {
        0 => remaining,
        // A host whose first address is dead must not use up the whole
        // deadline.
        _ => remaining / 2 + TICK,
    }
}

/// One of the two timeouts of a socket, and its present value.
#[derive(Debug)]
struct SocketTimeout {
    /// Sets it on the socket.
    set: fn(&TcpStream, Option<Duration>) -> io::Result<()>,
    /// What was set last; `None` before the first time, when it is infinite.
    now: Option<Duration>,
}

impl SocketTimeout {
    /// Repeats `attempt` until it returns anything but "not yet", or `limit`
    /// ends it.
    fn until<T>(
        &mut self,
        limit: IoLimit<'_>,
        stream: &TcpStream,
        mut attempt: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> Result<T, ConnectionError> {
        loop {
            let remaining = limit.remaining()?;
            // Far from the deadline the system waits, in slices. Near it, the
            // clock of the system is too coarse, and this loop polls.
            let outcome = match slice(remaining, limit.stop.is_some()) {
                Some(slice) => self.set_to(slice, stream).and_then(|()| attempt(stream)),
                None => poll(stream, TICK.min(remaining), &mut attempt),
            };
            match outcome {
                // The slice is over and the deadline is not: the loop computes
                // the next slice.
                Err(error) if is_not_yet(&error) => {}
                outcome => return outcome.map_err(ConnectionError::Io),
            }
        }
    }

    /// Sets the timeout of the socket, if it differs.
    fn set_to(&mut self, wanted: Duration, stream: &TcpStream) -> io::Result<()> {
        // Each change is a system call, and slices are mostly equal from read
        // to read.
        if self.now == Some(wanted) {
            return Ok(());
        }
        match (self.set)(stream, Some(wanted)) {
            Ok(()) => {
                self.now = Some(wanted);
                Ok(())
            }
            Err(error) => not_set(error, cfg!(target_os = "macos")),
        }
    }
}

/// Returns what it means that a timeout could not be set.
///
/// macOS refuses to set it if the peer has closed. That is no failure, because
/// what the peer sent before can still be read.
fn not_set(error: io::Error, is_macos: bool) -> io::Result<()> {
    if is_macos && error.kind() == io::ErrorKind::InvalidInput { Ok(()) } else { Err(error) }
}

/// Makes one attempt in non-blocking mode, and sleeps for `pause` if it is too
/// early.
fn poll<T>(
    stream: &TcpStream,
    pause: Duration,
    attempt: &mut impl FnMut(&TcpStream) -> io::Result<T>,
) -> io::Result<T> {
    stream.set_nonblocking(true)?;
    let outcome = attempt(stream);
    // The mode belongs to the socket and not to the call, so it is reset even
    // if the attempt fails.
    stream.set_nonblocking(false)?;
    if outcome.as_ref().is_err_and(is_not_yet) {
        thread::sleep(pause);
    }
    outcome
}

/// Returns how long the system may wait before the loop looks at the limit
/// again; `None` if so little time remains that the socket is polled.
///
/// It is the largest power of two, in nanoseconds, within half of `remaining`.
/// Half is far enough from the end for the rounding of any system. A power of
/// two is mostly the same from call to call, which saves setting it.
///
/// ```text
/// 10 s     4.295 s     34 ms with a stop token
/// 1 s      268 ms      34 ms
/// 60 ms    16.8 ms     16.8 ms
/// 50 ms    None        None
/// ```
fn slice(remaining: Duration, has_stop: bool) -> Option<Duration> {
    if remaining <= COARSE {
        return None;
    }
    let longest = if has_stop { STOP_CHECK } else { Duration::MAX };
    let half = u64::try_from(remaining.min(longest).as_nanos() / 2).unwrap_or(u64::MAX);
    Some(Duration::from_nanos(1 << half.ilog2()))
}

/// Returns whether an error means that the timeout has passed or the call was
/// interrupted, rather than that the connection failed.
fn is_not_yet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// How long before the deadline polling begins. Earlier, the system waits,
/// however coarse its clock.
const COARSE: Duration = Duration::from_millis(50);

/// A socket with a stop token waits for at most half of this before it checks
/// the token: 34 ms. It is a power of two, as slices are.
const STOP_CHECK: Duration = Duration::from_nanos(1 << 26);

/// How often a socket is polled just before the deadline.
const TICK: Duration = Duration::from_micros(250);

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;

    #[test]
    fn slices_leave_room_for_rounding() {
        let nanos = |power: u32| Some(Duration::from_nanos(1 << power));
        let rows = [
            ("a second", Duration::from_secs(1), nanos(28), nanos(25)),
            ("ten seconds", Duration::from_secs(10), nanos(32), nanos(25)),
            ("a little less", Duration::from_millis(9_900), nanos(32), nanos(25)),
            ("for ever", Duration::MAX, nanos(63), nanos(25)),
            ("the shortest", COARSE + Duration::from_nanos(1), nanos(24), nanos(24)),
            ("near the deadline", COARSE, None, None),
            ("a nanosecond", Duration::from_nanos(1), None, None),
        ];
        for (name, remaining, without_stop, with_stop) in rows {
            assert_eq!(slice(remaining, false), without_stop, "{name}");
            assert_eq!(slice(remaining, true), with_stop, "{name}");
        }
    }

    #[test]
    fn last_address_has_all_of_the_time() {
        let remaining = Duration::from_secs(10);
        assert_eq!(connect_timeout(remaining, 0), remaining);
        for untried in [1, 2] {
            assert_eq!(connect_timeout(remaining, untried), Duration::from_secs(5) + TICK);
        }
        assert!(connect_timeout(Duration::from_nanos(1), 1) > Duration::ZERO, "zero is an error");
    }

    #[test]
    fn timeouts_may_be_refused_on_macos_only() {
        use io::ErrorKind::{InvalidInput, NotConnected};
        let rows = [
            (InvalidInput, true, None),
            (InvalidInput, false, Some(InvalidInput)),
            (NotConnected, true, Some(NotConnected)),
            (NotConnected, false, Some(NotConnected)),
        ];
        for (kind, is_macos, failure) in rows {
            let failed = not_set(kind.into(), is_macos).err();
            assert_eq!(failed.map(|error| error.kind()), failure, "{kind}, {is_macos}");
        }
    }

    #[test]
    fn only_errors_that_mean_later_are_tried_again() {
        use io::ErrorKind::{ConnectionReset, Interrupted, TimedOut, WouldBlock};
        let (stream, _peer) = connected();
        let limit = IoLimit::new(Instant::now() + Duration::from_secs(3600), None);
        for (kind, attempts) in [(WouldBlock, 2), (Interrupted, 2), (TimedOut, 2), (ConnectionReset, 1)] {
            let mut timeout = SocketTimeout { set: TcpStream::set_read_timeout, now: None };
            let mut made = 0;
            let done = timeout.until(limit, &stream, |_| {
                made += 1;
                if made == 1 { Err(io::Error::from(kind)) } else { Ok(()) }
            });
            assert_eq!((made, done.is_ok()), (attempts, attempts == 2), "{kind}: {done:?}");
        }
    }

    #[test]
    fn polled_socket_does_not_block() {
        let (stream, mut peer) = connected();
        let read = || poll(&stream, Duration::ZERO, &mut |mut stream| stream.read(&mut [0]));
        assert_eq!(read().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        peer.write_all(b"x").unwrap();
        // The mode is reset, so this waits for the byte.
        assert_eq!((&stream).read(&mut [0]).unwrap(), 1);
    }

    #[test]
    fn tcp_alone_is_not_secured() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let limit = IoLimit::new(Instant::now() + Duration::from_secs(3600), None);
        let address = listener.local_addr().unwrap();
        assert!(!TcpConnection::open(&[address], &Sockets::default(), limit).unwrap().is_tls());
    }

    /// Returns both ends of a connection.
    fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (stream, listener.accept().unwrap().0)
    }
}
