//! The retry loop: what comes next, as a value, and the loop of a thread around
//! it.
//!
//! ```text
//! Due ── next ──► Attempt ──► succeeded                 the end
//!                    └──────► failed ──► Due after a sleep ──► …
//!                                └─────► Over ── next ──► End(error)
//! ```
//!
//! The total timeout limits everything: an attempt gets at most the remaining
//! time, and a delay that leaves none is not slept.

use std::time::{Duration, Instant};

use crate::error::{Error, Seconds};
use crate::util::clock::Clock;
use crate::util::excerpt::shown_name;
use crate::util::stop::StopToken;

use super::{RepeatRule, Retry, RetryBudget, RetryDelays, RetryPolicy};

/// One call, as far as the loop has to know it.
#[derive(Debug)]
pub(crate) struct RetryTask {
    /// For messages: the RPC, or `start`.
    pub(crate) method: &'static str,
    /// The requested name or path, for messages.
    pub(crate) name: String,
    pub(crate) repeat: RepeatRule,
    /// The timeout of each attempt, if the call has as much time left.
    pub(crate) attempt_timeout: Duration,
    /// The timeout of the call. With zero nothing is sent.
    pub(crate) total_timeout: Duration,
    pub(crate) policy: RetryPolicy,
    pub(crate) stop: Option<StopToken>,
}

/// The input of an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttemptTurn {
    /// The timeout of the attempt.
    pub(crate) timeout: Duration,
    /// Whether an earlier attempt failed in a way that leaves open whether the
    /// server acted on it. `NOT_FOUND` for a delete is then success.
    pub(crate) ambiguous: bool,
}

/// The next step of a call, for its driver.
pub(crate) enum RetryStep {
    /// Make an attempt, and report its result.
    Attempt(AttemptTurn),
    /// Call `next` again at this instant, or when the token is stopped.
    Sleep(Instant),
    /// Return this error; the call has ended.
    End(Error),
}

/// Makes attempts until one succeeds, the policy gives up or the total timeout
/// leaves no room for another.
pub(crate) fn run<T>(
    task: RetryTask,
    clock: &dyn Clock,
    mut attempt: impl FnMut(AttemptTurn) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut attempts = Attempts::new(task, clock);
    loop {
        match attempts.next(clock) {
            RetryStep::Attempt(turn) => match attempt(turn) {
                Ok(result) => {
                    attempts.succeeded();
                    return Ok(result);
                }
                Err(error) => attempts.failed(error, clock),
            },
            RetryStep::Sleep(until) => clock.sleep_until(until, attempts.task.stop.as_ref()),
            RetryStep::End(error) => return Err(error),
        }
    }
}

/// A running call. It does no I/O and does not sleep; its driver does.
pub(crate) struct Attempts {
    pub(crate) task: RetryTask,
    /// The time from which the total timeout counts.
    start: Instant,
    /// The sequence of delays, from the first failure on.
    delays: Option<Box<dyn RetryDelays>>,
    /// Attempts that were made.
    made: u32,
    /// Whether an attempt may have reached the server.
    ambiguous: bool,
    /// An earlier attempt may have started an operation.
    may_have_started: bool,
    state: RetryState,
}

/// The position of a call in the diagram above.
enum RetryState {
    /// An attempt is due, after the sleep that the last failure requires. Its
    /// error is that of the call if no attempt follows.
    Due { after: Option<(Instant, Error)> },
    /// Nothing more is tried.
    Over(Error),
}

impl Attempts {
    /// Begins a call, whose time starts now.
    pub(crate) fn new(task: RetryTask, clock: &dyn Clock) -> Self {
        let state = RetryState::Due { after: None };
        Self {
            task,
            start: clock.now(),
            delays: None,
            made: 0,
            ambiguous: false,
            may_have_started: false,
            state,
        }
    }

    /// Returns the next step. A stop comes before everything else, then a
    /// sleep, then the timeout.
    pub(crate) fn next(&mut self, clock: &dyn Clock) -> RetryStep {
        let now = clock.now();
        // The state is left as `Due` without a sleep; the branches below restore what
        // is still to come.
        let after = match std::mem::replace(&mut self.state, RetryState::Due { after: None }) {
            RetryState::Over(error) => return RetryStep::End(error),
            RetryState::Due { after } => after,
        };
        let elapsed = now.saturating_duration_since(self.start);
        if self.task.stop.as_ref().is_some_and(StopToken::is_stopped) {
            let error = Error::stopped();
            // The last failure explains why the call was still running.
            let error = after.into_iter().fold(error, |error, (_, last)| error.with_source(last));
            return RetryStep::End(self.finish(error, elapsed));
        }
        match after {
            Some((until, error)) if now < until => {
                self.state = RetryState::Due { after: Some((until, error)) };
                return RetryStep::Sleep(until);
            }
            _ => {}
        }
        // Saturating, because a sleep may take longer than planned.
        let left = self.task.total_timeout.saturating_sub(elapsed);
        if left.is_zero() {
            // Also after a sleep that took longer than planned.
            let error = after.map_or_else(Error::no_time, |(_, error)| error);
            return RetryStep::End(self.finish(error, elapsed));
        }
        self.made = self.made.saturating_add(1);
        RetryStep::Attempt(AttemptTurn {
            timeout: left.min(self.task.attempt_timeout),
            ambiguous: self.ambiguous,
        })
    }

    /// Records that the attempt succeeded, which ends the call.
    pub(crate) fn succeeded(&self) {
        if let Some(budget) = &self.task.policy.budget {
            budget.succeeded();
        }
        log::debug!(
            "{} `{}`: attempt {} succeeded",
            self.task.method,
            shown_name(&self.task.name),
            self.made
        );
    }

    /// Records that the attempt failed, and decides whether another one
    /// follows.
    pub(crate) fn failed(&mut self, error: Error, clock: &dyn Clock) {
        // Once an attempt may have reached the server, that stays true for the whole
        // call.
        self.ambiguous |= error.was_sent();
        self.may_have_started |= error.may_have_started();
        let now = clock.now();
        let elapsed = now.saturating_duration_since(self.start);
        let left = self.task.total_timeout.saturating_sub(elapsed);
        let (method, made) = (self.task.method, self.made);
        let delay = self.next_delay(&error, elapsed, clock);
        // Less than the remaining time: a delay that ends with it leaves none for the
        // attempt.
        let fits = delay.filter(|delay| *delay < left);
        let again = fits.and_then(|delay| Some((delay, now.checked_add(delay)?)));
        let name = &self.task.name;
        let Some((delay, until)) = again else {
            log::debug!("{method} `{}`: attempt {made} failed: {error}", shown_name(name));
            // No retry fits before the time that the hint names, whether the policy has one
            // left or not. Without remaining time it was the timeout that ended
            // the call.
            let too_long = |hint: Duration| hint >= left && !left.is_zero();
            let is_hint = self.task.policy.retries(&error) && error.retry_after().is_some_and(too_long);
            let error = if is_hint { error.hint_too_long(left) } else { error };
            self.state = RetryState::Over(self.finish(error, elapsed));
            return;
        };
        log::debug!(
            "{method} `{}`: attempt {made} failed: {error}; again in {} s",
            shown_name(name),
            Seconds(delay)
        );
        if let Some(observer) = &self.task.policy.observer {
            // Called before the sleep, so that a program can report a retry while it waits
            // for it.
            observer(&Retry { method, name, attempt: made, error: &error, delay });
        }
        self.state = RetryState::Due { after: Some((until, error)) };
    }

    /// Returns the delay before the next attempt; `None` if the call gives up.
    ///
    /// | | delay |
    /// |---|---|
    /// | an error that is not retried, or a request that must not be repeated | none |
    /// | no token in the budget, no attempt left | none |
    /// | the backoff gives up | none |
    /// | otherwise | that of the backoff, or a longer one that the server requests |
    fn next_delay(&mut self, error: &Error, elapsed: Duration, clock: &dyn Clock) -> Option<Duration> {
        let policy = &self.task.policy;
        // Two conditions: the error has to be transient, and a repetition of the
        // request has to be harmless.
        if !policy.retries(error) || !self.task.repeat.allows(error) {
            return None;
        }
        // The budget is charged for every failure that could be retried, even if the
        // attempts are used up: gRPC does the same.
        let affordable = policy.budget.as_ref().is_none_or(RetryBudget::failed);
        if !affordable || self.made >= policy.max_attempts {
            return None;
        }
        let delays = self.delays.get_or_insert_with(|| policy.backoff.delays());
        // A backoff of the program may give up, which ends the call.
        let own = delays.next(elapsed, clock.chance())?;
        // A hint is a lower bound, not a replacement: clients that get the same hint
        // still spread by their own jitter.
        Some(own.max(error.retry_after().unwrap_or_default()))
    }

    /// Adds the call, its attempts and its duration to its error.
    fn finish(&self, error: Error, elapsed: Duration) -> Error {
        // What ends the call, such as a stop, may know nothing of an earlier attempt.
        // There was one only if a repetition is harmless.
        let error = match self.may_have_started && !error.may_have_started() {
            true => error.in_doubt_of_start(true),
            false => error,
        };
        error.in_call(self.task.method, &self.task.name, self.made, elapsed)
    }
}
