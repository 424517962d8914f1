//! The token cache of one client: single flight, stale while refreshing, never poisoned.
//!
//! A token is fresh until 225 s (and a jitter of the client's own) before it expires, then stale, then
//! expired. One caller at a time runs the provider, on its own thread: that is a *flight*. Callers with a
//! stale token do not wait for it; callers without a token do, each for its own time, and share its outcome.

use std::fmt;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use crate::auth::provider::{Purpose, TokenError, TokenProvider, TokenRequest, check_token};
use crate::auth::{AccessToken, Authorization};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::http::HttpClient;
use crate::process::ProcessLock;

pub(crate) struct TokenCache {
    label: String,
    provider: Arc<dyn TokenProvider>,
    purpose: Purpose,
    clock: Arc<dyn Clock>,
    http: Arc<dyn HttpClient>,
    /// How long before its expiry a token becomes stale; differs per client, so that clients which started
    /// together do not refresh together.
    margin: Duration,
    state: ProcessLock<State>,
}

#[derive(Default)]
struct State {
    token: Option<Held>,
    /// Why the last flight failed; `None` after a success.
    failure: Option<Failure>,
    /// Counts the tokens that were ever stored.
    generation: u64,
    /// The number of the last flight that took off, and of the last that landed: at most one apart.
    started: u64,
    finished: u64,
}

#[derive(Clone)]
struct Held {
    authorization: Authorization,
    asked: Moment,
    /// Age from which on the token is stale, and expired.
    fresh_for: Duration,
    lifetime: Duration,
}

#[derive(Clone)]
struct Failure {
    error: Error,
    retry_at: Instant,
    /// Failed flights in a row.
    count: u32,
}

/// What a caller does next.
enum Step {
    Use(Authorization),
    Fail(Error),
    Fetch { at_most: Duration },
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
            state: ProcessLock::new(State::default(), |parent| {
                parent.map_or_else(State::default, State::inherited)
            }),
        }
    }

    pub(super) fn authorization(&self, timeout: Duration) -> Result<Authorization, Error> {
        let start = self.clock.now();
        loop {
            let now = self.now();
            let left = timeout.saturating_sub(now.mono.saturating_duration_since(start));
            let state = self.lock();
            let state = match state.step(now) {
                Step::Use(authorization) => return Ok(authorization),
                Step::Fail(error) => return Err(error),
                Step::Fetch { .. } | Step::Wait if left.is_zero() => {
                    return state.usable(now).ok_or_else(|| Error::token_timeout(&self.label, timeout));
                }
                Step::Fetch { at_most } => self.fetch(state, at_most.min(left)),
                Step::Wait => {
                    self.wait(state, left).ok_or_else(|| Error::token_timeout(&self.label, timeout))?
                }
            };
            // Another caller may have invalidated what has just landed: then it all begins again.
            if let Some(outcome) = state.outcome(self.now()) {
                return outcome;
            }
        }
    }

    /// Drops the token of this generation; a newer one stays.
    pub(super) fn invalidate(&self, generation: u64) {
        let mut state = self.lock();
        if state.token.as_ref().is_some_and(|held| held.authorization.generation() == generation) {
            state.token = None;
        }
    }

    /// Takes the token for stale, since a newer one is known to be there, and forgets the last failure.
    pub(super) fn renew(&self) {
        let mut state = self.lock();
        state.failure = None;
        if let Some(held) = &mut state.token {
            held.fresh_for = Duration::ZERO;
        }
    }

    fn fetch<'c>(&'c self, mut state: MutexGuard<'c, State>, timeout: Duration) -> MutexGuard<'c, State> {
        state.started += 1;
        drop(state);
        let asked = self.now();
        let mut flight = Flight { cache: self, asked, result: None };
        let timeout = self.clock.socket_budget(timeout);
        let request = TokenRequest {
            timeout,
            scopes: &self.purpose.scopes,
            endpoint: &self.purpose.endpoint,
            universe_domain: &self.purpose.universe_domain,
            now: asked.wall,
            http: &*self.http,
        };
        flight.result = Some(self.provider.token(&request));
        drop(flight);
        self.lock()
    }

    /// Blocks until the flight under way has landed; `None` when `timeout` passes first.
    fn wait<'c>(&'c self, state: MutexGuard<'c, State>, timeout: Duration) -> Option<MutexGuard<'c, State>> {
        let flight = state.started;
        // A landing is an event of real time, whatever the clock of the client is.
        let timeout = self.clock.socket_budget(timeout);
        let (state, timed_out) = self.state.wait_while(state, timeout, |state| state.finished < flight);
        (!timed_out).then_some(state)
    }

    fn land(&self, asked: Moment, result: Result<AccessToken, TokenError>) {
        let result = result.and_then(check).map_err(|error| self.explain(error));
        let (now, chance) = (self.now(), self.clock.chance());
        let mut state = self.lock();
        state.finished = state.started;
        match &result {
            Ok(token) => state.store(asked, token, self.margin),
            Err(error) => state.fail(now, error.clone(), chance),
        }
        let kept = state.usable(now).is_some();
        drop(state);
        self.state.notify_all();
        // Last, and without the lock: a logger is foreign code.
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
        let (why, transient) = (error.to_string(), error.is_transient());
        let retry_after = error.retry_after().filter(|_| transient);
        let explained = match error.is_whole() {
            true => Error::new(ErrorKind::Auth, why).transient(transient),
            false => Error::no_token(&self.label, &why, transient),
        };
        let explained = explained.with_retry_after(retry_after);
        match error.into_source() {
            Some(source) => explained.with_source(source),
            None => explained,
        }
    }

    fn now(&self) -> Moment {
        Moment { mono: self.clock.now(), wall: self.clock.wall() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("credentials", &self.label).finish_non_exhaustive()
    }
}

impl State {
    /// What a forked child begins with: the token, and no flight, because the thread of one does not exist in it.
    fn inherited(&mut self) -> Self {
        Self {
            token: self.token.clone(),
            failure: self.failure.clone(),
            generation: self.generation,
            started: self.finished,
            finished: self.finished,
        }
    }

    fn store(&mut self, asked: Moment, token: &AccessToken, margin: Duration) {
        let lifetime = token.lifetime(asked.wall);
        self.generation += 1;
        self.failure = None;
        self.token = Some(Held {
            authorization: Authorization::bearer(token.text(), self.generation),
            asked,
            fresh_for: lifetime.saturating_sub(margin).max(MIN_REUSE),
            lifetime,
        });
    }

    fn fail(&mut self, now: Moment, error: Error, chance: f64) {
        let count = self.failure.as_ref().map_or(0, |failure| failure.count);
        let hint = error.retry_after().unwrap_or_default().min(MAX_HINT);
        let pause = if error.is_transient() { pause(count, chance).max(hint) } else { REMEMBER_PERMANENT };
        self.failure = Some(Failure { error, retry_at: now.mono + pause, count: count.saturating_add(1) });
    }

    fn step(&self, now: Moment) -> Step {
        let flying = self.started != self.finished;
        let pausing = self.failure.as_ref().filter(|failure| now.mono < failure.retry_at);
        match (self.live(now), pausing) {
            (Some(held), None) if !held.is_fresh(now) && !flying => Step::Fetch { at_most: STALE_TIMEOUT },
            (Some(held), _) => Step::Use(held.authorization.clone()),
            (None, _) if flying => Step::Wait,
            (None, Some(failure)) if !failure.error.is_transient() => Step::Fail(failure.error.clone()),
            (None, _) => Step::Fetch { at_most: FETCH_TIMEOUT },
        }
    }

    /// What the flight that has just landed means for those who waited for it.
    fn outcome(&self, now: Moment) -> Option<Result<Authorization, Error>> {
        match &self.failure {
            Some(failure) => Some(self.usable(now).ok_or_else(|| failure.error.clone())),
            // New is good enough, however short its life: asking again would give no better one.
            None => self.token.as_ref().map(|held| Ok(held.authorization.clone())),
        }
    }

    fn usable(&self, now: Moment) -> Option<Authorization> {
        self.live(now).map(|held| held.authorization.clone())
    }

    fn live(&self, now: Moment) -> Option<&Held> {
        self.token.as_ref().filter(|held| now.since(held.asked) < held.lifetime)
    }
}

impl Held {
    fn is_fresh(&self, now: Moment) -> bool {
        now.since(self.asked) < self.fresh_for
    }
}

/// One run of the provider, which lands however it ends: dropped without a result, the provider panicked.
struct Flight<'c> {
    cache: &'c TokenCache,
    asked: Moment,
    result: Option<Result<AccessToken, TokenError>>,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let panicked = || Err(TokenError::transient("the provider panicked"));
        self.cache.land(self.asked, self.result.take().unwrap_or_else(panicked));
    }
}

fn check(token: AccessToken) -> Result<AccessToken, TokenError> {
    match check_token(token.text()) {
        Ok(()) => Ok(token),
        Err(why) => Err(TokenError::permanent(format!("the token {why}"))),
    }
}

/// 1 s doubled per failure in a row, at most 30 s, of which the upper half is left to chance.
fn pause(failures: u32, chance: f64) -> Duration {
    let full = Duration::from_secs(1 << failures.min(5)).min(MAX_PAUSE);
    full.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// A reading of both clocks.
#[derive(Clone, Copy)]
struct Moment {
    mono: Instant,
    wall: SystemTime,
}

impl Moment {
    /// By whichever clock more time has passed: the monotonic one stands still while the machine sleeps,
    /// the other can be set back.
    fn since(self, earlier: Self) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        self.mono.saturating_duration_since(earlier.mono).max(wall)
    }
}

/// As in google-auth: the metadata server gives a new token from 4 minutes before the end of the old one.
const STALE_BEFORE_EXPIRY: Duration = Duration::from_secs(225);
const MAX_JITTER: Duration = Duration::from_secs(30);
/// A token that comes with less life than the margin is not asked for again at every call.
const MIN_REUSE: Duration = Duration::from_secs(10);
const STALE_TIMEOUT: Duration = Duration::from_secs(10);
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
const REMEMBER_PERMANENT: Duration = Duration::from_secs(30);
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// What a token endpoint may ask for while the old token works: a token is stale for less than 5 minutes.
const MAX_HINT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
