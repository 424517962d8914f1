//! Waiting: the poller, and the RPC WaitOperation.

use std::time::Duration;

use longrunning::proto::google::longrunning::WaitOperationRequest;
use longrunning::testing::{FakeOperation, RecordedRequest, Reply, Rpc};
use longrunning::{Backoff, Code, ErrorKind, Operation, Status};

use super::kit::{FakeServer, NAME, done, hinted, running, secs, server, slept, status, told, unavailable};

#[test]
fn polls_follow_the_time_waited() {
    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).done_after(secs(12.0)));
    assert!(server.client().poller(NAME).until_done().unwrap().is_done());
    let mut delays: Vec<f64> = vec![0.5; 11];
    // From 5 s on a tenth of the time: 5.5, 6.05, 6.655 … until 12 s have passed.
    let mut elapsed: f64 = 5.5;
    while elapsed < 12.0 {
        delays.push(elapsed / 10.0);
        elapsed *= 1.1;
    }
    let rounded = |seconds: &f64| (seconds * 1e6).round();
    assert_eq!(
        slept(&server).iter().map(rounded).collect::<Vec<_>>(),
        delays.iter().map(rounded).collect::<Vec<_>>()
    );
    assert_eq!(server.request_count(), delays.len() as u64 + 1, "the first poll comes at once");
}

#[test]
fn delays_grow_to_half_a_minute() {
    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).done_after(secs(3600.0)));
    server.client().poller(NAME).until_done().unwrap();
    assert_eq!(server.sleeps().last(), Some(&secs(30.0)));
    assert!(server.sleeps().is_sorted());
    assert!(server.elapsed() < secs(3630.0));
}

#[test]
fn the_last_poll_fits_the_time_limit() {
    let rows = [
        (900.0, 30.0, 31, 899.95),
        (60.0, 20.0, 4, 59.95),
        (60.0, 59.0, 3, 59.95),
        (60.0, 7200.0, 2, 59.95),
        (5.0, 60.0, 2, 4.95),
        (0.001, 60.0, 2, 0.0009),
    ];
    for (total, delay, polls, elapsed) in rows {
        let server = FakeServer::start();
        server.insert(running());
        let backoff = Backoff::from_fn(move |_| Some(secs(delay)));
        let error = server
            .client()
            .poller(NAME)
            .backoff(backoff)
            .total_timeout(secs(total))
            .until_done()
            .unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, polls), "67 {total} {delay}");
        assert_eq!(error.elapsed(), secs(elapsed), "67 {total} {delay}");
        assert_eq!((error.operation(), error.code()), (Some(&running()), None), "67 {total} {delay}");
        assert_eq!(server.request_count(), u64::from(polls), "67 {total} {delay}");
    }
}

/// Twice what the slowest poll took is kept for the last one, also if that poll failed; at most a second.
#[test]
fn the_last_poll_has_as_much_time_as_the_slowest_needed() {
    let slow = |reply: Reply, seconds: f64| reply.delay(secs(seconds));
    let rows = [
        ("a success", slow(running().into(), 0.3), 59.4),
        ("a failure", slow(unavailable(), 0.3), 59.4),
        ("a very slow one", slow(running().into(), 3.0), 59.0),
        ("a fast one", running().into(), 59.95),
    ];
    for (name, reply, elapsed) in rows {
        let server = FakeServer::start();
        server.insert(running());
        server.reply(reply);
        let error = server
            .client()
            .poller(NAME)
            .backoff(Backoff::from_fn(|_| Some(secs(20.0))))
            .total_timeout(secs(60.0))
            .until_done()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{name}");
        assert_eq!(error.elapsed(), secs(elapsed), "{name}");
    }
}

#[test]
fn a_poll_is_cut_to_the_time_that_is_left() {
    let server = server();
    server.reply(running());
    server.reply(Reply::hang());
    let error = server.client().poller(NAME).total_timeout(secs(5.0)).until_done().unwrap_err();
    assert_eq!((error.elapsed(), server.elapsed()), (secs(5.0), secs(5.0)));
    assert_eq!((error.operation(), error.attempts()), (Some(&running()), 2));
    assert!(format!("{error:#}").contains("no response from"), "{error:#}");
}

#[test]
fn faults_that_may_pass_do_not_end_a_wait() {
    let server = server();
    for fault in
        [unavailable(), Reply::reset(), Reply::html(502), Reply::empty(), Reply::usual().truncate_at(5)]
    {
        server.reply(fault.times(10));
    }
    assert_eq!(server.client().poller(NAME).until_done().unwrap(), done());
    assert_eq!(server.request_count(), 51);
    assert_eq!(slept(&server)[..10], [0.5; 10], "a fault never makes a wait ask faster");
}

#[test]
fn quota_errors_slow_a_wait_down() {
    let server = server();
    server.reply(status(Code::ResourceExhausted).times(3));
    server.reply(hinted(status(Code::ResourceExhausted), 3));
    server.reply(running());
    server.client().poller(NAME).until_done().unwrap();
    assert_eq!(slept(&server)[..4], [20.0, 20.0, 20.0, 6.0]);
    assert_eq!(slept(&server)[4..], [6.6], "an answer ends the pause");
}

#[test]
fn internal_errors_are_survived_five_times() {
    for code in [Code::Internal, Code::Unknown] {
        for (faults, survived) in [(5, true), (6, false)] {
            let server = server();
            server.reply(Reply::from(Status::new(code, "broken")).times(faults));
            let result = server.client().poller(NAME).until_done();
            assert_eq!(result.is_ok(), survived, "5: {faults} times {code}");
            assert_eq!(server.request_count(), 6, "5: {faults} times {code}");
        }
    }
}

#[test]
fn an_answer_in_between_starts_the_count_again() {
    let server = server();
    for _ in 0..3 {
        server.reply(status(Code::Internal).times(5));
        server.reply(running());
    }
    server.client().poller(NAME).until_done().unwrap();
    assert_eq!(server.request_count(), 19);
}

/// What passes by itself says nothing about what does not.
#[test]
fn transient_faults_do_not_use_up_the_patience_for_others() {
    let server = server();
    server.reply(unavailable().times(7));
    server.reply(status(Code::Internal));
    server.reply(Reply::reset().times(7));
    server.reply(status(Code::Internal).times(4));
    server.client().poller(NAME).until_done().unwrap();
    server.reply(unavailable().times(7));
    server.reply(Reply::html(200));
    server.client().poller(NAME).until_done().unwrap();
    server.reply(status(Code::Internal).times(3));
    server.reply(unavailable());
    server.reply(status(Code::Internal).times(3));
    assert_eq!(told(&server.client().poller(NAME).until_done()), "Service INTERNAL");
}

#[test]
fn other_errors_end_a_wait_with_the_last_operation() {
    for code in [Code::NotFound, Code::PermissionDenied, Code::Aborted, Code::Unimplemented] {
        let server = FakeServer::start();
        server.reply(running());
        server.reply(Status::new(code, "no"));
        let error = server.client().poller(NAME).until_done().unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Service, Some(code)), "45");
        assert_eq!(
            (error.operation(), error.attempts(), error.elapsed()),
            (Some(&running()), 2, secs(0.5)),
            "45"
        );
    }
}

#[test]
fn a_failed_operation_is_an_answer() {
    let server = FakeServer::start();
    let failed = Operation::failed(NAME, Status::new(Code::Unavailable, "out of machines"));
    server.insert(failed.clone());
    let operation = server.client().poller(NAME).until_done().unwrap();
    assert_eq!((&operation, server.request_count()), (&failed, 1));
    let error = operation.into_response::<()>().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Operation, Some(Code::Unavailable)));
}

#[test]
fn what_is_done_already_needs_no_poll() {
    let server = FakeServer::start();
    let client = server.client();
    for finished in [done(), Operation::from_json(r#"{"done":true,"response":{}}"#).unwrap()] {
        assert_eq!(client.poller(&finished).until_done().unwrap(), finished);
        let snapshots: Vec<_> = client.poller(finished.clone()).into_iter().map(Result::unwrap).collect();
        assert_eq!(snapshots, [finished]);
    }
    assert_eq!(server.request_count(), 0);
}

#[test]
fn an_operation_that_runs_is_polled_by_its_name() {
    let server = server();
    let started = running();
    assert_eq!(server.client().poller(&started).until_done().unwrap(), done());
    let request = &server.requests()[0];
    assert_eq!((request.rpc(), request.name()), (Some(Rpc::Get), Some(NAME)));
    let unnamed = server.client().poller(Operation::running("")).until_done();
    assert_eq!(unnamed.unwrap_err().to_string(), "name `` is empty");
}

#[test]
fn snapshots_are_the_polls_that_worked() {
    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).done_at_poll(4));
    server.reply(Reply::usual());
    server.reply(unavailable().times(2));
    let mut percent = Vec::new();
    let client = server.client();
    let mut snapshots = client.poller(NAME).into_iter();
    for snapshot in snapshots.by_ref() {
        let metadata: serde_json::Value = snapshot.unwrap().metadata().unwrap().decode().unwrap();
        percent.push(metadata["value"]["percent"].as_f64().or(metadata["percent"].as_f64()).unwrap());
    }
    assert_eq!(percent, [25.0, 50.0, 75.0, 100.0]);
    assert_eq!((snapshots.next().is_none(), server.request_count()), (true, 6));
    assert_eq!(slept(&server), [0.5; 5]);
}

#[test]
fn snapshots_end_after_an_error() {
    let server = FakeServer::start();
    server.reply(running());
    let client = server.client();
    let mut snapshots = client.poller(NAME).into_iter();
    snapshots.next().unwrap().unwrap();
    assert!(format!("{snapshots:?}").contains("polls: 1"), "{snapshots:?}");
    assert_eq!(snapshots.next().unwrap().unwrap_err().operation(), Some(&running()));
    assert!(snapshots.next().is_none());
    assert_eq!(server.request_count(), 2);
}

#[test]
fn a_wish_for_weeks_does_not_end_a_wait_for_ever() {
    let server = FakeServer::start();
    server.insert(done());
    server.reply(hinted(unavailable(), 1_000_000));
    assert!(server.client().poller(NAME).forever().until_done().unwrap().is_done());
    assert_eq!(slept(&server), [300.0]);
}

#[test]
fn own_delays_may_end_a_wait() {
    let server = FakeServer::start();
    server.insert(running());
    let backoff = Backoff::from_fn(|poll| (poll <= 2).then(|| secs(5.0)));
    let error = server.client().poller(NAME).backoff(backoff).until_done().unwrap_err();
    assert_eq!((error.kind(), error.attempts(), slept(&server)), (ErrorKind::Timeout, 3, vec![5.0, 5.0]));
}

/// Waits that begin together draw apart, instead of asking all at once for as long as they last.
#[test]
fn waits_that_begin_together_draw_apart() {
    let mut polls: Vec<Duration> = (0..=10)
        .map(|tenths| {
            let server = FakeServer::start();
            server.insert(FakeOperation::new(NAME).done_after(secs(600.0)));
            server.set_chance(f64::from(tenths) / 10.0);
            server.client().poller(NAME).until_done().unwrap();
            server.sleeps().iter().take(40).sum()
        })
        .collect();
    polls.sort_unstable();
    let apart = |pair: &[Duration]| pair[1] - pair[0] > secs(0.1);
    assert!(polls.windows(2).all(apart), "78: {polls:?}");
}

#[test]
fn the_calendar_has_no_say_in_deadlines() {
    let server = FakeServer::start();
    server.insert(running());
    let client = server.client();
    let start = server.wall();
    let mut last = None;
    for (number, snapshot) in client.poller(NAME).total_timeout(secs(60.0)).into_iter().enumerate() {
        let hour = Duration::from_secs(3600);
        server.set_wall(if number % 2 == 0 { start + hour } else { start - hour });
        last = Some(snapshot);
    }
    assert_eq!(last.unwrap().unwrap_err().elapsed(), secs(59.95), "63");
}

#[test]
fn a_server_may_have_no_such_method() {
    let server = server();
    let waited = server.waiting_client().wait(NAME).send();
    assert_eq!((told(&waited).as_str(), server.request_count()), ("Service UNIMPLEMENTED", 1), "48");
}

#[test]
fn the_server_waits_as_long_as_it_is_asked_to() {
    let server = FakeServer::with(|options| options.with(Rpc::Wait));
    server.insert(FakeOperation::new(NAME).done_after(secs(45.0)));
    let client = server.waiting_client();
    assert!(!client.wait(NAME).timeout(secs(30.0)).send().unwrap().is_done());
    assert_eq!((server.elapsed(), slept(&server)), (secs(30.0), vec![]));
    assert!(client.wait(NAME).timeout(secs(30.0)).send().unwrap().is_done());
    assert_eq!((server.elapsed(), server.request_count()), (secs(45.0), 2));
}

/// The server must answer before the time of the call is over, or its response is lost.
#[test]
fn the_server_is_asked_for_no_more_time_than_there_is() {
    let rows = [
        ("fits", Some(30.0), Some(60.0), 30.0),
        ("unlimited by the caller", Some(300.0), None, 300.0),
        ("a minute of a quarter of an hour", Some(900.0), Some(60.0), 59.0),
        ("a short call", Some(30.0), Some(5.0), 4.5),
    ];
    for (row, timeout, total, expected) in rows {
        let server = FakeServer::with(|options| options.with(Rpc::Wait).max_wait(secs(3600.0)));
        server.insert(running());
        let client = server.waiting_client();
        let mut call = client.wait(NAME);
        call = timeout.map_or(call.clone(), |timeout| call.timeout(secs(timeout)));
        call = total.map_or(call.clone(), |total| call.total_timeout(secs(total)));
        assert_eq!(call.send().expect(row), running());
        assert_eq!(asked(&server), [Some(secs(expected))], "{row}");
    }
    let server = FakeServer::with(|options| options.with(Rpc::Wait));
    server.insert(running());
    server.reply(hinted(unavailable(), 20));
    server.waiting_client().wait(NAME).timeout(secs(30.0)).total_timeout(secs(40.0)).send().unwrap();
    assert_eq!(asked(&server), [Some(secs(30.0)), Some(secs(19.0))]);
}

#[test]
fn a_wait_without_a_timeout_leaves_it_to_the_server() {
    let server = FakeServer::start();
    server.reply(running());
    server.waiting_client().wait(NAME).send().unwrap();
    assert_eq!(asked(&server), [None]);
}

#[test]
fn a_wait_without_end_asks_for_the_longest_duration_there_is() {
    for timeout in [Duration::from_secs(315_576_000_001), Duration::MAX] {
        let server = FakeServer::start();
        server.reply(running());
        server.waiting_client().wait(NAME).timeout(timeout).send().unwrap();
        assert_eq!(asked(&server), [Some(Duration::from_secs(315_576_000_000))], "{timeout:?}");
    }
}

/// How long the server was asked to wait, call by call.
fn asked(server: &FakeServer) -> Vec<Option<Duration>> {
    let timeout = |request: &RecordedRequest| request.message::<WaitOperationRequest>().unwrap().timeout;
    server.requests().iter().map(|request| Some(Duration::try_from(timeout(request)?).unwrap())).collect()
}
