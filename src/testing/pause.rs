//! How time passes before and in a response.
//!
//! A pause is a delay, the interval of a drip, or the time for which a wait is
//! held back. In virtual time it advances the clock and takes no real time, but
//! it must not go beyond the point at which the client gives up: then the pause
//! ends with [`ExchangeEnd::Deadline`] and the client's timeout fires.

use std::io;
use std::time::{Duration, Instant};

use super::clock::VirtualClock;
use super::socket::ShutdownSignal;

/// Why the rest of a response, or all of it, cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExchangeEnd {
    /// The client's attempt has timed out, by the virtual clock.
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
    /// The remaining time of the client's attempt, which pauses use up. `None`
    /// if no client runs on the server's clock.
    budget: Option<Duration>,
}

impl<'a> AttemptPause<'a> {
    /// Starts the pauses of an exchange.
    pub(super) fn new(clock: &'a VirtualClock, shutdown: &'a ShutdownSignal) -> Self {
        Self { clock, shutdown, budget: clock.budget() }
    }

    /// Lets `duration` pass.
    ///
    /// | clock | duration | what happens |
    /// |---|---|---|
    /// | virtual | shorter than the remaining time | the clock advances |
    /// | virtual | as long, or longer | the clock advances by the remaining time; [`ExchangeEnd::Deadline`] |
    /// | virtual, without a client | finite | the clock advances |
    /// | virtual, without a client | [`Duration::MAX`] | real time passes |
    /// | real | any | real time passes |
    ///
    /// Real time passes in short naps: `nap` sleeps for the duration that it
    /// gets, and fails if the client has closed the connection.
    pub(super) fn pause(
        &mut self,
        duration: Duration,
        nap: impl FnMut(Duration) -> Result<(), ExchangeEnd>,
    ) -> Result<(), ExchangeEnd> {
        match self.budget {
            _ if duration.is_zero() => Ok(()),
            Some(left) if self.clock.is_virtual() && duration >= left => {
                // The client's clock has reached its deadline now. It notices
                // when it reads from the socket.
                self.clock.advance(left);
                Err(ExchangeEnd::Deadline)
            }
            // A client on another clock does not notice. But `Reply::hang` has
            // to keep it waiting, until its own timeout.
            _ if self.clock.is_virtual() && duration < Duration::MAX => {
                self.clock.advance(duration);
                // Cannot underflow: a longer pause has ended above.
                self.budget = self.budget.map(|left| left - duration);
                Ok(())
            }
            _ => self.pause_in_real_time(duration, nap),
        }
    }

    /// Sleeps in naps until the duration has passed, the client has left or the
    /// server shuts down.
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
            // Short naps, because the client may leave and the server may shut
            // down meanwhile.
            nap(duration.saturating_sub(start.elapsed()).min(LONGEST_NAP))?;
        }
        Ok(())
    }
}

/// How often a thread that waits in real time checks whether the client is
/// still connected.
const LONGEST_NAP: Duration = Duration::from_millis(50);
