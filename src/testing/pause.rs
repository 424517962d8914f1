//! How time passes before and in a response.

use std::io;
use std::time::{Duration, Instant};

use super::clock::VirtualClock;
use super::socket::ShutdownSignal;

/// Why no (more of the) response can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExchangeEnd {
    /// The client's attempt has timed out.
    Deadline,
    /// The client has closed the connection, or the server shuts down.
    Peer,
}

impl From<io::Error> for ExchangeEnd {
    fn from(_: io::Error) -> Self {
        Self::Peer
    }
}

/// The pauses of one exchange.
#[derive(Debug)]
pub(super) struct AttemptPause<'a> {
    clock: &'a VirtualClock,
    shutdown: &'a ShutdownSignal,
    /// The remaining time of the client's attempt, if the client runs on the
    /// server's clock.
    budget: Option<Duration>,
}

impl<'a> AttemptPause<'a> {
    pub(super) fn new(clock: &'a VirtualClock, shutdown: &'a ShutdownSignal) -> Self {
        Self { clock, shutdown, budget: clock.budget() }
    }

    /// Lets time pass: on the clock if the client runs on it too or need not
    /// notice, else in real time, in naps that `nap` takes; it fails when
    /// the client has closed the connection.
    pub(super) fn pause(
        &mut self,
        duration: Duration,
        nap: impl FnMut(Duration) -> Result<(), ExchangeEnd>,
    ) -> Result<(), ExchangeEnd> {
        match self.budget {
            _ if duration.is_zero() => Ok(()),
            Some(left) if self.clock.is_virtual() && duration >= left => {
                self.clock.advance(left);
                Err(ExchangeEnd::Deadline)
            }
            _ if self.clock.is_virtual() && duration < Duration::MAX => {
                self.clock.advance(duration);
                self.budget = self.budget.map(|left| left - duration);
                Ok(())
            }
            _ => self.pause_in_real_time(duration, nap),
        }
    }

    fn pause_in_real_time(
        &self,
        duration: Duration,
        mut nap: impl FnMut(Duration) -> Result<(), ExchangeEnd>,
    ) -> Result<(), ExchangeEnd> {
        let start = Instant::now();
        while start.elapsed() < duration {
            if self.shutdown.is_set() {
                return Err(ExchangeEnd::Peer);
            }
            nap(duration.saturating_sub(start.elapsed()).min(LONGEST_NAP))?;
        }
        Ok(())
    }
}

/// How often a thread that waits in real time looks whether the client is still
/// there.
const LONGEST_NAP: Duration = Duration::from_millis(50);
