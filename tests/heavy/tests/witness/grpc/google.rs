//! Google's client for Python and this crate's ask the same server.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longrunning::rpc::ErrorInfo;
use longrunning::{Error, Operation, OperationsClient};
use prost::Message;
use serde_json::{Value, json};

use super::{GrpcServer, plain};
use crate::python::Python;

#[test]
fn both_clients_see_the_same() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &plain());
    let name = |number: u32| format!("{PARENT}/operations/{number}");
    let get = |name: String| json!({ "method": "get_operation", "name": name });
    let list = |more: Value| {
        let mut call = json!({ "method": "list_operations", "name": PARENT });
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call
    };
    let mut calls: Vec<Value> = (1..=6).map(|number| get(name(number))).collect();
    calls.extend([
        list(json!({})),
        list(json!({ "filter_": "done = true" })),
        json!({ "method": "cancel_operation", "name": name(1) }),
        json!({ "method": "wait_operation", "name": name(1), "timeout_of_wait": 2 }),
        json!({ "method": "delete_operation", "name": name(2) }),
        json!({ "method": "delete_operation", "name": name(2) }),
        json!({ "method": "cancel_operation", "name": name(2) }),
        list(json!({})),
        json!({ "method": "list_operations", "name": "operations/explain/3" }),
        json!({ "method": "wait_operation", "name": "operations/explain/8", "timeout_of_wait": 2 }),
        get("operations/fail/16".into()),
        get("operations/zip/1".into()),
    ]);
    let order = json!({ "target": format!("127.0.0.1:{}", server.port), "calls": calls });
    let theirs: Vec<Value> = python.run("grpc_client.py", &order);
    let client = server.client();
    client.cancel("operations/reset").send().unwrap();
    assert_eq!(theirs.len(), calls.len());
    for (call, theirs) in calls.iter().zip(theirs) {
        assert_eq!(perform(&client, call), theirs, "{call}");
    }

    // What the server saw of the two differs in nothing that a service goes by.
    let seen = server.calls();
    let (theirs, ours) = seen.split_at(calls.len());
    let ours: Vec<_> = ours.iter().filter(|call| call.name != "operations/reset").collect();
    for (theirs, ours) in theirs.iter().zip(ours) {
        assert_eq!((&theirs.method, &theirs.name, &theirs.list), (&ours.method, &ours.name, &ours.list));
        if theirs.method != "WaitOperation" {
            let routing = "x-goog-request-params";
            assert_eq!(theirs.all(routing), ours.all(routing));
        }
    }
}

/// A call by this crate, told as the script tells it.
fn perform(client: &OperationsClient, call: &Value) -> Value {
    let name = call["name"].as_str().unwrap();
    let told = match call["method"].as_str().unwrap() {
        "get_operation" => {
            client.get(name).send().map(|operation| json!({ "operation": base64(&operation) }))
        }
        "wait_operation" => {
            let timeout = Duration::from_secs(call["timeout_of_wait"].as_u64().unwrap());
            client
                .wait(name)
                .timeout(timeout)
                .send()
                .map(|operation| json!({ "operation": base64(&operation) }))
        }
        "cancel_operation" => client.cancel(name).send().map(|()| json!({})),
        "delete_operation" => client.delete(name).send().map(|()| json!({})),
        "list_operations" => {
            let listed = client.list(name).filter(call["filter_"].as_str().unwrap_or(""));
            let operations: Result<Vec<Operation>, Error> = listed.into_iter().collect();
            operations.map(|all| json!({ "operations": all.iter().map(base64).collect::<Vec<_>>() }))
        }
        other => panic!("{other}"),
    };
    told.unwrap_or_else(|error| json!({ "error": describe(&error) }))
}

fn describe(error: &Error) -> Value {
    let status = error.status().unwrap_or_else(|| panic!("{error}"));
    let details: Vec<String> =
        status.details().iter().map(|detail| python_name(detail.type_name())).collect();
    let reason = status.detail::<ErrorInfo>().map(|info| info.reason);
    json!({
        "code": i32::from(status.code()),
        "message": status.message(),
        "details": details,
        "reason": reason,
    })
}

/// What Python calls a detail.
fn python_name(name: &str) -> String {
    name.replace("google.rpc.", "google.rpc.error_details_pb2.")
}

fn base64(operation: &Operation) -> String {
    STANDARD.encode(operation.to_proto().unwrap().encode_to_vec())
}

const PARENT: &str = "projects/p/locations/l";
