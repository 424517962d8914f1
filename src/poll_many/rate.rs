//! The rate limit of the polls of one iterator.
//!
//! A permit is an instant. It is reserved for the next poll, whichever track
//! that will be, and used when the poll is sent.

use std::sync::Arc;
use std::time::Instant;

use crate::retry::RateLimit;

/// The limits that the polls of one iterator keep: its own and that of the
/// client.
#[derive(Debug, Default)]
pub(super) struct PollRate {
    limits: Vec<Arc<RateLimit>>,
    /// The permit that is reserved for the next poll.
    permit: Option<Instant>,
}

impl PollRate {
    /// Combines limits, of which there may be none.
    pub(super) fn new(limits: Vec<Arc<RateLimit>>) -> Self {
        Self { limits, permit: None }
    }

    /// Returns when the next poll may be sent: `now` or later.
    pub(super) fn permit(&mut self, now: Instant) -> Instant {
        // Reserved once and kept until a poll is sent. Each limit starts at the time
        // that the previous one allows.
        let of_limits = || self.limits.iter().fold(now, |at, limit| limit.reserve(at, None).unwrap_or(at));
        *self.permit.get_or_insert_with(of_limits)
    }

    /// Uses the permit up, because a poll is sent.
    pub(super) fn use_permit(&mut self) {
        self.permit = None;
    }
}
