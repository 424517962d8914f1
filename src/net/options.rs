//! The options for connections.

use std::fmt;

use super::certificate::ClientCertificate;

/// How connections are made and which servers are trusted.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetOptions {
    pub(crate) roots: Roots,
    pub(crate) extra_roots: Vec<RootPem>,
    pub(crate) client_certificate: Option<ClientCertificate>,
    pub(crate) proxy: ProxySetting,
}

/// Shows its length only: a file given by mistake may hold a key.
#[derive(Clone)]
pub(crate) struct RootPem(pub(crate) Vec<u8>);

impl fmt::Debug for RootPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({} bytes)", self.0.len())
    }
}

/// The certificates that a server is trusted by.
///
/// The default does not depend on which features are on: a feature only makes a
/// choice available.
#[non_exhaustive]
#[derive(Clone, Default)]
pub enum Roots {
    /// Mozilla's list, compiled in. Needs feature `webpki-roots`, which is on
    /// by default.
    #[default]
    Mozilla,
    /// The trust store of the operating system, for private authorities. Needs
    /// feature `platform-verifier`.
    Platform,
    /// Exactly these certificates, as PEM; other blocks in it are skipped. For
    /// certificates on top of those of Mozilla or the platform, see
    /// [`HttpOptions::extra_roots`](crate::http::HttpOptions::extra_roots).
    Pem(Vec<u8>),
    /// No certificate: without
    /// [`HttpOptions::extra_roots`](crate::http::HttpOptions::extra_roots),
    /// every `https` server is refused.
    None,
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mozilla => f.write_str("Mozilla"),
            Self::Platform => f.write_str("Platform"),
            Self::Pem(pem) => write!(f, "Pem({} bytes)", pem.len()),
            Self::None => f.write_str("None"),
        }
    }
}

/// Where the proxy comes from.
///
/// A proxy is asked to `CONNECT`, so it sees host names but no requests.
/// Loopback, link-local addresses and the metadata server
/// (`metadata.google.internal`) are always reached directly. `Debug` hides the
/// URL, which may hold a password.
#[non_exhaustive]
#[derive(Clone, Default)]
pub enum ProxySetting {
    /// `HTTPS_PROXY`, else `ALL_PROXY` (or lowercase), but not for the hosts of
    /// `NO_PROXY`; read once, when the client is built.
    ///
    /// `NO_PROXY` lists host names, each with all names below it, addresses and
    /// networks (`10.0.0.0/8`, `fd00::/8`) for hosts that are given as
    /// addresses, and `*` for all hosts; `example.com:8443` is for that port
    /// alone. No name is looked up for it.
    #[default]
    Environment,
    /// Always directly.
    None,
    /// This one: `http://proxy.example:3128` or `https://user:password@proxy.example`, percent-encoded.
    Url(String),
}

impl fmt::Debug for ProxySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::None => "None",
            Self::Url(_) => "Url([redacted])",
        })
    }
}
