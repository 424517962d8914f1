//! Errors of every code, their details, and what follows from them.

use std::collections::HashMap;
use std::time::Duration;

use longrunning::rpc::bad_request::FieldViolation;
use longrunning::rpc::{BadRequest, DebugInfo, ErrorInfo};
use longrunning::{Code, ErrorKind};

use super::{GrpcServer, attempts, plain};
use crate::python::Python;

#[test]
fn codes_and_messages() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &plain());
    let client = server.builder().retry(attempts(2)).build().unwrap();
    let names = [
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    for (number, name) in (1..).zip(names) {
        let error = client.get(format!("operations/fail/{number}")).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Service, "{name}");
        assert_eq!(error.code(), Some(Code::from(number)), "{name}");
        assert_eq!(error.code().unwrap().to_string(), name);
        let status = error.status().unwrap();
        assert_eq!(status.message(), format!("code {number}: 100% zu spät\n"));
        assert!(status.details().is_empty());
        assert_eq!(error.attempts(), if name == "UNAVAILABLE" { 2 } else { 1 }, "{name}");
    }
    let peers: Vec<String> = server.calls().into_iter().map(|call| call.peer).collect();
    assert!(peers.iter().all(|peer| *peer == peers[0]), "an error costs no connection: {peers:?}");
}

#[test]
fn details_are_typed() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &plain());
    for number in [3, 8, 14] {
        let error = server.client().list(format!("operations/explain/{number}")).send().unwrap_err();
        let status = error.status().unwrap();
        assert_eq!(status.code(), Code::from(number));
        assert_eq!(status.message(), format!("code {number} \u{2192} \u{1f40c}"));
        let metadata = HashMap::from([("zone".to_owned(), "w6".to_owned())]);
        let info = ErrorInfo::new("OUT_OF_SNAILS", "example.com").metadata(metadata);
        assert_eq!(status.detail::<ErrorInfo>(), Some(info));
        let violation = FieldViolation::default().field("name").description("zu früh");
        assert_eq!(status.detail::<BadRequest>(), Some(BadRequest::default().field_violations([violation])));
        assert_eq!(status.detail::<DebugInfo>().unwrap().stack_entries, ["x".repeat(3000)]);
    }
}

#[test]
fn delay_that_the_server_asks_for_is_kept() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &plain());
    let client = server.builder().retry(attempts(5)).build().unwrap();
    for method in ["GetOperation", "WaitOperation"] {
        let name = format!("operations/flaky/{method}");
        let operation = match method {
            "GetOperation" => client.get(name.as_str()).send(),
            _ => client.wait(name.as_str()).send(),
        };
        assert!(operation.unwrap().is_done());
        let times: Vec<f64> =
            server.calls().iter().filter(|call| call.name == name).map(|call| call.at).collect();
        let [first, second] = times[..] else { panic!("{times:?}") };
        assert!(second - first >= 0.15, "{times:?}");
    }
    let error = server.client().get("operations/flaky/x").send().unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_millis(150)));
}
