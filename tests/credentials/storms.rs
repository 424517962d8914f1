//! How many requests a failing source of tokens receives: one round per window, whatever the kind of credentials
//! and however many threads and clones of a client call.

#[cfg(unix)]
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use longrunning::auth::{MetadataServer, TokenError, TokenRequest};
#[cfg(unix)]
use longrunning::testing::SubjectToken;
use longrunning::testing::{FakeServer, Reply};
use longrunning::{Credentials, Error, ErrorKind, OperationsClient, RetryPolicy};

use crate::kinds::expected;
#[cfg(unix)]
use crate::kit::printed;
use crate::kit::{Folder, NAME, asked, client, exchanging, files, load, server};

#[test]
fn a_failing_endpoint_receives_nothing_until_the_time_it_named() {
    let names = files(&server(), &Folder::new()).into_iter().map(|(name, _)| name);
    for name in names {
        // Every request of the chain can be the one that fails, that for the service account included.
        for step in 0..=expected(name).len() {
            let (server, folder) = (server(), Folder::new());
            let file = files(&server, &folder).into_iter().find(|(found, _)| *found == name).unwrap().1;
            let client = client(&server, load(&server.auth().impersonated_file(&file)));
            fail_from(&server, step);
            check_windows(&format!("{name}, request {step}"), &server, &client, step + 1);
        }
    }
}

#[test]
fn a_failing_metadata_server_or_assertion_endpoint_is_left_alone_too() {
    type Make = fn(&FakeServer) -> Credentials;
    let rows: [(&str, Make, usize); 3] = [
        ("universe", |_| MetadataServer::new().into(), 0),
        ("token of the machine", |_| MetadataServer::new().into(), 1),
        ("assertion", |server| exchanging(server).into(), 0),
    ];
    for (name, make, step) in rows {
        let server = server();
        let client = client(&server, make(&server));
        fail_from(&server, step);
        check_windows(name, &server, &client, step + 1);
    }
}

#[cfg(unix)]
#[test]
fn a_program_is_started_once_per_window() {
    let rows = [
        (
            "the program fails",
            r#"{"version": 1, "success": false, "code": "1", "message": "down"}"#.to_owned(),
        ),
        ("the token service fails", printed(&server())),
    ];
    for (name, output) in rows {
        let (server, folder) = (server(), Folder::new());
        let (starts, output) = (folder.file("starts", ""), folder.file("output", &output));
        let command = format!("/bin/sh -c 'echo started >> {starts}; cat {output}'");
        let file = server.auth().external_account_file(SubjectToken::Executable(&command));
        let client = client(&server, load(&file));
        fail_from(&server, 0);
        for window in 1..=3 {
            for error in storm(&client) {
                assert_eq!(error.kind(), ErrorKind::Auth, "{name}: {error:#}");
            }
            assert_eq!(fs::read_to_string(&starts).unwrap().lines().count(), window, "{name}");
            server.advance(Duration::from_secs(30));
        }
    }
}

#[test]
fn a_failing_provider_is_called_once_per_window() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let server = server();
    let sealed = move |_: &TokenRequest<'_>| {
        counted.fetch_add(1, Ordering::SeqCst);
        Err(TokenError::transient("the vault is sealed"))
    };
    let client = client(&server, Credentials::provider(sealed));
    // Without a hint the pause is 0.25 to 0.5 s, doubled per failure in a row.
    for (window, pause) in [(1, 0.375), (2, 0.75), (3, 1.5)] {
        for error in storm(&client) {
            assert_eq!(error.retry_after(), Some(Duration::from_secs_f64(pause)), "{error:#}");
        }
        assert_eq!(calls.load(Ordering::SeqCst), window);
        server.advance(Duration::from_secs_f64(pause));
    }
}

#[test]
fn the_retry_of_a_call_waits_until_the_endpoint_may_receive_the_next_request() {
    let server = server();
    let client = client(&server, load(&server.auth().authorized_user_file()));
    server.reply_to("POST", "/token", Reply::status(503).header("retry-after", "30"));
    let error = client.get(NAME).retry(RetryPolicy::never()).send().unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)), "{error:#}");
    server.advance(Duration::from_secs(10));
    let error = client.get(NAME).total_timeout(Duration::from_secs(20)).send().unwrap_err();
    assert_eq!((error.attempts(), error.retry_after()), (1, Some(Duration::from_secs(20))), "{error:#}");
    assert!(error.to_string().contains("no token request is sent for another 20 s"), "{error:#}");
    assert_eq!(server.sleeps(), [] as [Duration; 0], "it does not fit");
    client.get(NAME).total_timeout(Duration::from_secs(21)).send().unwrap();
    assert_eq!(server.sleeps(), [Duration::from_secs(20)]);
    assert_eq!(asked(&server), ["POST /token"; 2]);
}

#[test]
fn a_long_hint_stops_token_requests_for_a_minute_only() {
    let server = server();
    let client = client(&server, load(&server.auth().authorized_user_file()));
    server.reply_to("POST", "/token", Reply::status(503).header("retry-after", "86400"));
    client.get(NAME).send().unwrap_err();
    server.advance(Duration::from_secs(59));
    let error = client.get(NAME).retry(RetryPolicy::never()).send().unwrap_err();
    assert_eq!((error.retry_after(), asked(&server).len()), (Some(Duration::from_secs(1)), 1));
    client.get(NAME).send().unwrap();
    assert_eq!(asked(&server).len(), 2);
}

#[test]
fn tokens_that_the_service_refuses_are_renewed_at_most_every_ten_seconds() {
    let names = files(&server(), &Folder::new()).into_iter().map(|(name, _)| name);
    for name in names {
        let (server, folder) = (server(), Folder::new());
        let file = files(&server, &folder).into_iter().find(|(found, _)| *found == name).unwrap().1;
        let client = client(&server, load(&file));
        server.require_token("none of these");
        // The first token, and the one in place of it.
        for rounds in 2..5 {
            for error in storm(&client) {
                assert_eq!((error.kind(), error.http_status()), (ErrorKind::Service, Some(401)), "{name}");
            }
            assert_eq!(asked(&server).len(), rounds * expected(name).len(), "{name}");
            server.advance(Duration::from_secs(9));
            assert_eq!(storm(&client).len(), CALLS, "{name}");
            assert_eq!(asked(&server).len(), rounds * expected(name).len(), "{name}");
            server.advance(Duration::from_secs(1));
        }
    }
}

#[test]
fn an_endpoint_that_hangs_takes_no_call_with_an_unexpired_token_down() {
    let server = server();
    let client = client(&server, load(&server.auth().authorized_user_file()));
    client.get(NAME).send().unwrap();
    server.advance(Duration::from_secs(3400));
    server.reply_to("POST", "/token", Reply::hang().times(usize::MAX));
    for _ in 0..3 {
        client.get(NAME).retry(RetryPolicy::never()).send().unwrap();
    }
    assert_eq!(server.elapsed(), Duration::from_secs(3405), "half of the attempt's 10 s, once");
    assert_eq!(asked(&server).len(), 2);
}

/// Answers all requests for tokens but the first `step` with 503, and wants to be left alone for 30 s.
fn fail_from(server: &FakeServer, step: usize) {
    let is_token = |request: &longrunning::testing::RecordedRequest| !request.target().contains(NAME);
    server.reply_when(is_token, Reply::usual().times(step));
    server.reply_when(is_token, Reply::status(503).header("retry-after", "30").times(usize::MAX));
}

/// `sent` requests are sent at first, none before 30 s have passed, and then one, which fails as well.
fn check_windows(name: &str, server: &FakeServer, client: &OperationsClient, sent: usize) {
    for (passes, sent, remaining) in [(0, sent, 30), (29, sent, 1), (1, sent + 1, 30)] {
        server.advance(Duration::from_secs(passes));
        for error in storm(client) {
            assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Auth, true), "{name}: {error:#}");
            assert_eq!(error.retry_after(), Some(Duration::from_secs(remaining)), "{name}: {error:#}");
        }
        assert_eq!(asked(server).len(), sent, "{name} after {passes} s: {:?}", asked(server));
    }
}

/// Calls by many threads, each with a clone of the client, which all fail.
fn storm(client: &OperationsClient) -> Vec<Error> {
    const THREADS: usize = 8;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let client = client.clone();
                let call = move || client.get(NAME).retry(RetryPolicy::never()).send().unwrap_err();
                scope.spawn(move || (0..CALLS / THREADS).map(|_| call()).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

const CALLS: usize = 24;
