//! Handshakes over connections in memory.

use std::time::{Duration, Instant};

use super::verifier::WeakKey;
use super::*;
use crate::net::options::Roots;

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
