//! When the next poll may be sent.

use std::sync::Arc;
use std::time::Instant;

use crate::retry::RateLimit;

/// The limits that the polls of one iterator keep: its own and that of the
/// client.
#[derive(Debug, Default)]
pub(super) struct PollRate {
    limits: Vec<Arc<RateLimit>>,
    /// The turn that was taken for the next poll.
    turn: Option<Instant>,
}

impl PollRate {
    pub(super) fn new(limits: Vec<Arc<RateLimit>>) -> Self {
        Self { limits, turn: None }
    }

    /// Returns when the next poll may be sent.
    pub(super) fn turn(&mut self, now: Instant) -> Instant {
        // Reserved once and kept until a poll is sent. Each limit starts at the time
        // that the previous one allows.
        let of_limits = || self.limits.iter().fold(now, |at, limit| limit.reserve(at, None).unwrap_or(at));
        *self.turn.get_or_insert_with(of_limits)
    }

    pub(super) fn take_turn(&mut self) {
        self.turn = None;
    }
}
