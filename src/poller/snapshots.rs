//! The polling loop, one step at a time.

use std::fmt;
use std::iter::FusedIterator;
use std::time::{Duration, Instant};

use crate::call::{CallOptions, Request};
use crate::client::OperationsClient;
use crate::error::{Error, ErrorKind, Seconds};
use crate::proto::google::longrunning::GetOperationRequest;
use crate::retry::{Backoff, Delays};
use crate::transport::Rpc;
use crate::types::{Code, Operation};

use super::{Poller, Target};

/// The states of an operation, one for each poll that worked; the last one is done.
///
/// Made by iterating over a [`Poller`]. Ends after an operation that is done, or after an error.
#[must_use = "polls are made by iteration"]
pub struct Snapshots<'c> {
    client: &'c OperationsClient,
    target: Option<Result<Target, Error>>,
    options: CallOptions,
    total_timeout: Duration,
    backoff: Backoff,
    wait: Option<Wait>,
}

/// A wait that has begun.
struct Wait {
    request: GetOperationRequest,
    start: Instant,
    delays: Box<dyn Delays>,
    polls: u32,
    /// Polls since the last answer that failed in a way that does not pass by itself.
    faults: u32,
    last: Option<Operation>,
    fault: Option<Error>,
}

impl<'c> Snapshots<'c> {
    pub(super) fn new(poller: Poller<'c>) -> Self {
        let Poller { client, target, options, total_timeout, backoff } = poller;
        Self { client, target: Some(target), options, total_timeout, backoff, wait: None }
    }

    /// Starts the wait at the first poll, so that its time limit counts from there.
    fn begin(&mut self, target: Result<Target, Error>) -> Result<Option<Operation>, Error> {
        let Target { name, done } = target?;
        // Services give no name to what was done at once.
        if done.is_some() {
            return Ok(done);
        }
        self.wait = Some(Wait {
            request: GetOperationRequest::from_name(name?),
            start: self.client.clock().now(),
            delays: self.backoff.delays(),
            polls: 0,
            faults: 0,
            last: None,
            fault: None,
        });
        Ok(None)
    }

    /// Sleeps and polls until there is an answer to give or the wait has to end.
    fn advance(&self, wait: &mut Wait) -> Result<Operation, Error> {
        loop {
            self.sleep_before_poll(wait)?;
            let left = self.total_timeout.saturating_sub(self.elapsed(wait));
            if left.is_zero() {
                return Err(wait.timed_out(self.elapsed(wait)));
            }
            wait.polls = wait.polls.saturating_add(1);
            let attempt = self.options.attempt(left.min(self.options.attempt_timeout));
            match self.client.transport().get_operation(&wait.request, &attempt) {
                Ok(operation) => {
                    wait.succeeded(&operation);
                    return Ok(operation);
                }
                Err(error) => wait.failed(error, self.elapsed(wait))?,
            }
        }
    }

    /// Sleeps for the next delay, cut so that a last poll still fits the total timeout.
    fn sleep_before_poll(&self, wait: &mut Wait) -> Result<(), Error> {
        if wait.polls == 0 {
            return Ok(());
        }
        let clock = self.client.clock();
        let elapsed = self.elapsed(wait);
        let Some(delay) = wait.next_delay(elapsed, clock.chance()) else {
            return Err(wait.timed_out(elapsed));
        };
        let left = self.total_timeout.saturating_sub(elapsed);
        let last_poll = LAST_POLL.min(self.total_timeout / 10);
        if left <= last_poll {
            return Err(wait.timed_out(elapsed));
        }
        let delay = delay.min(left - last_poll);
        log::debug!("{}: next poll in {} s", wait.request.name, Seconds(delay));
        clock.sleep(delay);
        Ok(())
    }

    fn elapsed(&self, wait: &Wait) -> Duration {
        self.client.clock().now().saturating_duration_since(wait.start)
    }
}

impl Iterator for Snapshots<'_> {
    type Item = Result<Operation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(target) = self.target.take() {
            match self.begin(target) {
                Ok(None) => {}
                Ok(Some(done)) => return Some(Ok(done)),
                Err(error) => return Some(Err(error)),
            }
        }
        let mut wait = self.wait.take()?;
        let answer = self.advance(&mut wait);
        if matches!(&answer, Ok(operation) if !operation.is_done()) {
            self.wait = Some(wait);
        }
        Some(answer)
    }
}

impl FusedIterator for Snapshots<'_> {}

impl fmt::Debug for Snapshots<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Snapshots");
        shown.field("target", &self.target).field("total_timeout", &self.total_timeout);
        if let Some(wait) = &self.wait {
            shown.field("request", &wait.request).field("polls", &wait.polls);
        }
        shown.finish_non_exhaustive()
    }
}

impl Wait {
    fn succeeded(&mut self, operation: &Operation) {
        let (name, polls) = (&self.request.name, self.polls);
        log::debug!("{name}: poll {polls}: {}", operation.outcome());
        self.faults = 0;
        self.fault = None;
        self.last = Some(operation.clone());
    }

    /// Takes note of a fault that may pass; any other ends the wait.
    fn failed(&mut self, error: Error, elapsed: Duration) -> Result<(), Error> {
        log::debug!("{}: poll {} failed: {error}", self.request.name, self.polls);
        let patience = patience(&error);
        self.faults += u32::from(patience != ENDLESS);
        if self.faults > patience {
            let error = error.in_call(Rpc::Get.name(), &self.request.name, self.polls, elapsed);
            return Err(error.with_operation(self.last.take()));
        }
        self.fault = Some(error);
        Ok(())
    }

    /// The delay of the backoff, or longer where the last fault asks for it.
    fn next_delay(&mut self, elapsed: Duration, chance: f64) -> Option<Duration> {
        let own = self.delays.next(elapsed, chance)?;
        let Some(fault) = &self.fault else { return Some(own) };
        let quota = fault.code() == Some(Code::ResourceExhausted);
        let floor = fault.retry_after().or(quota.then_some(QUOTA_PAUSE));
        Some(own.max(floor.unwrap_or_default()))
    }

    fn timed_out(&mut self, elapsed: Duration) -> Error {
        let error = Error::still_running(&self.request.name, elapsed, self.polls, self.last.is_some());
        let error = error.with_operation(self.last.take()).with_tries(self.polls, elapsed);
        match self.fault.take() {
            Some(fault) => error.with_source(fault),
            None => error,
        }
    }
}

/// How many faults a wait survives before the next answer, if this is the last of them.
fn patience(error: &Error) -> u32 {
    match error.code() {
        _ if error.passes_by_itself() => ENDLESS,
        Some(Code::Unavailable | Code::ResourceExhausted) => ENDLESS,
        Some(Code::Internal | Code::Unknown | Code::DeadlineExceeded) => 5,
        // An answer of somebody else's: the page of a captive portal.
        None if error.kind() == ErrorKind::Transport && error.http_status() == Some(200) => 1,
        _ => 0,
    }
}

/// The patience with faults that pass by themselves.
const ENDLESS: u32 = u32::MAX;

/// What is kept back from the total timeout for the last poll; never more than a tenth of it.
const LAST_POLL: Duration = Duration::from_secs(1);

/// The pause after a quota error that does not say when to come back.
const QUOTA_PAUSE: Duration = Duration::from_secs(20);
