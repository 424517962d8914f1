//! What goes out, and what comes of a usual answer.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use prost::Message;

use super::super::frame;
use super::server::{Act, GRPC, Seen, Server, data, error, head, ok, trailers};
use super::{NAME, attempt, built, get, options, proto, transport};
use crate::auth::{AccessToken, Credentials, TokenError, TokenRequest};
use crate::error::ErrorKind;
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    ListOperationsResponse, Operation as ProtoOperation, WaitOperationRequest,
};
use crate::transport::grpc::GrpcOptions;
use crate::transport::{Attempt, Compression, Header, Transport};
use crate::types::{Operation, OperationPage};

fn header<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    seen.headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn five_methods_on_one_connection() {
    let page = ListOperationsResponse {
        operations: vec![proto()],
        next_page_token: "t".into(),
        ..Default::default()
    };
    let script = vec![ok(&proto()), ok(&page), ok(&()), ok(&()), ok(&proto())];
    let server = Server::start(vec![script]);
    let transport = transport(&server);
    let list = ListOperationsRequest {
        name: "p".into(),
        filter: "done = false".into(),
        page_size: 7,
        ..Default::default()
    };
    let wait = WaitOperationRequest {
        name: NAME.into(),
        timeout: Some(prost_types::Duration { seconds: 3, nanos: 0 }),
    };
    let (cancel, delete) =
        (CancelOperationRequest { name: NAME.into() }, DeleteOperationRequest { name: NAME.into() });
    assert_eq!(get(&transport).unwrap(), Operation::running(NAME));
    assert_eq!(transport.list_operations(&list, &attempt()).unwrap(), OperationPage::from(page));
    transport.cancel_operation(&cancel, &attempt()).unwrap();
    transport.delete_operation(&delete, &attempt()).unwrap();
    assert_eq!(transport.wait_operation(&wait, &attempt()).unwrap(), Operation::running(NAME));
    assert_eq!(server.connections(), [0; 5]);
    let sent = [
        ("GetOperation", cancel.encode_to_vec()),
        ("ListOperations", list.encode_to_vec()),
        ("CancelOperation", cancel.encode_to_vec()),
        ("DeleteOperation", delete.encode_to_vec()),
        ("WaitOperation", wait.encode_to_vec()),
    ];
    for (seen, (method, message)) in server.seen().iter().zip(sent) {
        assert_eq!(seen.path, format!("/google.longrunning.Operations/{method}"));
        assert_eq!(seen.body[..5], [&[0, 0, 0, 0][..], &[message.len() as u8]].concat(), "{method}");
        assert_eq!(seen.body[5..], message, "{method}");
    }
}

#[test]
fn metadata_of_a_call() {
    let server = Server::start(vec![vec![ok(&proto())]]);
    let mut options = options(server.port);
    options.credentials = Some(Credentials::bearer("CANARY-token-1").unwrap());
    options.user_agent = Some("import/1.4".into());
    options.client_info = Some("gccl/1.2.0".into());
    let transport = built(options, GrpcOptions::default()).unwrap();
    let headers = [
        Header::new("x-goog-request-reason", "ticket-1234").unwrap(),
        Header::new("x-trace-bin", "AAEC/w").unwrap(),
        Header::new("x-twice", "1").unwrap(),
        Header::new("x-twice", "2").unwrap(),
    ];
    let attempt = Attempt::new(Duration::from_secs(20)).with(&headers, Some("billing-project"));
    let request = GetOperationRequest { name: "operations/ä b".into() };
    transport.get_operation(&request, &attempt).unwrap();
    let seen = &server.seen()[0];
    let version = env!("CARGO_PKG_VERSION");
    let gzip = if cfg!(feature = "gzip") { " (gzip)" } else { "" };
    let api_client =
        format!("gl-rust/{} grpc/{version}-h2 gapic/{version} gccl/1.2.0", env!("LONGRUNNING_RUSTC"));
    let user_agent = format!("import/1.4 longrunning-rs/{version}{gzip}");
    let rows = [
        ("te", Some("trailers")),
        ("content-type", Some("application/grpc")),
        ("authorization", Some("Bearer CANARY-token-1")),
        ("user-agent", Some(&*user_agent)),
        ("x-goog-api-client", Some(&*api_client)),
        ("x-goog-request-params", Some("name=operations/%C3%A4%20b")),
        ("x-goog-user-project", Some("billing-project")),
        ("x-goog-request-reason", Some("ticket-1234")),
        ("x-trace-bin", Some("AAEC/w")),
        ("grpc-accept-encoding", cfg!(feature = "gzip").then_some("gzip,deflate")),
        ("grpc-encoding", None),
    ];
    for (name, value) in rows {
        assert_eq!(header(seen, name), value, "{name}");
    }
    let twice: Vec<_> = seen.headers.get_all("x-twice").iter().collect();
    assert_eq!(twice, ["1", "2"]);
    let timeout = header(seen, "grpc-timeout").unwrap();
    let millis: u32 = timeout.strip_suffix('m').unwrap().parse().unwrap();
    assert!((1_000..=20_000).contains(&millis), "{timeout}");
    assert!(!format!("{transport:?}").contains("CANARY"));
}

#[test]
fn metadata_that_cannot_be_sent() {
    let server = Server::start(Vec::new());
    let transport = transport(&server);
    let rows = [
        (
            "grpc-metadata-team",
            "a",
            "header `grpc-metadata-team` is set by the client: names with `grpc-` are gRPC's own",
        ),
        (
            "x-bin",
            "no base64",
            "header `x-bin` has a value that is not base64, as names with `-bin` want it over gRPC",
        ),
    ];
    for (name, value, expected) in rows {
        let headers = [Header::new(name, value).unwrap()];
        let attempt = attempt().with(&headers, None);
        let request = CancelOperationRequest { name: NAME.into() };
        let error = transport.cancel_operation(&request, &attempt).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Config, expected));
    }
}

#[test]
fn only_an_empty_name_is_refused() {
    let transport = transport(&Server::start(Vec::new()));
    let kind = |name: &str| {
        let request = DeleteOperationRequest { name: name.into() };
        transport.delete_operation(&request, &attempt()).unwrap_err().kind()
    };
    assert_eq!(kind(""), ErrorKind::Binding);
    // Sent, and answered by the end of the connection.
    assert_eq!(["operations/../x", "operations//1", "operations"].map(kind), [ErrorKind::Transport; 3]);
}

#[test]
fn endpoints_with_a_base_path_are_refused() {
    let mut options = options(1);
    options.endpoint = "https://example.com/base".into();
    assert_eq!(
        built(options, GrpcOptions::default()).unwrap_err().to_string(),
        "endpoint `https://example.com/base` has a base path, which gRPC does not support: expected scheme, host and port"
    );
}

#[cfg(feature = "gzip")]
#[test]
fn deflated_responses_are_decoded_with_and_without_a_header() {
    use flate2::write::{DeflateEncoder, ZlibEncoder};
    use std::io::Write;
    let message = prost::Message::encode_to_vec(&proto());
    let level = flate2::Compression::default();
    let (mut zlib, mut bare) = (ZlibEncoder::new(Vec::new(), level), DeflateEncoder::new(Vec::new(), level));
    zlib.write_all(&message).unwrap();
    bare.write_all(&message).unwrap();
    for compressed in [zlib.finish().unwrap(), bare.finish().unwrap()] {
        let length = u32::try_from(compressed.len()).unwrap().to_be_bytes();
        let answer = vec![
            head(200, &[GRPC, ("grpc-encoding", "deflate")], false),
            Act::Data([&[1], &length[..], &compressed].concat()),
            trailers(&[("grpc-status", "0")]),
        ];
        let server = Server::start(vec![vec![answer]]);
        assert_eq!(get(&transport(&server)).unwrap(), Operation::running(NAME));
    }
}

#[cfg(feature = "gzip")]
#[test]
fn gzip_both_ways() {
    let compressed = frame::encode(&proto(), Compression::Gzip).to_vec();
    let answer = vec![
        head(200, &[GRPC, ("grpc-encoding", "gzip")], false),
        Act::Data(compressed.clone()),
        trailers(&[("grpc-status", "0")]),
    ];
    let server = Server::start(vec![vec![answer]]);
    let transport = transport(&server);
    let request = GetOperationRequest { name: NAME.into() };
    let attempt = attempt().compressed(Compression::Gzip);
    assert_eq!(transport.get_operation(&request, &attempt).unwrap(), Operation::running(NAME));
    let seen = &server.seen()[0];
    assert_eq!(header(seen, "grpc-encoding"), Some("gzip"));
    assert_eq!(seen.body, compressed, "request and answer have the same bytes");
    assert_eq!(seen.body[0], 1);
}

#[test]
fn page_of_five_megabytes() {
    let name = |n: usize| format!("operations/{n:0>500}");
    let operations: Vec<_> =
        (0..10_000).map(|n| ProtoOperation { name: name(n), ..Default::default() }).collect();
    let page = ListOperationsResponse { operations, ..Default::default() };
    let (size, script) = (page.encoded_len(), vec![ok(&page), ok(&page)]);
    assert!(size > 5_000_000);
    let server = Server::start(vec![script.clone()]);
    let list = ListOperationsRequest { name: "operations".into(), ..Default::default() };
    let whole = built(options(server.port), GrpcOptions { message_limit: size }).unwrap();
    for _ in 0..2 {
        let page = whole.list_operations(&list, &attempt()).unwrap();
        assert_eq!((page.operations.len(), page.operations[9_999].name()), (10_000, &*name(9_999)));
    }
    assert_eq!(server.connections(), [0, 0]);
    let (of_answer, of_connection) = windows(&server.bytes(0));
    assert!(
        of_answer.min(of_connection) as usize > size,
        "{of_answer}, {of_connection}: the server has to wait"
    );
    let server = Server::start(vec![script]);
    let error = transport(&server).list_operations(&list, &attempt()).unwrap_err();
    let expected = format!(
        "response of {size} bytes of 127.0.0.1:{} is larger than the limit of 4194304 bytes: `message_limit` raises it",
        server.port
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(super::facts(&error), (ErrorKind::Transport, None, false, true));
}

/// How much a server may send of a response, and of all responses, before it
/// has to wait for more room.
fn windows(bytes: &[u8]) -> (u32, u32) {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
    let (mut of_answer, mut of_connection) = (DEFAULT_WINDOW, DEFAULT_WINDOW);
    let mut rest = &bytes[PREFACE..];
    while let Some((head, behind)) = rest.split_at_checked(9) {
        let (payload, next) = behind.split_at(number(&head[..3]) as usize);
        match head[3] {
            // Frames before the request are those that count for its response.
            HEADERS => break,
            SETTINGS => {
                let settings =
                    payload.chunks(6).map(|setting| (number(&setting[..2]), number(&setting[2..])));
                settings.filter(|(id, _)| *id == INITIAL_WINDOW_SIZE).for_each(|(_, size)| of_answer = size);
            }
            WINDOW_UPDATE if number(&head[5..]) == 0 => of_connection += number(payload),
            _ => {}
        }
        rest = next;
    }
    (of_answer, of_connection)
}

const PREFACE: usize = 24;
const DEFAULT_WINDOW: u32 = 65_535;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const INITIAL_WINDOW_SIZE: u32 = 4;
const WINDOW_UPDATE: u8 = 8;

#[test]
fn token_is_renewed_once_when_it_is_refused() {
    let refused = || error(&[("grpc-status", "16"), ("grpc-message", "expired")]);
    let server = Server::start(vec![vec![refused(), ok(&proto()), refused(), refused()]]);
    let mut options = options(server.port);
    let count = AtomicU32::new(0);
    let provider = move |_: &TokenRequest<'_>| {
        Ok::<_, TokenError>(AccessToken::new((count.fetch_add(1, Ordering::SeqCst) + 1).to_string()))
    };
    options.credentials = Some(Credentials::provider(provider));
    let transport = built(options, GrpcOptions::default()).unwrap();
    get(&transport).unwrap();
    let error = get(&transport).unwrap_err();
    assert_eq!(error.to_string(), "UNAUTHENTICATED: expired");
    let tokens: Vec<_> =
        server.seen().iter().map(|seen| header(seen, "authorization").unwrap().to_owned()).collect();
    // The second call finds that a fresh token is refused too: another one would
    // not help within 10 s.
    assert_eq!(tokens, ["Bearer 1", "Bearer 2", "Bearer 2"]);
}

#[test]
fn answer_of_nothing_is_no_answer() {
    let server = Server::start(vec![vec![data(Vec::new())]]);
    let error = get(&transport(&server)).unwrap_err();
    assert_eq!(error.to_string(), "the response is empty");
    assert!(error.is_transient() && error.was_sent());
}
