//! A cache over a scripted provider and a clock of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::SystemTime;

use super::*;
use crate::http::Unplugged;

mod requests;
mod states;
mod threads;

/// A clock that moves when it is set, and counts the callers that are about to
/// wait or to fetch.
#[derive(Debug)]
struct TestClock {
    moment: Mutex<(Instant, SystemTime)>,
    chance: f64,
    budgets: Mutex<usize>,
    budget_taken: Condvar,
    budget_cap: Mutex<Duration>,
}

impl TestClock {
    fn new(chance: f64) -> Arc<Self> {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        Arc::new(Self {
            moment: Mutex::new((Instant::now(), wall)),
            chance,
            budgets: Mutex::default(),
            budget_taken: Condvar::new(),
            budget_cap: Mutex::new(HANG),
        })
    }

    fn set_wall(&self, change: impl FnOnce(SystemTime) -> SystemTime) {
        let mut moment = self.moment.lock().unwrap();
        moment.1 = change(moment.1);
    }

    /// Blocks until `count` callers were given a budget. Callers that wait hold
    /// the lock of the cache from there until they are waiting, so that no
    /// landing can slip in between.
    fn wait_for_budgets(&self, count: usize) {
        let budgets = self.budgets.lock().unwrap();
        let (_budgets, waited) =
            self.budget_taken.wait_timeout_while(budgets, HANG, |budgets| *budgets < count).unwrap();
        assert!(!waited.timed_out(), "fewer than {count} callers came");
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        self.moment.lock().unwrap().0
    }

    fn wall(&self) -> SystemTime {
        self.moment.lock().unwrap().1
    }

    fn sleep(&self, duration: Duration) {
        let mut moment = self.moment.lock().unwrap();
        *moment = (moment.0 + duration, moment.1 + duration);
    }

    fn socket_deadline(&self, deadline: Instant) -> Instant {
        *self.budgets.lock().unwrap() += 1;
        self.budget_taken.notify_all();
        let left = deadline.saturating_duration_since(self.now());
        Instant::now() + left.min(*self.budget_cap.lock().unwrap())
    }

    fn chance(&self) -> f64 {
        self.chance
    }
}

impl TokenCache {
    fn within(&self, timeout: Duration, stop: Option<&StopToken>) -> Result<Authorization, Error> {
        self.authorization(self.clock.now() + timeout, stop)
    }
}

#[derive(Clone, Copy, Debug)]
enum ScriptedOutcome {
    /// A token with a lifetime in seconds.
    Token(&'static str, u64),
    Forever(&'static str),
    NoLifetime(&'static str),
    /// A token that expired this many seconds ago.
    Expired(&'static str, u64),
    Transient(&'static str),
    /// A transient error with a hint in seconds.
    Hinted(&'static str, u64),
    Permanent(&'static str),
    Panic,
}

impl ScriptedOutcome {
    fn into_result(self, now: SystemTime) -> Result<AccessToken, TokenError> {
        match self {
            Self::Token(text, lifetime) => Ok(AccessToken::new(text).expires_in(seconds(lifetime))),
            Self::Forever(text) => Ok(AccessToken::new(text).expires_in(Duration::MAX)),
            Self::NoLifetime(text) => Ok(AccessToken::new(text)),
            Self::Expired(text, ago) => Ok(AccessToken::new(text).expires_at(now - seconds(ago))),
            Self::Transient(message) => Err(TokenError::transient(message)),
            Self::Hinted(message, hint) => {
                Err(TokenError::transient(message).with_retry_after(seconds(hint)))
            }
            Self::Permanent(message) => Err(TokenError::permanent(message)),
            Self::Panic => panic!("scripted"),
        }
    }
}

fn scripted(outcomes: &'static [ScriptedOutcome]) -> (Arc<AtomicUsize>, Arc<dyn TokenProvider>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let provider = move |request: &TokenRequest<'_>| {
        outcomes[counted.fetch_add(1, Ordering::SeqCst)].into_result(request.now)
    };
    (calls, Arc::new(provider))
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Longer than anything takes here: a test that would hang fails.
const HANG: Duration = seconds(30);
