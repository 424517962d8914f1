//! Delays that servers ask for: how long a wait obeys them, and what a call says that cannot.

use std::time::Duration;

use longrunning::rpc::RetryInfo;
use longrunning::testing::{FakeOperation, Reply};
use longrunning::{Backoff, Code, RetryPolicy, Status};

use crate::kit::{NAME, secs, server, slept, unavailable};

const DAY: &str = "86400";

fn retry_info(seconds: f64) -> Reply {
    Status::new(Code::ResourceExhausted, "quota").with_detail(RetryInfo::after(secs(seconds))).into()
}

#[test]
fn a_call_names_the_hint_that_ended_it() {
    let rows = [
        (
            unavailable().header("retry-after", DAY),
            "; Retry-After of 86400 s is longer than the remaining 60 s",
        ),
        (retry_info(61.5), "; RetryInfo of 61.5 s is longer than the remaining 60 s"),
        (
            retry_info(61.0).header("retry-after", DAY),
            "; Retry-After of 86400 s is longer than the remaining 60 s",
        ),
        (
            Reply::html(503).header("retry-after", DAY),
            "; Retry-After of 86400 s is longer than the remaining 60 s",
        ),
    ];
    for (reply, note) in rows {
        let server = server();
        server.reply(reply);
        let error = server.client().get(NAME).send().unwrap_err();
        assert!(error.to_string().ends_with(note), "{error}");
        assert_eq!((error.attempts(), slept(&server)), (1, vec![]));
    }
}

/// Nor would a policy with more attempts have made another one.
#[test]
fn a_call_without_retries_names_the_hint_too() {
    let server = server();
    server.reply(unavailable().header("retry-after", DAY));
    let error = server.client().get(NAME).retry(RetryPolicy::never()).send().unwrap_err();
    assert!(
        error.to_string().ends_with("; Retry-After of 86400 s is longer than the remaining 60 s"),
        "{error}"
    );
    assert_eq!(error.retry_after(), Some(secs(86_400.0)));
}

#[test]
fn no_hint_is_named_that_did_not_end_the_call() {
    let server = server();
    server.reply(unavailable().header("retry-after", "1").times(5));
    let error = server.client().get(NAME).send().unwrap_err();
    assert!(!error.to_string().contains("Retry-After"), "{error}");
    server.reply(Reply::from(Status::new(Code::Internal, "broken")).header("retry-after", DAY));
    let error = server.client().get(NAME).send().unwrap_err();
    assert!(!error.to_string().contains("Retry-After"), "it is not retried anyway: {error}");
}

#[test]
fn one_hint_does_not_silence_a_wait() {
    for (limit, expected) in [(None, 300.0), (Some(60.0), 60.0), (Some(0.0), 0.5), (Some(1e6), 86400.0)] {
        let server = server();
        server.reply(unavailable().header("retry-after", DAY));
        let poller = server.client().poller(NAME).forever();
        let poller = if let Some(limit) = limit { poller.max_hint(secs(limit)) } else { poller };
        poller.until_done().unwrap();
        assert_eq!(slept(&server), [expected], "{limit:?}");

        server.reply(unavailable().header("retry-after", DAY));
        let start = server.elapsed();
        let many = server.client().poll_many([NAME]).forever();
        let many = if let Some(limit) = limit { many.max_hint(secs(limit)) } else { many };
        assert_eq!(many.try_join_all().unwrap().len(), 1);
        assert_eq!(server.elapsed() - start, secs(expected), "{limit:?}");
    }
}

/// A quota without a hint is given time, also if hints are ignored.
#[test]
fn a_quota_keeps_its_pause_without_hints() {
    let server = server();
    server.reply(retry_info(40.0));
    server.client().poller(NAME).max_hint(Duration::ZERO).until_done().unwrap();
    assert_eq!(slept(&server), [20.0]);
}

#[cfg(feature = "grpc")]
#[test]
fn a_server_forbids_retries() {
    use longrunning::testing::FakeServer;
    use longrunning::transport::TransportKind;
    use longrunning::{Any, Operation, RetryPolicy};

    use crate::kit::told;

    for value in ["-1", "never", ""] {
        let server = FakeServer::start();
        server.insert(Operation::succeeded(NAME, Any::pack(&prost_types::Duration { seconds: 9, nanos: 0 })));
        let policy = RetryPolicy::default().codes([Code::Unavailable, Code::Aborted]);
        let client = server.client_builder().transport(TransportKind::Grpc).retry(policy).build().unwrap();
        for code in [Code::Unavailable, Code::Aborted] {
            let reply = || Reply::from(Status::new(code, "no")).header("grpc-retry-pushback-ms", value);
            server.reply(reply());
            let result = client.get(NAME).send();
            assert_eq!(told(&result), format!("Service {code}"), "{value}");
            let error = result.unwrap_err();
            assert_eq!(
                (error.attempts(), error.is_transient(), error.retry_after()),
                (1, false, None),
                "{value}"
            );
        }
        server.reply(unavailable().header("grpc-retry-pushback-ms", value).times(9));
        client
            .poller(NAME)
            .until_done()
            .unwrap_or_else(|error| panic!("{value}: the next poll is no retry: {error}"));
    }
}

/// A backoff without delays would poll as fast as the service responds.
#[test]
fn polls_are_at_least_ten_milliseconds_apart() {
    for many in [false, true] {
        let server = server();
        server.insert(FakeOperation::new("operations/slow").done_at_poll(4));
        let backoff = Backoff::from_fn(|_| Some(Duration::ZERO));
        if many {
            let client = server.client();
            let done = client.poll_many(["operations/slow"]).backoff(backoff).into_iter().next().unwrap();
            assert!(done.unwrap().is_done());
        } else {
            assert!(
                server.client().poller("operations/slow").backoff(backoff).until_done().unwrap().is_done()
            );
        }
        assert_eq!(server.elapsed(), Duration::from_millis(30), "{many}");
    }
}
