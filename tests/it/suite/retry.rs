//! Retry policies, and what the server's wishes do to them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use longrunning::rpc::RetryInfo;
use longrunning::testing::Reply;
use longrunning::{Backoff, Code, Operation, RetryBudget, RetryPolicy, Status};

use super::kit::{FakeServer, Method, NAME, cut, hinted, secs, server, slept, told, unavailable};

#[test]
fn the_default_policy_is_the_published_one() {
    let server = server();
    server.reply(unavailable().times(5));
    let error = server.client().get(NAME).send().unwrap_err();
    assert_eq!((error.code(), error.attempts(), error.elapsed()), (Some(Code::Unavailable), 5, secs(5.625)));
    // Equal jitter with its dice in the middle: three quarters of 0.5, 1, 2 and 4 s.
    assert_eq!(slept(&server), [0.375, 0.75, 1.5, 3.0]);
}

#[test]
fn delays_are_spread_over_the_upper_half_of_the_step() {
    for (chance, expected) in [(0.0, [0.25, 0.5]), (0.1, [0.275, 0.55]), (0.5, [0.375, 0.75])] {
        let server = server();
        server.set_chance(chance);
        server.reply(unavailable().times(2));
        server.client().get(NAME).send().unwrap();
        assert_eq!(slept(&server), expected, "{chance}");
    }
    let server = server();
    server.set_chance(1.0);
    server.reply(unavailable().times(6));
    server.client().get(NAME).retry(RetryPolicy::default().max_attempts(7)).send().unwrap();
    let rounded: Vec<_> = slept(&server).iter().map(|seconds| (seconds * 1e6).round() / 1e6).collect();
    assert_eq!(rounded, [0.5, 1.0, 2.0, 4.0, 8.0, 10.0]);
}

#[test]
fn a_budget_limits_the_retries_of_all_calls() {
    let server = server();
    server.reply(unavailable().times(usize::MAX));
    let policy = RetryPolicy::default().budget(RetryBudget::default());
    let client = server.client_builder().retry(policy).build().unwrap();
    for _ in 0..10 {
        client.clone().get(NAME).send().unwrap_err();
    }
    assert_eq!(server.request_count(), 14, "79: ten calls and four retries");
    server.clear_replies();
    for _ in 0..100 {
        client.get(NAME).send().unwrap();
    }
    server.reply(unavailable());
    client.get(NAME).send().unwrap();
}

#[test]
fn attempts_are_counted() {
    for (most, sent) in [(0, 1), (1, 1), (2, 2), (8, 8), (u32::MAX, 9)] {
        let server = server();
        server.reply(unavailable().times(8));
        let result = server.client().get(NAME).retry(RetryPolicy::default().max_attempts(most)).send();
        assert_eq!(server.request_count(), sent, "{most}");
        assert_eq!(result.is_ok(), sent == 9, "{most}");
        assert_eq!(result.map_or_else(|error| error.attempts().into(), |_| sent), sent, "{most}");
    }
}

#[test]
fn never_means_once_for_every_method() {
    for method in [Method::Get, Method::List, Method::Cancel, Method::Delete] {
        for fault in [hinted(unavailable(), 1), Reply::reset(), Reply::hang(), Reply::html(502)] {
            let server = server();
            server.reply(fault);
            let client = server.client_builder().retry(RetryPolicy::never()).build().unwrap();
            assert_eq!(method.run(&client).unwrap_err().attempts(), 1, "{method:?}");
            assert_eq!((server.request_count(), slept(&server)), (1, vec![]), "{method:?}");
        }
    }
}

/// What an error says of itself; the policy may still see it otherwise.
#[test]
fn transient_errors_say_so() {
    let quota = || Status::new(Code::ResourceExhausted, "slow down");
    let hint = RetryInfo::after(secs(1.0));
    let rows: [(&str, Reply, bool); 8] = [
        ("UNAVAILABLE", unavailable(), true),
        ("quota, with a hint", quota().with_detail(hint).into(), true),
        ("quota, with another hint", hinted(quota(), 1), true),
        ("quota", quota().into(), false),
        ("a proxy", Reply::html(502), true),
        ("INTERNAL", Reply::status(500), false),
        ("reset", Reply::reset(), true),
        ("failed operation", Operation::failed(NAME, Status::new(Code::Unavailable, "")).into(), false),
    ];
    for (row, reply, transient) in rows {
        let server = server();
        server.reply(reply);
        let client = server.client_builder().retry(RetryPolicy::never()).build().unwrap();
        let result = client.get(NAME).send().and_then(Operation::into_response::<()>);
        assert_eq!(result.unwrap_err().is_transient(), transient, "{row}");
    }
}

#[test]
fn codes_decide_about_the_errors_of_the_service() {
    let rows: [(&str, &[Code], Code, bool); 6] = [
        ("default", &[Code::Unavailable], Code::Unavailable, true),
        ("added", &[Code::Unavailable, Code::Aborted], Code::Aborted, true),
        ("replaced", &[Code::Aborted], Code::Unavailable, false),
        ("none", &[], Code::Unavailable, false),
        ("quota", &[Code::ResourceExhausted], Code::ResourceExhausted, true),
        ("unknown", &[Code::Internal, Code::Unknown], Code::NotFound, false),
    ];
    for (row, codes, code, retried) in rows {
        let server = server();
        server.reply(Status::new(code, "no"));
        let policy = RetryPolicy::default().codes(codes.iter().copied());
        let result = server.client().get(NAME).retry(policy).send();
        assert_eq!((result.is_ok(), server.request_count()), (retried, if retried { 2 } else { 1 }), "{row}");
    }
    let server = server();
    server.reply(Reply::reset());
    server.reply(Reply::html(503));
    server.client().get(NAME).retry(RetryPolicy::default().codes([])).send().unwrap();
    assert_eq!(server.request_count(), 3, "what is not the service's answer is retried without a code");
}

#[test]
fn the_policy_of_the_call_goes_before_the_clients() {
    let server = server();
    let client = server.client_builder().retry(RetryPolicy::never()).build().unwrap();
    server.reply(unavailable());
    assert_eq!(told(&client.get(NAME).send()), "Service UNAVAILABLE");
    server.reply(unavailable());
    client.get(NAME).retry(RetryPolicy::default()).send().unwrap();
    server.reply(unavailable());
    assert_eq!(told(&client.get(NAME).send()), "Service UNAVAILABLE");
}

#[test]
fn own_delays_are_used_and_may_give_up() {
    let server = server();
    server.reply(unavailable().times(9));
    let backoff = Backoff::from_fn(|retry| (retry <= 3).then(|| Duration::from_secs(retry.into())));
    let policy = RetryPolicy::default().max_attempts(99).backoff(backoff);
    let error = server.client().get(NAME).retry(policy).send().unwrap_err();
    assert_eq!((slept(&server), error.attempts()), (vec![1.0, 2.0, 3.0], 4));
}

#[test]
fn every_call_starts_its_delays_afresh() {
    let server = server();
    let client = server.client();
    for _ in 0..2 {
        server.reply(unavailable().times(2));
        client.get(NAME).send().unwrap();
    }
    assert_eq!(slept(&server), [0.375, 0.75, 0.375, 0.75]);
}

#[cfg(feature = "backoff")]
#[test]
fn delays_of_the_backoff_crate_obey_the_hints_and_limits_of_this_one() {
    let server = server();
    server.reply(unavailable());
    server.reply(hinted(unavailable(), 9));
    server.reply(hinted(unavailable(), 60));
    let backoff = Backoff::from_backoff(|| backoff::backoff::Constant::new(secs(2.0)));
    let policy = RetryPolicy::default().backoff(backoff);
    let error = server.client().get(NAME).retry(policy).send().unwrap_err();
    assert_eq!((slept(&server), error.retry_after()), (vec![2.0, 9.0], Some(secs(60.0))));
}

#[test]
fn the_observer_sees_each_retry_before_its_sleep() {
    let server = Arc::new(server());
    server.reply(unavailable());
    server.reply(cut());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, clock) = (Arc::clone(&seen), Arc::clone(&server));
    let policy = RetryPolicy::default().on_retry(move |retry| {
        let at = clock.elapsed().as_secs_f64();
        let code = retry.error.code();
        log.lock().unwrap().push((retry.method, retry.name.to_owned(), retry.attempt, code, retry.delay, at));
    });
    server.client().delete(NAME).retry(policy.clone()).send().unwrap();
    let event =
        |attempt, code, delay, at| ("DeleteOperation", NAME.to_owned(), attempt, code, secs(delay), at);
    assert_eq!(
        *seen.lock().unwrap(),
        [event(1, Some(Code::Unavailable), 0.375, 0.0), event(2, None, 0.75, 0.375)]
    );
    server.reply(Status::new(Code::NotFound, "gone"));
    server.client().get(NAME).retry(policy).send().unwrap_err();
    assert_eq!(seen.lock().unwrap().len(), 2, "an error that is returned is not a retry");
}

/// The larger of the own delay and the wish counts.
#[test]
fn wishes_of_the_server_are_a_floor() {
    let info = |seconds: f64| Status::new(Code::Unavailable, "").with_detail(RetryInfo::after(secs(seconds)));
    let rows: [(&str, Reply, f64); 6] = [
        ("seconds", hinted(unavailable(), 7), 7.0),
        ("zero", hinted(unavailable(), 0), 0.375),
        ("RetryInfo", info(7.5).into(), 7.5),
        ("RetryInfo below the own delay", info(0.1).into(), 0.375),
        ("both, header larger", hinted(info(7.0), 9), 9.0),
        ("both, RetryInfo larger", hinted(info(9.0), 7), 9.0),
    ];
    for (row, reply, expected) in rows {
        let server = server();
        server.reply(reply);
        server.client().get(NAME).send().unwrap();
        assert_eq!(slept(&server), [expected], "{row}");
    }
}

#[test]
fn wishes_that_do_not_fit_end_the_call_at_once() {
    for wish in [60, 61, 315_360_000] {
        let server = server();
        server.reply(hinted(unavailable(), wish));
        let error = server.client().get(NAME).send().unwrap_err();
        assert_eq!((error.code(), error.attempts()), (Some(Code::Unavailable), 1), "{wish}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(wish)), "{wish}");
        assert_eq!((server.elapsed(), slept(&server)), (secs(0.0), vec![]), "{wish}");
    }
}

#[test]
fn the_wish_is_told_on_every_error_that_has_one() {
    let server = FakeServer::start();
    let quota = Status::new(Code::ResourceExhausted, "").with_detail(RetryInfo::after(secs(99.0)));
    server.reply(quota);
    server.reply(hinted(Status::new(Code::PermissionDenied, ""), 12));
    server.reply(Status::new(Code::NotFound, ""));
    let client = server.client();
    let wishes = [(); 3].map(|()| client.get(NAME).send().unwrap_err().retry_after());
    assert_eq!(wishes, [Some(secs(99.0)), Some(secs(12.0)), None]);
}
