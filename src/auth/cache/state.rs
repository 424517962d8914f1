//! What a token cache knows, and what its callers do next.
//!
//! These are values without locks, clocks and I/O: [`TokenCacheState::step`]
//! decides, and [`store`](TokenCacheState::store) and
//! [`fail`](TokenCacheState::fail) take the outcome of a flight. The cache
//! keeps the state under its lock and does the rest.
//!
//! ```text
//! none ── store ──► fresh ── margin ──► stale ── end ──► expired
//!                     ▲                   │                 │
//!                     └────── store ──────┴─────────────────┘
//! refused by the service: none, whatever the state
//! ```

use std::time::{Duration, Instant, SystemTime};

use crate::auth::AccessToken;
use crate::auth::authorization::Authorization;
use crate::error::{Error, Seconds};

/// What callers decide by.
///
/// A flight is running if `started` and `finished` differ.
#[derive(Default)]
pub(super) struct TokenCacheState {
    /// The last token; may be expired.
    pub(super) token: Option<HeldToken>,
    /// Why the last flight failed; `None` after a success.
    pub(super) failure: Option<TokenFailure>,
    /// When a token was last dropped because the service refused it.
    pub(super) refused: Option<Instant>,
    /// How many tokens were ever stored. It is the generation of the present
    /// one.
    pub(super) generation: u64,
    /// The number of the last flight that started.
    pub(super) started: u64,
    /// The number of the last flight that landed: that of `started`, or one
    /// less.
    pub(super) finished: u64,
}

/// A token, and how long it is good for.
#[derive(Clone)]
pub(super) struct HeldToken {
    /// The header to send.
    pub(super) authorization: Authorization,
    /// When it was requested: lifetimes count from then.
    pub(super) requested: CacheMoment,
    /// The age from which on it is stale.
    pub(super) fresh_for: Duration,
    /// The age from which on it is expired.
    pub(super) lifetime: Duration,
}

/// The outcome of a flight without a token.
#[derive(Clone)]
pub(super) struct TokenFailure {
    /// What the callers of the flight get.
    pub(super) error: Error,
    /// When the next flight may start.
    pub(super) retry_at: Instant,
    /// How many flights have failed without a success in between.
    pub(super) count: u32,
}

/// What a caller does next.
pub(super) enum CacheStep {
    /// Send the request with this header.
    Use(Authorization),
    /// Return this error, without a flight.
    Fail(Error),
    /// Fetch a token in place of a stale one, within a short time.
    Renew,
    /// Fetch a token, because there is none.
    Fetch,
    /// Wait for the flight of another caller.
    Wait,
}

impl TokenCacheState {
    /// Returns the state for a forked child: with the token, and without the
    /// flight, because its thread does not exist in the child.
    pub(super) fn inherited(&mut self) -> Self {
        Self {
            token: self.token.clone(),
            failure: self.failure.clone(),
            refused: self.refused,
            generation: self.generation,
            // As if the flight had not begun. The first caller in the child
            // starts its own.
            started: self.finished,
            finished: self.finished,
        }
    }

    /// Stores a token, which may be the last for a while: a token with less
    /// life than the margin is stale as soon as it arrives, so it counts as
    /// fresh for [`MIN_REUSE`] at least.
    pub(super) fn store(&mut self, requested: CacheMoment, token: &AccessToken, margin: Duration) {
        let lifetime = token.lifetime(requested.wall);
        // Never reused, so a late refusal of an old token does not drop the new
        // one.
        self.generation += 1;
        self.failure = None;
        self.token = Some(HeldToken {
            authorization: Authorization::bearer(token.text(), self.generation),
            requested,
            fresh_for: lifetime.saturating_sub(margin).max(MIN_REUSE),
            lifetime,
        });
    }

    /// Stores a failure, and decides when the next flight may start.
    pub(super) fn fail(&mut self, now: CacheMoment, error: &Error, chance: f64) {
        let count = self.failure.as_ref().map_or(0, |failure| failure.count);
        let hint = error.retry_after();
        let (pause, retry_after) = if error.is_transient() {
            let pause = pause(count, chance).max(hint.unwrap_or_default().min(MAX_HINT));
            // The whole hint, if it is longer: callers of this flight get what
            // the source requests.
            (pause, hint.max(Some(pause)))
        } else {
            (REMEMBER_PERMANENT, None)
        };
        let error = error.clone().with_retry_after(retry_after);
        self.failure =
            Some(TokenFailure { error, retry_at: now.mono + pause, count: count.saturating_add(1) });
    }

    /// Decides what a caller does next, as the table of this module says.
    pub(super) fn step(&self, now: CacheMoment) -> CacheStep {
        // A flag would do, but a waiter has to know whether it is still the
        // same flight.
        let flying = self.started != self.finished;
        let pausing = self.failure.as_ref().filter(|failure| now.mono < failure.retry_at);
        // A pause only keeps new flights from starting. A live token is used
        // during it, and a running flight is waited for.
        match (self.live(now), pausing) {
            (Some(held), None) if !held.is_fresh(now) && !flying => CacheStep::Renew,
            (Some(held), _) => CacheStep::Use(held.authorization.clone()),
            (None, _) if flying => CacheStep::Wait,
            (None, Some(failure)) => CacheStep::Fail(failure.remembered(now)),
            (None, None) => CacheStep::Fetch,
        }
    }

    /// Returns the outcome of the flight that has just landed, for its caller
    /// and for those that waited.
    pub(super) fn outcome(&self, now: CacheMoment) -> Option<Result<Authorization, Error>> {
        match &self.failure {
            Some(failure) => Some(self.usable(now).ok_or_else(|| failure.error.clone())),
            // A new token is good enough, however short its life: another
            // request would not return a better one.
            None => self.token.as_ref().map(|held| Ok(held.authorization.clone())),
        }
    }

    /// Returns the header of the token, unless it is expired.
    pub(super) fn usable(&self, now: CacheMoment) -> Option<Authorization> {
        self.live(now).map(|held| held.authorization.clone())
    }

    /// Returns the token, unless it is expired.
    pub(super) fn live(&self, now: CacheMoment) -> Option<&HeldToken> {
        self.token.as_ref().filter(|held| now.since(held.requested) < held.lifetime)
    }
}

impl TokenFailure {
    /// Returns the error of a call that comes before `retry_at`, with the
    /// remaining time as its delay.
    pub(super) fn remembered(&self, now: CacheMoment) -> Error {
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
    /// Returns whether no flight is needed for it.
    pub(super) fn is_fresh(&self, now: CacheMoment) -> bool {
        now.since(self.requested) < self.fresh_for
    }
}

/// Returns how long no flight starts after `failures` earlier ones have failed:
/// 0.5 s, doubled for each, at most 30 s. The upper half is left to chance.
///
/// ```text
/// failures   chance 0   chance 1
/// 0          0.25 s     0.5 s
/// 1          0.5 s      1 s
/// 6          15 s       30 s
/// ```
///
/// These are the delays of the default retry policy, so a call whose token
/// request failed sleeps only once.
pub(super) fn pause(failures: u32, chance: f64) -> Duration {
    // 64 times 0.5 s is more than the longest pause, so more doublings are of
    // no use.
    let full = FIRST_PAUSE.saturating_mul(1 << failures.min(6)).min(MAX_PAUSE);
    full.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// A reading of both clocks.
#[derive(Clone, Copy)]
pub(super) struct CacheMoment {
    pub(super) mono: Instant,
    pub(super) wall: SystemTime,
}

impl CacheMoment {
    /// Returns the time since `earlier`, by the clock by which more has passed:
    /// the monotonic one may stand still while the machine is suspended, and
    /// the other can be set back.
    pub(super) fn since(self, earlier: Self) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        self.mono.saturating_duration_since(earlier.mono).max(wall)
    }
}

/// How long a token is used that has less life than the margin. Without it,
/// every call would fetch a token.
const MIN_REUSE: Duration = Duration::from_secs(10);
/// How long a permanent failure is returned without a flight. After that the
/// cause may be fixed.
const REMEMBER_PERMANENT: Duration = Duration::from_secs(30);
/// The pause after the first failure, at most.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause after failures without a hint.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// How much of a `Retry-After` is obeyed. One request a minute harms no
/// endpoint, and a token is stale for less than 5 minutes.
const MAX_HINT: Duration = Duration::from_secs(60);
