//! The token cache of one client: single flight, stale while refreshing, never
//! poisoned.
//!
//! A token is fresh until 225 s (and a jitter of the client's own) before it
//! expires, then stale, then expired. One caller at a time runs the provider,
//! on its own thread: that is a *flight*. Callers with a stale token do not
//! wait for it; callers without a token do, each for its own time, and share
//! its outcome.
//!
//! After a flight that failed none takes off before `retry_at`, whether there
//! is a token or not, so that a token endpoint which is down receives one
//! request per window, however many callers there are. A refusal by the service
//! starts a flight at most once per [`REFUSAL_PAUSE`].

use std::fmt;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use crate::auth::AccessToken;
use crate::auth::authorization::Authorization;
use crate::auth::provider::{Purpose, TokenError, TokenProvider, TokenRequest, Wording, check_token};
use crate::error::{Error, ErrorKind, Seconds};
use crate::http::{HttpClient, HttpError, HttpErrorKind};
use crate::util::clock::Clock;
use crate::util::excerpt::{excerpt, long_excerpt};
use crate::util::process::ProcessLock;
use crate::util::stop::StopToken;

pub(crate) struct TokenCache {
    label: String,
    provider: Arc<dyn TokenProvider>,
    purpose: Purpose,
    clock: Arc<dyn Clock>,
    http: Arc<dyn HttpClient>,
    /// How long before its expiry a token becomes stale; differs per client, so
    /// that clients which started together do not refresh together.
    margin: Duration,
    state: ProcessLock<TokenCacheState>,
}

#[derive(Default)]
struct TokenCacheState {
    token: Option<HeldToken>,
    /// Why the last flight failed; `None` after a success.
    failure: Option<TokenFailure>,
    /// When a token was last dropped because the service refused it.
    refused: Option<Instant>,
    /// Counts the tokens that were ever stored.
    generation: u64,
    /// The number of the last flight that took off, and of the last that
    /// landed: at most one apart.
    started: u64,
    finished: u64,
}

#[derive(Clone)]
struct HeldToken {
    authorization: Authorization,
    asked: CacheMoment,
    /// Age from which on the token is stale, and expired.
    fresh_for: Duration,
    lifetime: Duration,
}

#[derive(Clone)]
struct TokenFailure {
    error: Error,
    retry_at: Instant,
    /// Failed flights in a row.
    count: u32,
}

/// The next step of a caller.
enum CacheStep {
    Use(Authorization),
    Fail(Error),
    /// Fetch a token in place of one that still works.
    Renew,
    Fetch,
    Wait,
}

impl TokenCache {
    pub(super) fn new(
        label: String,
        provider: Arc<dyn TokenProvider>,
        purpose: Purpose,
        clock: Arc<dyn Clock>,
        http: Arc<dyn HttpClient>,
    ) -> Self {
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

    /// Returns the token in use, or fetches one; ends at `deadline`, by the
    /// clock of the client, and early when `stop` is stopped.
    pub(super) fn authorization(
        &self,
        deadline: Instant,
        stop: Option<&StopToken>,
    ) -> Result<Authorization, Error> {
        let start = self.clock.now();
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
                // An endpoint that hangs must leave time for the request itself, which has a token.
                CacheStep::Renew => self.fetch(state, now.mono + STALE_TIMEOUT.min(left / 2), stop),
                CacheStep::Fetch => self.fetch(state, now.mono + FETCH_TIMEOUT.min(left), stop),
                CacheStep::Wait => {
                    self.wait(state, deadline, stop).ok_or_else(|| self.ended(timeout(), stop))?
                }
            };
            // Another caller may have dropped the token that has just landed: then this one
            // starts again.
            if let Some(outcome) = state.outcome(self.now()) {
                return outcome;
            }
        }
    }

    /// Drops the token of this generation, which the service refused; a newer
    /// one stays.
    ///
    /// False if the token stays in use, because one was dropped less than
    /// [`REFUSAL_PAUSE`] ago: a service that refuses fresh tokens would
    /// refuse the next one as well.
    pub(super) fn refuse(&self, generation: u64) -> bool {
        let now = self.clock.now();
        let mut state = self.lock();
        // Another caller has replaced or dropped it already, so a retry will use a
        // newer one.
        if state.token.as_ref().is_none_or(|held| held.authorization.generation() != generation) {
            return true;
        }
        let is_repeated = |last: Instant| now.saturating_duration_since(last) < REFUSAL_PAUSE;
        if state.refused.is_some_and(is_repeated) {
            return false;
        }
        // Dropped and not only stale: a stale token is used while the next one is
        // fetched.
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

    fn fetch<'c>(
        &'c self,
        mut state: MutexGuard<'c, TokenCacheState>,
        deadline: Instant,
        stop: Option<&StopToken>,
    ) -> MutexGuard<'c, TokenCacheState> {
        // Under the lock under which `step` decided, so that no second caller starts a
        // flight.
        state.started += 1;
        drop(state);
        // Lifetimes count from before the request: after a slow response the token is
        // already that much older.
        let asked = self.now();
        let mut flight = TokenFlight { cache: self, asked, result: None, is_abandoned: false };
        let deadline = self.clock.socket_deadline(deadline);
        let request = TokenRequest {
            deadline,
            scopes: &self.purpose.scopes,
            endpoint: &self.purpose.endpoint,
            universe_domain: &self.purpose.universe_domain,
            now: asked.wall,
            http: &*self.http,
            stop,
        };
        // Without the lock: a provider may take seconds, and others use the old token
        // meanwhile. If it panics, dropping the flight frees the cache.
        let result = self.provider.token(&request);
        flight.is_abandoned = result.is_err() && is_stopped(stop);
        flight.result = Some(result);
        // Lands the result, which wakes the waiting callers, before this one takes the
        // lock again.
        drop(flight);
        self.lock()
    }

    /// Blocks until the flight under way has landed; `None` when `deadline`
    /// passes first.
    fn wait<'c>(
        &'c self,
        mut state: MutexGuard<'c, TokenCacheState>,
        deadline: Instant,
        stop: Option<&StopToken>,
    ) -> Option<MutexGuard<'c, TokenCacheState>> {
        // Waits for the flight that is under way now, not for a later one.
        let flight = state.started;
        // A landing is an event of real time, whatever the clock of the client is.
        let deadline = self.clock.socket_deadline(deadline);
        loop {
            let remaining = deadline.saturating_duration_since(Instant::now());
            // The condition variable knows nothing of stop tokens, so a waiter with a token
            // wakes to check it.
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

    /// Frees the cache for the next flight: that the caller was stopped says
    /// nothing about the source.
    fn abandon(&self) {
        let mut state = self.state.lock();
        state.finished = state.started;
        drop(state);
        self.state.notify_all();
    }

    /// Returns the error of a caller that has waited for as long as it could.
    fn ended(&self, timeout: Duration, stop: Option<&StopToken>) -> Error {
        if is_stopped(stop) {
            let message = "stopped while waiting for an access token";
            return HttpError::new(HttpErrorKind::Stopped, message).sent(false).into();
        }
        Error::token_timeout(&self.label, timeout)
    }

    fn land(&self, asked: CacheMoment, result: Result<AccessToken, TokenError>) {
        let result = result.and_then(check).map_err(|error| self.explain(error));
        let (now, chance) = (self.now(), self.clock.chance());
        let mut state = self.lock();
        // Together with the result, in one critical section: a caller that sees the
        // flight landed finds its outcome.
        state.finished = state.started;
        match &result {
            Ok(token) => state.store(asked, token, self.margin),
            Err(error) => state.fail(now, error, chance),
        }
        // Decided under the lock, because another caller may drop the token at any
        // time.
        let kept = state.usable(now).is_some();
        drop(state);
        self.state.notify_all();
        // Last, and without the lock: a logger is code of the program.
        match result {
            Ok(token) => {
                let seconds = token.lifetime(asked.wall).as_secs();
                log::debug!("got an access token from {}, good for {seconds} s", self.label);
            }
            Err(error) if kept => log::warn!("{error}; the old one stays in use"),
            Err(_) => {}
        }
    }

    fn explain(&self, error: TokenError) -> Error {
        let (why, transient, is_setting) = (error.to_string(), error.is_transient(), error.is_setting());
        let retry_after = error.retry_after().filter(|_| transient);
        let explained = match error.wording() {
            Wording::Foreign => Error::no_token(&self.label, &excerpt(&why), transient),
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

    fn now(&self) -> CacheMoment {
        CacheMoment { mono: self.clock.now(), wall: self.clock.wall() }
    }

    fn lock(&self) -> MutexGuard<'_, TokenCacheState> {
        self.state.lock()
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("credentials", &self.label).finish_non_exhaustive()
    }
}

impl TokenCacheState {
    /// Returns the state for a forked child: the token, but no flight, because
    /// its thread does not exist in the child.
    fn inherited(&mut self) -> Self {
        Self {
            token: self.token.clone(),
            failure: self.failure.clone(),
            refused: self.refused,
            generation: self.generation,
            started: self.finished,
            finished: self.finished,
        }
    }

    fn store(&mut self, asked: CacheMoment, token: &AccessToken, margin: Duration) {
        let lifetime = token.lifetime(asked.wall);
        self.generation += 1;
        self.failure = None;
        self.token = Some(HeldToken {
            authorization: Authorization::bearer(token.text(), self.generation),
            asked,
            fresh_for: lifetime.saturating_sub(margin).max(MIN_REUSE),
            lifetime,
        });
    }

    fn fail(&mut self, now: CacheMoment, error: &Error, chance: f64) {
        let count = self.failure.as_ref().map_or(0, |failure| failure.count);
        let hint = error.retry_after();
        let (pause, retry_after) = if error.is_transient() {
            let pause = pause(count, chance).max(hint.unwrap_or_default().min(MAX_HINT));
            // The whole hint, where it is longer: callers of this flight get the request of
            // the source.
            (pause, hint.max(Some(pause)))
        } else {
            (REMEMBER_PERMANENT, None)
        };
        let error = error.clone().with_retry_after(retry_after);
        self.failure =
            Some(TokenFailure { error, retry_at: now.mono + pause, count: count.saturating_add(1) });
    }

    fn step(&self, now: CacheMoment) -> CacheStep {
        let flying = self.started != self.finished;
        let pausing = self.failure.as_ref().filter(|failure| now.mono < failure.retry_at);
        // A pause only keeps new flights from starting. A live token is used during it,
        // and a flight under way is waited for.
        match (self.live(now), pausing) {
            (Some(held), None) if !held.is_fresh(now) && !flying => CacheStep::Renew,
            (Some(held), _) => CacheStep::Use(held.authorization.clone()),
            (None, _) if flying => CacheStep::Wait,
            (None, Some(failure)) => CacheStep::Fail(failure.remembered(now)),
            (None, None) => CacheStep::Fetch,
        }
    }

    /// Returns the outcome of the flight that has just landed, for the callers
    /// that waited for it.
    fn outcome(&self, now: CacheMoment) -> Option<Result<Authorization, Error>> {
        match &self.failure {
            Some(failure) => Some(self.usable(now).ok_or_else(|| failure.error.clone())),
            // New is good enough, however short its life: asking again would give no better one.
            None => self.token.as_ref().map(|held| Ok(held.authorization.clone())),
        }
    }

    fn usable(&self, now: CacheMoment) -> Option<Authorization> {
        self.live(now).map(|held| held.authorization.clone())
    }

    fn live(&self, now: CacheMoment) -> Option<&HeldToken> {
        self.token.as_ref().filter(|held| now.since(held.asked) < held.lifetime)
    }
}

impl TokenFailure {
    /// Returns the error of a call that comes before `retry_at`.
    fn remembered(&self, now: CacheMoment) -> Error {
        let error = self.error.clone();
        if !error.is_transient() {
            return error;
        }
        let remaining = self.retry_at.saturating_duration_since(now.mono);
        let seconds = Seconds(remaining);
        error
            .with_retry_after(Some(remaining))
            .note(format_args!("no token request is sent for another {seconds} s"))
    }
}

impl HeldToken {
    fn is_fresh(&self, now: CacheMoment) -> bool {
        now.since(self.asked) < self.fresh_for
    }
}

/// One run of the provider, which lands however it ends: dropped without a
/// result, the provider panicked.
struct TokenFlight<'c> {
    cache: &'c TokenCache,
    asked: CacheMoment,
    result: Option<Result<AccessToken, TokenError>>,
    /// Whether it ended without a token because its caller was stopped.
    is_abandoned: bool,
}

impl Drop for TokenFlight<'_> {
    fn drop(&mut self) {
        if self.is_abandoned {
            return self.cache.abandon();
        }
        let panicked = || Err(TokenError::transient("the provider panicked"));
        self.cache.land(self.asked, self.result.take().unwrap_or_else(panicked));
    }
}

fn is_stopped(stop: Option<&StopToken>) -> bool {
    stop.is_some_and(StopToken::is_stopped)
}

fn check(token: AccessToken) -> Result<AccessToken, TokenError> {
    match check_token(token.text()) {
        Ok(()) => Ok(token),
        Err(why) => Err(TokenError::permanent(format!("the token {why}"))),
    }
}

/// 0.5 s doubled per failure in a row, at most 30 s, of which the upper half is
/// left to chance.
///
/// As long as the delays of the default retry policy, so that a call whose
/// token request failed sleeps once.
fn pause(failures: u32, chance: f64) -> Duration {
    let full = FIRST_PAUSE.saturating_mul(1 << failures.min(6)).min(MAX_PAUSE);
    full.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// A reading of both clocks.
#[derive(Clone, Copy)]
struct CacheMoment {
    mono: Instant,
    wall: SystemTime,
}

impl CacheMoment {
    /// By whichever clock more time has passed: the monotonic one stands still
    /// while the machine sleeps, the other can be set back.
    fn since(self, earlier: Self) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        self.mono.saturating_duration_since(earlier.mono).max(wall)
    }
}

/// As in google-auth: the metadata server gives a new token from 4 minutes
/// before the end of the old one.
const STALE_BEFORE_EXPIRY: Duration = Duration::from_secs(225);
const MAX_JITTER: Duration = Duration::from_secs(30);
/// A token whose lifetime is shorter than the margin is not fetched again at
/// every call.
const MIN_REUSE: Duration = Duration::from_secs(10);
const STALE_TIMEOUT: Duration = Duration::from_secs(10);
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
const REMEMBER_PERMANENT: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// How much of a `Retry-After` is obeyed: a request a minute harms no endpoint,
/// and a token is stale for less than 5 minutes.
const MAX_HINT: Duration = Duration::from_secs(60);
/// How late a caller that waits for the flight of another notices that it was
/// stopped.
const STOP_INTERVAL: Duration = Duration::from_millis(50);
const REFUSAL_PAUSE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
