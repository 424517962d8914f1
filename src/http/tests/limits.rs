//! How much of a response is taken.

use super::super::HttpErrorKind::TooLarge;
use super::server::{Act, Server, ok, send};
use super::{HttpClient, HttpMethod, HttpRequest, SHORT, agent, get};

#[test]
fn exact_fit_passes_and_a_byte_more_does_not() {
    let rows =
        [("under", 99, true), ("exact", 100, true), ("over", 101, false), ("far over", 200_000, false)];
    for (name, size, fits) in rows {
        let body = "x".repeat(size);
        let chunked =
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n");
        for framed in [ok(&body), send(chunked)] {
            let server =
                Server::start(vec![vec![Act::Read, framed, Act::Read, ok("{}")], vec![Act::Read, ok("{}")]]);
            let agent = agent();
            let url = server.url();
            let request = HttpRequest::new(HttpMethod::Get, &url).limit(100);
            match agent.send(&request) {
                Ok(answer) => assert!(fits && answer.body == body.as_bytes(), "{name}"),
                Err(error) => assert!(!fits && error.kind() == TooLarge, "{name}: {error:?}"),
            }
            // What was read to its end is kept; what was too large is dropped.
            get(&agent, &url).unwrap();
            assert_eq!(server.connections(), if fits { [0, 0] } else { [0, 1] }, "{name}");
        }
    }
}

#[test]
fn empty_body_fits_a_limit_of_zero() {
    for (body, fits) in [("", true), ("x", false)] {
        let server = Server::start(vec![vec![Act::Read, ok(body)]]);
        let url = server.url();
        let answer = agent().send(&HttpRequest::new(HttpMethod::Get, &url).limit(0));
        assert_eq!(answer.is_ok(), fits, "{body:?}");
    }
}

#[test]
fn error_bodies_are_returned_up_to_64_kib() {
    let error = |size: usize, sent: usize| {
        send(format!(
            "HTTP/1.1 503 Unavailable\r\nretry-after: 3\r\ncontent-length: {size}\r\n\r\n{}",
            "x".repeat(sent)
        ))
    };
    let rows = [
        ("small", error(500, 500), 500, [0, 0]),
        ("exact", error(65536, 65536), 65536, [0, 0]),
        ("larger", error(65537, 65537), 65536, [0, 1]),
        ("much larger", error(1 << 20, 1 << 20), 65536, [0, 1]),
        ("cut short", error(500, 20), 20, [0, 1]),
    ];
    for (name, answer, length, connections) in rows {
        let mut script = vec![Act::Read, answer];
        if name != "cut short" {
            script.extend([Act::Read, ok("{}")]);
        }
        let server = Server::start(vec![script, vec![Act::Read, ok("{}")]]);
        let agent = agent();
        let url = server.url();
        // The limit is for good answers only.
        let answer = agent.send(&HttpRequest::new(HttpMethod::Get, &url).limit(10)).unwrap();
        assert_eq!((answer.status, answer.body.len()), (503, length), "{name}");
        assert_eq!(answer.header("Retry-After"), Some("3"), "{name}");
        get(&agent, &url).unwrap();
        assert_eq!(server.connections(), connections, "{name}");
    }
}

#[test]
fn status_outlives_the_budget() {
    let start = send("HTTP/1.1 503 Unavailable\r\ncontent-length: 4000\r\n\r\n{");
    let server = Server::start(vec![vec![Act::Read, start, Act::Hang]]);
    let url = server.url();
    let request = HttpRequest::new(HttpMethod::Get, &url).timeout(SHORT * 3);
    let answer = agent().send(&request).unwrap();
    assert_eq!((answer.status, answer.body), (503, b"{".to_vec()));
}

#[cfg(feature = "gzip")]
mod gzip {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;

    use super::super::super::HttpErrorKind::{Encoding, Interrupted, TooLarge};
    use super::*;

    fn gzipped(body: &[u8], announced: usize) -> Act {
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {announced}\r\n\r\n");
        send([head.as_bytes(), body].concat())
    }

    /// 64 KiB of zeros in 90 bytes.
    fn zeros() -> Vec<u8> {
        BASE64_STANDARD.decode(ZEROS).unwrap()
    }

    #[test]
    fn decoded_bytes_count() {
        // A gzip body may have several members; so few bytes become 64 MiB.
        let bomb = zeros().repeat(1024);
        let cut = &zeros()[..40];
        let bad = [&zeros()[..60], &[0xff; 30]].concat();
        let rows = [
            ("fits", zeros(), 65536, Ok(65536)),
            ("a byte too much", zeros(), 65535, Err(TooLarge)),
            ("bomb", bomb, 1 << 20, Err(TooLarge)),
            ("truncated", cut.to_vec(), 65536, Err(Interrupted)),
            ("damaged", bad, 65536, Err(Interrupted)),
            ("no gzip at all", b"{\"name\":\"operations/42\"}".to_vec(), 65536, Err(Encoding)),
        ];
        for (name, body, limit, expected) in rows {
            let server = Server::start(vec![vec![Act::Read, gzipped(&body, body.len())]]);
            let url = server.url();
            let answer = agent().send(&HttpRequest::new(HttpMethod::Get, &url).limit(limit));
            let found = answer.map(|answer| answer.body.len()).map_err(|error| error.kind());
            assert_eq!(found, expected, "{name}");
            assert!(server.requests()[0].contains("accept-encoding: gzip\r\n"));
        }
    }

    #[test]
    fn connection_is_kept_after_a_decoded_body() {
        let script = vec![Act::Read, gzipped(&zeros(), zeros().len()), Act::Read, ok("{}")];
        let server = Server::start(vec![script]);
        let agent = agent();
        let answer = get(&agent, &server.url()).unwrap();
        assert_eq!((answer.body.len(), answer.header("content-encoding")), (65536, None));
        assert_eq!(get(&agent, &server.url()).unwrap().body, b"{}");
    }

    const ZEROS: &str = "H4sIAAAAAAACA+3BAQEAAACAkP6v7ggKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAauuOl9cAAAEA";
}

#[cfg(not(feature = "gzip"))]
#[test]
fn gzip_is_not_asked_for() {
    let server = Server::start(vec![vec![Act::Read, ok("{}")]]);
    get(&agent(), &server.url()).unwrap();
    assert!(!server.requests()[0].contains("accept-encoding"));
}
