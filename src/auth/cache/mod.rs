//! The token cache of one client: one fetch at a time, the old token while the
//! next one is fetched, and no failure that lasts.
//!
//! A token is *fresh* until 225 s (and a jitter of the client) before it
//! expires, then *stale*, then *expired*. One caller at a time runs the
//! provider, on its own thread: that is a *flight*. Callers with a stale token
//! do not wait for the flight. Callers without a token do, each until its own
//! deadline, and share the outcome.
//!
//! ```text
//! token     flight    last failure      next step of a caller
//! fresh     any       any               use the token
//! stale     none      none, or over     fetch
//! stale     running   any               use the token; same during a pause
//! none      running   any               wait for it
//! none      none      paused            fail with the error of that failure
//! none      none      none, or over     fetch
//! ```
//!
//! After a failed flight, none starts before `retry_at`, whether there is a
//! token or not. So a token endpoint that is down receives one request for each
//! pause, however many callers there are. A refusal by the service starts a
//! flight at most once for each [`REFUSAL_PAUSE`].
//!
//! The lock is held for decisions only, never while the provider runs, a caller
//! sleeps or a line is logged. A flight lands however it ends: with a token,
//! with an error, or with a panic of the provider.

mod state;

use std::fmt;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use crate::auth::AccessToken;
use crate::auth::authorization::Authorization;
use crate::auth::provider::{Purpose, TokenError, TokenProvider, TokenRequest, Wording, check_token};
use crate::error::{Error, ErrorKind};
use crate::http::{HttpClient, HttpError, HttpErrorKind};
use crate::util::clock::Clock;
use crate::util::excerpt::{excerpt, long_excerpt};
use crate::util::process::ProcessLock;
use crate::util::stop::StopToken;
use state::{CacheMoment, CacheStep, TokenCacheState};

/// The token of one client, and what renews it. Shared by the threads of the
/// client.
pub(crate) struct TokenCache {
    /// What messages call the credentials.
    label: String,
    /// The source of tokens.
    provider: Arc<dyn TokenProvider>,
    /// What the tokens are for.
    purpose: Purpose,
    clock: Arc<dyn Clock>,
    /// The client that the provider may send requests with.
    http: Arc<dyn HttpClient>,
    /// How long before its expiry a token becomes stale. It differs for each
    /// client, so that clients that started together do not refresh together.
    margin: Duration,
    /// The token, and what happened to it.
    state: ProcessLock<TokenCacheState>,
}

impl TokenCache {
    /// Creates a cache without a token. Nothing is fetched before the first
    /// request.
    pub(super) fn new(
        label: String,
        provider: Arc<dyn TokenProvider>,
        purpose: Purpose,
        clock: Arc<dyn Clock>,
        http: Arc<dyn HttpClient>,
    ) -> Self {
        // Drawn once for the life of the client.
        let margin = STALE_BEFORE_EXPIRY + MAX_JITTER.mul_f64(clock.chance().clamp(0.0, 1.0));
        Self {
            label,
            provider,
            purpose,
            clock,
            http,
            margin,
            state: ProcessLock::new(TokenCacheState::default(), |parent| {
                parent.map_or_else(TokenCacheState::default, TokenCacheState::inherited)
            }),
        }
    }

    /// Returns the token in use, or fetches one.
    ///
    /// It ends at `deadline`, by the clock of the client, and early if `stop`
    /// is stopped.
    ///
    /// # Errors
    ///
    /// The error of the provider, or `Timeout` or `Stopped` if this caller
    /// could not wait any longer. A caller with a token that still works gets
    /// no error.
    pub(super) fn authorization(
        &self,
        deadline: Instant,
        stop: Option<&StopToken>,
    ) -> Result<Authorization, Error> {
        // For the message of a timeout only.
        let start = self.clock.now();
        // The message names the time that the caller had, not what is left of
        // it.
        let timeout = || deadline.saturating_duration_since(start);
        loop {
            let now = self.now();
            let left = deadline.saturating_duration_since(now.mono);
            let state = self.lock();
            let state = match state.step(now) {
                CacheStep::Use(authorization) => return Ok(authorization),
                CacheStep::Fail(error) => return Err(error),
                CacheStep::Renew | CacheStep::Fetch | CacheStep::Wait
                    if left.is_zero() || is_stopped(stop) =>
                {
                    return state.usable(now).ok_or_else(|| self.ended(timeout(), stop));
                }
                // Half of the remaining time: an endpoint that hangs must leave
                // time for the request itself, which has a token.
                CacheStep::Renew => self.fetch(state, now.mono + STALE_TIMEOUT.min(left / 2), stop),
                CacheStep::Fetch => self.fetch(state, now.mono + FETCH_TIMEOUT.min(left), stop),
                CacheStep::Wait => {
                    self.wait(state, deadline, stop).ok_or_else(|| self.ended(timeout(), stop))?
                }
            };
            // There is no outcome if another caller has dropped the token that
            // has just landed. Then this one starts again.
            if let Some(outcome) = state.outcome(self.now()) {
                return outcome;
            }
        }
    }

    /// Drops the token of this generation, because the service refused it. A
    /// newer one stays.
    ///
    /// Returns whether the next request will have another token. It is false if
    /// the token stays in use, because one was dropped less than
    /// [`REFUSAL_PAUSE`] ago: a service that refuses fresh tokens would refuse
    /// the next one as well.
    pub(super) fn refuse(&self, generation: u64) -> bool {
        let now = self.clock.now();
        let mut state = self.lock();
        // Another caller has replaced or dropped it already, so a replay will
        // use a newer one.
        if state.token.as_ref().is_none_or(|held| held.authorization.generation() != generation) {
            return true;
        }
        let is_repeated = |last: Instant| now.saturating_duration_since(last) < REFUSAL_PAUSE;
        if state.refused.is_some_and(is_repeated) {
            return false;
        }
        // Dropped and not only stale: a stale token is used while the next one
        // is fetched.
        state.token = None;
        state.refused = Some(now);
        true
    }

    /// Marks the token as stale, because a newer one is known to exist, and
    /// forgets the last failure.
    pub(super) fn renew(&self) {
        let mut state = self.lock();
        state.failure = None;
        if let Some(held) = &mut state.token {
            held.fresh_for = Duration::ZERO;
        }
    }

    /// Runs a flight on this thread, and returns with the lock taken again.
    fn fetch<'c>(
        &'c self,
        mut state: MutexGuard<'c, TokenCacheState>,
        deadline: Instant,
        stop: Option<&StopToken>,
    ) -> MutexGuard<'c, TokenCacheState> {
        // Under the lock under which `step` decided, so no second caller starts
        // a flight.
        state.started += 1;
        drop(state);
        // Lifetimes count from before the request: after a slow response the
        // token is already that much older.
        let requested = self.now();
        let mut flight = TokenFlight { cache: self, requested, result: None, is_abandoned: false };
        let deadline = self.clock.socket_deadline(deadline);
        let request = TokenRequest {
            deadline,
            scopes: &self.purpose.scopes,
            endpoint: &self.purpose.endpoint,
            universe_domain: &self.purpose.universe_domain,
            now: requested.wall,
            http: &*self.http,
            stop,
        };
        // Without the lock: a provider may take seconds, and others use the old
        // token meanwhile. If it panics, dropping the flight frees the cache.
        let result = self.provider.token(&request);
        // A result counts even if the call was stopped: the token is there.
        flight.is_abandoned = result.is_err() && is_stopped(stop);
        flight.result = Some(result);
        // Stores the result and wakes the callers that wait, before this one
        // takes the lock again.
        drop(flight);
        self.lock()
    }

    /// Blocks until the running flight has landed; `None` if `deadline` passes
    /// first or the token is stopped.
    fn wait<'c>(
        &'c self,
        mut state: MutexGuard<'c, TokenCacheState>,
        deadline: Instant,
        stop: Option<&StopToken>,
    ) -> Option<MutexGuard<'c, TokenCacheState>> {
        // The flight that is running now, not a later one.
        let flight = state.started;
        // A landing is an event of real time, whatever the clock of the client
        // is.
        let deadline = self.clock.socket_deadline(deadline);
        loop {
            let remaining = deadline.saturating_duration_since(Instant::now());
            // A stop token does not wake this condition variable, so a waiter
            // that has one wakes up to check it.
            let pause = if stop.is_some() { remaining.min(STOP_INTERVAL) } else { remaining };
            let (woken, timed_out) = self.state.wait_while(state, pause, |state| state.finished < flight);
            if !timed_out {
                return Some(woken);
            }
            if remaining.is_zero() || is_stopped(stop) {
                return None;
            }
            state = woken;
        }
    }

    /// Ends a flight whose caller was stopped. That says nothing about the
    /// source, so the next caller may fetch at once.
    fn abandon(&self) {
        let mut state = self.state.lock();
        state.finished = state.started;
        drop(state);
        self.state.notify_all();
    }

    /// Returns the error of a caller that could not wait any longer.
    fn ended(&self, timeout: Duration, stop: Option<&StopToken>) -> Error {
        if is_stopped(stop) {
            let message = "stopped while waiting for an access token";
            return HttpError::new(HttpErrorKind::Stopped, message).sent(false).into();
        }
        Error::token_timeout(&self.label, timeout)
    }

    /// Stores the outcome of a flight, wakes the waiting callers, and logs it.
    fn land(&self, requested: CacheMoment, result: Result<AccessToken, TokenError>) {
        let result = result.and_then(check).map_err(|error| self.explain(error));
        let (now, chance) = (self.now(), self.clock.chance());
        let mut state = self.lock();
        // Together with the result, in one critical section: a caller that sees
        // that the flight has landed finds its outcome.
        state.finished = state.started;
        match &result {
            Ok(token) => state.store(requested, token, self.margin),
            Err(error) => state.fail(now, error, chance),
        }
        // Decided under the lock, because another caller may drop the token at
        // any time.
        let kept = state.usable(now).is_some();
        drop(state);
        self.state.notify_all();
        // Last, and without the lock: a logger is code of the program.
        match result {
            Ok(token) => {
                let seconds = token.lifetime(requested.wall).as_secs();
                log::debug!("got an access token from {}, good for {seconds} s", self.label);
            }
            // A warning, because the calls go on without an error until the
            // token expires.
            Err(error) if kept => log::warn!("{error}; the old one stays in use"),
            Err(_) => {}
        }
    }

    /// Converts the error of a provider into the error of a call.
    ///
    /// ```text
    /// External   no access token from LABEL: TEXT           at most 200 bytes
    /// Composed   the same                                   at most 1 KiB
    /// Whole      TEXT
    /// ```
    fn explain(&self, error: TokenError) -> Error {
        let (why, transient, is_setting) = (error.to_string(), error.is_transient(), error.is_setting());
        // A hint makes a permanent error no less permanent.
        let retry_after = error.retry_after().filter(|_| transient);
        let explained = match error.wording() {
            Wording::External => Error::no_token(&self.label, &excerpt(&why), transient),
            Wording::Composed => Error::no_token(&self.label, &long_excerpt(&why), transient),
            Wording::Whole => Error::new(ErrorKind::Auth, why).transient(transient),
        };
        let explained = match is_setting {
            true => explained.with_kind(ErrorKind::Config),
            false => explained,
        };
        let explained = explained.with_retry_after(retry_after);
        match error.into_source() {
            Some(source) => explained.with_source(source),
            None => explained,
        }
    }

    /// Reads both clocks.
    fn now(&self) -> CacheMoment {
        CacheMoment { mono: self.clock.now(), wall: self.clock.wall() }
    }

    /// Locks the state, for a decision.
    fn lock(&self) -> MutexGuard<'_, TokenCacheState> {
        self.state.lock()
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("credentials", &self.label).finish_non_exhaustive()
    }
}

/// One run of the provider, which lands however it ends. If it is dropped
/// without a result, the provider panicked.
struct TokenFlight<'c> {
    cache: &'c TokenCache,
    /// When it started.
    requested: CacheMoment,
    /// What the provider returned; `None` until then.
    result: Option<Result<AccessToken, TokenError>>,
    /// Whether it ended without a token because its caller was stopped.
    is_abandoned: bool,
}

impl Drop for TokenFlight<'_> {
    fn drop(&mut self) {
        if self.is_abandoned {
            return self.cache.abandon();
        }
        // Transient: the provider runs again after a pause.
        let panicked = || Err(TokenError::transient("the provider panicked"));
        self.cache.land(self.requested, self.result.take().unwrap_or_else(panicked));
    }
}

/// Returns whether there is a stop token that is stopped.
fn is_stopped(stop: Option<&StopToken>) -> bool {
    stop.is_some_and(StopToken::is_stopped)
}

/// Rejects a token that cannot stand in a header.
fn check(token: AccessToken) -> Result<AccessToken, TokenError> {
    match check_token(token.text()) {
        Ok(()) => Ok(token),
        Err(why) => Err(TokenError::permanent(format!("the token {why}"))),
    }
}

/// How long before its expiry a token is renewed, as in google-auth. The
/// metadata server returns the same token until 4 minutes before its end, so
/// renewing earlier would be of no use.
const STALE_BEFORE_EXPIRY: Duration = Duration::from_secs(225);
/// The most by which the margin of a client is longer.
const MAX_JITTER: Duration = Duration::from_secs(30);
/// The longest flight while the old token still works.
const STALE_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest flight without a token.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a caller that waits for a flight checks its stop token.
const STOP_INTERVAL: Duration = Duration::from_millis(50);
/// How often tokens are dropped because the service refuses them, at most.
const REFUSAL_PAUSE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
