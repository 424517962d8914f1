//! Options of the default HTTP client.

use std::time::Duration;

use crate::net::certificate::ClientCertificate;
use crate::net::options::{NetOptions, ProxySetting, RootPem, Roots};

/// Options of [`HttpAgent`](super::HttpAgent).
///
/// ```
/// use longrunning::http::{HttpAgent, HttpOptions, ProxySetting, Roots};
///
/// // Plain HTTP to an emulator on this machine: no proxy, no certificates.
/// let options = HttpOptions::new().proxy(ProxySetting::None).roots(Roots::None);
/// let agent = HttpAgent::new(&options)?;
/// # Ok::<(), longrunning::http::HttpError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// The options of connections.
    pub(crate) net: NetOptions,
    /// How long an idle connection is pooled.
    pub(crate) idle_timeout: Duration,
    /// How many idle connections are pooled for each server.
    pub(crate) idle_per_host: usize,
    /// How many idle connections are pooled in total.
    pub(crate) idle_total: usize,
    /// How many exchanges may run concurrently.
    pub(crate) max_connections: usize,
}

impl HttpOptions {
    /// Creates the default options: Mozilla's roots, the proxy of the
    /// environment, no client certificate, and at most 512 concurrent
    /// exchanges.
    ///
    /// At most 16 idle connections for each host and 64 in total are pooled,
    /// for 100 s.
    ///
    /// ```
    /// use longrunning::http::{HttpAgent, HttpOptions, Roots};
    ///
    /// let agent = HttpAgent::new(&HttpOptions::new().roots(Roots::None))?;
    /// # Ok::<(), longrunning::http::HttpError>(())
    /// ```
    pub fn new() -> Self {
        Self {
            net: NetOptions::default(),
            idle_timeout: KEEP_IDLE,
            idle_per_host: 16,
            idle_total: 64,
            max_connections: 512,
        }
    }

    /// Sets the trusted roots. Default: Mozilla's, with the feature
    /// `webpki-roots`.
    ///
    /// ```
    /// use longrunning::http::{HttpAgent, HttpOptions, Roots};
    ///
    /// // For plain http to loopback; a TLS handshake would fail.
    /// let agent = HttpAgent::new(&HttpOptions::new().roots(Roots::None))?;
    /// # Ok::<(), longrunning::http::HttpError>(())
    /// ```
    pub fn roots(mut self, roots: Roots) -> Self {
        self.net.roots = roots;
        self
    }

    /// Trusts these certificates (PEM) in addition to [`roots`](Self::roots),
    /// such as that of a proxy that inspects TLS. It can be called more
    /// than once.
    ///
    /// A text without a usable certificate is an error when the client is
    /// built.
    ///
    /// ```
    /// use longrunning::http::{HttpAgent, HttpOptions, Roots};
    ///
    /// let options = HttpOptions::new().extra_roots("no certificate in here");
    /// assert!(HttpAgent::new(&options).is_err());
    /// ```
    pub fn extra_roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.net.extra_roots.push(RootPem(pem.into()));
        self
    }

    /// Presents this certificate to every `https` server that requests one,
    /// regardless of the environment.
    ///
    /// A client with it uses the service's endpoint for mutual TLS. See
    /// [`client_cert_source`](crate::OperationsClientBuilder::client_cert_source),
    /// also for a certificate that depends on
    /// `GOOGLE_API_USE_CLIENT_CERTIFICATE`.
    ///
    /// ```
    /// use longrunning::http::{ClientCertificate, HttpAgent, HttpOptions};
    ///
    /// let certificate = ClientCertificate::from_files("/missing/client.pem", "/missing/client.pem");
    /// let options = HttpOptions::new().client_certificate(certificate);
    /// assert!(HttpAgent::new(&options).is_err(), "the file is read at once");
    /// ```
    pub fn client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.net.client_certificate = Some(certificate);
        self
    }

    /// Returns whether a client certificate is set.
    pub(crate) fn has_client_certificate(&self) -> bool {
        self.net.client_certificate.is_some()
    }

    /// Returns how many idle connections to one host are pooled, and for how
    /// long.
    #[cfg(feature = "grpc")]
    pub(crate) fn idle_limits(&self) -> (usize, Duration) {
        (self.idle_per_host.min(self.idle_total), self.idle_timeout)
    }

    /// Returns how many exchanges may run concurrently.
    #[cfg(feature = "grpc")]
    pub(crate) fn connection_limit(&self) -> usize {
        self.max_connections
    }

    /// Sets the proxy. Default: the one of the environment (`HTTPS_PROXY`,
    /// `NO_PROXY`, …).
    ///
    /// ```
    /// use longrunning::http::{HttpOptions, ProxySetting};
    ///
    /// let options = HttpOptions::new().proxy(ProxySetting::None);
    /// ```
    pub fn proxy(mut self, proxy: ProxySetting) -> Self {
        self.net.proxy = proxy;
        self
    }

    /// Sets how many idle connections to one host are pooled. Default: 16; zero
    /// pools none.
    ///
    /// The number of threads that make calls is a good value: with fewer, some
    /// calls open a new connection each time.
    ///
    /// ```
    /// use longrunning::http::HttpOptions;
    ///
    /// let options = HttpOptions::new().idle_per_host(32);
    /// ```
    pub fn idle_per_host(mut self, connections: usize) -> Self {
        self.idle_per_host = connections;
        self
    }

    /// Sets how long an idle connection is pooled. Default: 100 s; zero pools
    /// none.
    ///
    /// The default is longer than the usual poll interval, so polls of one wait
    /// reuse a connection. It is shorter than the time after which servers and
    /// firewalls drop idle connections.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::http::HttpOptions;
    ///
    /// let options = HttpOptions::new().idle_timeout(Duration::from_secs(30));
    /// ```
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }

    /// Limits the number of concurrent exchanges, each of which uses a
    /// connection of its own. Default: 512; zero counts as 1.
    ///
    /// The default is less than the usual limit on open files. A further
    /// exchange waits for a permit, within the timeout of its attempt, and then
    /// fails with [`HttpErrorKind::Timeout`](super::HttpErrorKind::Timeout).
    /// gRPC calls have connections of their own, and are counted separately
    /// from REST and from requests for tokens.
    ///
    /// ```
    /// use longrunning::http::HttpOptions;
    ///
    /// let options = HttpOptions::new().max_connections(8).idle_per_host(8);
    /// ```
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets how many idle connections are pooled in total. Default: 64; zero
    /// pools none.
    ///
    /// ```
    /// use longrunning::http::HttpOptions;
    ///
    /// let options = HttpOptions::new().idle_total(8);
    /// ```
    pub fn idle_total(mut self, connections: usize) -> Self {
        self.idle_total = connections;
        self
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// The default of `idle_timeout`.
const KEEP_IDLE: Duration = Duration::from_secs(100);
