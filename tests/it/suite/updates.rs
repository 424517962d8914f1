//! What the observer of a wait sees: states, and faults while they last.

use std::sync::{Arc, Mutex};

use longrunning::testing::{FakeOperation, Rpc};
use longrunning::{Code, Error, LongPoll, Operation, Status, Update};

use super::kit::{FakeServer, NAME, TestPoller, done, hinted, running, secs, status, unavailable};

/// Runs a wait, and returns its updates: the state, the fault with its polls and seconds, the pause.
fn updates(poller: TestPoller) -> (Vec<String>, Result<Operation, Error>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let result = poller.on_update(move |update| told.lock().unwrap().push(text(update))).until_done();
    let seen = seen.lock().unwrap().clone();
    (seen, result)
}

pub(crate) fn text(update: &Update<'_>) -> String {
    let state = match update.operation() {
        None => "unknown",
        Some(operation) if operation.is_done() => "done",
        Some(_) => "running",
    };
    let mut text = format!("{}: {state} at {}", update.polls(), update.elapsed().as_secs_f64());
    if let Some(fault) = update.fault() {
        let code =
            fault.error().code().map_or_else(|| format!("{:?}", fault.error().kind()), |c| c.to_string());
        text += &format!(", {code} {} times for {}", fault.polls(), fault.elapsed().as_secs_f64());
    }
    if let Some(pause) = update.pause() {
        text += &format!(", pause {}", pause.as_secs_f64());
    }
    assert_eq!(update.name(), NAME);
    text
}

#[test]
fn a_fault_is_shown_when_it_appears_changes_and_clears() {
    let server = FakeServer::start();
    server.reply(running());
    server.reply(unavailable().times(3));
    server.reply(status(Code::Internal));
    server.reply(running());
    server.reply(done());
    let (seen, result) = updates(server.client().poller(NAME));
    assert!(result.unwrap().is_done());
    let expected = [
        "1: running at 0",
        "2: running at 0.5, UNAVAILABLE 1 times for 0",
        "5: running at 2, INTERNAL 4 times for 1.5",
        "6: running at 2.5",
        "7: done at 3",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_fault_is_shown_before_any_state_is_known() {
    let server = FakeServer::start();
    server.reply(unavailable().times(2));
    server.reply(done());
    let (seen, result) = updates(server.client().poller(NAME));
    assert!(result.unwrap().is_done());
    assert_eq!(seen, ["1: unknown at 0, UNAVAILABLE 1 times for 0", "3: done at 1"]);
}

#[test]
fn an_error_that_ends_the_wait_is_no_update() {
    let server = FakeServer::start();
    server.reply(running());
    server.reply(status(Code::PermissionDenied));
    let (seen, result) = updates(server.client().poller(NAME));
    assert_eq!(result.unwrap_err().code(), Some(Code::PermissionDenied));
    assert_eq!(seen, ["1: running at 0"]);
}

#[test]
fn a_pause_that_the_service_asks_for_is_shown() {
    let server = FakeServer::start();
    server.reply(running());
    let draining = || Status::new(Code::Unavailable, "draining");
    server.reply(draining());
    server.reply(hinted(draining(), 40));
    server.reply(hinted(draining(), 40));
    server.reply(done());
    let (seen, result) = updates(server.client().poller(NAME));
    assert!(result.unwrap().is_done());
    let expected = [
        "1: running at 0",
        "2: running at 0.5, UNAVAILABLE 1 times for 0",
        "3: running at 1, UNAVAILABLE 2 times for 0.5, pause 40",
        "5: done at 81",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn the_timeout_names_the_last_fault() {
    let server = FakeServer::start();
    server.reply(running());
    server.reply(unavailable().times(9));
    let error = server.client().poller(NAME).total_timeout(secs(3.0)).until_done().unwrap_err();
    let message = "operation `operations/42` still running after 3 s (7 polls); it was not cancelled; \
                   the last 6 polls failed: UNAVAILABLE: draining";
    assert_eq!(error.to_string(), message);
    assert_eq!(format!("{error:#}"), message, "said once");
    assert_eq!(error.fault().and_then(Error::code), Some(Code::Unavailable));
    assert!(error.operation().is_some());
}

#[test]
fn a_long_poll_is_announced_before_it_is_sent() {
    for (long_poll, announced) in [(LongPoll::Auto, true), (LongPoll::Never, false)] {
        let server = FakeServer::with(|options| options.with(Rpc::Wait));
        server.insert(FakeOperation::new(NAME).done_after(secs(60.0)));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&seen);
        let poller = server.client().poller(NAME).long_poll(long_poll);
        let poller = poller.on_update(move |update| told.lock().unwrap().push(update.next_is_long_poll()));
        poller.until_done().unwrap();
        let seen = seen.lock().unwrap().clone();
        assert_eq!(seen.first(), Some(&announced), "{long_poll:?}");
        assert_eq!(seen.last(), Some(&false), "nothing follows the end: {long_poll:?}");
    }
}
