//! Odd answers: rows 34 to 43 of the fault table.

use longrunning::testing::Reply;
use longrunning::{Code, ErrorKind, Outcome};

use crate::kit::{Method, NAME, done, lines, running, secs, server, slept, told};

#[test]
fn broken_documents() {
    let deep = |levels: usize| {
        let nested = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"name":"n","x":{nested},"operations":[{{"name":"n","x":{nested}}}]}}"#)
    };
    let rows = [
        ("34: byte order mark", b"\xef\xbb\xbf{}".to_vec(), 2),
        ("34: trailing garbage", b"{} CANARY-body-1".to_vec(), 2),
        ("34: invalid UTF-8", b"{\"name\":\"\xff\"}".to_vec(), 2),
        ("34: no JSON", b"CANARY-body-2".to_vec(), 2),
        ("34: nested 200 deep", deep(200).into_bytes(), 1),
    ];
    // A wait tolerates text that is not JSON once: a status page of a proxy may
    // be labelled as JSON.
    for (row, body, polls) in rows {
        for method in Method::ALL {
            let requests = if method == Method::Poll { polls } else { 1 };
            let server = server();
            server.reply(Reply::json(200, body.clone()).times(requests));
            if row == "34: byte order mark" && [Method::Cancel, Method::Delete].contains(&method) {
                assert_eq!(told(&method.run(&server.client())), "ok", "the outcome is known");
                continue;
            }
            let error = method.run(&server.client()).expect_err(row);
            assert_eq!(error.kind(), ErrorKind::Decode, "{row} {method:?}: {error}");
            assert_eq!(server.requests().len(), requests, "{row} {method:?}");
            assert_eq!(slept(&server).len(), requests - 1, "{row} {method:?}");
            assert!(!format!("{error:#} {error:?}").contains("CANARY"), "{row} {method:?}: {error:#}");
        }
    }
    for method in [Method::Get, Method::List, Method::Poll] {
        let server = server();
        server.reply(Reply::json(200, deep(25)));
        assert_eq!(told(&method.run(&server.client())), "ok", "34: nested 25 deep, {method:?}");
    }
}

#[test]
fn fields_of_the_wrong_kind() {
    let one = [
        (r#"{"name":7}"#, "operation is not valid: `name`: expected a string, found a number"),
        (
            r#"{"name":"n","done":"CANARY"}"#,
            "operation `n` is not valid: `done`: expected a boolean, found a string",
        ),
        (
            r#"{"error":{"code":"CANARY"}}"#,
            "operation is not valid: `error.code`: expected a 32-bit integer, found a string",
        ),
        (r#"{"response":[]}"#, "operation is not valid: `response`: expected an object, found an array"),
        (r#"[]"#, "operation is not valid: expected an object, found an array"),
    ];
    for (body, message) in one {
        let server = server();
        server.reply(Reply::json(200, body).times(2));
        let error = server.client().get(NAME).send().unwrap_err();
        assert_eq!(error.to_string(), format!("GetOperation `operations/42`: {message}"));
        assert!(server.client().poller(NAME).until_done().unwrap_err().to_string().ends_with(message));
    }
    let page = [
        (
            r#"{"operations":[{},{"metadata":3}]}"#,
            "`operations[1].metadata`: expected an object, found a number",
        ),
        (r#"{"nextPageToken":7}"#, "`nextPageToken`: expected a string, found a number"),
        (r#"{"unreachable":"CANARY"}"#, "`unreachable`: expected an array, found a string"),
    ];
    for (body, message) in page {
        let server = server();
        server.reply(Reply::json(200, body));
        let error = server.client().list("operations").send().unwrap_err();
        let call = "ListOperations `operations`: page of operations is not valid: ";
        assert_eq!(error.to_string(), format!("{call}{message}"));
    }
}

/// The three ways to see an operation agree about what came of it.
#[test]
fn outcomes() {
    let rows = [
        (
            "35: unknown fields",
            r#"{"name":"operations/42","done":true,"new":{"a":[1]},"newer":null}"#,
            "succeeded",
        ),
        ("36: neither response nor error", r#"{"name":"operations/42","done":true}"#, "succeeded"),
        (
            "36: an Any without a type",
            r#"{"done":true,"metadata":null,"response":{},"unreachable":[]}"#,
            "succeeded",
        ),
        (
            "37: both",
            r#"{"done":true,"error":{"code":5},"response":{}}"#,
            "malformed: both `error` and `response` are set",
        ),
        ("39: error with code 0", r#"{"done":true,"error":{"code":0}}"#, "malformed: `error` has code 0"),
        (
            "40: cancelled",
            r#"{"done":true,"error":{"code":1,"message":"enough"}}"#,
            "failed: CANCELLED: enough",
        ),
        ("41: unknown code", r#"{"done":true,"error":{"code":77,"message":"new"}}"#, "failed: code 77: new"),
    ];
    for (row, json, outcome) in rows {
        let server = server();
        let client = server.client();
        server.reply(Reply::json(200, json).times(2));
        server.reply(Reply::json(200, format!(r#"{{"operations":[{json}]}}"#)));
        let got = client.get(NAME).send().expect(row);
        let waited = client.poller(NAME).until_done().expect(row);
        let listed = client.list("operations").into_iter().next().expect(row).expect(row);
        for operation in [got, waited, listed] {
            assert_eq!(
                (operation.to_json().as_str(), operation.outcome().to_string().as_str()),
                (json, outcome),
                "{row}"
            );
        }
        assert_eq!(server.request_count(), 3, "{row}: done is final");
    }
}

#[test]
fn malformed_operations_are_neither_success_nor_failure() {
    let server = server();
    server.reply(Reply::json(200, r#"{"name":"n","done":true,"error":{"code":5},"response":{"a":1}}"#));
    let operation = server.client().get(NAME).send().unwrap();
    assert!(matches!(operation.outcome(), Outcome::Malformed(_)));
    assert_eq!(operation.error().unwrap().code(), Code::NotFound);
    assert_eq!(operation.response().unwrap().json().unwrap(), r#"{"a":1}"#);
    let error = operation.into_response::<()>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.to_string(), "operation `n` is malformed: both `error` and `response` are set");
}

#[test]
fn unknown_codes_and_details_are_kept() {
    let server = server();
    let detail = r#"{"@type":"type.googleapis.com/x.New","n":18446744073709551615,"e":"NEW"}"#;
    let error = format!(r#"{{"code":77,"message":"new","details":[{detail}]}}"#);
    server.reply(Reply::json(200, format!(r#"{{"done":true,"error":{error}}}"#)));
    let operation = server.client().get(NAME).send().unwrap();
    let status = operation.error().unwrap();
    assert_eq!((status.code(), status.message()), (Code::Other(77), "new"), "41");
    assert_eq!(status.details()[0].json().unwrap(), detail, "41");
    let error = operation.into_response::<()>().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Operation, Some(Code::Other(77))), "41");
}

#[test]
fn a_response_does_not_make_an_operation_done() {
    let server = server();
    server.reply(Reply::json(200, r#"{"name":"operations/42","done":false,"response":{"a":1}}"#));
    assert_eq!(server.client().poller(NAME).until_done().unwrap(), done(), "38");
    assert_eq!(slept(&server), [0.5], "38");
}

#[test]
fn polls_go_to_the_name_that_was_asked_for() {
    let server = server();
    for name in ["operations/43", "", "../../v2/projects/p"] {
        server.reply(longrunning::Operation::running(name));
    }
    server.client().poller(NAME).until_done().unwrap();
    assert_eq!(lines(&server), ["GET /v1/operations/42"; 4], "42");
}

#[test]
fn the_first_done_is_final() {
    let server = server();
    server.reply(done());
    server.reply(running());
    let client = server.client();
    let mut snapshots = client.poller(NAME).total_timeout(secs(60.0)).into_iter();
    assert!(snapshots.next().unwrap().unwrap().is_done(), "43");
    assert!(snapshots.next().is_none(), "43");
    assert_eq!((server.request_count(), server.pending_replies()), (1, 1), "43");
}
