//! Methods for a driver that has many waits, or a rate limit.

use std::time::{Duration, Instant};

use super::schedule::FAR;
use super::{WaitMachine, WaitState};

impl WaitMachine {
    /// Allows polls that the server holds until the operation is done, or not.
    /// A driver with fewer threads than waits does not: such a poll occupies a
    /// thread.
    pub(crate) fn allow_long_polls(&mut self, allowed: bool) {
        self.long_polling.allow(allowed);
    }

    /// Returns when the next poll is due; `None` if a cancellation or the end
    /// comes next.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.state {
            WaitState::Due(at) => Some(at),
            WaitState::Cancel | WaitState::Over => None,
        }
    }

    /// Returns the instant after which no poll is sent.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Makes the next poll due now, because its response comes with that of
    /// others. Not after an error, whose delay the server may have
    /// requested.
    pub(crate) fn hasten(&mut self, now: Instant) {
        if let (WaitState::Due(at), None) = (&mut self.state, &self.fault) {
            *at = now.min(*at);
        }
    }

    /// Gives up the poll that is due, if the driver, awake since `woke`, was
    /// too busy to send it before the deadline.
    pub(crate) fn give_up_if_late(&mut self, woke: Instant, now: Instant) {
        if !self.polls_once() && self.deadline.is_some_and(|deadline| woke <= deadline && deadline <= now) {
            self.give_up(now);
        }
    }

    /// Gives up the poll that is due, if one is. The timeout then has its
    /// consequences.
    pub(crate) fn give_up(&mut self, now: Instant) {
        if self.due().is_some() {
            self.time_is_up(now);
        }
    }

    /// Returns whether the poll that is due has to wait for a permit; the state
    /// then says until when.
    ///
    /// A permit is an instant. Taking it sets `Due` to that instant, and the
    /// flag makes the next look pass.
    pub(super) fn waits_for_permit(&mut self, now: Instant) -> bool {
        let (Some(limit), Some(at)) = (&self.limit, self.due()) else { return false };
        // A permit is reserved only when the poll is due. Waits that sleep take none
        // from those that poll.
        if now < at {
            return false;
        }
        // The permit that was reserved for this instant. Without the flag, every look
        // would reserve another one.
        if std::mem::take(&mut self.has_permit) {
            return false;
        }
        // After the deadline, only a permit that is available at once is of use.
        let end = self.deadline.map(|deadline| deadline.max(now + Duration::from_nanos(1)));
        match limit.reserve(now, end) {
            Some(turn) if turn <= now => return false,
            Some(turn) => (self.state, self.has_permit) = (WaitState::Due(turn), true),
            None if self.polls_once() => self.time_is_up(now),
            // No further poll is sent, but the wait must not end before its deadline either.
            None => {
                (self.state, self.has_permit) = (WaitState::Due(self.deadline.unwrap_or(now + FAR)), true)
            }
        }
        true
    }
}
