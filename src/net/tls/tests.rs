//! Handshakes over connections in memory.

use std::time::{Duration, Instant};

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
