//! Whether a server has requested a client certificate, and what it was
//! presented.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

/// The result of client authentication in one handshake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TlsClientAuth {
    /// The server requested a certificate, and there is none.
    Missing,
    /// The server did not request a certificate.
    NotRequested,
    /// The server requested a certificate, and was presented ours.
    Presented,
}

/// Presents a certificate, if there is one, and notes that one was requested.
pub(super) struct ClientCertificateResolver(pub(super) Option<Arc<CertifiedKey>>);

thread_local! {
    /// One handshake at a time runs on a thread, and rustls resolves the certificate on the same thread. The settings
    /// of TLS cannot say which connection it was: connections share them, and rustls resumes sessions of the same
    /// settings only.
    static REQUESTED: Cell<bool> = const { Cell::new(false) };
}

impl TlsClientAuth {
    /// Runs a handshake, and says what it was like.
    pub(super) fn watch<T>(is_configured: bool, handshake: impl FnOnce() -> T) -> (T, Self) {
        REQUESTED.set(false);
        let done = handshake();
        let auth = match (REQUESTED.take(), is_configured) {
            (false, _) => Self::NotRequested,
            (true, false) => Self::Missing,
            (true, true) => Self::Presented,
        };
        (done, auth)
    }
}

impl ResolvesClientCert for ClientCertificateResolver {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        REQUESTED.set(true);
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Debug for ClientCertificateResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientCertificateResolver").field(&self.0.is_some()).finish()
    }
}
