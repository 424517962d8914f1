//! The two time limits, and what user code may do in between: rows 25, 65, 66 and 72 of the fault table.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use longrunning::auth::{AccessToken, TokenRequest};
use longrunning::testing::{FakeOperation, Reply, Rpc};
use longrunning::{Backoff, Code, Credentials, ErrorKind, RetryPolicy, Status};

use super::kit::{FakeServer, Method, NAME, done, hinted, running, secs, server, slept, told, unavailable};

#[test]
fn no_time_at_all() {
    for method in [Method::Get, Method::List, Method::Cancel, Method::Delete] {
        let server = server();
        let client = server.client_builder().total_timeout(secs(0.0)).build().unwrap();
        let error = method.run(&client).unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts(), error.elapsed()),
            (ErrorKind::Timeout, 0, secs(0.0)),
            "65 {method:?}"
        );
        assert_eq!((server.request_count(), slept(&server)), (0, vec![]), "65 {method:?}");
    }
}

/// The one exception from "no request after the timeout".
#[test]
fn a_wait_without_time_polls_once() {
    let server = server();
    let client = server.client();
    assert!(client.poller(NAME).total_timeout(secs(0.0)).until_done().unwrap().is_done(), "65");
    assert_eq!(server.request_count(), 1, "65");
    let rows = [(Reply::from(running()), 0.0), (unavailable(), 0.0), (Reply::hang(), 4.0)];
    for (reply, seconds) in rows {
        let server = FakeServer::start();
        server.reply(reply);
        let poller = server.client().poller(NAME).attempt_timeout(secs(4.0)).total_timeout(secs(0.0));
        let error = poller.until_done().unwrap_err();
        let found = (error.kind(), error.attempts(), error.elapsed(), server.request_count());
        assert_eq!(found, (ErrorKind::Timeout, 1, secs(seconds), 1), "65: {error}");
        assert_eq!((server.elapsed(), slept(&server)), (secs(seconds), vec![]), "65: {error}");
    }
}

#[test]
fn an_attempt_is_cut_to_the_total_timeout() {
    for method in [Method::Get, Method::List, Method::Cancel, Method::Delete] {
        let server = server();
        server.reply(Reply::hang());
        let client = server.client_builder().total_timeout(secs(3.0)).build().unwrap();
        let error = method.run(&client).unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts(), error.elapsed()),
            (ErrorKind::Timeout, 1, secs(3.0)),
            "65 {method:?}"
        );
        assert_eq!(server.elapsed(), secs(3.0), "65 {method:?}");
    }
}

#[test]
fn the_attempt_timeout_of_the_call_goes_before_the_clients() {
    let server = server();
    server.reply(Reply::hang().times(3));
    let client = server.client_builder().attempt_timeout(secs(4.0)).build().unwrap();
    client.get(NAME).attempt_timeout(secs(2.0)).send().unwrap();
    assert_eq!((server.elapsed(), slept(&server)), (secs(2.0 * 3.0 + 2.625), vec![0.375, 0.75, 1.5]), "25");
    server.reply(Reply::hang());
    client.get(NAME).send().unwrap();
    assert_eq!(server.elapsed(), secs(8.625 + 4.375), "25");
}

#[test]
fn attempts_without_time_send_nothing() {
    let server = server();
    let error = server.client().get(NAME).attempt_timeout(secs(0.0)).send().unwrap_err();
    assert_eq!((error.kind(), error.attempts(), server.request_count()), (ErrorKind::Timeout, 5, 0));
}

#[test]
fn no_sleep_passes_the_deadline() {
    let rows = [
        ("does not fit", 0.9, vec![0.375], 2, 0.375),
        ("would end with it", 1.125, vec![0.375], 2, 0.375),
        ("fits", 1.126, vec![0.375, 0.75], 3, 1.125),
    ];
    for (row, total, sleeps, attempts, elapsed) in rows {
        let server = server();
        server.reply(unavailable().times(9));
        let error = server.client().get(NAME).total_timeout(secs(total)).send().unwrap_err();
        assert_eq!(told(&Err::<(), _>(error.clone())), "Service UNAVAILABLE", "66 {row}: the last error");
        assert_eq!((error.attempts(), error.elapsed()), (attempts, secs(elapsed)), "66 {row}");
        assert_eq!(slept(&server), sleeps, "66 {row}");
    }
}

/// A sleep that takes longer than it was asked to must not hide why the attempt failed.
#[test]
fn the_last_error_outlives_a_sleep_that_took_too_long() {
    let server = Arc::new(server());
    server.reply(
        Status::new(Code::Unavailable, "draining").with_detail(longrunning::rpc::ErrorInfo::new("R", "d")),
    );
    let clock = Arc::clone(&server);
    let retry = RetryPolicy::default().on_retry(move |_| clock.advance(secs(60.0)));
    let error = server.client().get(NAME).retry(retry).send().unwrap_err();
    assert_eq!(told(&Err::<(), _>(error.clone())), "Service UNAVAILABLE", "{error}");
    assert_eq!((error.attempts(), error.elapsed()), (1, secs(60.0)));
}

#[test]
fn limits_of_the_client_are_those_of_its_calls() {
    let server = server();
    server.reply(unavailable().times(9));
    let backoff = Backoff::from_fn(|_| Some(secs(1.0)));
    let client = server
        .client_builder()
        .retry(RetryPolicy::default().backoff(backoff).max_attempts(99))
        .total_timeout(secs(2.5))
        .build()
        .unwrap();
    assert_eq!(client.get(NAME).send().unwrap_err().attempts(), 3);
    assert_eq!(client.get(NAME).total_timeout(secs(1.5)).send().unwrap_err().attempts(), 2);
}

#[test]
fn a_wait_on_the_server_extends_both_limits() {
    let server = FakeServer::with(|options| options.with(Rpc::Wait));
    server.insert(running());
    let client = server.waiting_client();
    client.wait(NAME).timeout(secs(50.0)).send().unwrap();
    assert_eq!(server.elapsed(), secs(50.0));
}

#[test]
fn panics_in_user_code_leave_the_client_whole() {
    let server = server();
    server.reply(unavailable());
    let panics = Arc::new(AtomicBool::new(true));
    let armed = Arc::clone(&panics);
    let retry =
        RetryPolicy::default().on_retry(move |_| assert!(!armed.load(Ordering::Relaxed), "on purpose"));
    let client = server.client_builder().retry(retry).build().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| client.get(NAME).send())).is_err(), "72");
    panics.store(false, Ordering::Relaxed);
    server.reply(unavailable());
    assert_eq!(client.get(NAME).send().unwrap(), done(), "72");
}

#[test]
fn a_panicking_token_provider_leaves_the_client_whole() {
    let server = server();
    let first = AtomicBool::new(true);
    let provider = move |_: &TokenRequest<'_>| {
        assert!(!first.swap(false, Ordering::Relaxed), "on purpose");
        Ok(AccessToken::new("t"))
    };
    let client = server.client_builder().credentials(Credentials::provider(provider)).build().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| client.get(NAME).send())).is_err(), "72");
    assert_eq!(client.get(NAME).send().unwrap(), done(), "72");
}

#[test]
fn time_without_end_is_no_overflow() {
    let server = server();
    let client =
        server.client_builder().attempt_timeout(Duration::MAX).total_timeout(Duration::MAX).build().unwrap();
    for method in Method::ALL {
        method.run(&client).unwrap_or_default();
    }
    server.insert(FakeOperation::new("operations/7").done_at_poll(3));
    client
        .poller("operations/7")
        .total_timeout(Duration::MAX)
        .attempt_timeout(Duration::MAX)
        .until_done()
        .unwrap();
    let waited = client.wait("operations/7").timeout(Duration::MAX).send();
    assert_eq!(waited.unwrap_err().code(), Some(Code::Unimplemented));
    let forever = Backoff::exponential(Duration::MAX, Duration::MAX);
    server.reply(hinted(unavailable(), LONGEST));
    let error = client
        .get(NAME)
        .total_timeout(Duration::from_secs(60))
        .retry(RetryPolicy::default().backoff(forever));
    assert_eq!(error.send().unwrap_err().retry_after(), Some(Duration::from_secs(LONGEST)));
}

/// In seconds, so that it can be told in milliseconds too.
const LONGEST: u64 = u64::MAX / 1000;
