//! What is retried and when: the one retry loop of the crate. It knows nothing of HTTP.

mod attempts;
mod backoff;
mod budget;
mod rate;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::redact::Masked;
use crate::types::Code;

#[allow(unused_imports)]
pub(crate) use attempts::{AttemptTurn, Attempts, RetryStep, RetryTask, run};
pub use backoff::Backoff;
pub(crate) use backoff::RetryDelays;
pub use budget::RetryBudget;
pub(crate) use rate::RateLimit;

/// Decides which failures of a call are tried again, how often and after which delays.
///
/// The default follows Google's configuration of `google.longrunning.Operations`: at most 5 attempts, delays
/// of 0.25 to 0.5 s, doubled up to 5 to 10 s, retry on `UNAVAILABLE`. Retried as well are failures that say nothing
/// about the request: a connection that fails or breaks, an attempt that runs out of time, a proxy's 502, 503
/// or 504, a transient token failure, and a used-up quota if the server says when to come back. Nothing is
/// retried if the server asks not to (`grpc-retry-pushback-ms: -1`). `docs/errors.md` has a table of all events. All
/// five RPCs are idempotent, so an attempt that may have reached the server is retried too.
///
/// A delay that the server asks for (`Retry-After`, [`RetryInfo`]) is a floor for the next delay. A delay that
/// does not fit the call's total timeout ends the call at once. The message names it, and
/// [`Error::retry_after`] returns it.
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
    budget: Option<RetryBudget>,
    observer: Option<RetryObserver>,
}

type RetryObserver = Arc<dyn Fn(&Retry<'_>) + Send + Sync>;

/// One failed attempt that will be followed by another.
#[non_exhaustive]
#[derive(Clone, Copy)]
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

impl fmt::Debug for Retry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("method", &self.method)
            .field("name", &Masked(self.name))
            .field("attempt", &self.attempt)
            .field("error", &self.error)
            .field("delay", &self.delay)
            .finish()
    }
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

    /// Retries only while `budget` lasts, which clones of this policy share. Default: without a budget.
    ///
    /// Given to a client it is shared by all its calls, but for those with a [policy](crate::Call::retry) of their own.
    pub fn budget(mut self, budget: RetryBudget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Calls `observer` after each failed attempt that is retried, before the sleep.
    pub fn on_retry(mut self, observer: impl Fn(&Retry<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    fn retries(&self, error: &Error) -> bool {
        // AIP-194: a quota error is worth a retry if the server says when.
        let hinted = error.is_quota() && error.retry_after().is_some();
        let by_code = error.code().is_some_and(|code| self.codes.contains(&code));
        !error.forbids_retry() && (error.passes_by_itself() || hinted || by_code)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            codes: Arc::new([Code::Unavailable]),
            backoff: Backoff::exponential(Duration::from_millis(500), Duration::from_secs(10)),
            budget: None,
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
            .field("budget", &self.budget)
            .field("observer", &self.observer.is_some())
            .finish()
    }
}
