//! What a program may decide about the default client.

use std::time::Duration;

use crate::net::certificate::ClientCertificate;
use crate::net::options::{NetOptions, ProxySetting, RootPem, Roots};

/// Settings of [`HttpAgent`](super::HttpAgent).
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
    pub(crate) net: NetOptions,
    pub(crate) idle_timeout: Duration,
    pub(crate) idle_per_host: usize,
    pub(crate) idle_total: usize,
    pub(crate) max_connections: usize,
}

impl HttpOptions {
    /// Mozilla's roots, the proxy of the environment, no client certificate; 16 idle connections a host, 64 in
    /// all, for 100 s.
    pub fn new() -> Self {
        Self {
            net: NetOptions::default(),
            idle_timeout: KEEP_IDLE,
            idle_per_host: 16,
            idle_total: 64,
            max_connections: 512,
        }
    }

    /// Sets the certificates that a server is trusted by.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.net.roots = roots;
        self
    }

    /// Trusts these certificates (PEM) too, beside [`roots`](Self::roots): those of a company's proxy that looks
    /// into TLS, say. Can be called more than once.
    ///
    /// A text without a usable certificate is an error when the client is built.
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

    /// Shows this certificate to every https server that asks for one, whatever the environment says.
    ///
    /// A client with it asks the service's endpoint for mutual TLS; see
    /// [`client_cert_source`](crate::OperationsClientBuilder::client_cert_source), also for a certificate that
    /// waits for `GOOGLE_API_USE_CLIENT_CERTIFICATE`.
    pub fn client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.net.client_certificate = Some(certificate);
        self
    }

    pub(crate) fn has_client_certificate(&self) -> bool {
        self.net.client_certificate.is_some()
    }

    /// How many unused connections to one host are kept, and for how long.
    #[cfg(feature = "grpc")]
    pub(crate) fn idle_limits(&self) -> (usize, Duration) {
        (self.idle_per_host.min(self.idle_total), self.idle_timeout)
    }

    /// How many exchanges may be under way at a time.
    #[cfg(feature = "grpc")]
    pub(crate) fn connection_limit(&self) -> usize {
        self.max_connections
    }

    /// Sets the proxy.
    pub fn proxy(mut self, proxy: ProxySetting) -> Self {
        self.net.proxy = proxy;
        self
    }

    /// Sets how many unused connections to one host are kept; best the number of threads that call. Zero keeps none.
    pub fn idle_per_host(mut self, connections: usize) -> Self {
        self.idle_per_host = connections;
        self
    }

    /// Sets how long an unused connection is kept. Default: 100 s, which is longer than the usual poll interval,
    /// and shorter than servers and firewalls forget. Zero keeps none.
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }

    /// Sets how many exchanges may be under way at a time, each on a connection of its own. Default: 512, which is less
    /// than the files that a program may usually open; zero counts as 1.
    ///
    /// The next one waits for its turn as long as its attempt may take, and then fails with
    /// [`HttpErrorKind::Timeout`](super::HttpErrorKind::Timeout). gRPC calls, too,
    /// have a connection each, and are counted apart from REST and from requests for tokens.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets how many unused connections are kept in all. Zero keeps none.
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

const KEEP_IDLE: Duration = Duration::from_secs(100);
