//! The life of one token: fresh, stale, expired, refused, and failures.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

enum Action {
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
    /// The service outcomes 401 to the token of this generation.
    Refuse(u64),
    /// The same, and it stays in use.
    Keep(u64),
    /// How often the provider was called so far.
    Calls(usize),
}

#[test]
fn tokens_are_renewed_and_failures_are_remembered() {
    use Action::{Calls, Fail, Get, Keep, Refuse, Sleep, WallBack, WallForward};
    use ScriptedOutcome::*;
    let rows: &[(&str, &[ScriptedOutcome], &[Action])] = &[
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
            "a token with less life than the margin is used for 10 s before the next one is fetched",
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
            "a provider that panics blocks no caller",
            &[Panic, Token("a", 3600), Panic, Token("b", 3600)],
            &[
                Action::Panic,
                Fail("the provider panicked"),
                Sleep(1),
                Get("a"),
                Sleep(3375),
                Action::Panic,
                Get("a"),
                Calls(3),
                Sleep(1),
                Get("b"),
            ],
        ),
    ];
    for (name, outcomes, steps) in rows {
        play(name, outcomes, steps);
    }
}

fn play(name: &str, outcomes: &'static [ScriptedOutcome], steps: &[Action]) {
    let clock = TestClock::new(0.0);
    let (calls, provider) = scripted(outcomes);
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
            Action::Get(token) => {
                let authorization = cache.within(seconds(60), None).expect(&place);
                assert_eq!(authorization.value(), format!("Bearer {token}"), "{place}");
            }
            Action::Fail(part) => {
                let error = cache.within(seconds(60), None).expect_err(&place);
                assert_eq!(error.kind(), ErrorKind::Auth, "{place}");
                assert!(error.to_string().contains(part), "{place}: {error}");
                assert!(!error.was_sent(), "{place}");
            }
            Action::Panic => {
                let result = catch_unwind(AssertUnwindSafe(|| cache.within(seconds(60), None)));
                assert!(result.is_err(), "{place}");
            }
            Action::Sleep(duration) => clock.sleep(seconds(*duration)),
            Action::WallForward(jump) => clock.set_wall(|wall| wall + seconds(*jump)),
            Action::WallBack(jump) => clock.set_wall(|wall| wall - seconds(*jump)),
            Action::Refuse(generation) => assert!(cache.refuse(*generation), "{place}"),
            Action::Keep(generation) => assert!(!cache.refuse(*generation), "{place}"),
            Action::Calls(expected) => assert_eq!(calls.load(Ordering::SeqCst), *expected, "{place}"),
        }
    }
    assert_eq!(calls.load(Ordering::SeqCst), outcomes.len(), "{name}: outcomes are left");
}

/// A forked child has the memory of its parent, and none of its threads.
#[test]
fn a_child_inherits_the_token_and_no_flight() {
    let clock = TestClock::new(0.0);
    let now = CacheMoment { mono: clock.now(), wall: clock.wall() };
    let error = Error::no_token("test", "down", true);
    let mut parent = TokenCacheState { started: 3, finished: 2, ..TokenCacheState::default() };
    assert!(matches!(parent.step(now), CacheStep::Wait));
    assert!(matches!(parent.inherited().step(now), CacheStep::Fetch), "it starts a flight of its own");
    parent.fail(now, &error, 1.0);
    assert!(matches!(parent.inherited().step(now), CacheStep::Fail(_)), "the pause holds for it, too");
    parent.store(now, &AccessToken::new("a").expires_in(seconds(3600)), seconds(240));
    parent.refused = Some(now.mono);
    let child = parent.inherited();
    assert!(matches!(child.step(now), CacheStep::Use(held) if held.value() == "Bearer a"));
    assert_eq!((child.generation, child.refused), (1, Some(now.mono)));
    assert_eq!((child.started, child.finished), (2, 2), "no flight");
    assert_eq!((parent.started, parent.finished), (3, 2), "the flight of the parent goes on");
}
