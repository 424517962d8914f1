//! What is retried and when: the one retry loop of the crate. It knows nothing of HTTP.

mod backoff;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Error, Seconds};
use crate::types::Code;

pub use backoff::Backoff;
pub(crate) use backoff::Delays;

/// Decides which failures of a call are tried again, how often and after which delays.
///
/// The default follows Google's configuration of `google.longrunning.Operations`: at most 5 attempts, delays
/// of up to 0.5 s, doubled up to 10 s, retry on `UNAVAILABLE`. Retried as well are failures that say nothing
/// about the request: a connection that fails or breaks, an attempt that runs out of time, a proxy's 502, 503
/// or 504, a transient token failure, and `RESOURCE_EXHAUSTED` when the server says when to come back. All
/// five RPCs are idempotent, so an attempt that may have reached the server is retried too.
///
/// A delay that the server asks for (`Retry-After`, [`RetryInfo`]) is a floor for the next delay. A delay that
/// does not fit the call's total timeout ends the call at once, with the server's wish in
/// [`Error::retry_after`].
///
/// ```
/// use std::time::Duration;
///
/// use longrunning::{Backoff, Code, RetryPolicy};
///
/// let patient = RetryPolicy::default()
///     .max_attempts(8)
///     .codes([Code::Unavailable, Code::Aborted])
///     .backoff(Backoff::exponential(Duration::from_millis(200), Duration::from_secs(10)))
///     .on_retry(|retry| eprintln!("attempt {}: {}, again in {:?}", retry.attempt, retry.error, retry.delay));
/// # let _ = patient;
/// ```
///
/// References: [AIP-194], the RPCs' [service config].
///
/// [`RetryInfo`]: crate::rpc::RetryInfo
/// [AIP-194]: https://google.aip.dev/194
/// [service config]: https://github.com/googleapis/googleapis/blob/master/google/longrunning/longrunning_grpc_service_config.json
#[derive(Clone)]
pub struct RetryPolicy {
    max_attempts: u32,
    codes: Arc<[Code]>,
    backoff: Backoff,
    observer: Option<Observer>,
}

type Observer = Arc<dyn Fn(&Retry<'_>) + Send + Sync>;

/// One failed attempt that will be followed by another.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Retry<'a> {
    /// The RPC, such as `GetOperation`.
    pub method: &'static str,
    /// The `name` it was asked for.
    pub name: &'a str,
    /// Which attempt failed, counted from 1.
    pub attempt: u32,
    /// Why it failed.
    pub error: &'a Error,
    /// How long the call sleeps before the next attempt.
    pub delay: Duration,
}

impl RetryPolicy {
    /// Makes one attempt only.
    pub fn never() -> Self {
        Self::default().max_attempts(1)
    }

    /// Limits how often a call is tried, the first attempt included. Default 5; 0 counts as 1.
    pub fn max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts.max(1);
        self
    }

    /// Replaces the codes of the service that are retried. Default: `UNAVAILABLE` alone.
    pub fn codes(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.codes = codes.into_iter().collect();
        self
    }

    /// Replaces the delays between attempts. Default: [`Backoff::exponential`] from 0.5 s to 10 s.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Calls `observer` after each failed attempt that is retried, before the sleep.
    pub fn on_retry(mut self, observer: impl Fn(&Retry<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    fn retries(&self, error: &Error) -> bool {
        let Some(code) = error.code() else { return error.passes_by_itself() };
        // AIP-194: a quota error is worth a retry when the server says when.
        let hinted = code == Code::ResourceExhausted && error.retry_after().is_some();
        error.passes_by_itself() || hinted || self.codes.contains(&code)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            codes: Arc::new([Code::Unavailable]),
            backoff: Backoff::exponential(Duration::from_millis(500), Duration::from_secs(10)),
            observer: None,
        }
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("max_attempts", &self.max_attempts)
            .field("codes", &self.codes)
            .field("backoff", &self.backoff)
            .field("observer", &self.observer.is_some())
            .finish()
    }
}

/// One call, as far as the loop has to know it.
pub(crate) struct Task<'a> {
    pub(crate) method: &'static str,
    pub(crate) name: &'a str,
    pub(crate) attempt_timeout: Duration,
    pub(crate) total_timeout: Duration,
}

/// What an attempt is told.
pub(crate) struct Turn {
    /// The time it may take.
    pub(crate) timeout: Duration,
    /// An earlier attempt failed in a way that leaves open whether the server acted on it.
    pub(crate) ambiguous: bool,
}

/// Makes attempts until one succeeds, the policy gives up or the total timeout leaves no room for another.
pub(crate) fn run<T>(
    policy: &RetryPolicy,
    task: &Task<'_>,
    clock: &dyn Clock,
    mut attempt: impl FnMut(Turn) -> Result<T, Error>,
) -> Result<T, Error> {
    let start = clock.now();
    let mut delays: Option<Box<dyn Delays>> = None;
    let mut ambiguous = false;
    let mut number = 0;
    let mut last = None;
    loop {
        let elapsed = clock.now().saturating_duration_since(start);
        let left = task.total_timeout.saturating_sub(elapsed);
        if left.is_zero() {
            let error = last.unwrap_or_else(Error::no_time);
            return Err(task.finish(error, number, elapsed));
        }
        number += 1;
        let error = match attempt(Turn { timeout: left.min(task.attempt_timeout), ambiguous }) {
            Ok(answer) => {
                log::debug!("{} `{}`: attempt {number} succeeded", task.method, task.name);
                return Ok(answer);
            }
            Err(error) => error,
        };
        ambiguous |= error.was_sent();
        let elapsed = clock.now().saturating_duration_since(start);
        let left = task.total_timeout.saturating_sub(elapsed);
        let delays = delays.get_or_insert_with(|| policy.backoff.delays());
        let delay = task.next_delay(policy, &error, number, elapsed, delays.as_mut(), clock);
        let Some(delay) = delay.filter(|delay| *delay < left) else {
            log::debug!("{} `{}`: attempt {number} failed: {error}", task.method, task.name);
            return Err(task.finish(error, number, elapsed));
        };
        let (method, name) = (task.method, task.name);
        log::debug!("{method} `{name}`: attempt {number} failed: {error}; again in {} s", Seconds(delay));
        if let Some(observer) = &policy.observer {
            observer(&Retry { method, name, attempt: number, error: &error, delay });
        }
        clock.sleep(delay);
        // For a sleep that takes longer than it was asked to.
        last = Some(error);
    }
}

impl Task<'_> {
    /// The delay before the next attempt; none when the call gives up.
    fn next_delay(
        &self,
        policy: &RetryPolicy,
        error: &Error,
        number: u32,
        elapsed: Duration,
        delays: &mut dyn Delays,
        clock: &dyn Clock,
    ) -> Option<Duration> {
        if number >= policy.max_attempts || !policy.retries(error) {
            return None;
        }
        let own = delays.next(elapsed, clock.chance())?;
        Some(own.max(error.retry_after().unwrap_or_default()))
    }

    fn finish(&self, error: Error, attempts: u32, elapsed: Duration) -> Error {
        error.in_call(self.method, self.name, attempts, elapsed)
    }
}
