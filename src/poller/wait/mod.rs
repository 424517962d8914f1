//! The wait for one operation: when to poll, what a response or an error means,
//! when it ends.
//!
//! ```text
//!             polled: running, or a tolerated error
//!         ┌──────────────────────────────────────────┐
//!         ▼                                          │
//!     Due(at) ── next ──► Sleep(at) … Poll ──────────┴──► polled: done, or any other error
//!         │ no time for another poll
//!         ├───────────► Over ── next ──► End(Timeout)
//!         └─ on_timeout ► Cancel ── next ──► Cancel ──► cancelled ──► Over, or Due to confirm
//! ```
//!
//! A stop token ends it in every state. The files: `schedule` has the time of
//! the next poll, `result` what results mean, `end` what follows the timeout,
//! and `driven` what only a driver of many waits needs.
//!
//! Invariants: a delay is at least 10 ms, and not shorter after errors; only a
//! long poll may follow a response at once. No poll is sent after the deadline,
//! with two exceptions: a total timeout of zero polls once, and a driver that
//! slept past the deadline polls once more. A state that was seen is never
//! lost: an error that ends the wait has it.

mod driven;
mod end;
mod result;
mod schedule;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::call::RpcRequest;
use crate::core::Core;
use crate::error::{Error, ErrorKind};
use crate::name::OperationName;
use crate::operation_ref::OperationRef;
use crate::options::{CallOptions, PollOptions};
use crate::progress::{Progress, ProgressTracker};
use crate::proto::google::longrunning::GetOperationRequest;
use crate::retry::{RateLimit, RetryDelays};
use crate::types::Operation;
use crate::util::clock::Clock;
use crate::util::stop::StopToken;
use crate::wait_support::WaitSupport;

use super::long_poll::LongPolling;
use super::poll::Poll;
use super::update::{PollFault, Update, WaitWatch};

/// A running wait. It does no I/O and does not sleep; its driver does: the
/// thread that waits, one that waits for many operations, or a timer of the
/// async client.
///
/// The driver does what [`next`](Self::next) returns, and reports with
/// [`polled`](Self::polled) or [`cancelled`](Self::cancelled). It may call
/// `next` early or late; the step follows the clock.
pub(crate) struct WaitMachine {
    request: GetOperationRequest,
    /// The version of the operation, if it is not that of the options of the
    /// polls.
    version: Option<Arc<str>>,
    options: PollOptions,
    watch: WaitWatch,
    attempt_timeout: Duration,
    stop: Option<StopToken>,
    /// The rate limit of the client. Among others, the driver limits the rate.
    limit: Option<Arc<RateLimit>>,
    /// Whether the poll that is due has a permit of the limit.
    has_permit: bool,
    /// The first call of the driver, from which timeouts and delays count.
    start: Instant,
    /// The instant after which no poll is sent; `None` for a wait without end.
    deadline: Option<Instant>,
    /// The sequence of delays between polls.
    delays: Box<dyn RetryDelays>,
    /// The start of the current sequence of delays: that of the wait, or that
    /// of the grace after a cancellation.
    paced_from: Instant,
    long_polling: LongPolling,
    /// Polls that were sent.
    polls: u32,
    /// The time at which the latest poll was sent.
    sent: Instant,
    /// The longest time that a poll took. Long polls do not count, since the
    /// server was requested to take it.
    slowest: Duration,
    /// Errors since the last response that may be permanent. `max_failures`
    /// limits them.
    failures: u32,
    /// The time at which the first of the failing polls was sent; `None` while
    /// polls succeed. `max_outage` limits its age.
    outage: Option<Instant>,
    /// Polls that have failed since then.
    failed_polls: u32,
    /// The latest state that a poll has returned.
    last: Option<Operation>,
    /// Only if something looks at it, because it parses the metadata of every
    /// state.
    progress: Option<Box<ProgressTracker>>,
    /// The error of the latest poll, if that failed.
    fault: Option<Error>,
    /// The delay before the next poll, if the service requested a longer one
    /// than usual.
    pause: Option<Duration>,
    /// Whether the observer has not seen the latest state, or the latest fault.
    has_news: bool,
    cancel: Cancel,
    state: WaitState,
}

/// The position of a wait in the diagram above.
enum WaitState {
    /// A poll is due at this instant.
    Due(Instant),
    /// The operation is to be cancelled.
    Cancel,
    /// The timeout has elapsed, and nothing is left to be done.
    Over,
}

/// Whether a cancellation was requested, for the error message.
enum Cancel {
    /// It was not, or not yet.
    No,
    /// The service has accepted the request, or reported that the operation is
    /// done.
    Requested,
    /// The request failed, retries included.
    Failed(Error),
}

/// The next step of a wait, for its driver.
pub(crate) enum WaitStep {
    /// Send this poll, and call [`WaitMachine::polled`].
    Poll(Poll),
    /// Call `next` again at this instant, or when the token is stopped.
    Sleep(Instant),
    /// Cancel the operation within this time, retries included, and call
    /// [`WaitMachine::cancelled`].
    Cancel { timeout: Duration },
    /// Return this error; the wait has ended.
    End(Error),
}

impl WaitMachine {
    /// Begins a wait for `target`, which may be done already: services give no
    /// name to what was done at once.
    ///
    /// `polls` are the options of the requests.
    ///
    /// # Errors
    ///
    /// The error of a name that cannot be sent.
    pub(crate) fn begin(
        target: OperationRef,
        options: PollOptions,
        watch: WaitWatch,
        polls: &CallOptions,
        core: &Core,
    ) -> Result<(Self, Option<Operation>), Error> {
        let OperationRef { name, seen, .. } = target;
        let done = seen.filter(Operation::is_done);
        // The name of a finished operation is not checked: it is never sent, and some
        // services leave it empty.
        let unchecked = |done: &Operation| Ok(GetOperationRequest { name: done.name().to_owned() });
        let request = done.as_ref().map_or_else(|| name.map(GetOperationRequest::from_name), unchecked)?;
        let mut wait = Self::of(request, options, watch, polls, &core.wait_support, &*core.clock);
        wait.limit = core.rate.clone();
        // The observer gets a finished operation once, although no poll is sent.
        if let Some(done) = &done {
            wait.saw(done, &*core.clock);
            wait.notify(&*core.clock);
        }
        Ok((wait, done))
    }

    /// Begins a wait among others, whose driver limits the rate of polls and
    /// reports operations that are done already.
    pub(crate) fn new(
        name: OperationName,
        options: PollOptions,
        watch: WaitWatch,
        polls: &CallOptions,
        support: &Arc<WaitSupport>,
        clock: &dyn Clock,
    ) -> Self {
        Self::of(GetOperationRequest::from_name(name), options, watch, polls, support, clock)
    }

    fn of(
        request: GetOperationRequest,
        options: PollOptions,
        watch: WaitWatch,
        polls: &CallOptions,
        support: &Arc<WaitSupport>,
        clock: &dyn Clock,
    ) -> Self {
        let start = clock.now();
        Self {
            request,
            version: None,
            attempt_timeout: polls.attempt_timeout,
            stop: polls.stop.clone(),
            limit: None,
            has_permit: false,
            start,
            // An instant beyond the range of the clock means the same as no deadline.
            deadline: options.total_timeout.and_then(|timeout| start.checked_add(timeout)),
            delays: options.backoff.delays(),
            paced_from: start,
            long_polling: LongPolling::new(options.long_poll, support),
            progress: watch.tracks.then(|| Box::new(ProgressTracker::new(start))),
            options,
            watch,
            polls: 0,
            sent: start,
            slowest: Duration::ZERO,
            failures: 0,
            outage: None,
            failed_polls: 0,
            last: None,
            fault: None,
            pause: None,
            has_news: false,
            cancel: Cancel::No,
            state: WaitState::Due(start),
        }
    }

    /// Sends all requests at this version of the API.
    pub(crate) fn at_version(mut self, version: Option<Arc<str>>) -> Self {
        self.version = version;
        self
    }

    /// Returns the version of its requests, if it is not that of the client.
    pub(crate) fn version(&self) -> Option<&Arc<str>> {
        self.version.as_ref()
    }

    /// Returns the version of the request that cancels the operation, if it is
    /// not that of the client.
    ///
    /// The form of the last response names the service if nothing else does,
    /// and services cancel at different URLs.
    pub(crate) fn version_to_cancel(&self, core: &Core, options: &CallOptions) -> Option<Arc<str>> {
        core.version_for(self.version().or(options.api_version.as_ref()).cloned(), self.last.as_ref())
    }

    /// Returns the request of a poll.
    pub(crate) fn request(&self) -> &GetOperationRequest {
        &self.request
    }

    /// Returns the operation that is waited for.
    pub(crate) fn name(&self) -> &str {
        &self.request.name
    }

    /// Returns how far the operation is, where that is followed.
    pub(crate) fn progress(&self) -> Option<&Progress> {
        Some(self.progress.as_ref()?.progress())
    }

    /// Returns the next step of the driver.
    ///
    /// A poll counts as sent when it is returned. `Sleep` and `Cancel` may be
    /// requested again, and are then the same with less time.
    pub(crate) fn next(&mut self, clock: &dyn Clock) -> WaitStep {
        let now = clock.now();
        // A stop comes before everything else, a due cancellation included: the caller
        // needs its thread.
        if self.is_stopped() {
            return WaitStep::End(self.ended(ErrorKind::Stopped, now));
        }
        // Taking a permit changes the state to `Due(permit)`, so the second look
        // returns a sleep or a poll.
        if self.waits_for_permit(now) {
            return self.next(clock);
        }
        match self.state {
            WaitState::Over => WaitStep::End(self.ended(ErrorKind::Timeout, now)),
            // A cancellation has its own time after the deadline, and retries like any call.
            WaitState::Cancel => WaitStep::Cancel { timeout: self.time_to_cancel(now) },
            WaitState::Due(at) if now < at => WaitStep::Sleep(at),
            WaitState::Due(at) => match self.time_to_poll(at, now) {
                // Too late for a poll. `time_is_up` changes the state to `Cancel` or `Over`, so the second
                // look does not come here again.
                Duration::ZERO => {
                    self.time_is_up(now);
                    self.next(clock)
                }
                timeout => {
                    // Counted when it is sent, because a poll without a response has used up a
                    // request of the quota too.
                    self.polls = self.polls.saturating_add(1);
                    self.sent = now;
                    WaitStep::Poll(self.poll(timeout, now))
                }
            },
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(StopToken::is_stopped)
    }

    /// Returns the poll that is due: a long poll if one is planned, otherwise a
    /// get.
    fn poll(&mut self, timeout: Duration, now: Instant) -> Poll {
        let room = self.time_to_hold(now);
        match self.long_polling.start(room) {
            None => Poll::get(&self.request.name, timeout).at_version(self.version()),
            Some((asked, binding)) => {
                // The timeout of an attempt starts when the server stops holding the response
                // back.
                let timeout = self.attempt_timeout.saturating_add(asked).min(self.time_left(now));
                Poll::held(&self.request.name, timeout, asked, binding).at_version(self.version())
            }
        }
    }

    /// Calls the observer if there is news. Last in a step of the driver,
    /// because the observer may panic.
    pub(crate) fn notify(&mut self, clock: &dyn Clock) {
        if !std::mem::take(&mut self.has_news) {
            return;
        }
        let (Some(observer), Some(tracker)) = (&self.watch.observer, &self.progress) else { return };
        let now = clock.now();
        // The error of a long poll is kept in `fault` too. It is no outage: the get
        // that follows decides.
        let fault = self.fault.as_ref().zip(self.outage).map(|(error, since)| PollFault {
            error,
            elapsed: now.saturating_duration_since(since),
            polls: self.failed_polls,
        });
        observer(&Update {
            name: self.name(),
            operation: self.last.as_ref(),
            progress: tracker.progress(),
            polls: self.polls,
            elapsed: now.saturating_duration_since(self.start),
            fault,
            pause: self.pause,
            next_is_long_poll: self.long_polling.is_next(),
        });
    }
}

impl fmt::Debug for WaitMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("request", &self.request)
            .field("options", &self.options)
            .field("polls", &self.polls)
            .finish_non_exhaustive()
    }
}
