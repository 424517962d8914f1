//! The request of an exchange, and its method.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

use crate::net::peer::Peer;
use crate::util::clock::deadline;
use crate::util::redact::Masked;
use crate::util::stop::StopToken;

use super::sensitive::RedactedHeaders;

/// An HTTP method: those that [`google.api.HttpRule`] can bind an RPC to.
///
/// [`google.api.HttpRule`]: https://github.com/googleapis/googleapis/blob/master/google/api/http.proto
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpMethod {
    /// Reads an operation or a page of them. No body.
    Get,
    /// Replaces a resource.
    Put,
    /// Cancels, waits, starts, or fetches a token.
    Post,
    /// Deletes. No body.
    Delete,
    /// Changes a part of a resource.
    Patch,
}

impl HttpMethod {
    /// All methods, for tables and parsers.
    pub(crate) const ALL: [Self; 5] = [Self::Get, Self::Put, Self::Post, Self::Delete, Self::Patch];

    /// Returns the method as in the request line, such as `GET`.
    ///
    /// ```
    /// use longrunning::http::HttpMethod;
    ///
    /// assert_eq!(HttpMethod::Post.as_str(), "POST");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
        }
    }

    /// Returns whether requests with this method have a body, which may be
    /// empty.
    pub(crate) fn has_body(self) -> bool {
        !matches!(self, Self::Get | Self::Delete)
    }
}

/// One request, borrowed from the call that makes it.
///
/// `Debug` prints neither the query nor the body, and redacts header values
/// that may be secret.
///
/// ```
/// use std::time::Duration;
/// use longrunning::http::{HttpMethod, HttpRequest};
///
/// let headers = [("accept".into(), "application/json".into())];
/// let request = HttpRequest::new(HttpMethod::Get, "https://example.com/v1/operations/42")
///     .headers(&headers)
///     .timeout(Duration::from_secs(3));
/// assert!(request.body.is_none());
/// ```
#[non_exhaustive]
#[derive(Clone, Copy)]
pub struct HttpRequest<'a> {
    /// The method.
    pub method: HttpMethod,
    /// The absolute URL, `https` or `http`, percent-encoded, without
    /// credentials.
    pub url: &'a str,
    /// Names and values. The client adds `host`, `content-length` or
    /// `transfer-encoding`, and `accept-encoding` if it decodes. It rejects
    /// headers here that frame a message or concern the connection, such as
    /// `content-length`, `host` and `upgrade`.
    pub headers: &'a [(Cow<'a, str>, Cow<'a, str>)],
    /// The body. `None` sends none, with a `content-length` of zero for `POST`,
    /// `PUT` and `PATCH`.
    pub body: Option<&'a [u8]>,
    /// When the whole exchange must have ended: DNS lookup, connection, TLS,
    /// request, and the last byte of the response.
    pub deadline: Instant,
    /// The largest 2xx body in bytes, counted after decoding. Bodies of other
    /// responses are cut off at 64 KiB.
    pub limit: usize,
    /// Ends the exchange when it is stopped.
    pub stop: Option<&'a StopToken>,
    /// Whether the request must reach the server at most once.
    ///
    /// Then the client does not resend it, whatever happens to its connection,
    /// and sends it on a new connection or on one that was used within the last
    /// 2 s. It is set for requests that start operations; all others are
    /// idempotent.
    pub once: bool,
    /// The server of the URL, if the caller knows that the URL is well formed,
    /// which saves parsing it.
    pub(crate) server: Option<Peer<'a>>,
}

impl<'a> HttpRequest<'a> {
    /// Creates a request without headers and body, with a timeout of 10 s from
    /// now and a limit of 32 MiB.
    ///
    /// ```
    /// use longrunning::http::{HttpMethod, HttpRequest};
    ///
    /// let request = HttpRequest::new(HttpMethod::Get, "https://example.com/v1/operations/42");
    /// assert_eq!((request.limit, request.once), (32 << 20, false));
    /// ```
    pub fn new(method: HttpMethod, url: &'a str) -> Self {
        let deadline = Instant::now() + Duration::from_secs(10);
        Self {
            method,
            url,
            headers: &[],
            body: None,
            deadline,
            limit: 32 << 20,
            stop: None,
            once: false,
            server: None,
        }
    }

    /// Sets all [`headers`](Self::headers). Default: none.
    ///
    /// ```
    /// use longrunning::http::{HttpMethod, HttpRequest};
    ///
    /// let headers = [("accept".into(), "application/json".into())];
    /// let request = HttpRequest::new(HttpMethod::Get, "https://example.com/").headers(&headers);
    /// assert_eq!(request.headers.len(), 1);
    /// ```
    pub fn headers(mut self, headers: &'a [(Cow<'a, str>, Cow<'a, str>)]) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the [`body`](Self::body). Default: none.
    ///
    /// ```
    /// use longrunning::http::{HttpMethod, HttpRequest};
    ///
    /// let request = HttpRequest::new(HttpMethod::Post, "https://example.com/").body(b"{}");
    /// assert_eq!(request.body, Some(&b"{}"[..]));
    /// ```
    pub fn body(mut self, body: &'a [u8]) -> Self {
        self.body = Some(body);
        self
    }

    /// Sets the [`deadline`](Self::deadline). A request whose deadline has
    /// passed fails at once, and is not sent.
    ///
    /// ```
    /// use std::time::Instant;
    /// use longrunning::http::{HttpMethod, HttpRequest};
    ///
    /// let request = HttpRequest::new(HttpMethod::Get, "https://example.com/").deadline(Instant::now());
    /// assert!(request.remaining().is_zero());
    /// ```
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the [`deadline`](Self::deadline) to `timeout` from now, at most a
    /// year. With zero, the request fails at once, and is not sent.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::http::{HttpMethod, HttpRequest};
    ///
    /// let request = HttpRequest::new(HttpMethod::Get, "https://example.com/").timeout(Duration::MAX);
    /// assert!(request.remaining() <= Duration::from_secs(365 * 24 * 3600));
    /// ```
    pub fn timeout(self, timeout: Duration) -> Self {
        self.deadline(deadline(Instant::now(), timeout))
    }

    /// Returns the time until the [`deadline`](Self::deadline); zero if that
    /// has passed.
    ///
    /// It is for HTTP libraries that take a timeout:
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::http::{HttpMethod, HttpRequest};
    ///
    /// let request = HttpRequest::new(HttpMethod::Get, "https://example.com/").timeout(Duration::from_secs(3));
    /// assert!(request.remaining() <= Duration::from_secs(3));
    /// ```
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Sets the [`limit`](Self::limit). Default: 32 MiB; zero accepts only
    /// empty bodies.
    ///
    /// ```
    /// use longrunning::http::{HttpMethod, HttpRequest};
    ///
    /// let request = HttpRequest::new(HttpMethod::Get, "https://example.com/").limit(1 << 20);
    /// assert_eq!(request.limit, 1 << 20);
    /// ```
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Sets whether the request must reach the server [at most
    /// once](Self::once). Default: no.
    ///
    /// ```
    /// use longrunning::http::{HttpMethod, HttpRequest};
    ///
    /// let request = HttpRequest::new(HttpMethod::Post, "https://example.com/v1/jobs/7:run").once(true);
    /// assert!(request.once);
    /// ```
    pub fn once(mut self, once: bool) -> Self {
        self.once = once;
        self
    }

    /// Sets the token that [stops](Self::stop) the exchange. Default: none.
    ///
    /// ```
    /// use longrunning::StopToken;
    /// use longrunning::http::{HttpMethod, HttpRequest};
    ///
    /// let token = StopToken::new();
    /// let request = HttpRequest::new(HttpMethod::Get, "https://example.com/").stop(&token);
    /// assert!(!request.stop.unwrap().is_stopped());
    /// ```
    pub fn stop(mut self, token: &'a StopToken) -> Self {
        self.stop = Some(token);
        self
    }
}

impl fmt::Debug for HttpRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.headers.iter().map(|(name, value)| (&**name, &**value));
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &Masked(self.url.split('?').next().unwrap_or_default()))
            .field("headers", &RedactedHeaders(headers))
            .field("body", &self.body.map(<[u8]>::len))
            .field("remaining", &self.remaining())
            .field("limit", &self.limit)
            .field("once", &self.once)
            .finish()
    }
}
