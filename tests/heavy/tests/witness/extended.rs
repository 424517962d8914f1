//! Operations of Compute Engine, read by `google.api_core.extended_operation` with google-cloud-compute.

use longrunning::{Code, Operation, Outcome};
use serde_json::{Value, json};

use crate::python::Python;

/// Where the two decide differently, and why this crate does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Difference {
    None,
    /// Python takes an `error` without an HTTP code for a success.
    ErrorWithoutCode,
    /// Python takes the code 200 for an error, if a message comes with it.
    CodeOfSuccess,
    /// Python has no code if only one of code and message is there.
    HalfAnError,
    /// A quota has the HTTP code 403, and says itself what it is.
    NamedError,
}

#[test]
fn the_same_bodies_have_the_same_end() {
    let Some(python) = Python::find() else { return };
    let errors = json!({ "errors": [{ "code": "CONDITION_NOT_MET", "message": "first" }, { "code": "X", "message": "second" }] });
    let quota = json!({ "errors": [{ "code": "QUOTA_EXCEEDED", "message": "Quota 'CPUS' exceeded." }] });
    let failed = |http: u16, message: &str| json!({ "status": "DONE", "error": errors, "httpErrorStatusCode": http, "httpErrorMessage": message });
    let rows = [
        (json!({ "status": "PENDING" }), Difference::None),
        (json!({ "status": "RUNNING", "progress": 40 }), Difference::None),
        (json!({ "status": "RUNNING", "error": errors }), Difference::None),
        (json!({ "status": "DONE", "progress": 100 }), Difference::None),
        (json!({ "status": "DONE", "error": {} }), Difference::None),
        (json!({ "status": "DONE", "error": { "errors": [] } }), Difference::None),
        (failed(400, "BAD REQUEST"), Difference::None),
        (failed(401, "UNAUTHORIZED"), Difference::None),
        (failed(403, "FORBIDDEN"), Difference::None),
        (failed(404, "NOT FOUND"), Difference::None),
        (failed(409, "CONFLICT"), Difference::None),
        (failed(412, "PRECONDITION FAILED"), Difference::None),
        (failed(429, "TOO MANY REQUESTS"), Difference::None),
        (failed(500, "INTERNAL SERVER ERROR"), Difference::None),
        (failed(503, "SERVICE UNAVAILABLE"), Difference::None),
        (
            json!({ "status": "DONE", "httpErrorStatusCode": 404, "httpErrorMessage": "NOT FOUND" }),
            Difference::None,
        ),
        (json!({ "status": "DONE", "error": errors }), Difference::ErrorWithoutCode),
        (
            json!({ "status": "DONE", "httpErrorStatusCode": 200, "httpErrorMessage": "OK" }),
            Difference::CodeOfSuccess,
        ),
        (json!({ "status": "DONE", "httpErrorStatusCode": 403 }), Difference::HalfAnError),
        (json!({ "status": "DONE", "httpErrorMessage": "FORBIDDEN" }), Difference::HalfAnError),
        (
            json!({ "status": "DONE", "error": quota, "httpErrorStatusCode": 403, "httpErrorMessage": "FORBIDDEN" }),
            Difference::NamedError,
        ),
    ];
    let bodies: Vec<Value> = rows.iter().map(|(body, _)| whole(body)).collect();
    let told: Vec<Value> = python.run("extended.py", &json!(bodies));
    assert_eq!(told.len(), rows.len());
    for ((body, (_, difference)), python) in bodies.iter().zip(&rows).zip(&told) {
        let operation = Operation::from_json(&body.to_string()).unwrap();
        assert_eq!(operation.is_done(), python["done"] == true, "{body}");
        assert_eq!(found(&operation, python), *difference, "{body}: {python}, here {:?}", operation.error());
    }
}

/// The fields that every operation has.
fn whole(fields: &Value) -> Value {
    let mut body =
        json!({ "kind": "compute#operation", "id": "7", "name": "operation-1", "operationType": "insert" });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

fn found(operation: &Operation, python: &Value) -> Difference {
    let is_error = !python["message"].is_null();
    let error = match operation.outcome() {
        Outcome::Failed(error) => error,
        _ if is_error => return Difference::CodeOfSuccess,
        _ => return Difference::None,
    };
    if !is_error {
        return Difference::ErrorWithoutCode;
    }
    let Some(http) = python["code"].as_u64() else { return Difference::HalfAnError };
    let message = python["message"].as_str().unwrap();
    for part in error.message().split("; ") {
        assert!(message.contains(part), "{message} lacks {part}");
    }
    match Code::from_http(http as u16) == error.code() {
        true => Difference::None,
        false => Difference::NamedError,
    }
}
