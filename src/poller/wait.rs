//! The wait for one operation: when to poll, what a response or an error means,
//! when it ends.

mod driven;
mod schedule;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::call::RpcRequest;
use crate::core::Core;
use crate::error::{Error, ErrorKind};
use crate::fault_class::FaultClass;
use crate::name::OperationName;
use crate::operation_ref::OperationRef;
use crate::options::{CallOptions, OnTimeout, PollOptions};
use crate::progress::{Progress, ProgressTracker};
use crate::proto::google::longrunning::GetOperationRequest;
use crate::retry::{RateLimit, RetryDelays};
use crate::transport::Rpc;
use crate::types::{Code, Operation};
use crate::util::clock::Clock;
use crate::util::excerpt::shown_name;
use crate::util::stop::StopToken;
use crate::wait_support::WaitSupport;

use super::long_poll::{HeldPoll, LongPolling};
use super::poll::Poll;
use super::update::{PollFault, Update, WaitWatch};

/// A running wait. It does no I/O and does not sleep; its driver does: the
/// thread that waits, one that waits for many operations, or a timer of the
/// async client.
///
/// The driver does what [`next`](Self::next) returns, and reports with
/// [`polled`](Self::polled) or [`cancelled`](Self::cancelled).
pub(crate) struct WaitMachine {
    request: GetOperationRequest,
    /// Of the API, if the options of the polls have another.
    version: Option<Arc<str>>,
    options: PollOptions,
    watch: WaitWatch,
    attempt_timeout: Duration,
    stop: Option<StopToken>,
    limit: Option<Arc<RateLimit>>,
    /// The poll that is due has its permit.
    has_turn: bool,
    start: Instant,
    /// None: for ever.
    deadline: Option<Instant>,
    delays: Box<dyn RetryDelays>,
    /// When the current sequence of delays began.
    paced_from: Instant,
    long_polling: LongPolling,
    polls: u32,
    /// When the poll under way was sent.
    sent: Instant,
    /// The longest time that a poll took, unless the server was asked to take
    /// it.
    slowest: Duration,
    /// Errors since the last response that may be permanent.
    failures: u32,
    /// Since when no poll has succeeded.
    outage: Option<Instant>,
    /// How many polls have failed since then.
    failed_polls: u32,
    last: Option<Operation>,
    progress: Option<Box<ProgressTracker>>,
    fault: Option<Error>,
    /// The delay before the next poll, if the service requested it.
    pause: Option<Duration>,
    /// The observer has not seen the latest state, or the latest fault.
    has_news: bool,
    cancel: Cancel,
    state: WaitState,
}

enum WaitState {
    /// A poll is due then.
    Due(Instant),
    /// The operation is to be cancelled.
    Cancel,
    /// Time is up.
    Over,
}

/// Whether a cancellation was requested.
enum Cancel {
    No,
    Asked,
    Failed(Error),
}

/// The next step of a wait.
pub(crate) enum WaitStep {
    /// Poll the operation.
    Poll(Poll),
    /// Come back then, or when the token is stopped.
    Sleep(Instant),
    /// Cancel it, within this time, retries included.
    Cancel { timeout: Duration },
    /// Give up.
    End(Error),
}

impl WaitMachine {
    /// Begins a wait for `target`, which may be done already: services give no
    /// name to what was done at once.
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

    /// Begins a wait among others, whose driver limits the rate of polls.
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
            has_turn: false,
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

    pub(crate) fn next(&mut self, clock: &dyn Clock) -> WaitStep {
        let now = clock.now();
        // A stop comes before everything else, a due cancellation included: the caller
        // wants its thread back.
        if self.is_stopped() {
            return WaitStep::End(self.ended(ErrorKind::Stopped, now));
        }
        // Taking a permit changes the state to `Due(permit)`, so the second look
        // returns a sleep or a poll.
        if self.waits_for_turn(now) {
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

    /// Takes the result of a poll; returns a state to pass on, an error that
    /// ends the wait, or nothing.
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

    /// Takes the result of the cancellation.
    pub(crate) fn cancelled(&mut self, result: Result<(), Error>, clock: &dyn Clock) {
        log::debug!(
            "`{}`: cancel: {}",
            shown_name(&self.request.name),
            result.as_ref().map_or_else(Error::to_string, |()| "requested".into())
        );
        self.cancel = match result {
            // It may have ended just now.
            // Services report `FAILED_PRECONDITION` for an operation that is done already.
            Err(error) if error.code() != Some(Code::FailedPrecondition) => Cancel::Failed(error),
            _ => Cancel::Asked,
        };
        self.state = match (self.options.on_timeout, &self.cancel) {
            // Polling continues until the deadline that `time_is_up` has set; the first poll is due at once.
            (OnTimeout::CancelAndConfirm { .. }, Cancel::Asked) => WaitState::Due(clock.now()),
            _ => WaitState::Over,
        };
    }

    fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(StopToken::is_stopped)
    }

    /// Returns the poll that is due: held back by the server, where it is ready
    /// for that.
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

    fn saw(&mut self, operation: &Operation, clock: &dyn Clock) {
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

    /// Records an error that is tolerated; any other error ends the wait.
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

    /// Ends the wait, or goes on to cancelling.
    fn time_is_up(&mut self, now: Instant) {
        self.state = match (self.options.on_timeout, &self.cancel) {
            // Only once: when time is up again, after the grace, `cancel` is not `No` and the wait is over.
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

    /// Returns how long cancelling may take; what is left of a grace is for
    /// confirming.
    fn time_to_cancel(&self, now: Instant) -> Duration {
        match self.options.on_timeout {
            // The deadline is that of the grace by now, so a driver that comes late gets no extra time.
            OnTimeout::CancelAndConfirm { grace } => grace.min(self.time_left(now)),
            _ => self.attempt_timeout,
        }
    }

    /// Returns the error of a wait that gives up, with all that is known.
    fn ended(&mut self, kind: ErrorKind, now: Instant) -> Error {
        let elapsed = now.saturating_duration_since(self.start);
        let fate = match &self.cancel {
            Cancel::No => "it was not cancelled".to_owned(),
            Cancel::Asked => "its cancellation was requested".to_owned(),
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

impl fmt::Debug for WaitMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("request", &self.request)
            .field("options", &self.options)
            .field("polls", &self.polls)
            .finish_non_exhaustive()
    }
}
