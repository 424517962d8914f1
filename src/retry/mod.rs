//! The one retry loop of the crate: which errors are retried, and when. It does
//! not depend on HTTP.
//!
//! ```text
//! run, aio::call, poll_many (cancellations), sweep      drivers
//!    │ next, succeeded, failed
//!    ▼
//! Attempts        the state of one call: what comes next
//!    ├── RetryPolicy    which errors, how many attempts
//!    │      ├── Backoff       the delays
//!    │      └── RetryBudget   a limit over all calls
//!    └── RepeatRule     whether the request may be sent again at all
//! ```
//!
//! A retry needs two permissions: of the policy, which knows errors, and of the
//! rule, which knows the request. A start has the strictest rule, so that no
//! policy can start the same work twice. Waits have their own tolerance and do
//! not use this loop for polls.

mod attempts;
mod backoff;
mod budget;
mod rate;
mod repeat;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::types::Code;
use crate::util::redact::Masked;

#[allow(unused_imports)]
pub(crate) use attempts::{AttemptTurn, Attempts, RetryStep, RetryTask, run};
pub use backoff::Backoff;
pub(crate) use backoff::RetryDelays;
pub use budget::RetryBudget;
pub(crate) use rate::RateLimit;
pub(crate) use repeat::RepeatRule;

/// Decides which errors of a call are retried, how often and after which
/// delays.
///
/// The default follows Google's configuration of
/// `google.longrunning.Operations`: at most 5 attempts, delays of 0.25 to 0.5
/// s, doubled up to 5 to 10 s, retry on `UNAVAILABLE`. Errors that say nothing
/// about the request are retried too: a connection that fails or breaks, an
/// attempt that times out, a proxy's 502, 503 or 504, a transient error of a
/// token endpoint, and an exhausted quota with a delay from the server. Nothing
/// is retried if the server forbids it (`grpc-retry-pushback-ms: -1`).
/// `docs/errors.md` has a table of all events. All five RPCs are idempotent, so
/// an attempt that may have reached the server is retried.
///
/// A delay that the server requests (`Retry-After`, [`RetryInfo`]) is a lower
/// bound for the next delay. If it exceeds the remaining time of the call, the
/// call ends at once. The message names the delay, and [`Error::retry_after`]
/// returns it.
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
    /// Attempts of a call, the first included; at least 1.
    max_attempts: u32,
    /// Codes that are retried, besides errors that are transient anyway.
    codes: Arc<[Code]>,
    backoff: Backoff,
    budget: Option<RetryBudget>,
    observer: Option<RetryObserver>,
}

/// The closure of [`RetryPolicy::on_retry`].
type RetryObserver = Arc<dyn Fn(&Retry<'_>) + Send + Sync>;

/// One failed attempt that will be followed by another.
#[non_exhaustive]
#[derive(Clone, Copy)]
pub struct Retry<'a> {
    /// The RPC, such as `GetOperation`.
    pub method: &'static str,
    /// The requested `name`.
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
    /// Creates a policy that makes a single attempt.
    ///
    /// ```
    /// use longrunning::RetryPolicy;
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::status(503));
    /// let error = server.client().get("operations/42").retry(RetryPolicy::never()).send().unwrap_err();
    /// assert_eq!(error.attempts(), 1);
    /// ```
    pub fn never() -> Self {
        Self::default().max_attempts(1)
    }

    /// Limits the number of attempts of a call, the first included. Default: 5;
    /// zero counts as 1.
    ///
    /// ```
    /// use longrunning::RetryPolicy;
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::status(503).times(usize::MAX));
    /// let policy = RetryPolicy::default().max_attempts(2);
    /// assert_eq!(server.client().get("operations/42").retry(policy).send().unwrap_err().attempts(), 2);
    /// ```
    pub fn max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts.max(1);
        self
    }

    /// Sets the codes of the service that are retried. Default: only
    /// `UNAVAILABLE`.
    ///
    /// Connection errors and timeouts are retried regardless of this.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Code, Operation, RetryPolicy, Status};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Status::new(Code::Aborted, "conflict"));
    /// let policy = RetryPolicy::default().codes([Code::Unavailable, Code::Aborted]);
    /// server.client().get("operations/42").retry(policy).send()?;
    /// assert_eq!(server.request_count(), 2);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn codes(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.codes = codes.into_iter().collect();
        self
    }

    /// Sets the delays between attempts. Default: [`Backoff::exponential`] from
    /// 0.5 s to 10 s.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::{Backoff, Operation, RetryPolicy};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::status(503));
    /// let second = Backoff::from_fn(|_| Some(Duration::from_secs(1)));
    /// server.client().get("operations/42").retry(RetryPolicy::default().backoff(second)).send()?;
    /// assert_eq!(server.sleeps(), [Duration::from_secs(1)]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Retries only while `budget` has tokens. Clones of this policy share it.
    /// Default: no budget.
    ///
    /// If it is the policy of a client, all calls share it, except those with a
    /// [policy](crate::Call::retry) of their own.
    pub fn budget(mut self, budget: RetryBudget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Calls `observer` after each failed attempt that will be retried, before
    /// the sleep.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::{Operation, RetryPolicy};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::status(503));
    /// let seen = Arc::new(Mutex::new(Vec::new()));
    /// let log = Arc::clone(&seen);
    /// let policy = RetryPolicy::default().on_retry(move |retry| log.lock().unwrap().push(retry.attempt));
    /// server.client().get("operations/42").retry(policy).send()?;
    /// assert_eq!(*seen.lock().unwrap(), [1]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn on_retry(mut self, observer: impl Fn(&Retry<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Returns whether an error is worth another attempt, whatever the request
    /// is.
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
