//! How a wait ends that ends before its operation.

use std::sync::Arc;

use longrunning::testing::{FakeOperation, RecordedRequest, Reply, Rpc};
use longrunning::{Backoff, Code, ErrorKind, OnTimeout, Operation, RetryPolicy, Status, StopToken};

use super::kit::{FakeServer, NAME, running, secs, server, slept, unavailable};

fn every(seconds: f64) -> Backoff {
    Backoff::from_fn(move |_| Some(secs(seconds)))
}

#[test]
fn an_operation_that_outlasts_its_wait_is_cancelled_when_asked() {
    let rows = [
        (OnTimeout::Leave, None, false, "it was not cancelled"),
        (OnTimeout::Cancel, None, true, "its cancellation was requested"),
        (
            OnTimeout::Cancel,
            Some(Code::Unimplemented),
            true,
            "cancelling it failed: CancelOperation `operations/42`: UNIMPLEMENTED: no",
        ),
        (OnTimeout::Cancel, Some(Code::FailedPrecondition), true, "its cancellation was requested"),
    ];
    for (on_timeout, refusal, asked, fate) in rows {
        let server = FakeServer::start();
        server.insert(running());
        if let Some(code) = refusal {
            server.reply_when(|request| request.rpc() == Some(Rpc::Cancel), Status::new(code, "no"));
        }
        let poller = server.client().poller(NAME).total_timeout(secs(60.0)).on_timeout(on_timeout);
        let error = poller.until_done().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{fate}");
        assert!(error.to_string().ends_with(&format!("; {fate}")), "{error}");
        assert_eq!((error.name(), error.operation()), (Some(NAME), Some(&running())), "{fate}");
        assert_eq!(
            server.requests().iter().any(|request| request.rpc() == Some(Rpc::Cancel)),
            asked,
            "{fate}"
        );
    }
}

#[test]
fn a_cancellation_can_be_confirmed() {
    let server = FakeServer::start();
    server.insert(running());
    let poller = server.client().poller(NAME).total_timeout(secs(60.0));
    let ended = poller.on_timeout(OnTimeout::CancelAndConfirm { grace: secs(30.0) }).until_done().unwrap();
    assert_eq!(ended.error().map(Status::code), Some(Code::Cancelled));
    // It is asked for at once.
    assert_eq!(server.elapsed(), secs(59.95));

    // One that takes some seconds to cancel is looked at as one that was just started.
    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).done_after(secs(3601.0)).ignores_cancel());
    let poller = server.client().poller(NAME).total_timeout(secs(3600.0));
    poller.on_timeout(OnTimeout::CancelAndConfirm { grace: secs(60.0) }).until_done().unwrap();
    assert!(server.elapsed() < secs(3601.5), "{:?}", server.elapsed());

    // Delays that give up leave no more time than the grace.
    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).ignores_cancel());
    let backoff = Backoff::from_fn(|poll| (poll <= 2).then(|| secs(1000.0)));
    let poller = server.client().poller(NAME).backoff(backoff);
    poller.on_timeout(OnTimeout::CancelAndConfirm { grace: secs(30.0) }).until_done().unwrap_err();
    assert!(server.elapsed() <= secs(2030.0), "{:?}", server.elapsed());

    let server = FakeServer::start();
    server.reply_when(|request| request.rpc() == Some(Rpc::Get), Reply::from(running()).times(99));
    server.reply_when(|request| request.rpc() == Some(Rpc::Cancel), ());
    let poller = server.client().poller(NAME).total_timeout(secs(60.0)).backoff(every(10.0));
    let error =
        poller.on_timeout(OnTimeout::CancelAndConfirm { grace: secs(30.0) }).until_done().unwrap_err();
    assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Timeout, secs(89.9)));
    assert!(
        error.to_string().ends_with("still running after 89.9 s (11 polls); its cancellation was requested"),
        "{error}"
    );
}

#[test]
fn a_token_stops_waits_and_calls() {
    let server = Arc::new(server());
    let token = StopToken::new();
    let client = server.client();
    server.reply(Reply::from(running()).times(3));
    let mut snapshots = client.poller(NAME).backoff(every(60.0)).stop(&token).into_iter();
    assert_eq!(snapshots.by_ref().take(2).filter(Result::is_ok).count(), 2);
    token.stop();
    let error = snapshots.next().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Stopped, Some(&running())));
    let message = "operation `operations/42` still running after 60 s (2 polls), when the wait was stopped; it was not cancelled";
    assert_eq!(error.to_string(), message);
    assert!(snapshots.next().is_none());
    assert_eq!((server.request_count(), slept(&server)), (2, vec![60.0]));

    let token = StopToken::new();
    let stopping = token.clone();
    let retry = RetryPolicy::default().on_retry(move |_| stopping.stop());
    server.clear_replies();
    server.reply(unavailable());
    let error = client.get(NAME).retry(retry).stop(&token).send().unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Stopped, 1));
    assert_eq!(
        format!("{error:#}"),
        "GetOperation `operations/42`: stopped before it was done: UNAVAILABLE: draining"
    );
}

#[test]
fn a_sleeping_wait_wakes_when_it_is_stopped() {
    let server = FakeServer::with(|options| options.real_time());
    server.insert(running());
    let token = StopToken::new();
    let client = server.client();
    let poller = client.poller(NAME).forever().backoff(every(3600.0)).stop(&token);
    let waiting = std::thread::spawn(move || poller.until_done());
    while server.request_count() == 0 {
        std::thread::yield_now();
    }
    token.stop();
    // An hour later without the wake-up.
    assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Stopped, "68");
}

/// A response that does not come, or not to its end, is not waited for until the attempt timeout.
#[test]
fn what_waits_for_an_answer_ends_when_it_is_stopped() {
    let stopping = |token: &StopToken| {
        let token = token.clone();
        move |_: &RecordedRequest| {
            token.stop();
            true
        }
    };
    let dripping = Reply::from(running()).drip(8, secs(3600.0));
    for (name, reply) in [("no answer", Reply::hang()), ("half an answer", dripping)] {
        let server = FakeServer::with(|options| options.real_time());
        let client = server.client();
        server.insert(running());

        let token = StopToken::new();
        server.reply(running());
        server.reply_when(stopping(&token), reply.clone());
        let poller = client.poller(NAME).backoff(every(0.0)).attempt_timeout(secs(60.0)).forever();
        let error = poller.stop(&token).until_done().unwrap_err();
        let facts = (error.kind(), error.operation().map(Operation::name));
        assert_eq!(facts, (ErrorKind::Stopped, Some(NAME)), "{name}: {error}");
        assert!(error.to_string().contains("(2 polls), when the wait was stopped"), "{name}: {error}");

        let token = StopToken::new();
        server.reply_when(stopping(&token), reply);
        let error = client.get(NAME).attempt_timeout(secs(60.0)).stop(&token).send().unwrap_err();
        let message = "GetOperation `operations/42`: stopped while waiting for a response";
        assert_eq!((error.kind(), &*error.to_string()), (ErrorKind::Stopped, message), "{name}");
        // The connection is of no use any more, and another one is.
        assert!(client.get(NAME).send().is_ok(), "{name}");
    }
}

#[test]
fn a_machine_that_slept_through_the_limit_looks_once_more() {
    let server = server();
    let client = server.client();
    server.reply(running());
    server.reply(Operation::failed(NAME, Status::new(Code::Aborted, "")));
    let mut snapshots = client.poller(NAME).total_timeout(secs(60.0)).into_iter();
    snapshots.next().unwrap().unwrap();
    server.advance(secs(7200.0));
    assert!(snapshots.next().unwrap().unwrap().is_done(), "64");

    server.reply(Reply::from(running()).times(9));
    let mut snapshots = client.poller(NAME).total_timeout(secs(60.0)).into_iter();
    snapshots.next().unwrap().unwrap();
    server.advance(secs(7200.0));
    assert!(snapshots.next().unwrap().is_ok(), "64");
    assert_eq!(snapshots.next().unwrap().unwrap_err().elapsed(), secs(7200.0), "64");
}

#[test]
fn what_is_borne_is_an_option() {
    type Ask = fn(super::kit::TestPoller) -> super::kit::TestPoller;
    let internal = || Reply::from(Status::new(Code::Internal, "oops"));
    let missing = || Reply::from(Status::new(Code::NotFound, "what"));
    let rows: [(&str, Reply, Ask, Option<u32>); 9] = [
        ("five failures", internal().times(5), |poller| poller, None),
        ("six failures", internal().times(6), |poller| poller, Some(6)),
        ("none is borne", internal(), |poller| poller.max_failures(0), Some(1)),
        ("all are borne", internal().times(99), |poller| poller.max_failures(u32::MAX), None),
        ("a long outage", unavailable().times(99), |poller| poller, None),
        ("too long an outage", unavailable().times(99), |poller| poller.max_outage(secs(60.0)), Some(7)),
        ("no outage", unavailable(), |poller| poller.max_outage(secs(0.0)), Some(1)),
        ("not there", missing(), |poller| poller, Some(1)),
        ("not there yet", missing().times(2), |poller| poller.not_found_grace(secs(15.0)), None),
    ];
    for (row, fault, ask, fails_at) in rows {
        let server = server();
        server.reply(fault);
        let poller = ask(server.client().poller(NAME).backoff(every(10.0)));
        let ended = poller.until_done();
        assert_eq!(ended.as_ref().err().map(|error| error.attempts()), fails_at, "{row}: {ended:?}");
    }

    // The grace is for an operation that was never seen.
    let server = server();
    server.reply(running());
    server.reply(missing());
    let error = server.client().poller(NAME).not_found_grace(secs(15.0)).until_done().unwrap_err();
    assert_eq!((error.code(), error.operation()), (Some(Code::NotFound), Some(&running())), "45");
}

#[test]
fn for_ever_is_longer_than_a_day() {
    let server = FakeServer::start();
    server.insert(longrunning::testing::FakeOperation::new(NAME).done_after(secs(100_000.0)));
    assert!(server.client().poller(NAME).until_done().is_err());
    assert!(server.client().poller(NAME).forever().until_done().is_ok());
}
