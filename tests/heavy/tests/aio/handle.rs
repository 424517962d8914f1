//! Handles: what the ones that block do, from futures.

use longrunning::aio::Async;
use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Code, ErrorKind, Operation, OperationHandle, OperationsAsyncClient, Status};

use crate::kit::{NAME, any, done, lines, running, secs};
use crate::runtimes::{Runtime, block_on};

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Index {
    rows: String,
}

fn handle(server: &FakeServer) -> OperationHandle<Async> {
    OperationsAsyncClient::from(server.client()).operation(NAME)
}

#[test]
fn a_result_is_waited_for_on_any_runtime() {
    for runtime in Runtime::ALL {
        let server = FakeServer::start();
        let response = any(r#"{"@type":"type.googleapis.com/x.Index","rows":"9"}"#);
        server.insert(FakeOperation::new(NAME).done_after(secs(60.0)).responds(response));
        let (handle, other) = (handle(&server), handle(&server));
        assert!(!runtime.run(handle.refresh()).unwrap().is_done(), "{runtime:?}");
        assert_eq!((server.request_count(), other.operation()), (1, None), "another handle saw nothing");
        let clone = handle.clone();
        assert_eq!(runtime.run(handle.result::<Index>()).unwrap(), Index { rows: "9".into() });
        assert!(clone.is_done() && clone.to_pending().unwrap().name().as_str() == NAME);
        let asked = server.request_count();
        assert!(runtime.run(clone.refresh()).unwrap().is_done());
        assert_eq!(server.request_count(), asked, "the end is final");
    }
}

#[test]
fn cancelling_can_be_waited_for() {
    let server = FakeServer::start();
    server.insert(running());
    let running_one = handle(&server);
    let ended = block_on(running_one.cancel_and_wait(secs(60.0))).unwrap();
    assert_eq!(ended.error().map(Status::code), Some(Code::Cancelled));
    assert!(running_one.is_cancelled());

    let server = FakeServer::start();
    server.insert(done());
    server.reply_to("POST", ":cancel", Status::new(Code::FailedPrecondition, "it is over"));
    assert_eq!(block_on(handle(&server).cancel_and_wait(secs(60.0))).unwrap(), done());
    server.reply_to("POST", ":cancel", Status::new(Code::Unimplemented, "no"));
    let error = block_on(handle(&server).cancel_and_wait(secs(60.0))).unwrap_err();
    assert_eq!(error.code(), Some(Code::Unimplemented));
}

#[test]
fn cancel_and_delete_are_the_calls() {
    let server = FakeServer::start();
    server.insert(running());
    let handle = handle(&server);
    block_on(async { handle.cancel().await.map(drop).and(handle.delete().await) }).unwrap();
    assert_eq!(lines(&server), ["POST /v1/operations/42:cancel {}", "DELETE /v1/operations/42"]);
}

#[test]
fn an_operation_seen_to_be_done_is_not_cancelled() {
    let server = FakeServer::start();
    server.insert(Operation::failed(NAME, Status::new(Code::Internal, "no")));
    let handle = handle(&server);
    assert!(block_on(handle.cancel()).unwrap(), "not seen yet");
    block_on(handle.refresh()).unwrap();
    let sent = server.request_count();
    assert!(!block_on(handle.cancel()).unwrap());
    assert_eq!(server.request_count(), sent);
}

#[test]
fn a_bad_name_is_told_by_whatever_would_ask() {
    let server = FakeServer::start();
    let handle = OperationsAsyncClient::from(server.client()).operation("operations/../x");
    for error in [block_on(handle.refresh()).map(drop), block_on(handle.until_done()).map(drop)] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Binding);
    }
    assert_eq!(block_on(handle.cancel()).unwrap_err().kind(), ErrorKind::Binding);
}
