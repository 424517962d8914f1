use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, mpsc};

use super::*;
use crate::http::Unplugged;

mod threads;

/// A clock that moves when told to, and counts who is about to wait or to
/// fetch.
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

    /// Blocks until `count` callers were given a budget; those who wait hold
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
enum Answer {
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

impl Answer {
    fn give(self, now: SystemTime) -> Result<AccessToken, TokenError> {
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

enum Do {
    /// A call that must get this token.
    Get(&'static str),
    /// A call that must fail, with this in its message.
    Fail(&'static str),
    /// A call whose provider panics.
    Panic,
    Sleep(u64),
    /// The wall clock is set forward, or the machine was asleep.
    WallForward(u64),
    WallBack(u64),
    /// The service answers 401 to the token of this generation.
    Refuse(u64),
    /// The same, and it stays in use.
    Keep(u64),
    /// The provider was asked this often so far.
    Calls(usize),
}

#[test]
fn the_state_machine() {
    use Answer::*;
    use Do::{Calls, Fail, Get, Keep, Refuse, Sleep, WallBack, WallForward};
    let rows: &[(&str, &[Answer], &[Do])] = &[
        ("a fresh token is kept", &[Token("a", 3600)], &[Get("a"), Sleep(3374), Get("a"), Calls(1)]),
        (
            "a stale token is renewed once",
            &[Token("a", 3600), Token("b", 3600)],
            &[Get("a"), Sleep(3375), Get("b"), Get("b"), Calls(2)],
        ),
        (
            "a failed renewal keeps the old token and pauses 0.25 s, 0.5 s, 1 s, 2 s",
            &[
                Token("a", 3600),
                Transient("down"),
                Transient("down"),
                Transient("down"),
                Transient("down"),
                Token("b", 3600),
            ],
            &[
                Get("a"),
                Sleep(3375),
                Get("a"),
                Get("a"),
                Calls(2),
                Sleep(1),
                Get("a"),
                Get("a"),
                Calls(3),
                Sleep(1),
                Get("a"),
                Get("a"),
                Calls(4),
                Sleep(1),
                Get("a"),
                Calls(5),
                Sleep(1),
                Get("a"),
                Calls(5),
                Sleep(1),
                Get("b"),
            ],
        ),
        (
            "without a token a transient failure is remembered for 0.25 s, 0.5 s, 1 s",
            &[Transient("one"), Transient("two"), Transient("three"), Token("a", 3600)],
            &[
                Fail("one"),
                Fail("one; no token request is sent for another 0.3 s"),
                Calls(1),
                Sleep(1),
                Fail("two"),
                Sleep(1),
                Fail("three"),
                Fail("three; no token request is sent for another 1 s"),
                Calls(3),
                Sleep(1),
                Get("a"),
            ],
        ),
        (
            "the hint of the source is a longer pause",
            &[Hinted("busy", 7), Token("a", 3600)],
            &[Fail("busy"), Sleep(6), Fail("busy"), Calls(1), Sleep(1), Get("a"), Calls(2)],
        ),
        (
            "a hint of an hour is a pause of a minute",
            &[Hinted("busy", 3600), Token("a", 3600)],
            &[Fail("busy"), Sleep(59), Fail("busy"), Calls(1), Sleep(1), Get("a"), Calls(2)],
        ),
        (
            "an expired token is not used, and the pause of its renewal goes on",
            &[
                Token("a", 3600),
                Transient("one"),
                Transient("two"),
                Transient("three"),
                Transient("four"),
                Token("b", 3600),
            ],
            &[
                Get("a"),
                Sleep(3596),
                Get("a"),
                Sleep(1),
                Get("a"),
                Sleep(1),
                Get("a"),
                Sleep(1),
                Get("a"),
                Calls(5),
                Sleep(1),
                Fail("four"),
                Calls(5),
                Sleep(1),
                Get("b"),
            ],
        ),
        (
            "a permanent failure is remembered for 30 s",
            &[Permanent("revoked"), Permanent("still"), Token("a", 3600)],
            &[
                Fail("revoked"),
                Sleep(29),
                Fail("revoked"),
                Calls(1),
                Sleep(1),
                Fail("still"),
                Sleep(30),
                Get("a"),
            ],
        ),
        (
            "a permanent failure keeps a stale token for its life and is remembered beyond it",
            &[Token("a", 3600), Permanent("revoked"), Token("b", 3600)],
            &[
                Get("a"),
                Sleep(3590),
                Get("a"),
                Calls(2),
                Sleep(9),
                Get("a"),
                Sleep(1),
                Fail("revoked"),
                Calls(2),
                Sleep(20),
                Get("b"),
                Calls(3),
            ],
        ),
        (
            "a success forgets earlier failures",
            &[Transient("x"), Transient("x"), Token("a", 3600), Transient("x"), Token("b", 3600)],
            &[
                Fail("x"),
                Sleep(1),
                Fail("x"),
                Sleep(1),
                Get("a"),
                Sleep(3375),
                Get("a"),
                Calls(4),
                Sleep(1),
                Get("b"),
                Calls(5),
            ],
        ),
        (
            "a lifetime of zero is taken as one second",
            &[Token("a", 0), Token("b", 0)],
            &[Get("a"), Get("a"), Calls(1), Sleep(1), Get("b"), Calls(2)],
        ),
        (
            "a token that has expired already is used for a second",
            &[Expired("a", 600), Token("b", 3600)],
            &[Get("a"), Get("a"), Calls(1), Sleep(1), Get("b")],
        ),
        (
            "a huge lifetime is taken as 12 hours",
            &[Forever("a"), Token("b", 3600)],
            &[Get("a"), Sleep(43_200 - 226), Get("a"), Calls(1), Sleep(1), Get("b"), Calls(2)],
        ),
        (
            "a token without a lifetime is renewed within 5 minutes",
            &[NoLifetime("a"), Transient("down"), Token("b", 3600)],
            &[
                Get("a"),
                Sleep(74),
                Get("a"),
                Calls(1),
                Sleep(1),
                Get("a"),
                Calls(2),
                Sleep(225),
                Get("b"),
                Calls(3),
            ],
        ),
        (
            "a token with less life than the margin is used for 10 s before the next is asked for",
            &[Token("a", 120), Token("b", 110), Token("c", 3600)],
            &[
                Get("a"),
                Sleep(9),
                Get("a"),
                Calls(1),
                Sleep(1),
                Get("b"),
                Get("b"),
                Calls(2),
                Sleep(10),
                Get("c"),
            ],
        ),
        (
            "a wall clock set back changes nothing",
            &[Token("a", 3600), Token("b", 3600)],
            &[Get("a"), WallBack(7200), Sleep(3374), Get("a"), Calls(1), Sleep(1), Get("b")],
        ),
        (
            "a wall clock set forward, or a sleep of the machine, ends the token",
            &[Token("a", 3600), Transient("down"), Token("b", 3600)],
            &[Get("a"), WallForward(7200), Fail("down"), Sleep(1), Get("b"), Sleep(3374), Get("b"), Calls(3)],
        ),
        (
            "a refused token is replaced, and only once",
            &[Token("a", 3600), Token("b", 3600)],
            &[Get("a"), Refuse(1), Get("b"), Refuse(1), Refuse(0), Get("b"), Calls(2)],
        ),
        (
            "a token that is refused in place of a refused one is replaced after 10 s",
            &[Token("a", 3600), Token("b", 3600), Token("c", 3600), Token("d", 3600)],
            &[
                Get("a"),
                Refuse(1),
                Get("b"),
                Keep(2),
                Sleep(9),
                Keep(2),
                Get("b"),
                Sleep(1),
                Refuse(2),
                Get("c"),
                Keep(3),
                Sleep(3600),
                Get("d"),
                Refuse(3),
                Get("d"),
            ],
        ),
        (
            "a refused token is not used when there is no other",
            &[Token("a", 3600), Permanent("revoked"), Token("b", 3600)],
            &[Get("a"), Refuse(1), Fail("revoked"), Fail("revoked"), Calls(2), Sleep(30), Get("b")],
        ),
        (
            "a token that no header can carry is a permanent failure",
            &[Token("CANARY\n", 3600), Token("a", 3600)],
            &[Fail("the token holds a space, line break"), Fail("at byte 6"), Calls(1), Sleep(30), Get("a")],
        ),
        (
            "a provider that panics blocks nobody",
            &[Panic, Token("a", 3600), Panic, Token("b", 3600)],
            &[
                Do::Panic,
                Fail("the provider panicked"),
                Sleep(1),
                Get("a"),
                Sleep(3375),
                Do::Panic,
                Get("a"),
                Calls(3),
                Sleep(1),
                Get("b"),
            ],
        ),
    ];
    for (name, answers, steps) in rows {
        play(name, answers, steps);
    }
}

fn play(name: &str, answers: &'static [Answer], steps: &[Do]) {
    let clock = TestClock::new(0.0);
    let (calls, provider) = scripted(answers);
    let cache = TokenCache::new(
        "test".into(),
        provider,
        Purpose::default(),
        Arc::clone(&clock) as Arc<dyn Clock>,
        Arc::new(Unplugged),
    );
    for (at, step) in steps.iter().enumerate() {
        let place = format!("{name}, step {at}");
        match step {
            Do::Get(token) => {
                let authorization = cache.within(seconds(60), None).expect(&place);
                assert_eq!(authorization.value(), format!("Bearer {token}"), "{place}");
            }
            Do::Fail(part) => {
                let error = cache.within(seconds(60), None).expect_err(&place);
                assert_eq!(error.kind(), ErrorKind::Auth, "{place}");
                assert!(error.to_string().contains(part), "{place}: {error}");
                assert!(!error.was_sent(), "{place}");
            }
            Do::Panic => {
                let result = catch_unwind(AssertUnwindSafe(|| cache.within(seconds(60), None)));
                assert!(result.is_err(), "{place}");
            }
            Do::Sleep(duration) => clock.sleep(seconds(*duration)),
            Do::WallForward(jump) => clock.set_wall(|wall| wall + seconds(*jump)),
            Do::WallBack(jump) => clock.set_wall(|wall| wall - seconds(*jump)),
            Do::Refuse(generation) => assert!(cache.refuse(*generation), "{place}"),
            Do::Keep(generation) => assert!(!cache.refuse(*generation), "{place}"),
            Do::Calls(expected) => assert_eq!(calls.load(Ordering::SeqCst), *expected, "{place}"),
        }
    }
    assert_eq!(calls.load(Ordering::SeqCst), answers.len(), "{name}: answers left over");
}

#[test]
fn the_provider_learns_time_scopes_and_date() {
    let clock = TestClock::new(0.0);
    let (sender, asked) = mpsc::channel();
    let sender = Mutex::new(sender);
    let provider = move |request: &TokenRequest<'_>| {
        let seen = (request.remaining(), request.scopes.to_vec(), request.now);
        sender.lock().unwrap().send(seen).unwrap();
        Ok(AccessToken::new("a").expires_in(seconds(3600)))
    };
    let scopes = vec!["s1".to_owned(), "s2".to_owned()];
    let cache = TokenCache::new(
        "test".into(),
        Arc::new(provider),
        Purpose { scopes: scopes.clone(), ..Purpose::default() },
        Arc::clone(&clock) as Arc<dyn Clock>,
        Arc::new(Unplugged),
    );
    let rows = [
        ("no token: at most 30 s", 3600, 60, Some(30)),
        ("no token: at most what the caller has", 3600, 7, Some(7)),
        ("no token and no time", 3600, 0, None),
        ("stale: at most 10 s", 3375, 60, Some(10)),
        ("stale: at most half of what the caller has", 3375, 8, Some(4)),
        ("stale and no time", 3375, 0, None),
        ("fresh", 0, 60, None),
    ];
    cache.within(seconds(60), None).unwrap();
    asked.recv().unwrap();
    for (name, age, timeout, expected) in rows {
        clock.sleep(seconds(age));
        let result = cache.within(seconds(timeout), None);
        let seen = asked.try_recv().ok();
        let given = seen.as_ref().map(|seen| seen.0.as_secs_f64().ceil());
        assert_eq!(given, expected.map(f64::from), "{name}");
        if let Some((_, seen_scopes, now)) = seen {
            assert_eq!((seen_scopes, now), (scopes.clone(), clock.wall()), "{name}");
        }
        let timed_out = result.err().map(|error| (error.kind(), error.is_transient(), error.to_string()));
        let message = "no access token from test within 0 s".to_owned();
        let expected = (age == 3600 && timeout == 0).then_some((ErrorKind::Timeout, true, message));
        assert_eq!(timed_out, expected, "{name}");
        // Each row starts with a new token.
        cache.refuse(u64::MAX);
        let generation = cache.lock().generation;
        cache.refuse(generation);
        cache.within(seconds(60), None).unwrap();
        while asked.try_recv().is_ok() {}
    }
}

#[test]
fn the_margin_differs_by_client_and_pauses_are_bounded() {
    for (chance, margin) in [(0.0, 225.0), (0.5, 240.0), (0.999, 254.97), (7.0, 255.0)] {
        let (_, provider) = scripted(&[]);
        let cache = TokenCache::new(
            "test".into(),
            provider,
            Purpose::default(),
            TestClock::new(chance),
            Arc::new(Unplugged),
        );
        assert_eq!(cache.margin, Duration::from_secs_f64(margin), "{chance}");
    }
    for (failures, chance, expected) in [
        (0, 0.0, 250),
        (0, 1.0, 500),
        (1, 0.0, 500),
        (3, 0.5, 3000),
        (5, 1.0, 16_000),
        (6, 1.0, 30_000),
        (u32::MAX, 1.0, 30_000),
    ] {
        assert_eq!(pause(failures, chance), Duration::from_millis(expected), "{failures} failures");
    }
}

#[test]
fn a_failure_keeps_its_cause_and_shows_one_line() {
    let provider = |_: &TokenRequest<'_>| {
        let cause = std::io::Error::other("connection refused");
        Err(TokenError::transient(format!("token endpoint\r\nis \u{1b}[31mdown\" {}", "x".repeat(300)))
            .with_source(cause))
    };
    let cache = TokenCache::new(
        "test".into(),
        Arc::new(provider),
        Purpose::default(),
        TestClock::new(0.0),
        Arc::new(Unplugged),
    );
    let error = cache.within(seconds(60), None).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("no access token from test: token endpoint\\r\\nis \\u{1b}[31mdown\" xxx"),
        "{text}"
    );
    assert!(text.ends_with("xx…") && text.len() < 240, "{text}");
    assert!(format!("{error:#}").ends_with("…: connection refused"), "{error:#}");
    assert!(error.is_transient());
}

fn scripted(answers: &'static [Answer]) -> (Arc<AtomicUsize>, Arc<dyn TokenProvider>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let provider =
        move |request: &TokenRequest<'_>| answers[counted.fetch_add(1, Ordering::SeqCst)].give(request.now);
    (calls, Arc::new(provider))
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Longer than anything takes here: a test that would hang fails.
const HANG: Duration = seconds(30);
