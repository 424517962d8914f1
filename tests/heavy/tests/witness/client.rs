//! Google's client for Python calls a `FakeServer` and understands its responses.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longrunning::rpc::quota_failure::Violation;
use longrunning::rpc::{BadRequest, ErrorInfo, QuotaFailure, RetryInfo};
use longrunning::testing::FakeServer;
use longrunning::{Any, Code, Operation, Status};
use prost::{Message, Name};
use serde_json::{Value, json};

use crate::python::Python;

#[test]
fn gets_lists_cancels_and_deletes() {
    let Some(python) = Python::find() else { return };
    let server = FakeServer::start();
    for number in 1..=5 {
        server.insert(operation(number));
    }
    let before = states(&server);
    let one = format!("{PARENT}/operations/1");
    let results = calls(
        &python,
        &server,
        json!([
            { "method": "get_operation", "name": one },
            { "method": "list_operations", "name": PARENT, "page_size": 2 },
            { "method": "list_operations", "name": PARENT, "page_size": 1, "filter_": "done = true" },
            { "method": "cancel_operation", "name": one },
            { "method": "get_operation", "name": one },
            { "method": "delete_operation", "name": one },
            { "method": "list_operations", "name": PARENT },
        ]),
    );

    let [got, listed, done, cancel, cancelled, delete, rest] = &results[..] else { panic!("{results:?}") };
    assert_eq!(got["operation"]["json"], before[0]);
    assert_eq!(pages(listed), [&before[..2], &before[2..4], &before[4..]]);
    assert_eq!(pages(done), [&before[1..2], &before[2..3]]);
    assert_eq!((cancel, delete), (&json!({}), &json!({})));
    let cancelled = &cancelled["operation"]["json"];
    assert_eq!((&cancelled["done"], &cancelled["error"]["code"]), (&json!(true), &json!(1)));
    assert_eq!(pages(rest), [states(&server)]);
    assert_eq!(states(&server), before[1..]);

    let collection = format!("/v1/{PARENT}/operations");
    let rows: [(&str, &str, Option<&str>, Option<&str>); 10] = [
        ("GET", "/1", None, None),
        ("GET", "", Some("2"), None),
        ("GET", "", Some("2"), None),
        ("GET", "", Some("2"), None),
        ("GET", "", Some("1"), Some("done = true")),
        ("GET", "", Some("1"), Some("done = true")),
        ("POST", "/1:cancel", None, None),
        ("GET", "/1", None, None),
        ("DELETE", "/1", None, None),
        ("GET", "", None, None),
    ];
    let requests = server.requests();
    assert_eq!(requests.len(), rows.len());
    for (request, (method, path, size, filter)) in requests.iter().zip(rows) {
        assert_eq!((request.method(), request.path()), (method, format!("{collection}{path}").as_str()));
        let (asked_size, asked_filter) = (request.query("pageSize"), request.query("filter"));
        assert_eq!((asked_size.as_deref(), asked_filter.as_deref()), (size, filter), "{request:?}");
    }
}

#[test]
fn errors_are_typed() {
    let Some(python) = Python::find() else { return };
    let server = FakeServer::start();
    let exhausted = Status::new(Code::ResourceExhausted, "zu viele Läufe\n→ \u{1F40C}")
        .with_detail(error_info())
        .with_detail(RetryInfo::after(Duration::from_millis(7_250)))
        .with_detail(quota_failure());
    server.reply_to("GET", "operations/busy", exhausted.clone());
    server.reply_to("DELETE", "operations/busy", Status::new(Code::Unimplemented, "no delete here"));
    let (busy, none) = (format!("{PARENT}/operations/busy"), format!("{PARENT}/operations/none"));
    let results = calls(
        &python,
        &server,
        json!([
            { "method": "get_operation", "name": none },
            { "method": "cancel_operation", "name": none },
            { "method": "delete_operation", "name": none },
            { "method": "list_operations", "name": PARENT, "filter_": "rows > 7" },
            { "method": "get_operation", "name": busy },
            { "method": "delete_operation", "name": busy },
        ]),
    );

    // Over REST, the class goes by the HTTP status: BadRequest is the base of InvalidArgument, and so on.
    let not_found = format!("operation `{none}` was not found");
    let rows = [
        ("NotFound", 404, not_found.as_str()),
        ("NotFound", 404, &not_found),
        ("NotFound", 404, &not_found),
        ("BadRequest", 400, "filter: only `done=true` and `done=false` are supported"),
        ("TooManyRequests", 429, exhausted.message()),
        ("MethodNotImplemented", 501, "no delete here"),
    ];
    assert_eq!(results.len(), rows.len());
    for (result, (class, http, message)) in results.iter().zip(rows) {
        let error = &result["error"];
        assert_eq!((&error["class"], &error["http"]), (&json!(class), &json!(http)), "{result}");
        assert!(error["message"].as_str().is_some_and(|text| text.ends_with(message)), "{result}");
    }

    let bad_request = detail::<BadRequest>(&results[3], 0);
    assert_eq!(bad_request.field_violations[0].field, "filter");
    let busy = &results[4];
    assert_eq!(busy["error"]["reason"], "RATE_LIMIT_EXCEEDED");
    assert_eq!(busy["error"]["domain"], "example.com");
    assert_eq!(busy["error"]["metadata"], json!({ "zone": "europe-west6" }));
    assert_eq!(detail::<ErrorInfo>(busy, 0), error_info());
    assert_eq!(detail::<RetryInfo>(busy, 1).delay(), Some(Duration::from_millis(7_250)));
    assert_eq!(detail::<QuotaFailure>(busy, 2), quota_failure());
}

/// What Google's client makes of each call.
fn calls(python: &Python, server: &FakeServer, calls: Value) -> Vec<Value> {
    python.run("operations_client.py", &json!({ "url": server.url(), "calls": calls }))
}

fn operation(number: u32) -> Operation {
    let name = format!("{PARENT}/operations/{number}");
    let seconds = Any::pack(&prost_types::Duration { seconds: number.into(), nanos: 5_000_000 });
    match number {
        2 => Operation::succeeded(name, Any::pack(&"ünïcode \u{1F980}".to_owned())).with_metadata(seconds),
        3 => Operation::failed(name, Status::new(Code::Aborted, "lost a race").with_detail(error_info())),
        _ => Operation::running(name).with_metadata(seconds),
    }
}

const PARENT: &str = "projects/p/locations/l";

fn error_info() -> ErrorInfo {
    let metadata = HashMap::from([("zone".to_owned(), "europe-west6".to_owned())]);
    ErrorInfo::new("RATE_LIMIT_EXCEEDED", "example.com").metadata(metadata)
}

fn quota_failure() -> QuotaFailure {
    let mut violation = Violation::default().subject("project:p").quota_value(i64::MAX);
    violation.future_quota_value = Some(0);
    QuotaFailure::default().violations([violation])
}

/// The operations as the server has them.
fn states(server: &FakeServer) -> Vec<Value> {
    let names = (1..=5).map(|number| format!("{PARENT}/operations/{number}"));
    let found = names.filter_map(|name| server.operation(&name));
    found.map(|operation| serde_json::from_str(&operation.to_json()).unwrap()).collect()
}

fn pages(result: &Value) -> Vec<Vec<Value>> {
    let items = |value: &Value| value.as_array().expect("a list").clone();
    let page = |page: &Value| items(page).iter().map(|item| item["json"].clone()).collect();
    items(&result["pages"]).iter().map(page).collect()
}

/// A detail of an error, as the bytes that protobuf makes of it.
fn detail<M: Message + Name + Default>(result: &Value, index: usize) -> M {
    let detail = &result["error"]["details"][index];
    assert_eq!(detail["type"], M::full_name());
    let bytes = STANDARD.decode(detail["bytes"].as_str().expect("base64")).unwrap();
    M::decode(&*bytes).unwrap()
}
