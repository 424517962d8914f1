//! Connections and answers that break, one row for each way.

use std::error::Error;
use std::net::TcpListener;
use std::sync::{Arc, Barrier};

use super::super::HttpErrorKind::{Connect, Encoding, Interrupted, Protocol, Timeout, TooLarge};
use super::server::{Act, Server, ok, send};
use super::{HttpClient, HttpError, HttpMethod, HttpRequest, SHORT, agent, get, get_in_short};

/// Kind, whether sent, whether transient, message without host and port.
type Failure = (super::super::HttpErrorKind, bool, bool, &'static str);

fn assert_fails(name: &str, error: HttpError, port: u16, expected: Failure) {
    let message = error.to_string().replace(&format!("127.0.0.1:{port}"), "HOST");
    let found = (error.kind(), error.was_sent(), error.is_transient(), message.as_str());
    assert_eq!(found, expected, "{name}: {error:?}");
}

const CLOSED_SILENTLY: &str =
    "HOST closed the connection before a response (a server that expects TLS does so: use `https://`)";

#[test]
fn broken_answers() {
    use Act::{Peek, Read, Reset};
    const SILENT: Failure = (Interrupted, true, true, CLOSED_SILENTLY);
    const CLOSED: Failure = (Interrupted, true, true, "HOST closed the connection before a response");
    const CUT: Failure = (Interrupted, true, true, "response of HOST was cut short");
    const MANY: Failure = (Protocol, true, false, "HOST sent more than 128 headers");
    const NOT_HTTP: Failure = (Protocol, true, false, "response of HOST is not valid HTTP/1.1");
    let head = |rest: &str| send(format!("HTTP/1.1 200 OK\r\n{rest}"));
    let long = format!("x-filler: {}\r\n", "x".repeat(200_000));
    let rows: Vec<(&str, Vec<Act>, Failure)> = vec![
        ("reset before a byte", vec![Peek, Reset], SILENT),
        ("closed before a byte", vec![Read], SILENT),
        ("cut in the status line", vec![Read, send("HTTP/1.1 20")], CLOSED),
        ("cut in the headers", vec![Read, head("content-type: appl")], CLOSED),
        ("cut in the body", vec![Read, head("content-length: 100\r\n\r\n{")], CUT),
        ("reset in the body", vec![head("content-length: 100\r\n\r\n{"), Peek, Reset], CUT),
        ("cut in a chunk", vec![Read, head("transfer-encoding: chunked\r\n\r\n9\r\n{")], CUT),
        ("cut between chunks", vec![Read, head("transfer-encoding: chunked\r\n\r\n1\r\n{\r\n")], CUT),
        ("bad chunk size", vec![Read, head("transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n")], CUT),
        ("two lengths", vec![Read, head("content-length: 2\r\ncontent-length: 3\r\n\r\n{}")], NOT_HTTP),
        ("length that is no number", vec![Read, head("content-length: two\r\n\r\n{}")], NOT_HTTP),
        (
            "length and chunks",
            vec![Read, head("content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")],
            (Protocol, true, false, "response of HOST has both `transfer-encoding` and `content-length`"),
        ),
        (
            "headers of 200 kB",
            vec![Read, head(&format!("{long}\r\n"))],
            (Protocol, true, false, "HOST sent more than 65536 bytes of headers"),
        ),
        (
            "endless header",
            vec![Read, head("x-filler: "), Act::Flood(vec![b'x'; 1000])],
            (Protocol, true, false, "HOST sent more than 65536 bytes of headers"),
        ),
        ("endless headers", vec![Read, head(""), Act::Flood(b"x-filler: x\r\n".repeat(100))], MANY),
        ("129 headers", vec![Read, head(&("x-filler: x\r\n".repeat(129) + "\r\n"))], MANY),
        (
            "a TLS server",
            vec![Read, Act::Send(b"\x15\x03\x03\0\x02\x02\x46".to_vec())],
            (Protocol, true, false, "HOST responded to plain HTTP with TLS: use an `https://` endpoint"),
        ),
        ("an SSH server", vec![send("SSH-2.0-OpenSSH_9.9\r\n"), Act::Hang], NOT_HTTP),
        ("a mail server", vec![send("220 mail.test ESMTP\r\n"), Act::Hang], NOT_HTTP),
        (
            "encoding that was not offered",
            vec![Read, head("content-encoding: br\r\ncontent-length: 2\r\n\r\n{}")],
            (
                Encoding,
                true,
                false,
                "the response of HOST has content-encoding `br`, which was not requested",
            ),
        ),
        (
            "announced body of 1 TB",
            vec![Read, head("content-length: 1099511627776\r\n\r\n"), Act::Hang],
            (TooLarge, true, false, "response of HOST is larger than the limit of 33554432 bytes"),
        ),
        (
            "endless body",
            vec![Read, head("\r\n"), Act::Flood(vec![b' '; 65536])],
            (TooLarge, true, false, "response of HOST is larger than the limit of 33554432 bytes"),
        ),
        (
            "endless chunks",
            vec![
                Read,
                head("transfer-encoding: chunked\r\n\r\n"),
                Act::Flood(b"4000\r\n".iter().copied().chain([b' '; 0x4000]).chain(*b"\r\n").collect()),
            ],
            (TooLarge, true, false, "response of HOST is larger than the limit of 33554432 bytes"),
        ),
    ];
    for (name, script, expected) in rows {
        let server = Server::start(vec![script, vec![Read, ok("{}")]]);
        let agent = agent();
        assert_fails(name, get(&agent, &server.url()).unwrap_err(), server.port, expected);
        // Whatever happened, it is over: the next call gets its own connection and its
        // own answer.
        assert_eq!(get(&agent, &server.url()).unwrap().body, b"{}", "{name}");
    }
}

#[test]
fn budget_runs_out() {
    use Act::{Drip, Hang, Read};
    let headers = format!("HTTP/1.1 200 OK\r\nx-filler: {}", "x".repeat(4000)).into_bytes();
    let start = |framing| send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"));
    let rows: Vec<(&str, Vec<Act>)> = vec![
        ("never answers", vec![Read, Hang]),
        ("headers drip", vec![Read, Drip(headers)]),
        ("body never comes", vec![Read, start("content-length: 4000"), Hang]),
        ("body drips", vec![Read, start("content-length: 4000"), Drip(vec![b' '; 4000])]),
        ("chunks drip", vec![Read, start("transfer-encoding: chunked"), Drip(b"1\r\n \r\n".repeat(1000))]),
    ];
    for (name, script) in rows {
        let server = Server::start(vec![script, vec![Read, ok("{}")]]);
        let agent = agent();
        let error = get_in_short(&agent, &server.url()).unwrap_err();
        let found = (error.kind(), error.was_sent(), error.is_transient());
        assert_eq!(found, (Timeout, true, true), "{name}: {error:?}");
        assert_eq!(get(&agent, &server.url()).unwrap().body, b"{}", "{name}");
    }
}

#[test]
fn body_that_nobody_takes() {
    let end = Arc::new(Barrier::new(2));
    let server = Server::start(vec![vec![Act::Peek, Act::Meet(end.clone())]]);
    let (url, body) = (server.url(), vec![b' '; 64 << 20]);
    let request = HttpRequest::new(HttpMethod::Post, &url).body(&body).timeout(SHORT);
    let error = agent().send(&request).unwrap_err();
    end.wait();
    assert_eq!((error.kind(), error.was_sent(), error.is_transient()), (Timeout, true, true));
}

#[test]
fn nothing_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = get(&agent(), &format!("http://127.0.0.1:{port}/")).unwrap_err();
    assert!(error.source().unwrap().to_string().contains("refused"));
    assert_fails("refused", error, port, (Connect, false, true, "failed to connect to HOST"));
}

#[test]
fn no_time_left() {
    let server = Server::start(vec![vec![Act::Read, ok("{}")]]);
    let request = HttpRequest::new(HttpMethod::Get, "http://127.0.0.1:1/").timeout(Default::default());
    let error = agent().send(&request).unwrap_err();
    assert_fails("zero", error, 1, (Timeout, false, true, "timed out before the request to HOST was sent"));
    assert_eq!(server.requests(), [""; 0]);
}

/// The system turns a write to a closed connection into an error, not into a
/// signal.
#[test]
fn connection_breaks_while_the_body_goes_out() {
    let server = Server::start(vec![vec![Act::Peek, Act::Reset]]);
    let (url, body) = (server.url(), vec![b' '; 16 << 20]);
    let request = HttpRequest::new(HttpMethod::Post, &url).body(&body);
    let error = agent().send(&request).unwrap_err();
    assert_fails("broken pipe", error, server.port, (Interrupted, true, true, CLOSED_SILENTLY));
}
