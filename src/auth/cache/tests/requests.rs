//! What a provider is called with, and what its errors become.

use std::sync::mpsc;

use super::*;
use crate::auth::cache::state::pause;

#[test]
fn the_provider_gets_deadline_scopes_and_date() {
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
