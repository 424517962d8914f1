//! The seam of HTTP: what makes an exchange.
//!
//! There are two traits. [`HttpClient`] is public and small, for a program that
//! has an HTTP stack. [`HttpLibrary`] is private, for an HTTP library below
//! [`HttpAgent`](super::HttpAgent): it gets checked requests, and connections
//! that the crate opens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::net::certificate::ClientCertificate;
use crate::net::connection::IoLimit;
use crate::net::peer::Peer;

use super::error::{HttpError, HttpErrorKind};
use super::request::HttpRequest;
use super::response::HttpResponse;

/// Makes one HTTP exchange.
///
/// Requests are idempotent, so an implementation may resend one if a pooled
/// connection broke before a response. Further retries are up to the caller.
/// Requests that start operations are the exception: they have
/// [`once`](HttpRequest::once). An implementation must
///
/// - send a request with [`once`](HttpRequest::once) at most once;
/// - end by the [`deadline`](HttpRequest::deadline), DNS lookup and body
///   included;
/// - return a response of any status, 3xx included, as `Ok`: never follow a
///   redirect, because a token must not go to another host;
/// - reject a 2xx body that grows past [`limit`](HttpRequest::limit) bytes
///   after decoding;
/// - end soon with [`HttpErrorKind::Stopped`] when [`stop`](HttpRequest::stop)
///   is stopped, if it can;
/// - put no header value and no body into an error or a log.
///
/// ```
/// use longrunning::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
///
/// /// Sends requests to one host only.
/// #[derive(Debug)]
/// struct OneHost<C>(C);
///
/// impl<C: HttpClient> HttpClient for OneHost<C> {
///     fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
///         if !request.url.starts_with("https://run.googleapis.com/") {
///             return Err(HttpError::new(HttpErrorKind::Request, "request to another host"));
///         }
///         self.0.send(request)
///     }
/// }
/// ```
pub trait HttpClient: fmt::Debug + Send + Sync {
    /// Sends `request` and returns the response, whatever its status.
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind`] says what failed; [`HttpError::was_sent`] whether the
    /// server may have acted, and [`HttpError::is_transient`] whether
    /// another attempt makes sense.
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError>;

    /// Returns a client like this one that presents `certificate` to servers
    /// that request one.
    ///
    /// It is called for credentials that are exchanged over mutual TLS
    /// (`credential_source.certificate` of an external account), and for
    /// nothing else. A client for other credentials need not implement it.
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind::Config`] if this client cannot do that, which is the
    /// default; [`HttpErrorKind::Tls`] if the certificate cannot be used.
    fn with_client_certificate(
        &self,
        certificate: ClientCertificate,
    ) -> Result<Arc<dyn HttpClient>, HttpError> {
        // Not ignored: without the certificate, the token endpoint would refuse
        // the request for a reason that is hard to find.
        drop(certificate);
        let message = "the HTTP client of the program cannot present a client certificate: \
                       implement `HttpClient::with_client_certificate` for it";
        Err(HttpError::new(HttpErrorKind::Config, message))
    }

    /// Takes back the body of a response that was decoded, so that the next
    /// response can use its memory.
    ///
    /// Calls over REST do this. The default frees the memory.
    fn reuse_body(&self, body: Vec<u8>) {
        drop(body);
    }
}

impl<C: HttpClient + ?Sized> HttpClient for Arc<C> {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        (**self).send(request)
    }

    fn with_client_certificate(
        &self,
        certificate: ClientCertificate,
    ) -> Result<Arc<dyn HttpClient>, HttpError> {
        (**self).with_client_certificate(certificate)
    }

    fn reuse_body(&self, body: Vec<u8>) {
        (**self).reuse_body(body);
    }
}

/// The basis of [`HttpAgent`](super::HttpAgent): an HTTP library over
/// connections of `net`.
///
/// Another library is another implementation, in a folder of its own. All state
/// that threads share is inside it, so a forked child replaces the whole.
pub(super) trait HttpLibrary: Send + Sync {
    /// Sends a checked request to `peer`, and reads the response, all within
    /// `limit`.
    ///
    /// If a pooled connection breaks before a response began, it sends the
    /// request again on a new one, unless the request is to be sent
    /// [once](HttpRequest::once).
    ///
    /// # Errors
    ///
    /// As [`HttpClient::send`], without the proxy in the message: the caller
    /// adds it.
    fn exchange(
        &self,
        request: &HttpRequest<'_>,
        peer: &Peer<'_>,
        limit: IoLimit<'_>,
    ) -> Result<HttpResponse, HttpError>;

    /// Takes back the body of a response, for the next one.
    fn reuse_body(&self, body: Vec<u8>);

    /// Returns the library for a forked child: without connections of the
    /// parent, and without waiting for a lock of the parent.
    fn inherited(&self) -> Box<dyn HttpLibrary>;
}

/// How long a connection may have been idle to be used for a request that is
/// sent at most once.
///
/// If the server closes an idle connection at the moment of a request, it is
/// unknown whether it processed the request. The shortest timeouts of idle
/// connections in use are 5 s (Node.js, Apache), so within 2 s no server closes
/// one. A new connection for every request would cost a TLS handshake for each
/// of many starts in a row.
pub(crate) const MOST_IDLE_BEFORE_ONCE: Duration = Duration::from_secs(2);

/// Fails every request, for tests that must not need the network.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Unplugged;

#[cfg(test)]
impl HttpClient for Unplugged {
    fn send(&self, _: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        Err(HttpError::new(HttpErrorKind::Connect, "unplugged"))
    }
}
