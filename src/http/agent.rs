//! The default client: checks and limits, around an HTTP library.

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

/// The HTTP client that calls use unless they are given another: blocking,
/// HTTP/1.1, TLS 1.2 or later by rustls.
///
/// It keeps connections for 100 s (if the [`HttpOptions`] do not say otherwise)
/// and addresses for 60 s, and starts a thread only to look up a host name that
/// it does not have: one short-lived thread for each such name. When a
/// pooled connection turns out to be closed before a byte of the response came,
/// the request is sent once more, at once, on a new connection. Redirects are
/// not followed and there are no cookies. Share it between threads behind
/// an [`Arc`].
///
/// A client can be used after a `fork`, in the parent and in the child: the
/// child opens connections of its own and closes its copies of the parent's
/// without sending anything on them.
///
/// It writes no secret to the log. The HTTP library below it shows whole
/// responses at level `trace` under the target `ureq_proto`, the tokens of
/// token endpoints included: leave that level off for this target.
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
    local: PerProcess<LocalAgent>,
    routes: ProxyRoutes,
    options: HttpOptions,
}

/// The state that no process shares with another: connections, and locks.
struct LocalAgent {
    library: Box<dyn HttpLibrary>,
    permits: Permits,
}

impl HttpAgent {
    /// Creates a client. It does not connect yet.
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind::Tls`] when there is no usable root certificate, the
    /// feature for the chosen [`Roots`](super::Roots) is off, or
    /// certificate and key of the client cannot be read, cannot be used, or
    /// do not belong together; [`HttpErrorKind::Config`] if the proxy URL of
    /// the options is unusable.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpError> {
        Self::with_env(options, &SystemEnv)
    }

    pub(crate) fn with_env(options: &HttpOptions, env: &dyn Env) -> Result<Self, HttpError> {
        Self::with_parts(options, env, DnsCache::new())
    }

    pub(super) fn with_parts(options: &HttpOptions, env: &dyn Env, dns: DnsCache) -> Result<Self, HttpError> {
        Ok(Self::over(Connector::new(&options.net, None, dns, env)?, options.clone()))
    }

    fn over(connector: Connector, options: HttpOptions) -> Self {
        let routes = connector.routes().clone();
        let local = LocalAgent::new(super::ureq::client(&options, connector), options.max_connections);
        Self { local: PerProcess::new(local), routes, options }
    }

    /// Checks the settings that requests to this URL will need.
    pub(crate) fn check(&self, url: &str) -> Result<(), HttpError> {
        self.routes.to(&peer(url)?)?;
        Ok(())
    }

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
        let peer = request.server.map_or_else(|| peer(request.url), Ok)?;
        let proxy = self.routes.to(&peer)?;
        if request.remaining().is_zero() {
            let message = format!("timed out before the request to {peer} was sent");
            return Err(HttpError::new(HttpErrorKind::Timeout, message).sent(false));
        }
        let limit = IoLimit::new(request.deadline, request.stop);
        let local = self.local();
        let _permit = local.permits.take(limit).map_err(|error| HttpError::no_permit(error, &peer))?;
        local.library.exchange(request, &peer, limit).map_err(|error| error.through(proxy))
    }

    fn with_client_certificate(
        &self,
        certificate: ClientCertificate,
    ) -> Result<Arc<dyn HttpClient>, HttpError> {
        let options = self.options.clone().client_certificate(certificate);
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
fn peer(url: &str) -> Result<Peer<'_>, HttpError> {
    let refuse = |why: &str| HttpError::new(HttpErrorKind::Request, format!("invalid request URL: {why}"));
    let parts = UrlParts::split(url).ok_or_else(|| refuse("it is not an absolute URL"))?;
    if !["https", "http"].iter().any(|scheme| parts.scheme.eq_ignore_ascii_case(scheme)) {
        return Err(refuse("its scheme is not `https` or `http`"));
    }
    if parts.user.is_some() {
        return Err(refuse("it contains credentials"));
    }
    if parts.host.is_empty() {
        return Err(refuse("it has no host"));
    }
    Peer::of(&parts).ok_or_else(|| refuse("its port is not a number up to 65535"))
}
