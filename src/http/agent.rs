//! The default HTTP client: checks and limits around an HTTP library.
//!
//! `HttpAgent::send` rejects a URL that would leak a secret or confuse a
//! parser, finds the proxy, refuses to start without remaining time, waits for
//! a permit, and passes the rest to the library. Nothing here speaks HTTP.

use std::fmt;
use std::sync::Arc;

use crate::net::certificate::ClientCertificate;
use crate::net::connect::Connector;
use crate::net::connection::IoLimit;
use crate::net::dns::DnsCache;
use crate::net::peer::Peer;
use crate::net::permits::Permits;
use crate::net::proxy::ProxyRoutes;
use crate::util::env::{Env, SystemEnv};
use crate::util::process::PerProcess;
use crate::util::url::UrlParts;

use super::client::{HttpClient, HttpLibrary};
use super::error::{HttpError, HttpErrorKind};
use super::options::HttpOptions;
use super::request::HttpRequest;
use super::response::HttpResponse;

/// The HTTP client that calls use by default: blocking, HTTP/1.1, TLS 1.2 or
/// later by rustls.
///
/// It pools idle connections for 100 s (see [`HttpOptions`]), and caches
/// addresses for 60 s. It starts a thread only to resolve a host name that is
/// not in the cache: one short-lived thread for each lookup. If a pooled
/// connection was closed before a byte of the response arrived, the request is
/// sent again at once, on a new connection. It follows no redirects, and has no
/// cookies. Share it between threads with an [`Arc`].
///
/// It can be used after a `fork`, in the parent and in the child. The child
/// opens connections of its own, and closes its copies of those of the parent
/// without sending anything on them.
///
/// It writes no secret to the log. The HTTP library below it logs whole
/// responses at level `trace` under the target `ureq_proto`, and so the tokens
/// of token endpoints: limit that target to `debug`.
///
/// ```
/// use longrunning::http::{HttpAgent, HttpClient, HttpErrorKind, HttpMethod, HttpOptions, HttpRequest, Roots};
///
/// let agent = HttpAgent::new(&HttpOptions::new().roots(Roots::None))?;
/// let error = agent.send(&HttpRequest::new(HttpMethod::Get, "ftp://example.com/")).unwrap_err();
/// assert_eq!(error.kind(), HttpErrorKind::Request);
/// # Ok::<(), longrunning::http::HttpError>(())
/// ```
pub struct HttpAgent {
    /// Connections and permits of this process.
    local: PerProcess<LocalAgent>,
    /// Decided once, so a child has the proxy that its parent has.
    routes: ProxyRoutes,
    /// To make another client with the same options.
    options: HttpOptions,
}

/// The state that no process shares with another: connections and locks.
struct LocalAgent {
    library: Box<dyn HttpLibrary>,
    permits: Permits,
}

impl HttpAgent {
    /// Creates a client. It does not connect yet.
    ///
    /// ```
    /// use longrunning::http::{HttpAgent, HttpErrorKind, HttpOptions, ProxySetting, Roots};
    ///
    /// let options = HttpOptions::new().roots(Roots::None);
    /// assert!(HttpAgent::new(&options).is_ok());
    /// let options = options.proxy(ProxySetting::Url("ftp://proxy.example".to_owned()));
    /// assert_eq!(HttpAgent::new(&options).unwrap_err().kind(), HttpErrorKind::Config);
    /// ```
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind::Tls`] if there is no usable root certificate, if the
    /// feature for the chosen [`Roots`](super::Roots) is off, or if certificate
    /// and key of the client cannot be read, cannot be used, or do not match.
    /// [`HttpErrorKind::Config`] if the proxy URL of the options is invalid.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpError> {
        Self::with_env(options, &SystemEnv)
    }

    /// Creates a client with the environment of a client builder.
    pub(crate) fn with_env(options: &HttpOptions, env: &dyn Env) -> Result<Self, HttpError> {
        Self::with_parts(options, env, DnsCache::new())
    }

    /// Creates a client with a resolver of its own, for tests.
    pub(super) fn with_parts(options: &HttpOptions, env: &dyn Env, dns: DnsCache) -> Result<Self, HttpError> {
        Ok(Self::over(Connector::new(&options.net, None, dns, env)?, options.clone()))
    }

    /// Creates a client over a connector.
    fn over(connector: Connector, options: HttpOptions) -> Self {
        let routes = connector.routes().clone();
        let local = LocalAgent::new(super::ureq::client(&options, connector), options.max_connections);
        Self { local: PerProcess::new(local), routes, options }
    }

    /// Checks the settings that requests to this URL will need, so that an
    /// invalid proxy is an error of `build` and not of the first request.
    pub(crate) fn check(&self, url: &str) -> Result<(), HttpError> {
        self.routes.to(&peer(url)?)?;
        Ok(())
    }

    /// Returns the state of this process. The first use in a forked child makes
    /// it.
    fn local(&self) -> &LocalAgent {
        self.local.get_or(|parent| LocalAgent::new(parent.library.inherited(), self.options.max_connections))
    }
}

impl LocalAgent {
    fn new(library: Box<dyn HttpLibrary>, max_connections: usize) -> Self {
        Self { library, permits: Permits::new(max_connections) }
    }
}

impl HttpClient for HttpAgent {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        // Before anything that blocks: a request that cannot be sent fails at
        // once.
        let peer = request.server.map_or_else(|| peer(request.url), Ok)?;
        // Found here to be named in errors; the connector finds the same one.
        let proxy = self.routes.to(&peer)?;
        // Certainly not sent. Later, only the library knows.
        if request.remaining().is_zero() {
            let message = format!("timed out before the request to {peer} was sent");
            return Err(HttpError::new(HttpErrorKind::Timeout, message).sent(false));
        }
        let limit = IoLimit::new(request.deadline, request.stop);
        let local = self.local();
        // Held until the response is read, because the connection is in use
        // until then.
        let _permit = local.permits.take(limit).map_err(|error| HttpError::no_permit(error, &peer))?;
        local.library.exchange(request, &peer, limit).map_err(|error| error.through(proxy))
    }

    fn with_client_certificate(
        &self,
        certificate: ClientCertificate,
    ) -> Result<Arc<dyn HttpClient>, HttpError> {
        let options = self.options.clone().client_certificate(certificate);
        // Pools of its own: a connection that presents a certificate must not
        // serve requests without it, and the other way round.
        let connector = Connector::with_routes(&options.net, None, DnsCache::new(), self.routes.clone())?;
        Ok(Arc::new(Self::over(connector, options)))
    }

    fn reuse_body(&self, body: Vec<u8>) {
        self.local().library.reuse_body(body);
    }
}

impl fmt::Debug for HttpAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAgent").finish_non_exhaustive()
    }
}

/// Returns the server of an absolute URL of `https` or `http` without
/// credentials.
///
/// A user and password in the URL would end up in a log or be sent in a header
/// that the caller does not see, so they are an error.
fn peer(url: &str) -> Result<Peer<'_>, HttpError> {
    let refuse = |why: &str| HttpError::new(HttpErrorKind::Request, format!("invalid request URL: {why}"));
    let parts = UrlParts::split(url).ok_or_else(|| refuse("it is not an absolute URL"))?;
    if !["https", "http"].iter().any(|scheme| parts.scheme.eq_ignore_ascii_case(scheme)) {
        return Err(refuse("its scheme is not `https` or `http`"));
    }
    // Checked before the host: `https://run.googleapis.com@evil.example` should
    // be called what it is.
    if parts.user.is_some() {
        return Err(refuse("it contains credentials"));
    }
    if parts.host.is_empty() {
        return Err(refuse("it has no host"));
    }
    Peer::of(&parts).ok_or_else(|| refuse("its port is not a number up to 65535"))
}
