//! Property 8 of the fault table: at most one token request per window, whatever fails, in however many threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use longrunning::auth::{AccessToken, TokenError, TokenRequest};
use longrunning::{Credentials, Error, ErrorKind, RetryPolicy};
use proptest::collection::vec;
use proptest::prelude::*;

use super::kit::{Client, FakeServer, NAME, secs, server};

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_token_request_per_window(
        script in vec(outcome(), 0..12),
        rounds in vec(round(), 1..8),
        patient in any::<bool>(),
        chance in 0.0..1.0f64,
    ) {
        let server = Arc::new(server());
        server.set_chance(chance);
        let log = Arc::new(Mutex::new(Vec::new()));
        let policy = if patient { RetryPolicy::default() } else { RetryPolicy::never() };
        let provider = Provider { server: Arc::clone(&server), script, log: Arc::clone(&log), busy: AtomicBool::new(false) };
        let credentials = Credentials::provider(move |request: &TokenRequest<'_>| provider.token(request));
        let client = server.client_builder().credentials(credentials).retry(policy).build().unwrap();
        for round in &rounds {
            server.advance(secs(round.pause));
            match round.is_refused {
                true => server.require_token("none of these"),
                false => server.allow_anonymous(),
            }
            for error in storm(&client, round.threads) {
                let says_when = error.retry_after().is_some();
                prop_assert!(error.kind() != ErrorKind::Auth || says_when == error.is_transient(), "{error:#}");
            }
        }
        let log = log.lock().unwrap();
        let early = log.windows(2).map(|pair| check(&pair[0], &pair[1])).collect::<Result<Vec<_>, _>>();
        let early = early.map_err(TestCaseError::fail)?.into_iter().filter(|early| *early).count();
        // Only a refusal renews a token before its time, and it does so once in 10 s.
        let refusals = if rounds.iter().any(|round| round.is_refused) { 1 + server.elapsed().as_secs() / 10 } else { 0 };
        prop_assert!(early as u64 <= refusals, "{early} of {refusals}: {log:?}");
    }
}

/// Whether a token was asked for before the last one was due for renewal; an error if it was too early in any case.
fn check(last: &Asked, next: &Asked) -> Result<bool, String> {
    let pause = match last.outcome {
        Outcome::Token(lifetime) => {
            let lifetime = Duration::from_secs(lifetime.clamp(1, 43_200));
            let window = lifetime.saturating_sub(secs(255.0)).max(secs(10.0)).min(lifetime);
            return Ok(next.start < last.start + window);
        }
        Outcome::Transient(hint) => Duration::from_secs(hint.min(60)).max(secs(0.25)),
        Outcome::Permanent => secs(30.0),
    };
    if next.start < last.end + pause {
        Err(format!("{next:?} is too early after {last:?}"))
    } else {
        Ok(false)
    }
}

/// Two calls on each of so many threads, with a clone of the client each; the errors of those that fail.
fn storm(client: &Client, threads: usize) -> Vec<Error> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                let client = client.clone();
                scope.spawn(move || (0..2).filter_map(|_| client.get(NAME).send().err()).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// Plays the script, then gives tokens for an hour each.
struct Provider {
    server: Arc<FakeServer>,
    script: Vec<Outcome>,
    log: Arc<Mutex<Vec<Asked>>>,
    busy: AtomicBool,
}

impl Provider {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        assert!(!self.busy.swap(true, Ordering::SeqCst), "one at a time");
        let number = self.log.lock().unwrap().len();
        let outcome = self.script.get(number).copied().unwrap_or(Outcome::Token(3600));
        let asked = Asked { start: request.now, end: self.server.wall(), outcome };
        self.log.lock().unwrap().push(asked);
        self.busy.store(false, Ordering::SeqCst);
        match outcome {
            Outcome::Token(lifetime) => {
                Ok(AccessToken::new(format!("t{number}")).expires_in(Duration::from_secs(lifetime)))
            }
            Outcome::Transient(0) => Err(TokenError::transient("down")),
            Outcome::Transient(hint) => {
                Err(TokenError::transient("down").with_retry_after(Duration::from_secs(hint)))
            }
            Outcome::Permanent => Err(TokenError::permanent("revoked")),
        }
    }
}

/// One token request.
#[derive(Debug)]
struct Asked {
    start: SystemTime,
    end: SystemTime,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// A token for so many seconds.
    Token(u64),
    /// With a hint of so many seconds; 0 is none.
    Transient(u64),
    Permanent,
}

/// Calls at the same time, so many seconds after those before.
#[derive(Clone, Copy, Debug)]
struct Round {
    pause: f64,
    threads: usize,
    /// Whether the service answers 401.
    is_refused: bool,
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        2 => prop::sample::select(vec![0, 1, 5, 60, 255, 300, 3600, u64::MAX]).prop_map(Outcome::Token),
        3 => prop_oneof![Just(0), 1u64..100].prop_map(Outcome::Transient),
        1 => Just(Outcome::Permanent),
    ]
}

fn round() -> impl Strategy<Value = Round> {
    let pause = prop_oneof![Just(0.0), 0.0..12.0f64, 20.0..70.0f64, Just(3600.0)];
    (pause, 1usize..6, prop::bool::weighted(0.3)).prop_map(|(pause, threads, is_refused)| Round {
        pause,
        threads,
        is_refused,
    })
}
