//! What arrives at the service.

use longrunning::http::HttpMethod;
use longrunning::testing::{FakeOperation, FakeServer, Reply};
use longrunning::transport::DataFormat;
use longrunning::{Code, ErrorKind, Operation, RetryPolicy, StopToken};

use super::{PATH, server};
use crate::kit::{NAME, lines, slept};

/// One method of each form that the services have.
const STARTS: &str = include_str!("../../fixtures/starts.tsv");

fn method(text: &str) -> HttpMethod {
    let all = [HttpMethod::Get, HttpMethod::Put, HttpMethod::Post, HttpMethod::Delete, HttpMethod::Patch];
    all.into_iter().find(|method| method.as_str() == text).expect(text)
}

/// A path of the template: each wildcard is a segment with characters that have a meaning elsewhere.
fn filled(template: &str) -> String {
    let mut path = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (variable, behind) = after.split_once('}').unwrap();
        path += before;
        path += variable.split_once('=').map_or("*", |(_, pattern)| pattern);
        rest = behind;
    }
    (path + rest).replace("**", "a/b%2Fc").replace('*', "p-1.x_~(default)@y%2Fz%3A")
}

#[test]
fn every_form_of_method_arrives_as_it_is_written() {
    let rows = STARTS.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for row in rows {
        let [_, verb, template, body] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let path = filled(template);
        let server = FakeServer::start();
        server.on_start(verb, template, Operation::running("operations/1"));
        let client = server.client();
        let call = client.start(&*path).method(method(verb));
        let (call, sent) = match body {
            "-" => (call, ""),
            _ => {
                (call.json_text(r#"{"a": [1, 18446744073709551616]}"#), r#"{"a": [1, 18446744073709551616]}"#)
            }
        };
        let handle = call.query("validateOnly", true).query("x", "ä &=/").send().expect(row);
        let requests = server.requests();
        let [request] = &requests[..] else { panic!("{row}: {requests:?}") };
        assert_eq!((request.method(), request.path()), (verb, &*path), "{row}");
        assert_eq!(request.target(), format!("{path}?validateOnly=true&x=%C3%A4%20%26%3D%2F"), "{row}");
        assert_eq!(request.body(), sent.as_bytes(), "{row}");
        let has_length = !matches!(verb, "GET" | "DELETE") || !sent.is_empty();
        let length = has_length.then(|| sent.len().to_string());
        assert_eq!(request.header("content-length"), length.as_deref(), "{row}");
        assert_eq!(request.header("transfer-encoding"), None, "{row}");
        let kind = (!sent.is_empty()).then_some("application/json");
        assert_eq!(request.header("content-type"), kind, "{row}");
        assert_eq!(request.header("x-goog-request-params"), None, "{row}");
        let version = template.split('/').skip(1).take_while(|segment| !segment.ends_with("=projects"));
        let pending = handle.to_pending().unwrap();
        let is_short = template.starts_with("/v") && !template.starts_with("/v1/admin/");
        let expected: Vec<_> = version.take(if is_short { 1 } else { 2 }).collect();
        assert_eq!(pending.api_version(), Some(&*expected.join("/")), "{row}");
        count += 1;
    }
    assert_eq!(count, 86);
}

#[test]
fn all_options_of_a_call_are_those_of_a_start() {
    let server = server();
    let client = server.client_builder().header("x-a", "1").quota_project("client").build().unwrap();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = std::sync::Arc::clone(&seen);
    let call =
        client.start(PATH).header("x-b", "2").quota_project("own").on_headers(move |headers| {
            log.lock().unwrap().push(headers.get("content-type").unwrap().to_owned())
        });
    call.clone().send().unwrap();
    let request = &server.requests()[0];
    let headers = ["x-a", "x-b", "x-goog-user-project"].map(|name| request.header(name).unwrap());
    assert_eq!((headers, seen.lock().unwrap().len()), (["1", "2", "own"], 1));
    assert!(request.header("x-goog-api-client").unwrap().contains("gapic/"));
    let stop = longrunning::StopToken::new();
    stop.stop();
    let error = call.stop(&stop).send().unwrap_err();
    assert_eq!(
        (error.kind(), error.may_have_started(), server.request_count()),
        (ErrorKind::Stopped, false, 1)
    );
    let error = client.start(PATH).total_timeout(std::time::Duration::ZERO).send().unwrap_err();
    assert_eq!(
        (error.kind(), error.may_have_started(), server.request_count()),
        (ErrorKind::Timeout, false, 1)
    );
}

#[test]
fn messages_are_bodies_over_rest_with_protobuf() {
    let server = server();
    let client = server.client_builder().data_format(DataFormat::Proto).build().unwrap();
    let message = prost_types::Duration { seconds: 9, nanos: 0 };
    let handle = client.start(PATH).message(&message).query("a", 1).send().unwrap();
    let request = &server.requests()[0];
    assert_eq!(
        (request.body(), request.header("content-type")),
        (&[8, 9][..], Some("application/x-protobuf"))
    );
    assert!(request.target().ends_with("?a=1&alt=proto"), "{}", request.target());
    assert!(handle.until_done().unwrap().is_done());
    client.start(PATH).json_text("{}").send().unwrap();
    assert_eq!(server.requests().last().unwrap().header("content-type"), Some("application/json"));
}

/// Bodies up to 16 KiB go to the HTTP library as placeholders.
#[test]
fn bodies_of_all_sizes_arrive_whole() {
    let server = server();
    let client = server.client();
    for size in [1, 100, 10_237, 10_238, 16_381, 16_382, 16_383, 131_069, 131_070, 1_000_000] {
        let body = "x".repeat(size);
        client.start(PATH).json(&body).send().unwrap();
        let requests = server.take_requests();
        assert_eq!((requests.len(), requests[0].body().len()), (1, size + 2));
        assert!(requests[0].body() == format!("\"{body}\"").as_bytes(), "{size}");
    }
}

#[test]
fn a_request_id_makes_retries_safe() {
    let server = server();
    server.reply(Reply::usual().reset_at(0));
    server.reply(Reply::status(503));
    let id = "c3b8f0a4-2a51-4f27-9d6e-0c9f6a3f7d11";
    let handle = server.client().start(PATH).request_id(id).send().unwrap();
    assert_eq!((handle.name(), slept(&server).len()), (NAME, 2));
    let line = format!("POST {PATH}?requestId={id}");
    assert_eq!(lines(&server), [&*line, &*line, &*line]);
    assert!(server.operation("operations/42-2").is_none(), "the server knows the id");
    server.reply(Reply::status(503).times(usize::MAX));
    let error = server.client().start(PATH).request_id(id).send().unwrap_err();
    assert_eq!((error.attempts(), error.may_have_started()), (5, true));
    assert!(error.to_string().contains("or start again with the same id"), "{error}");
}

#[test]
fn a_later_refusal_does_not_undo_an_earlier_doubt() {
    let server = server();
    server.reply(Reply::status(503));
    server.reply(longrunning::Status::new(Code::AlreadyExists, "it is there"));
    let error = server.client().start(PATH).idempotent(true).send().unwrap_err();
    assert_eq!((error.code(), error.may_have_started()), (Some(Code::AlreadyExists), true));
}

#[test]
fn a_stop_between_attempts_does_not_undo_an_earlier_doubt() {
    let server = server();
    server.reply(Reply::status(503));
    let stop = StopToken::new();
    let stopping = stop.clone();
    let retry = RetryPolicy::default().on_retry(move |_| stopping.stop());
    let error = server.client().start(PATH).idempotent(true).retry(retry).stop(&stop).send().unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.may_have_started()), (ErrorKind::Stopped, 1, true));
    assert!(error.to_string().contains("or start again with the same id"), "{error}");
}

#[test]
fn a_dry_run_that_is_done_at_once_is_a_result() {
    let server = FakeServer::start();
    let done = Operation::succeeded(
        "",
        longrunning::Any::from_json(r#"{"@type":"x/y.Service","name":"s"}"#).unwrap(),
    );
    server.on_start("POST", "/v2/{parent=projects/*/locations/*}/services", FakeOperation::from(done));
    let call = server.client().start("/v2/projects/p/locations/l/services").query("validateOnly", true);
    let handle = call.json_text("{}").send().unwrap();
    #[derive(serde::Deserialize)]
    struct Service {
        name: String,
    }
    assert_eq!(handle.result::<Service>().unwrap().name, "s");
    assert_eq!(server.request_count(), 1);
}

#[test]
fn an_operation_in_a_field_is_found() {
    let server = server();
    server.reply(Reply::json(
        200,
        r#"{"kind":"x","operation":{"name":"operations/7","done":false},"key":"secret"}"#,
    ));
    let handle = server.client().start(PATH).send().unwrap();
    assert_eq!(handle.operation().unwrap().to_json(), r#"{"name":"operations/7","done":false}"#);
}

#[test]
fn a_response_that_is_no_operation_is_kept_and_not_printed() {
    let rows = [
        (200, r#"{"name":"projects/p/topics/t","key":"CANARY-key-1"}"#, "its fields are `name`, `key`"),
        (200, "{}", "it has no fields"),
        (200, "[]", "it is no JSON object"),
        (204, "", "it is empty"),
    ];
    for (status, body, why) in rows {
        let server = server();
        server.reply(Reply::json(status, body));
        let error = server.client().start(PATH).send().unwrap_err();
        assert_eq!((error.kind(), error.may_have_started()), (ErrorKind::Decode, false), "{body}");
        let message =
            format!("start `{PATH}`: the request was accepted, but the response is no operation: {why}");
        assert_eq!(error.to_string(), message);
        assert_eq!(error.response_body(), Some(body));
        assert!(!format!("{error:?} {error:#}").contains("CANARY"));
    }
    let server = server();
    server.reply(Reply::json(200, format!(r#"{{"name":"x","text":"{}"}}"#, "ä".repeat(40_000))));
    let error = server.client().start(PATH).send().unwrap_err();
    assert!(error.response_body().is_some_and(|body| (65_530..=65_536).contains(&body.len())));
}

#[test]
fn an_operation_that_cannot_be_read_may_run() {
    let rows = [
        r#"{"name":7,"done":false}"#,
        r#"{"name":"operations/7","done":"CANARY"}"#,
        r#"{"operation":{"name":7}}"#,
        r#"{"name":"operations/7","done":true,"error":{"code":[]}}"#,
        r#"{"name":"operations/7",}"#,
        "CANARY",
        r#"{"kind":"compute#operation","name":"o","status":{}}"#,
        r#"{"kind":"compute#operation","name":"o","status":"DONE","error":"\ud800"}"#,
        r#"{"name":"o","operationType":"X","status":"HALTED"}"#,
    ];
    for body in rows {
        let server = server();
        server.reply(Reply::json(200, body));
        let error = server.client().start(PATH).send().unwrap_err();
        assert_eq!((error.kind(), error.may_have_started()), (ErrorKind::Decode, true), "{body}");
        assert_eq!((error.response_body(), server.request_count()), (Some(body), 1));
        let message = format!("{error:?} {error:#}");
        assert!(message.contains("look for it, by `list`") && !message.contains("CANARY"), "{message}");
    }
}

#[test]
fn an_error_in_a_200_is_an_error() {
    let server = server();
    server.reply(Reply::json(200, r#"{"error":{"status":"PERMISSION_DENIED","message":"no"}}"#));
    let error = server.client().start(PATH).send().unwrap_err();
    assert_eq!((error.code(), error.may_have_started()), (Some(Code::PermissionDenied), false));
}
