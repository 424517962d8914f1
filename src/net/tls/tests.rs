//! Handshakes over connections in memory.

use std::error::Error as _;
use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustls::ServerConnection;

use super::verifier::WeakKey;
use super::*;
use crate::http::tests::authority::{Authority, VERSIONS, unchanged};
use crate::net::options::Roots;
use crate::util::sync::lock;

/// A peer that sends these bytes and then only the end of the connection.
struct Ended {
    bytes: Vec<u8>,
    /// How many more reads are allowed.
    reads: usize,
}

impl Connection for Ended {
    fn read(&mut self, into: &mut [u8], _: IoLimit<'_>) -> Result<usize, ConnectionError> {
        self.reads = self.reads.checked_sub(1).expect("the connection is read from again and again");
        let amount = self.bytes.len().min(into.len());
        let rest = self.bytes.split_off(amount);
        into[..amount].copy_from_slice(&std::mem::replace(&mut self.bytes, rest));
        Ok(amount)
    }

    fn write(&mut self, _: &[u8], _: IoLimit<'_>) -> Result<(), ConnectionError> {
        Ok(())
    }

    fn is_silent(&mut self) -> bool {
        false
    }

    fn is_tls(&self) -> bool {
        false
    }
}

/// The fault of [RUSTSEC-2024-0336](https://rustsec.org/advisories/RUSTSEC-2024-0336.html): after `close_notify`, each
/// read returns the end of the connection, and nothing may read again and again.
#[test]
fn handshakes_that_end_early_do_not_spin() {
    const CLOSE_NOTIFY: &[u8] = &[21, 3, 3, 0, 2, 1, 0];
    let rows: [(&str, &[u8]); 5] = [
        ("nothing", b""),
        ("close_notify", CLOSE_NOTIFY),
        ("half an alert", &CLOSE_NOTIFY[..6]),
        ("half a handshake message", &[22, 3, 3, 0, 122, 2]),
        ("close_notify twice", &[CLOSE_NOTIFY, CLOSE_NOTIFY].concat()),
    ];
    let options = NetOptions { roots: Roots::None, ..NetOptions::default() };
    let settings = TlsSettings::new(&options, None).unwrap();
    let peer = Peer { tls: true, host: "localhost", port: 443 };
    for (name, bytes) in rows {
        let inner = Ended { bytes: bytes.to_vec(), reads: 100 };
        let limit = IoLimit::new(Instant::now() + Duration::from_secs(3600), None);
        let error = settings.connect(Box::new(inner), PeerRole::Server, &peer, limit).unwrap_err();
        assert!(matches!(error, ConnectionError::Io(_)), "{name}: {error:?}");
    }
}

#[test]
fn flaws_of_certificates_are_named() {
    use std::sync::Arc;

    use rustls::{CertificateError as Flaw, Error, OtherError};

    let weak = |is_authority| Flaw::Other(OtherError(Arc::new(WeakKey { bits: 1024, is_authority })));
    let algorithm = Flaw::UnsupportedSignatureAlgorithmContext {
        signature_algorithm_id: Vec::new(),
        supported_algorithms: Vec::new(),
    };
    let rows = [
        (Flaw::BadSignature, "is not signed by the issuer that it names"),
        (Flaw::Revoked, "is revoked"),
        (Flaw::UnknownIssuer, "comes from an unknown issuer"),
        (Flaw::Expired, "has expired"),
        (Flaw::NotValidYet, "is not valid yet"),
        (Flaw::NotValidForName, "is for another name"),
        (Flaw::InvalidPurpose, "is not for a server"),
        (algorithm, "is signed with an algorithm that is not supported"),
        (Flaw::UnhandledCriticalExtension, "is refused"),
        (weak(false), "has an RSA key that is too weak (1024 bits, expected at least 2048)"),
        (
            weak(true),
            "is signed by an authority whose RSA key is too weak (1024 bits, expected at least 2048)",
        ),
    ];
    for (flaw, text) in rows {
        let error = Error::InvalidCertificate(flaw);
        let refused = refusal::refused(&error, "h:443", TlsClientAuth::NotRequested, None);
        assert_eq!(refused.to_string(), format!("failed to verify h:443: its certificate {text}"));
    }
}

#[test]
fn a_closed_handshake_is_explained_by_a_requested_certificate() {
    use std::io::ErrorKind;

    let cut = |auth| refusal::cut_handshake("h:443", auth).map(|error| error.to_string());
    let closed = "h:443 closed the connection in the TLS handshake";
    let rows = [
        (TlsClientAuth::NotRequested, None),
        (TlsClientAuth::Missing, Some(", and had requested a client certificate")),
        (TlsClientAuth::Presented, Some(" after the client certificate was presented: it may not accept it")),
    ];
    for (auth, text) in rows {
        assert_eq!(cut(auth), text.map(|text| format!("{closed}{text}")));
    }
    for (kind, ends) in [
        (ErrorKind::UnexpectedEof, true),
        (ErrorKind::ConnectionReset, true),
        (ErrorKind::BrokenPipe, true),
        (ErrorKind::TimedOut, false),
        (ErrorKind::WouldBlock, false),
    ] {
        assert_eq!(refusal::is_end(&kind.into()), ends, "{kind}");
    }
}

#[test]
fn a_host_that_is_not_a_dns_name_is_rejected() {
    let options = NetOptions { roots: Roots::None, ..NetOptions::default() };
    let settings = TlsSettings::new(&options, None).unwrap();
    let peer = Peer { tls: true, host: "-a.test", port: 443 };
    let inner = Ended { bytes: Vec::new(), reads: 0 };
    let limit = IoLimit::new(Instant::now() + Duration::from_secs(3600), None);
    let error = settings.connect(Box::new(inner), PeerRole::Server, &peer, limit).unwrap_err();
    let message = "failed to connect to -a.test:443: its host is not a valid DNS name for TLS";
    assert_eq!(error.to_string(), message);
}

/// A TLS server that processes at once what the client sends.
#[derive(Clone)]
struct MemoryServer {
    tls: Arc<Mutex<ServerConnection>>,
    /// What a read returns if the server has nothing to send.
    idle: fn() -> Result<usize, ConnectionError>,
}

impl MemoryServer {
    /// Returns a server for each version, which requests a client certificate
    /// and needs none, and a connection to it.
    fn connected(idle: fn() -> Result<usize, ConnectionError>) -> [(Self, Box<dyn Connection>); 2] {
        VERSIONS.map(|version| {
            let authority = Authority::new(unchanged);
            let config = authority.serving("localhost", unchanged, Some(authority.wished()), &[version]);
            let tls = Arc::new(Mutex::new(ServerConnection::new(Arc::new(config)).unwrap()));
            let server = Self { tls, idle };
            let roots = Roots::Pem(authority.pem.into_bytes());
            let options = NetOptions { roots, ..NetOptions::default() };
            let settings = TlsSettings::new(&options, None).unwrap();
            let peer = Peer { tls: true, host: "localhost", port: 443 };
            let inner = Box::new(server.clone());
            let connection = settings.connect(inner, PeerRole::Server, &peer, never()).unwrap();
            (server, connection)
        })
    }
}

impl Connection for MemoryServer {
    fn read(&mut self, mut into: &mut [u8], _: IoLimit<'_>) -> Result<usize, ConnectionError> {
        let mut tls = lock(&self.tls);
        if !tls.wants_write() {
            return (self.idle)();
        }
        let mut sent = 0;
        while tls.wants_write() {
            sent += tls.write_tls(&mut into).unwrap();
        }
        Ok(sent)
    }

    fn write(&mut self, mut bytes: &[u8], _: IoLimit<'_>) -> Result<(), ConnectionError> {
        let mut tls = lock(&self.tls);
        while !bytes.is_empty() {
            tls.read_tls(&mut bytes).unwrap();
            tls.process_new_packets().unwrap();
        }
        Ok(())
    }

    fn is_silent(&mut self) -> bool {
        !lock(&self.tls).wants_write()
    }

    fn is_tls(&self) -> bool {
        false
    }
}

fn never() -> IoLimit<'static> {
    IoLimit::new(Instant::now() + Duration::from_secs(3600), None)
}

/// All records have arrived before the first byte is read, so only TLS knows
/// what is left.
#[test]
fn data_and_an_end_that_were_read_ahead_are_no_silence() {
    type Send = fn(&mut ServerConnection);
    let rows: [(&str, Send, bool); 4] = [
        ("nothing more", |_| {}, true),
        ("another byte", |server| server.writer().write_all(b"y").unwrap(), false),
        ("more than TLS reads at a time", |server| server.writer().write_all(&[b'y'; 8000]).unwrap(), false),
        ("an end", |server| server.send_close_notify(), false),
    ];
    for (name, send, is_silent) in rows {
        for (server, mut connection) in MemoryServer::connected(|| Err(ConnectionError::Timeout)) {
            let mut tls = lock(&server.tls);
            tls.writer().write_all(b"x").unwrap();
            send(&mut tls);
            drop(tls);
            assert_eq!(connection.read(&mut [0], never()).unwrap(), 1, "{name}");
            assert_eq!(connection.is_silent(), is_silent, "{name}");
        }
    }
}

#[test]
fn only_an_end_may_be_a_refusal() {
    for (_, mut connection) in MemoryServer::connected(|| Err(ConnectionError::Timeout)) {
        let error = connection.read(&mut [0], never()).unwrap_err();
        assert!(matches!(error, ConnectionError::Timeout), "{error:?}");
    }
    for (_, mut connection) in MemoryServer::connected(|| Ok(0)) {
        let error = connection.read(&mut [0], never()).unwrap_err();
        let message =
            "localhost:443 closed the connection before a response, and had requested a client certificate";
        assert_eq!(error.to_string(), message, "{error:?}");
        assert!(error.source().is_some(), "{error:?}");
    }
}
