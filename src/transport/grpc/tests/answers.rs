//! What answers other than the usual one mean.

use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use h2::Reason;
use prost::Message;

use super::server::{Act, GRPC, Server, data, error, head, ok, trailers};
use super::{facts, get, message, proto, transport};
use crate::error::{Error, ErrorKind};
use crate::proto::google::rpc;
use crate::transport::Compression;
use crate::transport::grpc::frame;
use crate::types::{Any, Code};

/// The error of a get that is answered so, and its message without the port.
fn failed(acts: Vec<Act>) -> (Error, String) {
    let server = Server::start(vec![vec![acts]]);
    let error = get(&transport(&server)).unwrap_err();
    let message = message(&error, server.port);
    (error, message)
}

const HTML: &[u8] = b"<html><head><title>502</title></head><body>Bad\n<b>Gateway</b></body></html>";

#[test]
fn answers_and_their_errors() {
    use ErrorKind::{Decode, Service, Transport};
    let html = |status| {
        vec![head(status, &[("content-type", "text/html")], false), Act::Data(HTML.to_vec()), trailers(&[])]
    };
    let status = |status, text| {
        vec![head(200, &[GRPC], false), trailers(&[("grpc-status", status), ("grpc-message", text)])]
    };
    let empty = |status| vec![head(status, &[], true)];
    let service = |code| (Service, Some(code), false, true);
    let passing = |code| (Service, Some(code), true, true);
    let rows = [
        (
            "trailers only",
            error(&[("grpc-status", "5"), ("grpc-message", "gone")]),
            service(Code::NotFound),
            "NOT_FOUND: gone",
        ),
        ("after a head", status("14", "draining"), passing(Code::Unavailable), "UNAVAILABLE: draining"),
        (
            "quota",
            status("8", ""),
            (Service, Some(Code::ResourceExhausted), false, false),
            "RESOURCE_EXHAUSTED",
        ),
        (
            "escapes",
            status("3", "50%25 %C3%A4 %zz %4"),
            service(Code::InvalidArgument),
            "INVALID_ARGUMENT: 50% ä %zz %4",
        ),
        (
            "deadline, long before ours",
            status("4", "late"),
            service(Code::DeadlineExceeded),
            "DEADLINE_EXCEEDED: late",
        ),
        ("no number", status("x", "m"), service(Code::Unknown), "UNKNOWN: m"),
        ("unknown number", status("77", "m"), service(Code::Other(77)), "code 77: m"),
        (
            "no status",
            vec![head(200, &[GRPC], false), Act::Data(vec![0; 5]), trailers(&[])],
            service(Code::Unknown),
            "UNKNOWN: the server ended the call without a status",
        ),
        ("page of a proxy", html(502), passing(Code::Unavailable), "UNAVAILABLE: HTTP 502: Bad Gateway"),
        (
            "page of a proxy, late",
            html(504),
            passing(Code::DeadlineExceeded),
            "DEADLINE_EXCEEDED: HTTP 504: Bad Gateway",
        ),
        (
            "429",
            empty(429),
            (Service, Some(Code::ResourceExhausted), false, false),
            "RESOURCE_EXHAUSTED: HTTP 429",
        ),
        (
            "404",
            empty(404),
            service(Code::NotFound),
            "NOT_FOUND: HTTP 404; this is not a response of the service: the method does not exist at this \
             endpoint and version, so check the endpoint, `api_version` and the bindings",
        ),
        ("403", empty(403), service(Code::PermissionDenied), "PERMISSION_DENIED: HTTP 403"),
        ("400", empty(400), service(Code::InvalidArgument), "INVALID_ARGUMENT: HTTP 400"),
        ("418", empty(418), service(Code::FailedPrecondition), "FAILED_PRECONDITION: HTTP 418"),
        (
            "302",
            empty(302),
            (Transport, None, false, true),
            "127.0.0.1:PORT redirected the request to nowhere, which is not followed: check the endpoint",
        ),
        (
            "a page",
            html(200),
            (Decode, None, false, true),
            "127.0.0.1:PORT returned an HTML page instead of gRPC (HTTP 200): Bad Gateway",
        ),
        (
            "status wins over HTTP",
            vec![head(503, &[GRPC, ("grpc-status", "5")], true)],
            service(Code::NotFound),
            "NOT_FOUND",
        ),
        (
            "reset",
            vec![Act::Reset(Reason::INTERNAL_ERROR)],
            service(Code::Internal),
            "INTERNAL: the server reset the call: INTERNAL_ERROR",
        ),
        (
            "reset, cancelled",
            vec![Act::Reset(Reason::CANCEL)],
            service(Code::Cancelled),
            "CANCELLED: the server reset the call: CANCEL",
        ),
        (
            "reset, too much",
            vec![Act::Reset(Reason::ENHANCE_YOUR_CALM)],
            (Service, Some(Code::ResourceExhausted), false, false),
            "RESOURCE_EXHAUSTED: the server reset the call: ENHANCE_YOUR_CALM",
        ),
        (
            "half a message",
            data(b"\0\0\0\0\x05ab".to_vec()),
            (Transport, None, true, true),
            "the response ends early",
        ),
        (
            "two messages",
            data(b"\0\0\0\0\0\0\0\0\0\0".to_vec()),
            (Decode, None, false, false),
            "the response is more than one message",
        ),
        (
            "more after a message, and no end",
            vec![head(200, &[GRPC], false), Act::Data(vec![0; 5]), Act::Data(vec![0]), Act::Silence],
            (Decode, None, false, false),
            "the response is more than one message",
        ),
        (
            "gRPC-Web",
            vec![
                head(200, &[("content-type", "application/grpc-web+proto")], false),
                Act::Data(b"\0\0\0\0\0\x80\0\0\0\x0fgrpc-status: 0\n".to_vec()),
                trailers(&[]),
            ],
            (Decode, None, false, true),
            "127.0.0.1:PORT returned `application/grpc-web+proto` instead of gRPC (HTTP 200)",
        ),
        (
            "no protobuf",
            data(b"\0\0\0\0\x01\xff".to_vec()),
            (Decode, None, false, false),
            "operation is not valid: failed to decode Protobuf message: invalid varint",
        ),
        (
            "odd compression",
            data(b"\x01\0\0\0\x01\xff".to_vec()),
            (Decode, None, false, true),
            "the response is compressed with `nothing named`, which was not requested",
        ),
    ];
    for (name, acts, expected, text) in rows {
        let (error, message) = failed(acts);
        assert_eq!(message, text, "{name}");
        assert_eq!(facts(&error), expected, "{name}");
    }
}

#[test]
fn details_are_typed_and_hints_are_kept() {
    let delay = prost_types::Duration { seconds: 53, nanos: 0 };
    let info = crate::types::rpc::RetryInfo { retry_delay: Some(delay) };
    let details = vec![Any::pack(&info).to_proto().unwrap()];
    let full = rpc::Status { code: 8, message: "quota".into(), details }.encode_to_vec();
    for (name, value) in
        [("padded", BASE64_STANDARD.encode(&full)), ("unpadded", BASE64_STANDARD_NO_PAD.encode(&full))]
    {
        let (error, message) = failed(error(&[("grpc-status", "8"), ("grpc-status-details-bin", &value)]));
        assert_eq!(message, "RESOURCE_EXHAUSTED: quota", "{name}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(53)), "{name}");
        let detail = error.status().unwrap().detail::<crate::types::rpc::RetryInfo>();
        assert_eq!(detail, Some(info), "{name}");
    }
    for broken in ["!", "AA"] {
        let (error, message) = failed(error(&[("grpc-status", "5"), ("grpc-status-details-bin", broken)]));
        assert_eq!((message.as_str(), error.status().unwrap().details().len()), ("NOT_FOUND", 0), "{broken}");
    }
    let (error_, _) = failed(error(&[("grpc-status", "14"), ("grpc-retry-pushback-ms", "1500")]));
    assert_eq!(error_.retry_after(), Some(Duration::from_millis(1500)));
    for acts in [
        error(&[("grpc-status", "14"), ("retry-after", "7")]),
        vec![head(200, &[GRPC, ("retry-after", "7")], false), trailers(&[("grpc-status", "14")])],
        vec![head(200, &[GRPC], false), trailers(&[("grpc-status", "8"), ("retry-after", "7")])],
        vec![
            head(200, &[GRPC, ("retry-after", "3")], false),
            trailers(&[("grpc-status", "14"), ("grpc-retry-pushback-ms", "7000"), ("retry-after", "5")]),
        ],
    ] {
        assert_eq!(failed(acts).0.retry_after(), Some(Duration::from_secs(7)));
    }
    let (error, _) = failed(vec![head(503, &[("retry-after", "7")], true)]);
    assert_eq!((error.retry_after(), error.http_status()), (Some(Duration::from_secs(7)), Some(503)));
}

#[test]
fn refusals_say_what_the_credentials_are() {
    let (_, message) = failed(error(&[("grpc-status", "16"), ("grpc-message", "who")]));
    assert_eq!(message, "UNAUTHENTICATED: who; the call was anonymous: the client has no credentials");
    let (_, message) = failed(vec![head(401, &[], true)]);
    assert_eq!(message, "UNAUTHENTICATED: HTTP 401; the call was anonymous: the client has no credentials");
}

#[test]
fn page_of_a_proxy_need_not_end() {
    let page = Act::Data(vec![b' '; 65_000]);
    let acts = vec![head(502, &[("content-type", "text/html")], false), page.clone(), page, Act::Silence];
    let server = Server::start(vec![vec![acts], vec![ok(&proto())]]);
    let transport = transport(&server);
    let error = get(&transport).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.http_status()), ("UNAVAILABLE: HTTP 502", Some(502)));
    get(&transport).unwrap();
    assert_eq!(server.connections(), [0, 1]);
}

#[test]
fn message_is_refused_before_it_comes() {
    // The length is all that ever comes.
    let (error, message) = failed(vec![head(200, &[GRPC], false), Act::Data(b"\0\xff\xff\xff\xff".to_vec())]);
    let expected = "response of 4294967295 bytes of 127.0.0.1:PORT is larger than the limit of 4194304 bytes: \
        `message_limit` raises it";
    assert_eq!(message, expected);
    assert_eq!(facts(&error), (ErrorKind::Transport, None, false, true));
}

#[cfg(feature = "gzip")]
#[test]
fn compressed_message_is_capped_as_it_grows() {
    let bomb =
        crate::proto::google::longrunning::Operation { name: "a".repeat(5 << 20), ..Default::default() };
    let bytes = frame::encode(&bomb, Compression::Gzip).to_vec();
    assert!(bytes.len() < 10_000);
    let (error, message) = failed(vec![
        head(200, &[GRPC, ("grpc-encoding", "gzip")], false),
        Act::Data(bytes),
        trailers(&[("grpc-status", "0")]),
    ]);
    assert_eq!(
        message,
        "response of 127.0.0.1:PORT is larger than the limit of 4194304 bytes: `message_limit` raises it"
    );
    assert_eq!(facts(&error), (ErrorKind::Transport, None, false, true));
}
