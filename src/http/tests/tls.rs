//! Who is trusted, and what is said of those who are not.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, GeneralSubtree, IsCa, Issuer, KeyPair, NameConstraints,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use super::super::HttpErrorKind::{Connect, Tls};
use super::server::{Act, Server, ok, send};
use super::{HttpAgent, HttpError, ProxySetting, Roots, agent, get, options};

/// An authority of its own for each test.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// The settings of a server whose certificate is for `name`.
    fn server(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap()
    }

    fn agent(&self) -> HttpAgent {
        HttpAgent::new(&options().roots(Roots::Pem(self.pem.clone().into_bytes()))).unwrap()
    }
}

fn unchanged(_: &mut CertificateParams) {}

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
    let authority = Authority::new(unchanged);
    let server = Server::start_tls(vec![vec![Act::Serve]], authority.server("localhost", unchanged));
    let agent = authority.agent();
    for _ in 0..3 {
        assert_eq!(get(&agent, &url(&server)).unwrap().body, b"{}");
    }
    assert_eq!(server.connections(), [0, 0, 0]);
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
    assert_eq!(server.resumed(), [false, true]);
}

/// Takes one `CONNECT`, whatever it asks for, and carries the bytes to and from this port.
fn tunnel(to: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || -> io::Result<()> {
        let (mut client, _) = listener.accept()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte)?;
            head.extend(byte);
        }
        let mut server = TcpStream::connect(("127.0.0.1", to))?;
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        let (mut from, mut back) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || io::copy(&mut from, &mut server));
        io::copy(&mut back, &mut client).map(drop)
    });
    url
}

#[test]
fn trust_reaches_through_a_proxy() {
    for (name, flaw) in [("example.test", None), ("other.test", Some("is for another name"))] {
        let authority = Authority::new(unchanged);
        let server = Server::start_tls(vec![vec![Act::Serve]], authority.server(name, unchanged));
        let options = options().roots(Roots::Pem(authority.pem.into()));
        let agent = HttpAgent::new(&options.proxy(ProxySetting::Url(tunnel(server.port)))).unwrap();
        for _ in 0..2 {
            match (get(&agent, "https://example.test/"), flaw) {
                (Ok(answer), None) => assert_eq!(answer.body, b"{}"),
                (Err(error), Some(flaw)) => {
                    let message = format!("cannot trust example.test:443: its certificate {flaw}");
                    assert_eq!((error.to_string(), error.kind()), (message, Tls));
                    break;
                }
                (answer, _) => panic!("{name}: {answer:?}"),
            }
        }
    }
}

#[test]
fn bad_certificates() {
    type Change = fn(&mut CertificateParams);
    let rows: &[(&str, Change, &str, Change, &str)] = &[
        ("expired", unchanged, "localhost", |leaf| leaf.not_after = date_time_ymd(2020, 1, 1), "has expired"),
        (
            "not yet",
            unchanged,
            "localhost",
            |leaf| leaf.not_before = date_time_ymd(3000, 1, 1),
            "is not valid yet",
        ),
        ("wrong name", unchanged, "example.com", unchanged, "is for another name"),
        (
            "outside the constraints of its authority",
            |authority| {
                let permitted_subtrees = vec![GeneralSubtree::DnsName("example.com".into())];
                authority.name_constraints =
                    Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
            },
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
            &format!("cannot trust localhost:PORT: its certificate {flaw}"),
        );
    }
}

#[test]
fn unknown_issuers() {
    let ours = Authority::new(unchanged);
    let theirs = Authority::new(|params| {
        params.distinguished_name.push(rcgen::DnType::CommonName, "another authority");
    });
    for (name, agent) in [("another authority", ours.agent()), ("nobody is trusted", agent())] {
        let server = Server::start_tls(vec![vec![Act::Serve]], theirs.server("localhost", unchanged));
        let error = get(&agent, &url(&server)).unwrap_err();
        let message = "cannot trust localhost:PORT: its certificate comes from an unknown issuer";
        assert_refused(name, error, server.port, message);
    }
}

#[test]
fn public_roots_do_not_trust_us() {
    let mut all = Vec::new();
    if cfg!(feature = "webpki-roots") {
        all.push(Roots::Mozilla);
    }
    if cfg!(feature = "platform-verifier") {
        all.push(Roots::Platform);
    }
    for roots in all {
        let authority = Authority::new(unchanged);
        let server = Server::start_tls(vec![vec![Act::Serve]], authority.server("localhost", unchanged));
        let agent = HttpAgent::new(&options().roots(roots.clone())).unwrap();
        let error = get(&agent, &url(&server)).unwrap_err();
        assert_eq!((error.kind(), error.was_sent(), error.is_transient()), (Tls, false, false), "{roots:?}");
    }
}

#[test]
fn other_peers() {
    // A server that knows TLS 1.0 at most answers like this: alert 70, `protocol_version`.
    const OLD: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];
    let authority = Authority::new(unchanged);
    let rows = [
        ("plain HTTP", send("HTTP/1.1 400 Bad Request\r\n\r\n"), "localhost:PORT does not speak TLS"),
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
        assert_eq!(error.to_string(), format!("cannot connect to localhost:{}", server.port), "{name}");
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

/// The alert with which a peer ends a connection in good order.
const CLOSE_NOTIFY: [u8; 7] = [21, 3, 3, 0, 2, 1, 0];

/// With TLS 1.3 the client has long sent its request when the server refuses.
#[test]
fn missing_client_certificate() {
    let authority = Authority::new(unchanged);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::pem::PemObject::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let mut config = authority.server("localhost", unchanged);
    let resolver = config.cert_resolver.clone();
    config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_cert_resolver(resolver);
    let server = Server::start_tls(vec![vec![Act::Read]], config);
    let error = get(&authority.agent(), &url(&server)).unwrap_err();
    assert_eq!(error.to_string(), format!("localhost:{} refused the TLS connection", server.port));
    assert_eq!((error.kind(), error.was_sent(), error.is_transient()), (Tls, true, false));
}

#[test]
fn roots_are_checked_at_once() {
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA";
    let not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let rows = [
        ("", "no usable root certificate: 0 in the PEM text given, expected at least 1"),
        ("no PEM", "no usable root certificate: 0 in the PEM text given, expected at least 1"),
        (key, "no usable root certificate: 0 in the PEM text given, expected at least 1"),
        (not_der, "no usable root certificate: 1 in the PEM text given, expected at least 1"),
        (cut, "cannot read the root certificates"),
    ];
    for (pem, message) in rows {
        let error = HttpAgent::new(&options().roots(Roots::Pem(pem.into()))).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Tls, message), "{pem}");
    }
    let usable = Authority::new(unchanged).pem;
    HttpAgent::new(&options().roots(Roots::Pem(format!("{key}{not_der}{usable}").into()))).unwrap();
}

#[test]
fn roots_whose_feature_is_off_are_an_error() {
    for (roots, feature, is_on) in [
        (Roots::Mozilla, "webpki-roots", cfg!(feature = "webpki-roots")),
        (Roots::Platform, "platform-verifier", cfg!(feature = "platform-verifier")),
    ] {
        match HttpAgent::new(&options().roots(roots)) {
            Ok(_) => assert!(is_on, "{feature}"),
            Err(error) => assert!(!is_on && error.to_string().contains(feature), "{error}"),
        }
    }
}
