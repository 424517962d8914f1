//! The five methods, what they carry, and how long they may take.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use longrunning::transport::{Compression, Headers};
use longrunning::{Code, Credentials, Error, ErrorKind, Operation, OperationsClient};
use serde_json::json;

use super::{GrpcServer, Seen, plain};
use crate::python::Python;

#[test]
fn methods_and_their_fields() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &plain());
    let client = server.client();
    let asked = client.get(SEEN).send().unwrap();
    assert_eq!((asked.name(), asked.is_done()), (SEEN, false));
    let list = client.list(SEEN).filter("a = \"ü\"").page_size(7).page_token("t").send().unwrap();
    assert_eq!(list.operations[0].name(), SEEN);
    client.cancel(SEEN).send().unwrap();
    client.delete(SEEN).send().unwrap();
    client.wait(SEEN).timeout(Duration::from_millis(1500)).send().unwrap();
    let calls = server.calls();
    let methods: Vec<&str> = calls.iter().map(|call| call.method.as_str()).collect();
    let all = ["GetOperation", "ListOperations", "CancelOperation", "DeleteOperation", "WaitOperation"];
    assert_eq!(methods, all);
    assert!(calls.iter().all(|call| call.name == SEEN && call.peer == calls[0].peer), "{calls:?}");
    assert_eq!(calls[1].list, Some(("a = \"ü\"".into(), 7.0, "t".into())));
    assert_eq!(calls[4].timeout, Some(1.5));
}

#[test]
fn metadata_of_answers_is_shown() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &plain());
    let client = server.builder().build().unwrap();
    for name in ["operations/seen", "operations/fail/5"] {
        let (tell, seen) = channel();
        let answer = client.get(name).on_headers(move |headers| tell.send(headers.clone()).unwrap()).send();
        assert_eq!(answer.is_ok(), name == "operations/seen");
        let headers: Headers = seen.recv().unwrap();
        assert_eq!((headers.get("x-first"), headers.get("x-last")), (Some("1"), Some("1")), "{name}");
        assert_eq!(headers.get_bin("x-first-bin"), Some(vec![0, 255]), "{name}");
        assert_eq!(headers.get_bin("x-last-bin"), Some([0, 255].repeat(9)), "{name}");
        assert!(seen.recv().is_err(), "one answer");
    }
}

#[test]
fn metadata_comes_as_it_was_given() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &plain());
    let credentials = Credentials::bearer("CANARY-1").unwrap();
    let client = server
        .builder()
        .credentials(credentials)
        .user_agent("mine/1.0")
        .client_info("mine/1.0")
        .quota_project("billed")
        .header("x-all", "a, b")
        .build()
        .unwrap();
    let bytes = "AP8Bgg==";
    let call = client.get("operations/seen/a b+ü");
    let seen = seen(call.header("x-one", "1").header("x-one", "2").header("x-some-bin", bytes).send());
    let rows: [(&str, &[&str]); 9] = [
        ("authorization", &["Bearer CANARY-1"]),
        ("x-goog-request-params", &["name=operations/seen/a%20b%2B%C3%BC"]),
        ("x-goog-user-project", &["billed"]),
        ("x-all", &["a, b"]),
        ("x-one", &["1", "2"]),
        ("x-some-bin", &["00ff0182"]),
        // What is gRPC's own is not for the service to see.
        ("grpc-timeout", &[]),
        ("te", &[]),
        ("content-type", &[]),
    ];
    for (name, values) in rows {
        assert_eq!(seen.all(name), values, "{name}");
    }
    assert!(seen.all("user-agent")[0].starts_with("mine/1.0 longrunning-rs/"), "{seen:?}");
    let api = seen.all("x-goog-api-client")[0];
    assert!(api.contains(" grpc/") && api.ends_with(" mine/1.0"), "{api}");
}

#[test]
fn deadline_is_told_and_kept() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &plain());
    let client = server.client();
    for timeout in [30, 4_000, 1_000_000] {
        let call =
            client.get(SEEN).total_timeout(Duration::MAX).attempt_timeout(Duration::from_secs(timeout));
        let remaining = seen(call.send()).remaining.unwrap();
        let most = timeout as f64;
        assert!(most - 25.0 < remaining && remaining <= most + 0.001, "{timeout}: {remaining}");
    }

    let start = Instant::now();
    let call = client.get("operations/sleep/20000").attempt_timeout(Duration::from_millis(200));
    let error = call.send().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Timeout, None), "{error}");
    assert!(start.elapsed() < Duration::from_secs(15));
    // The server knows that nobody waits any more, although its method still works.
    let sleeping = || server.calls().into_iter().find(|call| call.name == "operations/sleep/20000").unwrap();
    while sleeping().ended.is_none() {
        assert!(start.elapsed() < Duration::from_secs(15), "the server still serves the call");
    }

    let error = client.get("operations/fail/4").send().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Service, Some(Code::DeadlineExceeded)));
}

#[test]
fn messages_are_compressed_both_ways() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &json!({ "compress": true }));
    let client = server.client();
    // What is asked is compressed or not, and the server compresses all that it answers.
    for compression in [Compression::Identity, Compression::Gzip] {
        let long = format!("operations/zip/{}", "z".repeat(5_000));
        let operation = client.get(long.as_str()).compression(compression).send().unwrap();
        assert_eq!(operation.name(), long);
        assert_eq!(operation.into_response::<String>().unwrap(), "z".repeat(10_000));
        client.delete(SEEN).compression(compression).send().unwrap();
        assert_eq!(seen(client.get(SEEN).compression(compression).send()).name, SEEN);
    }
    let error = client.get("operations/explain/9").send().unwrap_err();
    assert_eq!(error.status().unwrap().details().len(), 3);
    // Small on the wire, and still too large.
    let small = server.builder().message_limit(9_000).build().unwrap();
    let error = small.get("operations/zip/1").send().unwrap_err();
    let message = format!(
        "GetOperation `operations/zip/1`: response of 127.0.0.1:{} is larger than the limit of 9000 bytes: \
        `message_limit` raises it",
        server.port
    );
    assert_eq!(error.to_string(), message);
}

#[test]
fn large_pages_come_whole_or_not_at_all() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &json!({ "options": { "grpc.max_send_message_length": -1 } }));
    let page = |client: &OperationsClient, size: usize| client.list(format!("operations/big/{size}")).send();
    let large = server.builder().message_limit(40 << 20).build().unwrap();
    for size in [5_000_000, 20_000_000] {
        let page = page(&large, size).unwrap();
        let text = "\u{1f980}".repeat(230);
        assert!(page.operations.len() > size / 1200, "{}", page.operations.len());
        for (number, operation) in page.operations.into_iter().enumerate() {
            assert!(operation.name().starts_with("operations/0"), "{number}");
            assert_eq!(operation.into_response::<String>().unwrap(), text, "{number}");
        }
    }
    let (client, limit) = (server.client(), 4 << 20);
    assert!(page(&client, limit).unwrap().operations.len() > 3_000);
    let error = page(&client, limit + 1).unwrap_err();
    let name = format!("operations/big/{}", limit + 1);
    let message = format!(
        "ListOperations `{name}`: response of {} bytes of 127.0.0.1:{} is larger than the limit of {limit} bytes: \
        `message_limit` raises it",
        limit + 1,
        server.port
    );
    assert_eq!(error.to_string(), message);
    assert!(page(&client, 5_000).is_ok());
}

fn seen(answer: Result<Operation, Error>) -> Seen {
    answer.unwrap().metadata().unwrap().decode().unwrap()
}

const SEEN: &str = "operations/seen";
