//! Handles: an operation as a value.

use std::sync::mpsc;

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{
    Bindings, Code, Error, ErrorKind, Operation, OperationHandle, OperationsClient, Pending, Status,
};

use crate::kit::{NAME, any, done, lines, running, secs, server};

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Index {
    rows: String,
}

#[test]
fn a_handle_tells_what_was_seen_and_asks_when_told_to() {
    let server = FakeServer::start();
    let response = any(r#"{"@type":"type.googleapis.com/x.Index","rows":"9"}"#);
    server.insert(FakeOperation::new(NAME).done_after(secs(60.0)).responds(response));
    let started = running().with_metadata(any(r#"{"@type":"x/y","percent":1}"#));
    let handle = server.client().operation(&started);
    let other = handle.clone();
    assert_eq!((other.name(), other.is_done(), other.operation()), (NAME, false, Some(started)));
    assert_eq!((other.progress().percent(), server.request_count()), (Some(1.0), 0));

    server.advance(secs(30.0));
    assert!(!handle.refresh().unwrap().is_done());
    assert_eq!((other.progress().percent(), server.request_count()), (Some(50.0), 1), "clones see the same");

    assert_eq!(handle.result::<Index>().unwrap(), Index { rows: "9".into() });
    assert!(other.is_done() && !other.is_cancelled() && other.error().is_none());
    assert!(other.metadata().unwrap().json().unwrap().contains("100"));
    let asked = server.request_count();
    assert!(other.refresh().unwrap().is_done() && other.until_done().is_ok());
    assert_eq!(server.request_count(), asked, "43: the end is final");
}

#[test]
fn waits_have_all_options_and_report_to_the_handle() {
    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).done_after(secs(60.0)));
    let handle = server.client().operation(NAME);
    let error = handle.poller().total_timeout(secs(30.0)).until_done().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(handle.operation().as_ref(), error.operation());
    let snapshots = handle.poller().into_iter().count();
    assert!(snapshots > 5 && handle.is_done());
}

#[test]
fn a_failure_is_told_as_such() {
    let server = FakeServer::start();
    let status = Status::new(Code::ResourceExhausted, "out of disk");
    server.insert(Operation::failed(NAME, status.clone()));
    let handle = server.client().operation(NAME);
    assert_eq!(handle.result::<()>().unwrap_err().kind(), ErrorKind::Operation);
    assert_eq!((handle.error(), handle.is_cancelled()), (Some(status), false));
}

#[test]
fn cancelling_can_be_waited_for() {
    let server = FakeServer::start();
    server.insert(running());
    let handle = server.client().operation(NAME);
    let ended = handle.cancel_and_wait(secs(60.0)).unwrap();
    assert_eq!(ended.error().map(Status::code), Some(Code::Cancelled));
    assert!(handle.is_cancelled());

    // Row 47: what was over already is looked at all the same.
    let server = FakeServer::start();
    server.insert(done());
    server.reply_to("POST", ":cancel", Status::new(Code::FailedPrecondition, "it is over"));
    assert_eq!(server.client().operation(NAME).cancel_and_wait(secs(60.0)).unwrap(), done(), "47");

    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).ignores_cancel());
    let error = server.client().operation(NAME).cancel_and_wait(secs(60.0)).unwrap_err();
    assert_eq!((error.kind(), error.elapsed() <= secs(60.0)), (ErrorKind::Timeout, true));

    server.reply_to("POST", ":cancel", Status::new(Code::Unimplemented, "no"));
    let error = server.client().operation(NAME).cancel_and_wait(secs(60.0)).unwrap_err();
    assert_eq!(error.code(), Some(Code::Unimplemented));
}

#[test]
fn cancel_and_delete_are_the_calls() {
    let server = FakeServer::start();
    server.insert(running());
    let handle = server.client().operation(NAME);
    assert!(handle.cancel().unwrap());
    handle.delete().unwrap();
    assert_eq!(lines(&server), ["POST /v1/operations/42:cancel {}", "DELETE /v1/operations/42"]);
}

#[test]
fn an_operation_seen_to_be_done_is_not_cancelled() {
    let server = server();
    let handle = server.client().operation(NAME);
    assert!(handle.cancel().unwrap(), "not seen yet");
    handle.refresh().unwrap();
    let sent = server.request_count();
    assert!(!handle.cancel().unwrap());
    assert_eq!(handle.cancel_and_wait(secs(60.0)).unwrap(), done());
    assert_eq!(server.request_count(), sent);
    assert!(!server.client().operation(done()).cancel().unwrap(), "done when it was started");
}

#[test]
fn a_callback_runs_on_a_thread_of_its_own() {
    let server = server();
    let (tells, told) = mpsc::channel();
    let handle = server.client().operation(NAME);
    let here = std::thread::current().id();
    let thread =
        handle.on_done(move |ended| tells.send((ended, std::thread::current().id())).unwrap()).unwrap();
    let (ended, there) = told.recv().unwrap();
    assert!(ended.unwrap().is_done() && here != there);
    thread.join().unwrap();
    assert!(handle.is_done());
    assert!(handle.on_done(|_| panic!("in the callback")).unwrap().join().is_err());
    assert!(handle.is_done(), "72");
}

#[test]
fn a_wait_goes_on_in_another_process() {
    let server = server();
    let bindings = Bindings::version("v2").unwrap();
    let client = server.client_builder().bindings(bindings).build().unwrap();
    let started =
        Operation::running(NAME).with_metadata(any(r#"{"@type":"x/y","createTime":"2026-01-01T10:00:00Z"}"#));
    let pending = client.operation(&started).to_pending().unwrap();
    assert_eq!((pending.name().as_str(), pending.api_version()), (NAME, Some("v2")));
    assert_eq!(pending.endpoint(), Some(server.url().as_str()));
    assert_eq!(client.operation(NAME).to_pending().unwrap().started(), Some(server.wall()));
    let text = serde_json::to_string(&pending).unwrap();
    assert!(text.contains(r#""started":"2026-01-01T10:00:00Z""#), "{text}");

    let pending: Pending = serde_json::from_str(&text).unwrap();
    let client = server.client();
    assert!(client.operation(&pending).until_done().unwrap().is_done());
    assert_eq!(lines(&server), ["GET /v2/operations/42"]);

    let custom = OperationsClient::over(client.transport().clone()).build().unwrap();
    assert_eq!(custom.operation(NAME).to_pending().unwrap().endpoint(), None);
}

#[test]
fn a_bad_name_is_told_by_whatever_would_ask() {
    let client = FakeServer::start().client();
    let handle = client.operation("operations/../x");
    assert_eq!((handle.name(), handle.operation(), handle.is_done()), ("operations/../x", None, false));
    let errors: [Result<(), Error>; 4] = [
        handle.refresh().map(drop),
        handle.until_done().map(drop),
        handle.cancel().map(drop),
        handle.delete(),
    ];
    assert!(errors.into_iter().all(|asked| asked.unwrap_err().kind() == ErrorKind::Binding));
    assert_eq!(client.operation("").to_pending().unwrap_err().kind(), ErrorKind::Binding);
    // What was done at once needs no name.
    let unnamed = Operation::from_json(r#"{"done":true,"response":{}}"#).unwrap();
    assert!(client.operation(&unnamed).until_done().unwrap().is_done());
}

#[test]
fn handles_are_values() {
    fn is_a_value<T: Clone + Send + Sync + 'static>() {}
    is_a_value::<OperationHandle>();
    let handle = FakeServer::start().client().operation(NAME);
    assert!(format!("{handle:?}").starts_with(r#"OperationHandle { name: "operations/42""#), "{handle:?}");
}
