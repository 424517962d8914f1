//! Who is trusted, and what is said of those who are not.

use std::error::Error;
use std::time::Duration;

use crate::util::stop::StopToken;

use super::super::HttpErrorKind::{Connect, Stopped, Tls};
use super::authority::{Authority, VERSIONS, unchanged};
use super::server::{Act, Server, ok, send};
use super::x509::Params;
use super::{HttpClient, HttpError, HttpMethod, HttpRequest, agent, get};

fn url(server: &Server) -> String {
    format!("https://localhost:{}/", server.port)
}

fn assert_refused(name: &str, error: HttpError, port: u16, message: &str) {
    assert_eq!(error.to_string().replace(&port.to_string(), "PORT"), message, "{name}: {error:?}");
    let found = (error.kind(), error.was_sent(), error.is_transient());
    assert_eq!(found, (Tls, false, false), "{name}: {error:?}");
    assert!(error.source().unwrap().is::<rustls::Error>(), "{name}: {error:?}");
}

#[test]
fn trusted_server_is_asked_and_its_connection_kept() {
    for version in VERSIONS {
        let authority = Authority::new(unchanged);
        let config = authority.serving("localhost", unchanged, None, &[version]);
        let server = Server::start_tls(vec![vec![Act::Serve]], config);
        let agent = authority.agent();
        for _ in 0..3 {
            assert_eq!(get(&agent, &url(&server)).unwrap().body, b"{}", "{version:?}");
        }
        assert_eq!(server.connections(), [0, 0, 0], "{version:?}");
    }
}

#[test]
fn closed_kept_connection_is_replaced() {
    let authority = Authority::new(unchanged);
    let scripts = vec![vec![Act::Read, ok("1"), Act::Read], vec![Act::Read, ok("2")]];
    let server = Server::start_tls(scripts, authority.server("localhost", unchanged));
    let agent = authority.agent();
    assert_eq!(get(&agent, &url(&server)).unwrap().body, b"1");
    assert_eq!(get(&agent, &url(&server)).unwrap().body, b"2");
    assert_eq!(server.connections(), [0, 0, 1]);
}

#[test]
fn second_connection_resumes_the_session_of_the_first() {
    let authority = Authority::new(unchanged);
    let scripts = vec![vec![Act::Read, ok("1")], vec![Act::Read, ok("2")]];
    let server = Server::start_tls(scripts, authority.server("localhost", unchanged));
    let agent = authority.agent();
    for body in ["1", "2"] {
        assert_eq!(get(&agent, &url(&server)).unwrap().body, body.as_bytes());
    }
    assert_eq!(server.sessions().iter().map(|session| session.resumed).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn bad_certificates() {
    type Change = fn(&mut Params);
    let rows: &[(&str, Change, &str, Change, &str)] = &[
        ("expired", unchanged, "localhost", |leaf| leaf.years = (1975, 2020), "has expired"),
        ("not yet", unchanged, "localhost", |leaf| leaf.years = (3000, 4096), "is not valid yet"),
        ("wrong name", unchanged, "example.com", unchanged, "is for another name"),
        ("of a client", unchanged, "localhost", |leaf| leaf.is_for_clients = true, "is not for a server"),
        (
            "of an authority",
            unchanged,
            "localhost",
            |leaf| leaf.is_authority = true,
            "is that of a certificate authority (CA:TRUE, the default of `openssl req -x509`), and not for a server",
        ),
        (
            "outside the constraints of its authority",
            |authority| authority.permitted = Some("example.com"),
            "localhost",
            unchanged,
            "is refused",
        ),
    ];
    for (name, authority, host, leaf, flaw) in rows {
        let authority = Authority::new(authority);
        let server = Server::start_tls(vec![vec![Act::Serve]], authority.server(host, leaf));
        let error = get(&authority.agent(), &url(&server)).unwrap_err();
        assert_refused(
            name,
            error,
            server.port,
            &format!("failed to verify localhost:PORT: its certificate {flaw}"),
        );
    }
}

#[test]
fn unknown_issuers() {
    let ours = Authority::new(unchanged);
    let theirs = Authority::new(|params| {
        params.common_name = "another authority";
    });
    let rows = [
        ("another authority", ours.agent(), theirs.server("localhost", unchanged)),
        ("nobody is trusted", agent(), theirs.server("localhost", unchanged)),
        ("self-signed", ours.agent(), Authority::self_signed("localhost")),
    ];
    for (name, agent, config) in rows {
        let server = Server::start_tls(vec![vec![Act::Serve]], config);
        let error = get(&agent, &url(&server)).unwrap_err();
        let message = "failed to verify localhost:PORT: its certificate comes from an unknown issuer";
        assert_refused(name, error, server.port, message);
    }
}

#[test]
fn other_peers() {
    // A server that knows TLS 1.0 at most answers like this: alert 70,
    // `protocol_version`.
    const OLD: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];
    let authority = Authority::new(unchanged);
    let rows = [
        (
            "plain HTTP",
            send("HTTP/1.1 400 Bad Request\r\n\r\n"),
            "TLS handshake with localhost:PORT failed: it does not speak TLS",
        ),
        ("TLS 1.0", send(OLD), "localhost:PORT refused the TLS connection"),
    ];
    for (name, answer, message) in rows {
        let server = Server::start(vec![vec![answer, Act::Hang]]);
        assert_refused(name, get(&authority.agent(), &url(&server)).unwrap_err(), server.port, message);
    }
}

#[test]
fn cut_handshake_may_be_tried_again() {
    let server_hello = [22, 3, 3, 0, 122, 2];
    let rows = [
        ("reset", vec![Act::Peek, Act::Reset]),
        ("closed in a record", vec![send(server_hello)]),
        ("closed in order", vec![send(CLOSE_NOTIFY)]),
    ];
    for (name, script) in rows {
        let server = Server::start(vec![script]);
        let error = get(&Authority::new(unchanged).agent(), &url(&server)).unwrap_err();
        assert_eq!(
            (error.kind(), error.was_sent(), error.is_transient()),
            (Connect, false, true),
            "{name}: {error:?}"
        );
        assert_eq!(error.to_string(), format!("failed to connect to localhost:{}", server.port), "{name}");
    }
}

#[test]
fn silent_handshake_ends_with_the_budget() {
    let drip = Act::Drip([&[22, 3, 3, 64, 0][..], &[2; 16384]].concat());
    for script in [vec![Act::Hang], vec![drip], vec![send(CLOSE_NOTIFY), Act::Hang]] {
        let server = Server::start(vec![script]);
        let error = super::get_in_short(&Authority::new(unchanged).agent(), &url(&server)).unwrap_err();
        assert_eq!(error.to_string(), format!("timed out while connecting to localhost:{}", server.port));
        assert!(!error.was_sent());
    }
}

#[test]
fn handshake_ends_when_it_is_stopped() {
    let server = Server::start(vec![vec![Act::Hang]]);
    let (url, token) = (url(&server), StopToken::new());
    token.stop();
    let request = HttpRequest::new(HttpMethod::Get, &url).timeout(Duration::from_secs(60)).stop(&token);
    let error = Authority::new(unchanged).agent().send(&request).unwrap_err();
    assert_eq!((error.kind(), error.was_sent()), (Stopped, false), "{error:?}");
}

/// The alert with which a peer ends a connection in good order.
const CLOSE_NOTIFY: [u8; 7] = [21, 3, 3, 0, 2, 1, 0];
