use super::*;
use crate::error::ErrorKind;
use crate::proto::google::longrunning::GetOperationRequest;
use crate::types::{Any, Code};

fn operation(json: &str) -> Operation {
    Operation::from_json(json).unwrap()
}

#[test]
fn outcomes_of_odd_responses() {
    let table = [
        ("empty", "{}", "running"),
        (
            "defaults printed",
            r#"{"name":"","metadata":null,"done":false,"error":null,"response":null}"#,
            "running",
        ),
        ("nulls", r#"{"name":null,"done":null}"#, "running"),
        ("response before done", r#"{"response":{"@type":"x/y"}}"#, "running"),
        ("error before done", r#"{"done":false,"error":{"code":5}}"#, "running"),
        ("neither", r#"{"done":true}"#, "succeeded"),
        ("null response", r#"{"done":true,"response":null}"#, "succeeded"),
        ("empty response", r#"{"done":true,"response":{},"metadata":{}}"#, "succeeded"),
        ("null error", r#"{"done":true,"response":{"@type":"x/y"},"error":null}"#, "succeeded"),
        ("unknown fields", r#"{"done":true,"new":{"deep":[1]},"state":"ODD"}"#, "succeeded"),
        (
            "cancelled",
            r#"{"done":true,"error":{"code":1,"message":"by user"}}"#,
            "failed: CANCELLED: by user",
        ),
        (
            "unknown code",
            r#"{"done":true,"error":{"code":77,"message":"m","details":[]}}"#,
            "failed: code 77: m",
        ),
        ("code 0", r#"{"done":true,"error":{"code":0}}"#, "malformed: `error` has code 0"),
        ("no code", r#"{"done":true,"error":{}}"#, "malformed: `error` has code 0"),
        (
            "both",
            r#"{"done":true,"error":{"code":5},"response":{"@type":"x/y"}}"#,
            "malformed: both `error` and `response` are set",
        ),
        (
            "the last of two",
            r#"{"done":false,"done":true,"error":{"code":2},"error":{"code":3}}"#,
            "failed: INVALID_ARGUMENT",
        ),
        ("null is not the last", r#"{"done":true,"done":null}"#, "succeeded"),
        ("keys with escapes", r#"{"d\u006fne":true}"#, "succeeded"),
    ];
    for (name, json, outcome) in table {
        assert_eq!(operation(json).outcome().to_string(), outcome, "{name}");
        assert_eq!(operation(json).to_json(), json, "{name}");
    }
}

#[test]
fn everything_is_accessible() {
    let json = r#"{"name":"projects/p/operations/a/","metadata":{"@type":"x/M","n":1},"done":true,
        "error":{"code":5,"details":[{"@type":"x/D"}]},"response":{"@type":"x/R"}}"#;
    let op = operation(&format!("\r\n {json} \t"));
    assert_eq!((op.name(), op.is_done(), op.to_json().as_str()), ("projects/p/operations/a/", true, json));
    assert_eq!(op.metadata().unwrap().json().unwrap(), r#"{"@type":"x/M","n":1}"#);
    assert_eq!(op.response().unwrap().type_name(), "R");
    assert_eq!(op.error().unwrap().details()[0].json().unwrap(), r#"{"@type":"x/D"}"#);
    assert_eq!(operation(r#"{"name":"op\u00e9rations\/1"}"#).name(), "op\u{e9}rations/1");
    let debug = r#"Operation { name: "", outcome: running, metadata: Some(Any("M", 13 bytes of JSON)), response: None }"#;
    assert_eq!(format!("{:?}", operation(r#"{"metadata":{"@type":"M"}}"#)), debug);
}

#[test]
fn errors_name_the_operation_and_the_path() {
    let table = [
        (r#"{"name":7}"#, "operation is not valid: `name`: expected a string, found a number"),
        (
            r#"{"name":"\ud800"}"#,
            "operation is not valid: `name`: expected whole surrogate pairs in a string",
        ),
        (
            r#"{"done":"true","name":"operations/42"}"#,
            "operation `operations/42` is not valid: `done`: expected a boolean, found a string",
        ),
        (
            r#"{"name":"o","metadata":[]}"#,
            "operation `o` is not valid: `metadata`: expected an object, found an array",
        ),
        (
            r#"{"name":"o","response":"SECRET"}"#,
            "operation `o` is not valid: `response`: expected an object, found a string",
        ),
        (
            r#"{"name":"o","error":{"code":"SECRET"}}"#,
            "operation `o` is not valid: `error.code`: expected a 32-bit integer, found a string",
        ),
        (
            r#"{"name":"o","error":{"details":[{},{"@type":true}]}}"#,
            "operation `o` is not valid: `error.details[1].@type`: expected a string, found a boolean",
        ),
        (r#"{"name":"o","done":tru}"#, "operation `o` is not valid JSON"),
        ("\u{feff}{}", "operation is not valid JSON"),
        ("{} SECRET", "operation is not valid JSON"),
        ("[]", "operation is not valid: expected an object, found an array"),
        ("", "operation is not valid JSON"),
    ];
    for (json, message) in table {
        let error = Operation::from_json(json).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.kind()), (message, ErrorKind::Decode), "{json}");
        assert!(!format!("{error:#} {error:?}").contains("SECRET"), "{error:#}");
    }
    let error =
        Operation::from_json(&format!(r#"{{"name":"{}\n","done":1}}"#, "n".repeat(9999))).unwrap_err();
    assert!(error.to_string().len() < 300, "{error}");
}

#[test]
fn nesting_deeper_than_serde_json_follows_is_refused() {
    for place in ["metadata", "response", "new", "error"] {
        let nested = |depth: usize| {
            let (open, close) = (r#"{"a":"#.repeat(depth - 1), "}".repeat(depth - 1));
            format!(r#"{{"name":"o","{place}":{open}1{close}}}"#)
        };
        assert_eq!(operation(&nested(127)).to_json(), nested(127));
        for depth in [128, 200, 100_000] {
            let error = Operation::from_json(&nested(depth)).unwrap_err();
            let message = "operation `o` is not valid: expected at most 127 levels of nesting";
            assert_eq!(error.to_string(), message);
        }
    }
}

#[test]
fn responses() {
    let done = |rest: &str| operation(&format!(r#"{{"name":"operations/42","done":true{rest}}}"#));
    assert_eq!(
        done(r#","response":{"@type":"x/google.protobuf.Int32Value","value":7}"#)
            .into_response::<u8>()
            .unwrap(),
        7
    );
    done("").into_response::<()>().unwrap();
    done(r#","response":{}"#).into_response::<()>().unwrap();
    assert_eq!(done("").into_response::<Option<u8>>().unwrap(), None);
    let table = [
        (
            operation(r#"{"name":"operations/42"}"#),
            ErrorKind::Decode,
            "operation `operations/42` is not done",
        ),
        (
            done(r#","error":{"code":8,"message":"out of disk"}"#),
            ErrorKind::Operation,
            "operation `operations/42` failed: RESOURCE_EXHAUSTED: out of disk",
        ),
        (
            done(r#","error":{}"#),
            ErrorKind::Decode,
            "operation `operations/42` is malformed: `error` has code 0",
        ),
        (done(""), ErrorKind::Decode, "operation `operations/42` has no response, expected `u8`"),
        (
            done(r#","response":{"@type":"x/y.Z"}"#),
            ErrorKind::Decode,
            "response of operation `operations/42` of type `y.Z` does not decode into `u8`; see docs/typed-results.md",
        ),
    ];
    for (op, kind, message) in table {
        let error = op.clone().into_response::<u8>().unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
        let failed = kind == ErrorKind::Operation;
        assert_eq!(
            (error.status(), error.operation()),
            if failed { (op.error(), Some(&op)) } else { (None, None) }
        );
    }
}

#[test]
fn operations_put_together_here() {
    let metadata = Any::from_json(r#"{"@type":"x/M","percent":40}"#).unwrap();
    let table = [
        (Operation::running("a\"b"), r#"{"name":"a\"b"}"#),
        (
            Operation::running("o").with_metadata(metadata),
            r#"{"name":"o","metadata":{"@type":"x/M","percent":40}}"#,
        ),
        (
            Operation::succeeded("o", Any::pack(&7i64)),
            r#"{"name":"o","done":true,"response":{"@type":"type.googleapis.com/google.protobuf.Int64Value","value":"7"}}"#,
        ),
        (
            Operation::failed("o", Status::new(Code::Aborted, "m")),
            r#"{"name":"o","done":true,"error":{"code":10,"message":"m"}}"#,
        ),
        (
            operation(r#"{"new":1,"done":true}"#).with_metadata(Any::pack(&())),
            r#"{"metadata":{"@type":"type.googleapis.com/google.protobuf.Empty"},"done":true}"#,
        ),
    ];
    for (op, json) in table {
        assert_eq!(op.to_json(), json);
        assert_eq!(operation(json).to_json(), json);
    }
    let spaced = operation(r#"{ "new":1, "done": true, "name": "o" }"#);
    assert_eq!(spaced, operation(r#"{"name":"o","done":true}"#));
    assert_ne!(spaced, Operation::running("o"));
}

#[test]
fn parts_outlive_the_document_and_the_operation() {
    fn shareable<T: Send + Sync + 'static>(_: &T) {}
    let op = operation(r#"{"metadata":{"@type":"x/M","n":1}}"#);
    shareable(&op);
    let metadata = op.metadata().cloned();
    drop(op);
    assert_eq!(metadata.unwrap().json().unwrap(), r#"{"@type":"x/M","n":1}"#);
}

#[test]
fn into_message_returns_the_message_or_the_reason() {
    let request = GetOperationRequest { name: "operations/42".into() };
    let packed = || Any::pack(&request);
    let read = |op: Operation| op.into_message::<GetOperationRequest>();
    assert_eq!(read(Operation::succeeded("operations/42", packed())).unwrap(), request);
    // A response that is missing is an empty message.
    let empty = Operation::from_json(r#"{"name":"operations/42","done":true}"#).unwrap();
    assert_eq!(read(empty).unwrap(), GetOperationRequest::default());
    let failed = Operation::failed("operations/42", Status::new(Code::Internal, "out of disk"));
    let rows = [
        (Operation::running("operations/42"), ErrorKind::Decode, "operation `operations/42` is not done"),
        (failed, ErrorKind::Operation, "operation `operations/42` failed: INTERNAL: out of disk"),
        (
            Operation::succeeded("operations/42", Any::pack(&7_i64)),
            ErrorKind::Decode,
            "any is of type `google.protobuf.Int64Value`, expected `google.longrunning.GetOperationRequest`; \
             see docs/typed-results.md",
        ),
    ];
    for (op, kind, message) in rows {
        let error = read(op).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
    }
}

#[test]
fn a_field_shows_that_it_is_an_operation() {
    let rows = [
        (r#"{"name":"o"}"#, false),
        (r#"{"name":"o","done":false}"#, false),
        (r#"{"name":"o","done":true}"#, true),
        (r#"{"name":"o","metadata":{"@type":"x/y"}}"#, true),
        (r#"{"name":"o","metadata":{"n":1}}"#, true),
        (r#"{"name":"o","response":{"@type":"x/y"}}"#, true),
        (r#"{"kind":"compute#operation","name":"o","status":"RUNNING"}"#, true),
    ];
    for (json, shown) in rows {
        assert_eq!(operation(json).is_recognised(), shown, "{json}");
    }
    assert!(Operation::running("o").with_metadata(Any::from_json("{}").unwrap()).is_recognised());
}

#[test]
fn only_bare_names_of_extended_operations_are_completed() {
    let extended = |name: &str| format!(r#"{{"kind":"compute#operation","name":"{name}","status":"DONE"}}"#);
    let rows = [
        (extended("o"), "projects/p/global/operations/o"),
        (extended("a/o"), "a/o"),
        (extended(""), ""),
        (r#"{"name":"o","done":true}"#.to_owned(), "o"),
    ];
    for (json, name) in rows {
        assert_eq!(operation(&json).completed_in("projects/p/global").name(), name, "{json}");
    }
}

#[test]
fn other_metadata_end_the_extended_form() {
    let json = r#"{"kind":"compute#operation","name":"o","targetLink":"https://l/","status":"DONE"}"#;
    assert_eq!(
        operation(json).into_message::<GetOperationRequest>().unwrap(),
        GetOperationRequest::default()
    );
    let changed = operation(json).with_metadata(Any::from_json("{}").unwrap());
    assert_eq!((changed.form(), changed.target_link()), (OperationForm::Longrunning, None));
    assert_eq!(changed.to_json(), r#"{"name":"o","metadata":{},"done":true}"#);
}
