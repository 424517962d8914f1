//! Many callers on one cache.

#[cfg(target_os = "linux")]
use std::sync::Barrier;
use std::sync::mpsc;
use std::thread;

use super::*;

#[test]
fn callers_without_a_token_share_one_flight() {
    const CALLERS: usize = 64;
    let rows = [
        ("success", ScriptedOutcome::Token("a", 3600), "Bearer a"),
        ("short-lived", ScriptedOutcome::Token("a", 0), "Bearer a"),
        ("transient", ScriptedOutcome::Transient("down"), "no access token from test: down"),
        ("permanent", ScriptedOutcome::Permanent("revoked"), "no access token from test: revoked"),
        ("panic", ScriptedOutcome::Panic, "no access token from test: the provider panicked"),
    ];
    for (name, outcome, expected) in rows {
        let clock = TestClock::new(0.0);
        let calls = Arc::new(AtomicUsize::new(0));
        let provider = {
            let (calls, clock) = (Arc::clone(&calls), Arc::clone(&clock));
            move |request: &TokenRequest<'_>| {
                calls.fetch_add(1, Ordering::SeqCst);
                // One budget is this flight's, the others are of callers that wait for it.
                clock.wait_for_budgets(CALLERS);
                outcome.into_result(request.now)
            }
        };
        let cache = TokenCache::new(
            "test".into(),
            Arc::new(provider),
            Purpose::default(),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::new(Unplugged),
        );
        let outcomes: Vec<_> = thread::scope(|scope| {
            let callers: Vec<_> =
                (0..CALLERS).map(|_| scope.spawn(|| cache.within(seconds(60), None))).collect();
            callers.into_iter().map(|caller| caller.join()).collect()
        });
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{name}");
        let panics = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert_eq!(panics, usize::from(matches!(outcome, ScriptedOutcome::Panic)), "{name}");
        for outcome in outcomes.into_iter().flatten() {
            let text = match outcome {
                Ok(authorization) => authorization.value().to_owned(),
                Err(error) => error.to_string(),
            };
            assert_eq!(text, expected, "{name}");
        }
    }
}

#[test]
fn many_threads_ask_once_per_expiry() {
    let clock = TestClock::new(0.0);
    let calls = Arc::new(AtomicUsize::new(0));
    let provider = {
        let calls = Arc::clone(&calls);
        move |_: &TokenRequest<'_>| {
            let call = calls.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(AccessToken::new(format!("token-{call}")).expires_in(seconds(3600)))
        }
    };
    let cache = TokenCache::new(
        "test".into(),
        Arc::new(provider),
        Purpose::default(),
        Arc::clone(&clock) as Arc<dyn Clock>,
        Arc::new(Unplugged),
    );
    for round in 1..=6 {
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        cache.within(seconds(60), None).unwrap();
                    }
                });
            }
        });
        assert_eq!(calls.load(Ordering::SeqCst), round, "round {round}");
        // Stale after every second round, expired after the others, and refused by all
        // at once at last.
        match round {
            5 => thread::scope(|scope| (0..64).for_each(|_| drop(scope.spawn(|| cache.refuse(5))))),
            _ if round % 2 == 0 => clock.sleep(seconds(3400)),
            _ => clock.sleep(seconds(3600)),
        }
    }
}

/// All of them there at once, on one cache, when the first token is wanted and
/// when the next one is.
#[cfg(target_os = "linux")] // Other systems do not give so many threads to one process.
#[test]
fn ten_thousand_threads_ask_once_per_expiry() {
    const THREADS: usize = 10_000;
    let clock = TestClock::new(0.0);
    let calls = Arc::new(AtomicUsize::new(0));
    let provider = {
        let calls = Arc::clone(&calls);
        move |_: &TokenRequest<'_>| {
            calls.fetch_add(1, Ordering::SeqCst);
            Ok(AccessToken::new("a").expires_in(seconds(3600)))
        }
    };
    let cache = TokenCache::new(
        "test".into(),
        Arc::new(provider),
        Purpose::default(),
        Arc::clone(&clock) as Arc<dyn Clock>,
        Arc::new(Unplugged),
    );
    for expiry in 1..=2 {
        let start = Barrier::new(THREADS);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let caller = || {
                    start.wait();
                    assert_eq!(cache.within(seconds(60), None).unwrap().value(), "Bearer a");
                };
                thread::Builder::new().stack_size(128 << 10).spawn_scoped(scope, caller).unwrap();
            }
        });
        assert_eq!(calls.load(Ordering::SeqCst), expiry);
        clock.sleep(seconds(3600));
    }
}

#[test]
fn a_flight_holds_up_nobody_beyond_his_time() {
    let clock = TestClock::new(0.0);
    let (entered, in_flight) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let seams = Mutex::new((entered, released));
    let provider = move |_: &TokenRequest<'_>| {
        let seams = seams.lock().unwrap();
        seams.0.send(()).unwrap();
        let token: &str = seams.1.recv_timeout(HANG).unwrap();
        Ok(AccessToken::new(token).expires_in(seconds(3600)))
    };
    let cache = TokenCache::new(
        "test".into(),
        Arc::new(provider),
        Purpose::default(),
        Arc::clone(&clock) as Arc<dyn Clock>,
        Arc::new(Unplugged),
    );
    let value = |result: Result<Authorization, Error>| result.unwrap().value().to_owned();
    thread::scope(|scope| {
        let first = scope.spawn(|| cache.within(seconds(60), None));
        in_flight.recv().unwrap();
        *clock.budget_cap.lock().unwrap() = Duration::from_millis(1);
        let error = cache.within(seconds(3), None).unwrap_err();
        assert_eq!(error.to_string(), "no access token from test within 3 s");
        assert_eq!((error.kind(), error.is_transient(), error.was_sent()), (ErrorKind::Timeout, true, false));
        release.send("a").unwrap();
        assert_eq!(value(first.join().unwrap()), "Bearer a");

        clock.sleep(seconds(3375));
        let second = scope.spawn(|| cache.within(seconds(60), None));
        in_flight.recv().unwrap();
        assert_eq!(value(cache.within(seconds(60), None)), "Bearer a", "the stale token serves meanwhile");
        release.send("b").unwrap();
        assert_eq!(value(second.join().unwrap()), "Bearer b");
    });
}
