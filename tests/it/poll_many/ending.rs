//! How a wait for many ends: done, out of time, stopped, at the first.

use longrunning::testing::{FakeOperation, FakeServer, RecordedRequest, Reply, Rpc};
use longrunning::{Backoff, Code, ErrorKind, OnTimeout, Operation, Status, StopToken};

use super::{ended, insert, methods, names};
use crate::kit::{secs, told, unavailable};

#[test]
fn time_is_up_for_all_together() {
    for count in [5, 50] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names[1..], u64::MAX);
        server.insert(FakeOperation::new(&names[0]).done_after(secs(30.0)));
        let client = server.client();
        let results: Vec<_> = client.poll_many(&names).total_timeout(secs(60.0)).into_iter().collect();
        assert_eq!(results.len(), count);
        assert_eq!(results[0].as_ref().unwrap().name(), names[0]);
        for error in results[1..].iter().map(|result| result.as_ref().unwrap_err()) {
            assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Timeout, secs(59.95)));
            assert_eq!(error.name(), error.operation().map(Operation::name), "{error}");
            assert!(error.to_string().ends_with("; it was not cancelled"), "{error}");
        }
        assert_eq!(server.elapsed(), secs(59.95));
        let error = client.poll_many(&names).total_timeout(secs(0.0)).join_all().unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 1), "polled once");
    }
}

#[test]
fn without_time_each_is_polled_once() {
    for (count, listed, polled) in [(5, true, 5), (150, true, 150), (20, false, 20), (150, false, 100)] {
        let builder = FakeServer::builder();
        let server = if listed { builder } else { builder.without(Rpc::List) }.start().unwrap();
        let names = names(count);
        insert(&server, &names, 1);
        let many = server.client().poll_many(&names).total_timeout(secs(0.0));
        let results: Vec<_> = many.into_iter().map(|result| told(&result)).collect();
        let done = results.iter().filter(|result| *result == "ok").count();
        assert_eq!((results.len(), done), (count, polled), "{count}, listed: {listed}");
        assert_eq!(server.elapsed(), secs(0.0));
    }
}

#[test]
fn what_outlasts_the_wait_is_cancelled_if_asked_for() {
    for count in [3, 30] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names, u64::MAX);
        let client = server.client();
        server.reply_to("POST", ":cancel", unavailable());
        let many = client.poll_many(&names).total_timeout(secs(60.0));
        let confirm = OnTimeout::CancelAndConfirm { grace: secs(20.0) };
        for operation in many.on_timeout(confirm).join_all().unwrap() {
            assert_eq!(operation.error().map(Status::code), Some(Code::Cancelled));
        }
        let cancels = methods(&server).iter().filter(|method| **method == "cancel").count();
        assert_eq!(cancels, count + 1, "one was tried again");
        insert(&server, &names, u64::MAX);
        let many = client.poll_many(&names).total_timeout(secs(60.0)).on_timeout(OnTimeout::Cancel);
        for result in many {
            let error = result.unwrap_err();
            assert!(error.to_string().ends_with("; its cancellation was requested"), "{error}");
        }
    }
}

#[test]
fn a_stop_ends_all_at_once() {
    for count in [5, 2000] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names[1..], u64::MAX);
        server.insert(FakeOperation::new(&names[0]).done_at_poll(3));
        let token = StopToken::new();
        let client = server.client();
        let mut finished = client.poll_many(&names).forever().stop(&token).into_iter();
        assert_eq!(finished.next().unwrap().unwrap().name(), names[0]);
        token.stop();
        let asked = server.request_count();
        let rest: Vec<_> = finished.map(Result::unwrap_err).collect();
        assert_eq!(rest.len(), count - 1);
        assert!(rest.iter().all(|error| error.kind() == ErrorKind::Stopped && error.name().is_some()));
        assert!(server.request_count() <= asked + 4, "what was under way");
        let stopped: Vec<_> =
            client.poll_many(&names).stop(&token).into_iter().map(|result| told(&result)).collect();
        assert_eq!(stopped, vec!["Stopped"; count]);
    }
}

/// Requests under way are not waited for until their time is up.
#[test]
fn a_stop_ends_requests_that_are_under_way() {
    for count in [1, 5, 200] {
        let server = FakeServer::builder().real_time().start().unwrap();
        let names = names(count);
        insert(&server, &names, u64::MAX);
        let token = StopToken::new();
        let stopping = token.clone();
        let stops = move |_: &RecordedRequest| {
            stopping.stop();
            true
        };
        server.reply_when(stops, Reply::hang().times(usize::MAX));
        let many = server.client().poll_many(&names).forever().attempt_timeout(secs(60.0)).stop(&token);
        let results: Vec<_> = many.into_iter().map(|result| told(&result)).collect();
        assert_eq!(results, vec!["Stopped"; count], "{count}");
    }
}

#[test]
fn a_caller_that_slept_through_the_limit_has_one_more_look() {
    for count in [4, 40] {
        let server = FakeServer::start();
        let names = names(count);
        for name in &names {
            server.insert(FakeOperation::new(name).done_after(secs(900.0)));
        }
        let last = &names[count - 1];
        server.insert(ended(last));
        let client = server.client();
        let mut finished = client.poll_many(&names).concurrency(1).total_timeout(secs(600.0)).into_iter();
        assert_eq!(finished.next().unwrap().unwrap().name(), last);
        server.advance(secs(7200.0));
        assert_eq!(finished.filter(Result::is_ok).count(), count - 1, "64");
    }
}

#[test]
fn only_so_many_are_got_after_the_limit() {
    for (rate, expected) in [(None, 100), (Some(5.0), 1)] {
        let server = FakeServer::start();
        let names: Vec<_> = (0..300).map(|number| format!("projects/{number}/operations/1")).collect();
        for name in &names {
            server.insert(FakeOperation::new(name).done_after(secs(900.0)));
        }
        server.insert(ended(&names[299]));
        // All have been polled, and nobody is due, when the only one that is done is given.
        let backoff = Backoff::from_fn(|_| Some(secs(300.0)));
        let mut many = server.client().poll_many(&names).backoff(backoff).total_timeout(secs(600.0));
        if let Some(rate) = rate {
            many = many.max_rate(rate);
        }
        let mut finished = many.concurrency(1).into_iter();
        assert_eq!(finished.next().unwrap().unwrap().name(), names[299]);
        let (asked, before) = (server.request_count(), server.elapsed());
        server.advance(secs(7200.0));
        let results: Vec<_> = finished.map(|result| told(&result)).collect();
        let ok = results.iter().filter(|told| *told == "ok").count();
        assert_eq!((ok, server.request_count() - asked), (expected, expected as u64), "{rate:?}");
        assert!(results.iter().all(|told| told == "ok" || told == "Timeout"));
        assert_eq!(server.elapsed() - before, secs(7200.0), "{rate:?}: no turn is waited for");
    }
}

#[test]
fn a_last_look_that_hangs_takes_the_time_of_one_poll() {
    let server = FakeServer::start();
    let names: Vec<_> = (0..20).map(|number| format!("projects/{number}/operations/1")).collect();
    insert(&server, &names[..19], u64::MAX);
    server.insert(ended(&names[19]));
    let mut finished =
        server.client().poll_many(&names).total_timeout(secs(600.0)).concurrency(1).into_iter();
    finished.next().unwrap().unwrap();
    server.advance(secs(7200.0));
    server.reply(Reply::hang().times(usize::MAX));
    let before = server.elapsed();
    assert!(finished.all(|result| told(&result) == "Timeout"));
    assert_eq!(server.elapsed() - before, secs(10.0), "for all together");
}

#[test]
fn who_was_awake_when_time_was_up_asks_no_more() {
    let server = FakeServer::start();
    let names = names(3);
    insert(&server, &names, u64::MAX);
    for reply in [Reply::usual(), Reply::hang()] {
        server.reply_to("GET", "operations/2", reply);
    }
    let many = server.client().poll_many(&names).max_rate(2.0).backoff(Backoff::from_fn(|_| Some(secs(5.0))));
    let results: Vec<_> = many.total_timeout(secs(12.0)).into_iter().map(|result| told(&result)).collect();
    assert_eq!(results, ["Timeout"; 3]);
    assert_eq!((server.elapsed(), server.request_count()), (secs(12.0), 6));
}

#[test]
fn any_is_the_first_that_is_done_whatever_came_of_it() {
    let server = FakeServer::start();
    let names = names(4);
    server.insert(FakeOperation::new(&names[0]).done_after(secs(90.0)));
    server
        .insert(FakeOperation::new(&names[2]).done_after(secs(30.0)).fails(Status::new(Code::Internal, "x")));
    server.insert(FakeOperation::new(&names[3]).done_after(secs(60.0)));
    let first = server.client().poll_many(&names).race().unwrap();
    assert_eq!(first.name(), names[2], "one that was not found is not it");
    assert_eq!(
        told(&server.client().poll_many(["operations/x", "operations/y"]).race()),
        "Service NOT_FOUND"
    );
}

#[test]
fn first_error_ends_at_the_first_that_did_not_succeed() {
    let server = FakeServer::start();
    let names = names(20);
    insert(&server, &names[..19], 3);
    server.insert(
        FakeOperation::new(&names[19]).done_at_poll(2).fails(Status::new(Code::Internal, "out of disk")),
    );
    let client = server.client();
    let error = client.poll_many(&names).try_join_all().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Operation);
    assert_eq!(
        error.to_string(),
        format!(
            "operation `{}` failed: INTERNAL: out of disk; \
             19 other operations continue to run; they are no longer polled",
            names[19]
        )
    );
    assert_eq!(client.poll_many(&names[..19]).try_join_all().unwrap().len(), 19);
    let odd = Operation::from_json(r#"{"name":"operations/1","done":true,"error":{"code":0}}"#).unwrap();
    let error = client.poll_many([odd]).try_join_all().unwrap_err();
    assert_eq!(error.to_string(), "operation `operations/1` is malformed: `error` has code 0");
    assert_eq!(told(&client.poll_many(["operations/x"]).try_join_all()), "Service NOT_FOUND");
}
