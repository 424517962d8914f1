//! When the next poll is due, and how much time it has.
//!
//! ```text
//! start                                                       deadline
//! ├poll┤◄─ delay ─►├poll┤◄─── delay ───►├poll┤◄─ cut ─►├last poll┤
//!                                                      └ reserve ┘
//! ```
//!
//! Delays grow with the time waited, so that the lag after the end of an
//! operation is a bounded fraction of its length. The last delay is cut so that
//! one more poll fits before the deadline: a wait of 60 s notices an operation
//! that takes 59 s. Its reserve is twice the slowest poll so far, from 50 ms to
//! 1 s, and at most a tenth of the timeout.

use std::time::{Duration, Instant};

use crate::error::Seconds;
use crate::util::excerpt::shown_name;

use super::{WaitMachine, WaitState};

impl WaitMachine {
    /// Returns how long a poll that was due at `at` may take; zero if it is too
    /// late for one.
    ///
    /// ```text
    /// before the deadline                     the remaining time, at most an attempt timeout
    /// after it, total timeout zero            an attempt timeout, for the one poll
    /// after it, due before it                 as long as the driver was late, at most an attempt timeout
    /// after it, due after it                  zero
    /// ```
    pub(super) fn time_to_poll(&self, at: Instant, now: Instant) -> Duration {
        let Some(deadline) = self.deadline else { return self.attempt_timeout };
        let left = deadline.saturating_duration_since(now);
        // A total timeout of zero means one look. It gets a whole attempt, although the
        // deadline has passed.
        if self.polls_once() {
            return self.attempt_timeout;
        }
        if left.is_zero() && at < deadline {
            // A machine that was suspended, or was too busy to wake in time, still looks
            // once.
            return now.saturating_duration_since(at).min(self.attempt_timeout);
        }
        left.min(self.attempt_timeout)
    }

    /// Returns whether the first poll of a wait with the total timeout zero is
    /// due: the only one sent after the timeout.
    pub(super) fn polls_once(&self) -> bool {
        self.polls == 0 && self.options.total_timeout == Some(Duration::ZERO)
    }

    /// Returns how long the server may hold a response back, so that there is
    /// time for a last poll after it.
    pub(super) fn time_to_hold(&self, now: Instant) -> Duration {
        self.time_left(now).saturating_sub(self.last_poll().max(ROOM_FOR_RESPONSE))
    }

    /// Returns the time until the deadline; the maximum without one.
    pub(super) fn time_left(&self, now: Instant) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(now))
    }

    /// Sets the time of the next poll: the delay of the backoff, counted from
    /// `since`, but early enough for a last one. `chance` is the random number
    /// of the jitter, from 0 to 1.
    ///
    /// If there is no time for another poll, the timeout has its consequences
    /// now: sleeping until the deadline would only delay the error.
    pub(super) fn schedule(&mut self, since: Instant, now: Instant, chance: f64) {
        let elapsed = now.saturating_duration_since(self.paced_from);
        // Without a delay the backoff itself gives up, which has the consequences of a
        // timeout.
        let Some(delay) = self.next_delay(elapsed, chance) else { return self.time_is_up(now) };
        // After a long poll `since` is the time of the request: how long the server
        // held it is a part of the delay.
        let mut at = since.checked_add(delay).unwrap_or(now + FAR).max(now);
        if let Some(deadline) = self.deadline {
            // The last poll gets its time before the deadline. If that moment has passed,
            // there is no further poll: the previous one was the last.
            let Some(last) = deadline.checked_sub(self.last_poll()).filter(|last| now < *last) else {
                return self.time_is_up(now);
            };
            // A longer delay is cut, so that an operation which finishes in that time is
            // still seen.
            at = at.min(last);
        }
        // The observer gets the pause as scheduled, which may be shorter than the one
        // that the service requested.
        self.pause = self.pause.map(|_| at - now);
        log::debug!("`{}`: next poll in {} s", shown_name(&self.request.name), Seconds(at - now));
        self.state = WaitState::Due(at);
    }

    /// Delays the next poll until `pause` has elapsed, unless the wait ends
    /// before that.
    pub(super) fn pause_at_least(&mut self, pause: Duration, now: Instant) {
        // A pause that reaches the deadline is not kept, because it would leave no time
        // for a last poll.
        if pause < self.time_left(now)
            && let WaitState::Due(at) = &mut self.state
        {
            *at = (*at).max(now + pause);
        }
    }

    /// Returns the delay of the backoff, or a longer one if the last error
    /// requests it; `None` if the backoff gives up.
    fn next_delay(&mut self, elapsed: Duration, chance: f64) -> Option<Duration> {
        let own = self.delays.next(elapsed, chance)?.max(SHORTEST_DELAY);
        let Some(fault) = &self.fault else { return Some(own) };
        // A hint is a lower bound. `max_hint` limits it, so that a page that says "in a
        // day" does not silence the wait.
        let hint = fault.retry_after().map(|hint| hint.min(self.options.max_hint));
        let hint = hint.filter(|_| !self.options.max_hint.is_zero());
        // A quota is usually counted per minute: without a hint, the usual delay would
        // only use up more of it.
        let floor = hint.or(fault.is_quota().then_some(QUOTA_PAUSE));
        let pause = hint.filter(|hint| *hint > own);
        // Only the start and the end of a pause are news. Its length differs from poll
        // to poll.
        self.has_news |= pause.is_some() != self.pause.is_some();
        self.pause = pause;
        Some(own.max(floor.unwrap_or_default()))
    }

    /// Returns the part of the total timeout that is reserved for the last
    /// poll: twice the time of the slowest one.
    fn last_poll(&self) -> Duration {
        // Never more than a tenth of the timeout: a short wait must not spend its time
        // on waiting for the last poll.
        let tenth = self.options.total_timeout.unwrap_or(Duration::MAX) / 10;
        self.slowest.saturating_mul(2).clamp(SHORTEST_LAST_POLL, LONGEST_LAST_POLL).min(tenth)
    }
}

/// No wait polls more often, whatever its backoff says: a delay of zero would
/// poll as fast as the service responds.
const SHORTEST_DELAY: Duration = Duration::from_millis(10);

/// Bounds of the reserve for the last poll.
const SHORTEST_LAST_POLL: Duration = Duration::from_millis(50);
const LONGEST_LAST_POLL: Duration = Duration::from_secs(1);

/// The time that a response may take to arrive after the server stopped holding
/// it back.
const ROOM_FOR_RESPONSE: Duration = Duration::from_secs(1);

/// The pause after a quota error that does not say when to come back. Quotas
/// are usually counted by the minute.
const QUOTA_PAUSE: Duration = Duration::from_secs(20);

/// A year, in place of a delay that no clock can count.
pub(super) const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
