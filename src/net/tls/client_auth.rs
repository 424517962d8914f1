//! Whether a server requested a client certificate, and whether it was
//! presented.
//!
//! A server that wants a certificate and gets none mostly just closes the
//! connection. Only the client can say why, so it notes in each handshake what
//! was requested.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

/// What happened about client authentication in one handshake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TlsClientAuth {
    /// The server requested a certificate, and the client has none.
    Missing,
    /// The server did not request a certificate. With a resumed session it does
    /// not need to.
    NotRequested,
    /// The server requested a certificate, and it was presented.
    Presented,
}

/// Presents a certificate, if there is one, and notes that it was requested.
pub(super) struct ClientCertificateResolver(pub(super) Option<Arc<CertifiedKey>>);

thread_local! {
    /// Whether the handshake on this thread requested a certificate. rustls
    /// resolves the certificate on the thread that drives the handshake, and a
    /// thread drives one at a time. The settings of TLS cannot say which
    /// connection it was, because connections share them, and rustls resumes
    /// sessions of the same settings only.
    static REQUESTED: Cell<bool> = const { Cell::new(false) };
}

impl TlsClientAuth {
    /// Runs a handshake, and returns its result and what happened in it.
    /// `is_configured` says whether there is a certificate to present.
    pub(super) fn watch<T>(is_configured: bool, handshake: impl FnOnce() -> T) -> (T, Self) {
        // An earlier handshake of this thread may have panicked in between.
        REQUESTED.set(false);
        let done = handshake();
        let auth = match (REQUESTED.take(), is_configured) {
            (false, _) => Self::NotRequested,
            (true, false) => Self::Missing,
            // The resolver ignores the authorities that the server lists. A
            // certificate that the server does not want is refused with a
            // reason; without one, the user would not know.
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
