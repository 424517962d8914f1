//! What the driver of many waits asks of each.

use std::time::{Duration, Instant};

use super::{FAR, WaitMachine, WaitState};

impl WaitMachine {
    /// Allows polls that the server holds until the operation is done, or not.
    pub(crate) fn allow_long_polls(&mut self, allowed: bool) {
        self.long_polling.allow(allowed);
    }

    /// When the next poll is due; none when something else comes next.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.state {
            WaitState::Due(at) => Some(at),
            WaitState::Cancel | WaitState::Over => None,
        }
    }

    /// When time is up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Has the next poll come now, because others need its response. Not after a fault: the delay may be the server's wish.
    pub(crate) fn hasten(&mut self, now: Instant) {
        if let (WaitState::Due(at), None) = (&mut self.state, &self.fault) {
            *at = now.min(*at);
        }
    }

    /// Gives up a poll for which the driver, awake since `woke`, was too busy until time was up.
    pub(crate) fn give_up_if_late(&mut self, woke: Instant, now: Instant) {
        if !self.polls_once() && self.deadline.is_some_and(|deadline| woke <= deadline && deadline <= now) {
            self.give_up(now);
        }
    }

    /// Gives up the poll that is due, if one is.
    pub(crate) fn give_up(&mut self, now: Instant) {
        if self.due().is_some() {
            self.time_is_up(now);
        }
    }

    /// Whether the poll that is due has to wait for its turn; then the state says until when.
    pub(super) fn waits_for_turn(&mut self, now: Instant) -> bool {
        let (Some(limit), Some(at)) = (&self.limit, self.due()) else { return false };
        if now < at {
            return false;
        }
        if std::mem::take(&mut self.has_turn) {
            return false;
        }
        // Where time is up, only a turn that comes at once is of use.
        let end = self.deadline.map(|deadline| deadline.max(now + Duration::from_nanos(1)));
        match limit.reserve(now, end) {
            Some(turn) if turn <= now => return false,
            Some(turn) => (self.state, self.has_turn) = (WaitState::Due(turn), true),
            None if self.polls_once() => self.time_is_up(now),
            // No poll is sent any more, and the timeout is not over before it is.
            None => (self.state, self.has_turn) = (WaitState::Due(self.deadline.unwrap_or(now + FAR)), true),
        }
        true
    }
}
