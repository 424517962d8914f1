//! The end of a wait whose timeout has elapsed: cancelling, confirming, the
//! error.
//!
//! | `on_timeout` | after the deadline |
//! |---|---|
//! | nothing | the error; the operation continues |
//! | `Cancel` | a cancellation, retries included, within an attempt timeout; then the error |
//! | `CancelAndConfirm` | a cancellation, then polls, both within the grace |

use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind};
use crate::options::OnTimeout;

use super::{Cancel, WaitMachine, WaitState};

impl WaitMachine {
    /// Ends the wait, or continues with a cancellation.
    pub(super) fn time_is_up(&mut self, now: Instant) {
        self.state = match (self.options.on_timeout, &self.cancel) {
            // Only once: at the end of the grace, `cancel` is not `No`, so the wait ends.
            (OnTimeout::Cancel, Cancel::No) => WaitState::Cancel,
            (OnTimeout::CancelAndConfirm { grace }, Cancel::No) => {
                // Delays that gave up may have left most of the time, and a machine that slept
                // none.
                self.deadline = now.checked_add(grace);
                (self.delays, self.paced_from) = (self.options.backoff.delays(), now);
                WaitState::Cancel
            }
            _ => WaitState::Over,
        };
    }

    /// Returns how long cancelling may take. The rest of a grace is for
    /// confirming.
    pub(super) fn time_to_cancel(&self, now: Instant) -> Duration {
        match self.options.on_timeout {
            // The deadline is that of the grace by now, so a driver that comes late gets no extra time.
            OnTimeout::CancelAndConfirm { grace } => grace.min(self.time_left(now)),
            _ => self.attempt_timeout,
        }
    }

    /// Returns the error of a wait that gives up, with all that is known.
    ///
    /// The message says whether the operation was cancelled, and why the last
    /// polls failed, if they did. [`Error::operation`] is the last state.
    pub(super) fn ended(&mut self, kind: ErrorKind, now: Instant) -> Error {
        let elapsed = now.saturating_duration_since(self.start);
        let fate = match &self.cancel {
            Cancel::No => "it was not cancelled".to_owned(),
            Cancel::Requested => "its cancellation was requested".to_owned(),
            Cancel::Failed(error) => format!("cancelling it failed: {error}"),
        };
        let state = if self.last.is_some() { "still running" } else { "not known to be done" };
        let error = Error::unfinished(kind, &self.request.name, state, elapsed, self.polls, &fate);
        let error = error.with_operation(self.last.take()).with_tries(self.polls, elapsed);
        match self.fault.take() {
            Some(fault) => error.with_fault(fault, self.failed_polls),
            None => error,
        }
    }
}
