//! Waits that have the server wait too.

use longrunning::testing::{FakeOperation, FakeServer, RecordedRequest, Reply, Rpc};
use longrunning::{Backoff, Bindings, Code, ErrorKind, LongPoll, Status, StopToken, WaitBinding};

use crate::kit::{NAME, done, lines, running, secs, server, slept, unavailable};

const WAIT: &str = "/v1/operations/42:wait";

#[test]
fn the_end_is_told_at_once() {
    let for_5_s = r#"POST /v1/operations/42:wait {"timeout":"5s"}"#;
    let ways = [
        (LongPoll::Body, r#"POST /v1/operations/42:wait {"timeout":"30s"}"#),
        (LongPoll::Query, "POST /v1/operations/42:wait?timeout=30s"),
        (LongPoll::Get, "GET /v1/operations/42:wait?timeout=30s"),
        // Not for longer before it is known whether there will be a response.
        (LongPoll::Auto, r#"POST /v1/operations/42:wait {"timeout":"30s"}"#),
    ];
    for (how, line) in ways {
        let server = waiting();
        server.insert(FakeOperation::new(NAME).done_after(secs(100.0)));
        let done = server.client().poller(NAME).long_poll(how).until_done().unwrap();
        assert!(done.is_done());
        assert_eq!((server.elapsed(), slept(&server)), (secs(100.0), vec![]), "{how:?}");
        let asked = lines(&server);
        let (first, held) = asked.split_at(if how == LongPoll::Auto { 2 } else { 1 });
        assert_eq!(first, &["GET /v1/operations/42", for_5_s][..first.len()], "{how:?}");
        assert_eq!(held, [line; 4], "{how:?}");
    }
}

#[test]
fn a_wait_sends_nothing_that_it_was_not_asked_to() {
    let server = waiting();
    server.insert(FakeOperation::new(NAME).done_after(secs(100.0)));
    server.client().poller(NAME).until_done().unwrap();
    assert!(lines(&server).iter().all(|line| line == "GET /v1/operations/42"));
}

#[test]
fn an_operation_that_is_done_costs_no_waiting() {
    let server = waiting();
    server.insert(done());
    server.client().poller(NAME).long_poll(LongPoll::Auto).until_done().unwrap();
    assert_eq!(server.request_count(), 1);
}

#[test]
fn configured_bindings_count_first() {
    let server = waiting();
    server.insert(FakeOperation::new(NAME).done_after(secs(10.0)));
    let bindings = Bindings::version("v2").unwrap().wait_by(WaitBinding::Get);
    let client = server.client_builder().bindings(bindings).build().unwrap();
    client.poller(NAME).long_poll(LongPoll::Body).until_done().unwrap();
    assert_eq!(lines(&server)[1..], ["GET /v2/operations/42:wait?timeout=30s"]);
}

/// What services that bind WaitOperation in one way answer to the others, and what finding out costs.
#[test]
fn auto_finds_out_once_for_a_client() {
    type Refuses = fn(&RecordedRequest) -> bool;
    let rows: [(&str, Refuses, Reply, usize, usize); 8] = [
        ("body", |_| false, Reply::status(404), 0, 4),
        ("query", |request| !request.body().is_empty(), Reply::status(400), 1, 4),
        ("get", |request| request.method() == "POST", Reply::html(404), 1, 4),
        ("get, with 405", |request| request.method() == "POST", Reply::status(405), 1, 4),
        ("none", |_| true, Reply::html(404), 2, 0),
        ("not implemented", |_| true, Reply::status(501), 2, 0),
        ("not allowed", |_| true, Reply::status(403), 1, 0),
        ("always down", |_| true, unavailable(), 2, 0),
    ];
    for (row, refuses, refusal, wasted, held) in rows {
        let server = waiting();
        let refused = move |request: &RecordedRequest| request.path() == WAIT && refuses(request);
        server.reply_when(refused, refusal.times(usize::MAX));
        let client = server.client();
        for round in 0..3 {
            server.insert(FakeOperation::new(NAME).done_after(secs(100.0)));
            server.take_requests();
            client.clone().poller(NAME).long_poll(LongPoll::Auto).until_done().unwrap();
            let asked = server.take_requests().iter().filter(|request| request.path() == WAIT).count();
            // The one that finds out is held back for a short time only.
            let first = if held > 0 { wasted + 1 } else { wasted };
            let expected = held + if round == 0 { first } else { 0 };
            assert_eq!(asked, expected, "{row}, round {round}");
        }
    }
}

/// One of the waits finds out; the others poll meanwhile.
#[test]
fn waits_that_begin_together_ask_no_more_than_one() {
    let server = waiting();
    let client = server.client();
    server.reply_when(|request| request.path() == WAIT, Reply::status(404).times(usize::MAX));
    let mut waits = Vec::new();
    for number in 0..5 {
        let name = format!("operations/{number}");
        server.insert(FakeOperation::new(&name).done_after(secs(5.0)));
        waits.push(client.poller(name).long_poll(LongPoll::Auto).into_iter());
    }
    server.reply_when(|request| request.path().ends_with(":wait"), Reply::status(404).times(usize::MAX));
    while !waits.is_empty() {
        waits.retain_mut(|wait| wait.next().is_some_and(|snapshot| snapshot.is_ok()));
    }
    let asked = server.requests().iter().filter(|request| request.path().ends_with(":wait")).count();
    assert_eq!(asked, 2);
}

#[test]
fn failures_of_waiting_never_end_a_wait_and_never_hurry_it() {
    let faults = [
        Reply::status(500),
        Reply::status(504),
        Reply::status(403),
        Reply::status(404),
        Reply::html(200),
        Reply::reset(),
        unavailable(),
        Status::new(Code::DeadlineExceeded, "too long").into(),
    ];
    for fault in faults {
        for how in [LongPoll::Body, LongPoll::Auto] {
            let server = server();
            server.insert(FakeOperation::new(NAME).done_after(secs(60.0)));
            server.reply_when(|request| request.path() == WAIT, fault.clone().times(usize::MAX));
            let ended = server.client().poller(NAME).long_poll(how).until_done();
            assert!(ended.is_ok(), "{fault:?} {how:?}: {ended:?}");
            let (all, waits) = (server.requests(), lines(&server));
            let waits = waits.iter().filter(|line| line.contains(WAIT)).count();
            // A reset is made good once by the connection.
            assert!((1..=4).contains(&waits), "{fault:?} {how:?}: {waits}");
            // The polls alone would be as many.
            assert!(all.len() - waits <= 40, "{fault:?} {how:?}: {}", all.len());
        }
    }
}

#[test]
fn a_wait_that_fails_now_and_then_goes_on_waiting() {
    let server = waiting();
    server.insert(FakeOperation::new(NAME).done_after(secs(95.0)));
    for _ in 0..2 {
        server.reply_to("POST", ":wait", Reply::usual());
        server.reply_to("POST", ":wait", unavailable());
    }
    server.client().poller(NAME).long_poll(LongPoll::Body).until_done().unwrap();
    assert_eq!(server.elapsed(), secs(95.0));
    let kinds: String =
        server.requests().iter().map(|request| if request.path() == WAIT { 'w' } else { 'g' }).collect();
    assert_eq!(kinds, "gwwgwwgw");
}

#[test]
fn a_server_that_answers_early_is_not_hammered() {
    // None is held back at all, or each for five seconds.
    for (most, polls) in [(0.0, 210), (5.0, 260)] {
        let server = FakeServer::builder().with(Rpc::Wait).max_wait(secs(most)).start().unwrap();
        server.insert(FakeOperation::new(NAME).done_after(secs(3600.0)));
        server.client().poller(NAME).long_poll(LongPoll::Body).until_done().unwrap();
        assert!(server.request_count() < polls, "{most} s: {}", server.request_count());
    }
}

/// As gateways that answer everything do.
#[test]
fn answers_at_once_that_never_tell_the_end_are_not_trusted() {
    for how in [LongPoll::Auto, LongPoll::Body] {
        let server = waiting();
        server.insert(FakeOperation::new(NAME).done_after(secs(60.0)));
        let anything = Reply::json(200, "{}").times(usize::MAX);
        server.reply_when(|request| request.path() == WAIT, anything);
        assert!(server.client().poller(NAME).long_poll(how).until_done().unwrap().is_done(), "{how:?}");
        let waits = lines(&server).iter().filter(|line| line.contains(WAIT)).count();
        assert_eq!((waits, server.elapsed() < secs(66.0)), (2, true), "{how:?}");
    }
}

#[test]
fn a_server_that_holds_answers_back_is_asked_twice_a_minute() {
    let server = waiting();
    server.insert(FakeOperation::new(NAME).done_after(secs(3600.0)));
    server.client().poller(NAME).long_poll(LongPoll::Body).until_done().unwrap();
    assert_eq!((server.request_count(), server.elapsed()), (121, secs(3600.0)));
}

#[test]
fn the_time_limit_holds() {
    for total in [0.5, 2.0, 30.0, 31.5, 100.0] {
        let server = waiting();
        server.insert(running());
        let poller = server.client().poller(NAME).long_poll(LongPoll::Body).total_timeout(secs(total));
        let error = poller.until_done().unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Timeout, Some(&running())), "{total}");
        let left = secs(total) - error.elapsed();
        assert!(left <= secs(0.05), "the last poll comes at the end: {total}, {left:?}");
        assert_eq!(lines(&server).last().unwrap(), "GET /v1/operations/42", "{total}");
    }
    // A response that never comes is not waited for beyond the limit.
    let server = server();
    server.insert(running());
    server.reply_to("POST", ":wait", Reply::hang());
    let poller = server.client().poller(NAME).long_poll(LongPoll::Body).total_timeout(secs(20.0));
    assert_eq!(poller.until_done().unwrap_err().elapsed(), secs(20.0));
}

#[test]
fn an_answer_that_does_not_come_is_given_up_after_the_usual_time() {
    let server = waiting();
    server.insert(FakeOperation::new(NAME).done_after(secs(41.0)));
    server.reply_to("POST", ":wait", Reply::hang());
    let backoff = Backoff::from_fn(|_| Some(secs(1.0)));
    let poller = server.client().poller(NAME).long_poll(LongPoll::Body).backoff(backoff);
    assert!(poller.until_done().unwrap().is_done());
    // The 30 s that were asked for and the attempt timeout on top.
    assert_eq!(server.elapsed(), secs(41.0));
}

#[test]
fn a_stopped_wait_ends_with_the_answer_under_way() {
    let server = waiting();
    server.insert(running());
    let token = StopToken::new();
    let client = server.client();
    let mut snapshots = client.poller(NAME).long_poll(LongPoll::Body).stop(&token).into_iter();
    assert!(snapshots.by_ref().take(2).all(|snapshot| snapshot.is_ok()));
    token.stop();
    assert_eq!(snapshots.next().unwrap().unwrap_err().kind(), ErrorKind::Stopped);
    assert_eq!(server.request_count(), 2);
}

fn waiting() -> FakeServer {
    FakeServer::builder().with(Rpc::Wait).start().unwrap()
}
