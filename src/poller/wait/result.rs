//! The results of a poll and of a cancellation: what they mean for the wait.
//!
//! | result of a poll | consequence |
//! |---|---|
//! | done | the wait returns it |
//! | running | counters are reset, the next poll is scheduled |
//! | an error that is tolerated | the next poll is scheduled, not before a requested delay |
//! | any other error | the wait ends with it |
//!
//! Which errors are tolerated depends on their [`FaultClass`], on
//! `max_failures`, `max_outage` and `not_found_grace`, and on whether a poll
//! has succeeded before: what has worked once is not misconfigured.

use std::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::fault_class::FaultClass;
use crate::options::OnTimeout;
use crate::transport::Rpc;
use crate::types::{Code, Operation};
use crate::util::clock::Clock;
use crate::util::excerpt::shown_name;

use super::super::long_poll::HeldPoll;
use super::{Cancel, WaitMachine, WaitState};

impl WaitMachine {
    /// Records the result of a poll.
    ///
    /// Returns a state for the caller, an error that ends the wait, or nothing
    /// if the error is tolerated. The driver calls `notify` afterwards.
    pub(crate) fn polled(
        &mut self,
        result: Result<Operation, Error>,
        clock: &dyn Clock,
    ) -> Option<Result<Operation, Error>> {
        let now = clock.now();
        let operation = match result {
            Ok(operation) => operation,
            // `next` then returns the error of a stopped wait, with all that is known.
            Err(error) if error.kind() == ErrorKind::Stopped && self.is_stopped() => return None,
            Err(error) => {
                // A tolerated error leaves the schedule as it is: polls never come faster
                // because of errors.
                if let Err(error) = self.failed(error, now) {
                    return Some(Err(error));
                }
                self.schedule(now, now, clock.chance());
                return None;
            }
        };
        let took = now.saturating_duration_since(self.sent);
        let held = self.long_polling.worked(took);
        // A response that the server held back says nothing about the speed of a poll.
        if held.is_none() {
            self.slowest = self.slowest.max(took);
        }
        self.saw(&operation, clock);
        if !operation.is_done() {
            // A held response means that nothing has changed until now, so the next request
            // may follow at once. A server that responds early gets the usual
            // delay, counted from the request: it must not be polled in a loop.
            // The form of the operation tells which service this is, so it comes before the
            // decision about the next poll.
            self.long_polling.saw(&operation);
            let ready = self.long_polling.prepare(self.time_to_hold(now));
            match held {
                None | Some(HeldPoll::Fully) if ready => self.state = WaitState::Due(now),
                Some(HeldPoll::InPart) => self.schedule(self.sent, now, clock.chance()),
                _ => self.schedule(now, now, clock.chance()),
            }
            // In every case, the immediate long poll included: a service that holds
            // responses as it likes may return at once.
            self.pause_at_least(self.long_polling.least_pause(), now);
        }
        Some(Ok(operation))
    }

    /// Records the result of the cancellation. A failed one ends the wait,
    /// since nothing is left to be confirmed.
    pub(crate) fn cancelled(&mut self, result: Result<(), Error>, clock: &dyn Clock) {
        log::debug!(
            "`{}`: cancel: {}",
            shown_name(&self.request.name),
            result.as_ref().map_or_else(Error::to_string, |()| "requested".into())
        );
        self.cancel = match result {
            // Services report `FAILED_PRECONDITION` for an operation that is done. It may have
            // finished a moment ago, which the next poll shows.
            Err(error) if error.code() != Some(Code::FailedPrecondition) => Cancel::Failed(error),
            _ => Cancel::Requested,
        };
        self.state = match (self.options.on_timeout, &self.cancel) {
            // Polling continues until the deadline that `time_is_up` has set; the first poll is due at once.
            (OnTimeout::CancelAndConfirm { .. }, Cancel::Requested) => WaitState::Due(clock.now()),
            _ => WaitState::Over,
        };
    }

    /// Records a state: for the observer, for the handle that shares it, and
    /// for the error if the wait ends early.
    pub(super) fn saw(&mut self, operation: &Operation, clock: &dyn Clock) {
        log::debug!("`{}`: poll {}: {}", shown_name(&self.request.name), self.polls, operation.outcome());
        // The end of an outage is news too, even if the state is the same.
        self.has_news |= self.last.as_ref() != Some(operation) || self.outage.is_some();
        // One success ends an outage and resets all counters: only uninterrupted
        // failures count.
        (self.failures, self.outage, self.failed_polls) = (0, None, 0);
        (self.fault, self.pause) = (None, None);
        self.last = Some(operation.clone());
        if let Some(latest) = &self.watch.latest {
            latest.set(operation);
        }
        if let Some(tracker) = &mut self.progress {
            tracker.saw(operation, clock.now(), clock.wall());
        }
    }

    /// Records an error that is tolerated; any other error ends the wait.
    ///
    /// # Errors
    ///
    /// The error itself, with the name, the number of polls and the last state.
    fn failed(&mut self, error: Error, now: Instant) -> Result<(), Error> {
        log::debug!("`{}`: poll {} failed: {error}", shown_name(&self.request.name), self.polls);
        let class = error.class();
        let passes = !matches!(class, FaultClass::StatusPage | FaultClass::NotFound | FaultClass::Permanent);
        // An error of WaitOperation says nothing about the operation: the next poll is
        // a get and decides.
        if self.long_polling.failed(&error, passes) {
            // The next poll shows what the error means.
            self.fault = Some(error);
            return Ok(());
        }
        self.slowest = self.slowest.max(now.saturating_duration_since(self.sent));
        // The observer sees an outage once, and again when its error changes, not at
        // every failed poll.
        let is_new = self.outage.is_none() || self.fault.as_ref().is_none_or(|last| !last.is_same_as(&error));
        // An outage starts when the first failed poll was sent: from then on the
        // service is not known to work.
        let outage = now.saturating_duration_since(*self.outage.get_or_insert(self.sent));
        self.failed_polls = self.failed_polls.saturating_add(1);
        self.failures = self.failures.saturating_add(u32::from(matches!(
            class,
            FaultClass::Doubtful | FaultClass::StatusPage | FaultClass::UnknownHost
        )));
        let elapsed = now.saturating_duration_since(self.start);
        let is_tolerated = match class {
            FaultClass::Transient | FaultClass::Tolerable => true,
            FaultClass::Doubtful => self.failures <= self.options.max_failures,
            // Before a successful poll, a second status page in a row is probably a wrong URL; after it, it
            // is an outage.
            FaultClass::StatusPage => {
                let limit = if self.last.is_some() { u32::MAX } else { 1 };
                self.failures <= self.options.max_failures.min(limit)
            }
            // After a successful poll, an unknown host is a problem of DNS; before it, it is a typing error.
            FaultClass::UnknownHost => self.last.is_some() && self.failures <= self.options.max_failures,
            // Services with eventual consistency do not know a new operation for some seconds. Once it was
            // seen, it is gone.
            FaultClass::NotFound => self.last.is_none() && elapsed < self.options.not_found_grace,
            FaultClass::Permanent => false,
        };
        // Transient errors have no limit on their number, only this one on their time.
        if is_tolerated && self.options.max_outage.is_none_or(|limit| outage < limit) {
            self.has_news |= is_new;
            self.fault = Some(error);
            return Ok(());
        }
        let error = error.in_call(Rpc::Get.name(), &self.request.name, self.polls, elapsed);
        Err(error.with_operation(self.last.take()))
    }
}
