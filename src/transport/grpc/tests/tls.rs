//! TLS: trusted servers, client certificates, and the protocol that has to be
//! agreed on.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rustls::{ServerConfig, ServerConnection};

use super::server::{Server, ok};
use super::{GrpcOptions, GrpcTransport, built, facts, get, message, options, proto};
use crate::error::ErrorKind;
use crate::http::tests::authority::{Authority, VERSIONS, unchanged};
use crate::http::tests::relay::Relay;
use crate::http::tests::x509::{Key, certificate_pem};
use crate::http::{ClientCertificate, HttpOptions, ProxySetting, Roots};

fn client(authority: &Authority, port: u16, certificate: Option<ClientCertificate>) -> GrpcTransport {
    let mut options = options(port);
    options.endpoint = format!("https://localhost:{port}");
    let http = HttpOptions::new().proxy(ProxySetting::None).roots(Roots::Pem(authority.pem.clone().into()));
    options.http_options = match certificate {
        Some(certificate) => http.client_certificate(certificate),
        None => http,
    };
    built(options, GrpcOptions::default()).unwrap()
}

/// Through a proxy, which looks the name up itself.
fn behind(authority: &Authority, port: u16, proxy: u16) -> GrpcTransport {
    let mut options = options(port);
    options.endpoint = format!("https://example.test:{port}");
    let proxy = ProxySetting::Url(format!("http://127.0.0.1:{proxy}"));
    options.http_options = HttpOptions::new().proxy(proxy).roots(Roots::Pem(authority.pem.clone().into()));
    built(options, GrpcOptions::default()).unwrap()
}

fn serve(config: ServerConfig, alpn: &[&[u8]]) -> Server {
    Server::start_tls(vec![vec![ok(&proto()), ok(&proto())]], config, alpn)
}

#[test]
fn trusted_server_is_asked_and_its_connection_kept() {
    for version in VERSIONS {
        let authority = Authority::new(unchanged);
        let server = serve(authority.serving("localhost", unchanged, None, &[version]), &[b"h2"]);
        let transport = client(&authority, server.port, None);
        get(&transport).unwrap();
        get(&transport).unwrap();
        assert_eq!(server.connections(), [0, 0], "{version:?}");
    }
}

#[test]
fn client_certificate_is_shown_to_a_server_that_wants_one() {
    for version in VERSIONS {
        let authority = Authority::new(unchanged);
        let config = || authority.serving("localhost", unchanged, Some(authority.required()), &[version]);
        let key = Key::generate();
        let pem = certificate_pem(&authority.sign(&key, "client", unchanged));
        let server = serve(config(), &[b"h2"]);
        let certificate = ClientCertificate::from_pem(pem, key.pem());
        get(&client(&authority, server.port, Some(certificate))).unwrap();
        let server = serve(config(), &[b"h2"]);
        let error = get(&client(&authority, server.port, None)).unwrap_err();
        assert_eq!(
            message(&error, server.port),
            "localhost:PORT requires a client certificate",
            "{version:?}"
        );
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Transport, false), "{version:?}");
    }
}

#[test]
fn server_that_asked_for_a_certificate_and_closes_without_a_word() {
    for version in VERSIONS {
        let authority = Authority::new(unchanged);
        let rows = [(None, ""), (Some(authority.wished()), ", and had requested a client certificate")];
        for (clients, more) in rows {
            let mut config = authority.serving("localhost", unchanged, clients, &[version]);
            config.alpn_protocols = vec![b"h2".to_vec()];
            let config = Arc::new(config);
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                ServerConnection::new(config).unwrap().complete_io(&mut stream).unwrap();
            });
            let error = get(&client(&authority, port, None)).unwrap_err();
            let expected = format!("localhost:PORT closed the connection before a response{more}");
            assert_eq!(message(&error, port), expected, "{version:?}");
            assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Transport, true), "{version:?}");
        }
    }
}

#[test]
fn server_without_http2_is_named() {
    for alpn in [&[][..], &[&b"http/1.1"[..]]] {
        let authority = Authority::new(unchanged);
        let server = serve(authority.server("localhost", unchanged), alpn);
        let error = get(&client(&authority, server.port, None)).unwrap_err();
        let expected = "localhost:PORT does not offer HTTP/2 (ALPN `h2`), which gRPC needs";
        assert_eq!(message(&error, server.port), expected, "{alpn:?}");
        assert_eq!(facts(&error), (ErrorKind::Transport, None, false, false), "{alpn:?}");
    }
}

#[test]
fn server_that_nobody_vouches_for_is_refused() {
    let authority = Authority::new(unchanged);
    let server = serve(Authority::self_signed("localhost"), &[b"h2"]);
    let error = get(&client(&authority, server.port, None)).unwrap_err();
    let expected = "failed to verify localhost:PORT: its certificate comes from an unknown issuer";
    assert_eq!(message(&error, server.port), expected);
    assert_eq!(facts(&error), (ErrorKind::Transport, None, false, false));
}

#[test]
fn server_behind_a_proxy_is_reached() {
    let authority = Authority::new(unchanged);
    let server = serve(authority.server("example.test", unchanged), &[b"h2"]);
    let relay = Relay::start(None);
    let transport = behind(&authority, server.port, relay.port);
    get(&transport).unwrap();
    get(&transport).unwrap();
    assert_eq!(server.connections(), [0, 0]);
    assert_eq!(relay.heads().len(), 1);
    assert!(relay.heads()[0].starts_with(&format!("CONNECT example.test:{} HTTP/1.1", server.port)));
    let strict = Relay::start(Some("Basic x"));
    let error = get(&behind(&authority, server.port, strict.port)).unwrap_err();
    let expected = format!(
        "the proxy did not connect to example.test:PORT: it requires credentials (407) \
         (proxy 127.0.0.1:{}, set by `HttpOptions::proxy`)",
        strict.port
    );
    assert_eq!(message(&error, server.port), expected);
    assert_eq!(facts(&error), (ErrorKind::Transport, None, false, false));
}
