//! TCP that keeps a budget to the millisecond.
//!
//! ureq's own sockets leave the time to `SO_RCVTIMEO`, which Linux counts in ticks of up to 10 ms and rounds up by
//! an eighth: 10 s may take 10.2 s. They also give every address 10 ms at least, and every piece of a slow
//! upload the whole budget.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Timeout;
use ureq::config::Config;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use crate::stop::StopToken;

use crate::http::ureq::buffers::LazyPages;
use crate::http::ureq::stops::{Stops, stopped};
use crate::net::sockets::{Seat, Sockets};

/// A connection without TLS.
#[derive(Debug)]
pub(crate) struct Socket {
    seat: Seat,
    buffers: LazyPages,
    reading: Patience,
    writing: Patience,
    stops: Stops,
}

impl Socket {
    /// Connects to the first of the addresses that answers, within `timeout`.
    pub(crate) fn open(
        addresses: &[SocketAddr],
        timeout: NextTimeout,
        config: &Config,
        stops: &Stops,
        sockets: &Sockets,
    ) -> Result<Self, ureq::Error> {
        let stream = reach(addresses, Deadline::of(timeout))?;
        stream.set_nodelay(true)?;
        let reading = Patience { set: TcpStream::set_read_timeout, now: None };
        let writing = Patience { set: TcpStream::set_write_timeout, now: None };
        let (seat, buffers) = (sockets.add(stream), LazyPages::new(config));
        Ok(Self { seat, buffers, reading, writing, stops: stops.clone() })
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let deadline = Deadline::of(timeout);
        let mut rest = self.buffers.output().get(..amount).unwrap_or_default();
        let writing = &mut self.writing;
        let written = self.seat.with(|stream| {
            while !rest.is_empty() {
                let written = writing.until(deadline, None, stream, |mut stream| stream.write(rest))?;
                rest = rest.get(written..).unwrap_or_default();
            }
            Ok(())
        });
        written.unwrap_or_else(closed)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let (deadline, stop) = (Deadline::of(timeout), self.stops.heeded());
        let space = self.buffers.input_append_buf();
        let reading = &mut self.reading;
        let read = self
            .seat
            .with(|stream| reading.until(deadline, stop, stream, |mut stream| stream.read(space)))
            .unwrap_or_else(closed)?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    /// A kept connection is silent; bytes, an end or an error mean that it is of no use any more.
    fn is_open(&mut self) -> bool {
        self.seat.with(|stream| is_silent(stream).unwrap_or(false)).unwrap_or(false)
    }
}

fn is_silent(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock))
}

/// What a connection of the parent's is in a child.
fn closed<T>() -> Result<T, ureq::Error> {
    Err(io::Error::from(io::ErrorKind::NotConnected).into())
}

/// Tries each address with half of the time left, and the last with all of it.
fn reach(addresses: &[SocketAddr], deadline: Deadline) -> Result<TcpStream, ureq::Error> {
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.left()?;
        let is_last = index + 1 == addresses.len();
        match TcpStream::connect_timeout(address, if is_last { left } else { left / 2 + TICK }) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    deadline.left()?;
    Err(failure.into())
}

/// One of the two timeouts of a socket.
#[derive(Debug)]
struct Patience {
    set: fn(&TcpStream, Option<Duration>) -> io::Result<()>,
    now: Option<Duration>,
}

impl Patience {
    /// Repeats `attempt` until it gives more than "not yet", or `stop` is stopped.
    fn until<T>(
        &mut self,
        deadline: Deadline,
        stop: Option<StopToken>,
        stream: &TcpStream,
        mut attempt: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> Result<T, ureq::Error> {
        loop {
            if stop.as_ref().is_some_and(StopToken::is_stopped) {
                return Err(stopped());
            }
            let left = deadline.left()?.min(if stop.is_some() { LONGEST_DEAF } else { Duration::MAX });
            let is_coarse = left > COARSE;
            let outcome = if is_coarse {
                self.set_to(slice(left), stream)?;
                attempt(stream)
            } else {
                stream.set_nonblocking(true)?;
                let outcome = attempt(stream);
                stream.set_nonblocking(false)?;
                outcome
            };
            match outcome {
                Err(error) if is_not_yet(&error) && is_coarse => {}
                Err(error) if is_not_yet(&error) => thread::sleep(TICK.min(left)),
                other => return Ok(other?),
            }
        }
    }

    fn set_to(&mut self, wanted: Duration, stream: &TcpStream) -> io::Result<()> {
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

/// The largest power of two, in nanoseconds, within half of what is left: far enough from the end for the
/// rounding of any system, and mostly the same from call to call, which saves setting it.
fn slice(left: Duration) -> Duration {
    let half = u64::try_from(left.as_nanos() / 2).unwrap_or(u64::MAX).max(1);
    Duration::from_nanos(1 << half.ilog2())
}

fn is_not_yet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// When a phase must have ended, and whose budget that is.
#[derive(Clone, Copy)]
struct Deadline {
    until: Option<Instant>,
    reason: Timeout,
}

impl Deadline {
    fn of(timeout: NextTimeout) -> Self {
        Self { until: Instant::now().checked_add(*timeout.after), reason: timeout.reason }
    }

    /// More than nothing, or the error that says the time is over.
    fn left(&self) -> Result<Duration, ureq::Error> {
        let left = self.until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
        match left.is_zero() {
            true => Err(ureq::Error::Timeout(self.reason)),
            false => Ok(left),
        }
    }
}

/// Up to here from the end the system may do the waiting, however coarse its clock.
const COARSE: Duration = Duration::from_millis(50);

/// A socket that heeds a token waits for at most half of this, which is a power of two, before it looks at it again.
const LONGEST_DEAF: Duration = Duration::from_nanos(1 << 26);

/// How often it is looked for input after that.
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
