//! The options for connections: trusted roots, client certificate, proxy.
//! `HttpOptions` and `OperationsClientBuilder` have setters for them.

use std::fmt;

use super::certificate::ClientCertificate;

/// How connections are made, and which servers are trusted.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetOptions {
    /// The trusted roots.
    pub(crate) roots: Roots,
    /// Roots that are trusted as well, of a company's own authority for
    /// instance.
    pub(crate) extra_roots: Vec<RootPem>,
    /// What to present to servers that request a certificate.
    pub(crate) client_certificate: Option<ClientCertificate>,
    /// Which proxy to use, if any.
    pub(crate) proxy: ProxySetting,
}

/// PEM with certificates. `Debug` prints its length only: a file given by
/// mistake may hold a key.
#[derive(Clone)]
pub(crate) struct RootPem(pub(crate) Vec<u8>);

impl fmt::Debug for RootPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({} bytes)", self.0.len())
    }
}

/// The certificates that are trusted as roots when a server is verified.
///
/// The default does not depend on which features are on: a feature only makes a
/// choice available. A choice whose feature is off is an error when the client
/// is built.
///
/// ```
/// use longrunning::http::{HttpAgent, HttpOptions, Roots};
///
/// let options = HttpOptions::new().roots(Roots::Pem(b"not a certificate".to_vec()));
/// let error = HttpAgent::new(&options).unwrap_err();
/// assert!(error.to_string().starts_with("no usable root certificate"));
/// ```
#[non_exhaustive]
#[derive(Clone, Default)]
pub enum Roots {
    /// The list of Mozilla, compiled in. Needs feature `webpki-roots`, which is
    /// on by default.
    #[default]
    Mozilla,
    /// The trust store of the operating system, which may have private
    /// authorities. Needs feature `platform-verifier`.
    Platform,
    /// Exactly these certificates, as PEM; other blocks in it are skipped. To
    /// add certificates to those of Mozilla or the platform, use
    /// [`HttpOptions::extra_roots`](crate::http::HttpOptions::extra_roots).
    Pem(Vec<u8>),
    /// No certificate. Without
    /// [`HttpOptions::extra_roots`](crate::http::HttpOptions::extra_roots),
    /// verification of every `https` server fails.
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

/// Which proxy to use.
///
/// A proxy receives `CONNECT`, so it sees host names but no requests. Loopback,
/// link-local addresses and the metadata server (`metadata.google.internal`)
/// are always reached directly. `Debug` redacts the URL, which may hold a
/// password.
///
/// ```
/// use longrunning::http::{HttpAgent, HttpOptions, ProxySetting};
///
/// let proxy = |url: &str| HttpAgent::new(&HttpOptions::new().proxy(ProxySetting::Url(url.to_owned())));
/// assert!(proxy("http://user:p%40ss@proxy.example:3128").is_ok());
/// assert!(proxy("socks5://proxy.example").is_err());
/// ```
#[non_exhaustive]
#[derive(Clone, Default)]
pub enum ProxySetting {
    /// The URL in `HTTPS_PROXY`, else in `ALL_PROXY` (or lowercase), but not
    /// for the hosts of `NO_PROXY`. The variables are read once, when the
    /// client is built.
    ///
    /// `NO_PROXY` is a list with commas. It has host names, each with all names
    /// below it; addresses and networks (`10.0.0.0/8`, `fd00::/8`), which match
    /// hosts that are given as addresses; and `*` for all hosts.
    /// `example.com:8443` is for that port only. No name is resolved for it.
    #[default]
    Environment,
    /// No proxy: all servers are reached directly.
    None,
    /// This proxy: `http://proxy.example:3128` or
    /// `https://user:password@proxy.example`. User and password are
    /// percent-encoded.
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
