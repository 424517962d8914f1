//! Answers in binary, and what comes in their place.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use longrunning::http::{HttpClient, HttpError, HttpRequest, HttpResponse};
use longrunning::proto::google::longrunning as proto;
use longrunning::rpc::RetryInfo;
use longrunning::transport::DataFormat;
use longrunning::{
    Any, Code, Credentials, Error, ErrorKind, Operation, OperationsClient, OperationsClientBuilder,
    RetryPolicy, Status,
};
use prost::Message;

use crate::kit::{Method, NAME};

/// Answers every request in the same way, and keeps what was asked.
#[derive(Clone, Debug)]
struct Canned {
    answer: HttpResponse,
    seen: Arc<Mutex<Vec<String>>>,
}

impl HttpClient for Canned {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let url = request.url.trim_start_matches("http://127.0.0.1:1");
        let headers = request.headers.iter();
        let accept = headers.filter(|(name, _)| name == "accept").map(|(_, value)| value.as_ref());
        let body = request.body.map(String::from_utf8_lossy).unwrap_or_default();
        let line = format!(
            "{} {url} {} ({}) {} MiB",
            request.method.as_str(),
            body,
            accept.collect::<String>(),
            request.limit >> 20
        );
        self.seen.lock().unwrap().push(line);
        Ok(self.answer.clone())
    }
}

fn canned(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Canned {
    let answer = HttpResponse::new(status, body).with_header("content-type", content_type);
    Canned { answer, seen: Arc::default() }
}

fn builder(canned: &Canned) -> OperationsClientBuilder {
    OperationsClient::builder("http://127.0.0.1:1")
        .credentials(Credentials::anonymous())
        .data_format(DataFormat::Proto)
        .retry(RetryPolicy::never())
        .http_client(canned.clone())
}

fn client(canned: &Canned) -> OperationsClient {
    builder(canned).build().unwrap()
}

fn done() -> Operation {
    let response = Any::pack(&proto::GetOperationRequest::default().name("x"));
    Operation::succeeded(NAME, response)
        .with_metadata(Any::pack(&prost_types::Duration { seconds: 9, nanos: 0 }))
}

fn bytes(operation: &Operation) -> Vec<u8> {
    operation.to_proto().unwrap().encode_to_vec()
}

const PROTOBUF: &str = "application/x-protobuf";

#[test]
fn operations_in_binary() {
    for content_type in [PROTOBUF, "Application/X-Protobuf; charset=x", "application/protobuf"] {
        let operation = client(&canned(200, content_type, bytes(&done()))).get(NAME).send().unwrap();
        assert_eq!(operation, done());
        let response: proto::GetOperationRequest = operation.response().unwrap().unpack().unwrap();
        assert_eq!(response.name, "x");
        assert_eq!(operation.metadata().unwrap().decode::<String>().unwrap(), "9s");
    }
}

#[test]
fn pages_in_binary() {
    let page = proto::ListOperationsResponse::default()
        .operations(vec![done().to_proto().unwrap(); 3])
        .next_page_token("t")
        .unreachable(["l".to_owned()]);
    let page = client(&canned(200, PROTOBUF, page.encode_to_vec())).list("operations").send().unwrap();
    assert_eq!((page.operations, page.next_page_token.as_str()), (vec![done(); 3], "t"));
    assert_eq!(page.unreachable, ["l"]);
    let empty = client(&canned(200, PROTOBUF, "")).list("operations").into_iter().count();
    assert_eq!(empty, 0);
}

#[test]
fn what_is_asked() {
    let ask = |builder: OperationsClientBuilder, canned: &Canned| {
        let client = builder.build().unwrap();
        client.get(NAME).send().unwrap();
        client.list("operations").filter("f").send().unwrap();
        client.cancel(NAME).send().unwrap();
        client.delete(NAME).send().unwrap();
        std::mem::take(&mut *canned.seen.lock().unwrap())
    };
    let binary = "(application/x-protobuf, application/json;q=0.9)";
    let canned = canned(200, "application/json", "{}");
    let expected = [
        format!("GET /v1/operations/42?alt=proto  {binary} 32 MiB"),
        format!("GET /v1/operations?filter=f&alt=proto  {binary} 64 MiB"),
        format!("POST /v1/operations/42:cancel?alt=proto {{}} {binary} 32 MiB"),
        format!("DELETE /v1/operations/42?alt=proto  {binary} 32 MiB"),
    ];
    assert_eq!(ask(builder(&canned), &canned), expected);
    assert_eq!(ask(builder(&canned).enum_encoding_int(true), &canned), expected, "numbers anyway");
    let json = ask(builder(&canned).data_format(DataFormat::Json), &canned);
    assert_eq!(json[0], "GET /v1/operations/42  (application/json) 32 MiB");
}

#[test]
fn answers_of_another_form_are_understood() {
    let json = r#"{"name":"operations/42","done":true}"#;
    for content_type in ["application/json", "text/plain", ""] {
        let operation = client(&canned(200, content_type, json)).get(NAME).send().unwrap();
        assert_eq!(operation.to_json(), json, "{content_type}");
    }
    let unasked =
        builder(&canned(200, PROTOBUF, bytes(&done()))).data_format(DataFormat::Json).build().unwrap();
    assert_eq!(unasked.get(NAME).send().unwrap(), done());
}

/// Whatever the form of an error, it is the same error.
#[test]
fn errors() {
    let retry =
        Status::new(Code::Unavailable, "draining").with_detail(RetryInfo::after(Duration::from_secs(7)));
    let status = |status: &Status| status.to_proto().unwrap().encode_to_vec();
    let json = r#"{"error":{"code":404,"message":"gone","status":"NOT_FOUND"}}"#;
    let proxy = "<html><h1>Bad Gateway</h1></html>";
    let rows: [(&str, u16, &str, Vec<u8>, &str, bool); 9] = [
        ("a status", 404, PROTOBUF, status(&Status::new(Code::NotFound, "gone")), "NOT_FOUND: gone", false),
        ("retry", 503, PROTOBUF, status(&retry), "UNAVAILABLE: draining", true),
        (
            "the status outweighs HTTP",
            409,
            PROTOBUF,
            status(&Status::new(Code::AlreadyExists, "")),
            "ALREADY_EXISTS",
            false,
        ),
        ("JSON", 404, "application/json", json.into(), "NOT_FOUND: gone", false),
        ("a proxy", 502, "text/html", proxy.into(), "UNAVAILABLE: HTTP 502: Bad Gateway", true),
        ("no status", 503, PROTOBUF, Vec::new(), "UNAVAILABLE: HTTP 503", true),
        ("other bytes", 404, PROTOBUF, vec![0xff; 50], NO_METHOD, false),
        ("within a 200", 200, PROTOBUF, status(&Status::new(Code::Aborted, "m")), "ABORTED: m", false),
        ("JSON within a 200", 200, "application/json", json.into(), "NOT_FOUND: gone", false),
    ];
    for (row, http, content_type, body, message, transient) in rows {
        let canned = canned(http, content_type, body);
        for method in Method::ALL.into_iter().filter(|method| *method != Method::Poll) {
            let error = method.run(&client(&canned)).expect_err(row);
            assert_eq!(error.kind(), ErrorKind::Service, "{row}");
            let told = error.to_string();
            // NOT_FOUND names the URL behind it.
            let told = told.split(" (http").next().unwrap_or_default();
            assert!(told.ends_with(&format!(": {message}")), "{row} {method:?}: {told}");
            assert_eq!(error.is_transient(), transient, "{row}");
            assert_eq!(error.retry_after(), (row == "retry").then_some(Duration::from_secs(7)), "{row}");
        }
    }
}

#[test]
fn bytes_that_are_no_answer() {
    let get = |body: &[u8]| client(&canned(200, PROTOBUF, body)).get(NAME).send().map(drop);
    let list = |body: &[u8]| client(&canned(200, PROTOBUF, body)).list("operations").send().map(drop);
    let cancel = |body: &[u8]| client(&canned(200, PROTOBUF, body)).cancel(NAME).send();
    let broken = [0x0a, 0xff, b'C', b'A', b'N', b'A', b'R', b'Y'];
    let kinds = |result: Result<(), Error>| result.map_err(|error| (error.kind(), error.is_transient()));
    for result in [get(&broken), list(&broken), cancel(&broken)] {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Decode, false), "{error}");
        assert!(!format!("{error:#} {error:?}").contains("CANARY"), "{error:#}");
    }
    assert_eq!(kinds(get(b"")), Err((ErrorKind::Transport, true)), "no operation is without a name");
    assert_eq!((kinds(list(b"")), kinds(cancel(b""))), (Ok(()), Ok(())));
    let html = client(&canned(200, "text/html", "<html>")).get(NAME).send().unwrap_err();
    assert_eq!(html.kind(), ErrorKind::Decode);
}

const NO_METHOD: &str = "NOT_FOUND: HTTP 404; this is not a response of the service: the method does not exist at this \
    endpoint and version, so check the endpoint, `api_version` and the bindings";
