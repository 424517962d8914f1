//! The HTTP seam: what a call asks of an HTTP client, and the client it gets by default.
//!
//! [`HttpClient`] is one exchange: a request goes out, an answer or an [`HttpError`] comes back.
//! Retries, credentials and the meaning of a status code live above it. [`HttpAgent`] is the default;
//! bring your own to go through a stack that your program already has, or to answer without a network.
//!
//! ```
//! use longrunning::http::{HttpClient, HttpError, HttpMethod, HttpRequest, HttpResponse};
//!
//! #[derive(Debug)]
//! struct Canned;
//!
//! impl HttpClient for Canned {
//!     fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
//!         assert_eq!(request.method, HttpMethod::Get);
//!         Ok(HttpResponse::new(200, r#"{"name":"operations/42"}"#))
//!     }
//! }
//!
//! let answer = Canned.send(&HttpRequest::new(HttpMethod::Get, "https://example.com/v1/operations/42"))?;
//! assert_eq!(answer.status, 200);
//! # Ok::<(), HttpError>(())
//! ```

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::stop::StopToken;

mod date;
pub(crate) mod error;
pub(crate) mod options;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod ureq;

pub use self::ureq::agent::HttpAgent;
pub use crate::net::certificate::ClientCertificate;
pub use error::{HttpError, HttpErrorKind};
pub use options::{HttpOptions, ProxySetting, Roots};

/// Carries one HTTP exchange.
///
/// Every call of this crate is idempotent, so an implementation may send a request a second time when a
/// kept connection broke before an answer; further retries belong to the caller. It must
///
/// - keep [`timeout`](HttpRequest::timeout) over the whole exchange, name lookup and body included;
/// - return an answer of any status, 3xx included, as `Ok`: never follow a redirect;
/// - refuse a 2xx body that grows past [`limit`](HttpRequest::limit) bytes after decoding;
/// - end soon with [`HttpErrorKind::Stopped`] when [`stop`](HttpRequest::stop) is stopped, if it can;
/// - put no header value and no body into an error or a log.
pub trait HttpClient: fmt::Debug + Send + Sync {
    /// Sends `request` and returns the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind`] says what failed; [`HttpError::was_sent`] whether the server may have acted, and
    /// [`HttpError::is_transient`] whether another attempt makes sense.
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError>;
}

impl<C: HttpClient + ?Sized> HttpClient for Arc<C> {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        (**self).send(request)
    }
}

/// The methods of [`google.api.HttpRule`].
///
/// [`google.api.HttpRule`]: https://github.com/googleapis/googleapis/blob/master/google/api/http.proto
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpMethod {
    /// Reads an operation or a page of them.
    Get,
    /// Replaces.
    Put,
    /// Cancels, waits, or fetches a token.
    Post,
    /// Deletes.
    Delete,
    /// Changes.
    Patch,
}

impl HttpMethod {
    pub(crate) const ALL: [Self; 5] = [Self::Get, Self::Put, Self::Post, Self::Delete, Self::Patch];

    /// The method as it stands in the request line: `GET`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
        }
    }

    pub(crate) fn has_body(self) -> bool {
        !matches!(self, Self::Get | Self::Delete)
    }
}

/// One request, borrowed from the call that makes it.
///
/// `Debug` shows neither the query nor the body, and redacts header values that may be secret.
#[non_exhaustive]
#[derive(Clone, Copy)]
pub struct HttpRequest<'a> {
    /// The method.
    pub method: HttpMethod,
    /// The absolute URL, `https` or `http`, percent-encoded, without credentials.
    pub url: &'a str,
    /// Names and values. The client adds `host`, what frames the body, and `accept-encoding` if it decodes.
    pub headers: &'a [(Cow<'a, str>, Cow<'a, str>)],
    /// The body; `None` sends none (and a `content-length` of zero where the method wants one).
    pub body: Option<&'a [u8]>,
    /// Budget of the whole exchange: name lookup, connection, TLS, request, and the last byte of the answer.
    pub timeout: Duration,
    /// Largest 2xx body in bytes, counted after decoding. Bodies of other answers end at 64 KiB.
    pub limit: usize,
    /// Ends the exchange when it is stopped.
    pub stop: Option<&'a StopToken>,
}

impl<'a> HttpRequest<'a> {
    /// Starts a request without headers and body, with a timeout of 10 s and a limit of 32 MiB.
    pub fn new(method: HttpMethod, url: &'a str) -> Self {
        let timeout = Duration::from_secs(10);
        Self { method, url, headers: &[], body: None, timeout, limit: 32 << 20, stop: None }
    }

    /// Sets all [`headers`](Self::headers).
    pub fn headers(mut self, headers: &'a [(Cow<'a, str>, Cow<'a, str>)]) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the [`body`](Self::body).
    pub fn body(mut self, body: &'a [u8]) -> Self {
        self.body = Some(body);
        self
    }

    /// Sets the [`timeout`](Self::timeout); zero sends nothing and fails at once.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the [`limit`](Self::limit); zero takes empty bodies only.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Sets the token of [`stop`](Self::stop).
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
            .field("url", &self.url.split('?').next().unwrap_or_default())
            .field("headers", &Redacted(headers))
            .field("body", &self.body.map(<[u8]>::len))
            .field("timeout", &self.timeout)
            .field("limit", &self.limit)
            .finish()
    }
}

/// One answer, read to its end.
///
/// `Debug` shows the length of the body only, and redacts header values that may be secret.
#[non_exhaustive]
#[derive(Clone)]
pub struct HttpResponse {
    /// The status code, of any class.
    pub status: u16,
    /// Names (lowercase) and values.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// Makes an answer without headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Appends a header.
    ///
    /// ```
    /// use longrunning::http::HttpResponse;
    ///
    /// let answer = HttpResponse::new(503, "").with_header("Retry-After", "3");
    /// assert_eq!(answer.header("retry-after"), Some("3"));
    /// ```
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// The first value of the header `name`, which is compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(each, _)| each.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Returns the content type without its parameters; empty if there is none.
    pub(crate) fn media_type(&self) -> &str {
        self.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default().trim()
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.headers.iter().map(|(name, value)| (&**name, &**value));
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &Redacted(headers))
            .field("body", &self.body.len())
            .finish()
    }
}

/// Prints headers as a map, without the values that may be secret.
struct Redacted<I>(I);

impl<'a, I: Iterator<Item = (&'a str, &'a str)> + Clone> fmt::Debug for Redacted<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value)| (name, if is_sensitive(name) { "[redacted]" } else { value });
        f.debug_map().entries(self.0.clone().map(shown)).finish()
    }
}

/// Says whether the values of a header may be secret and must not be printed.
///
/// It goes by parts of the name, so that `x-goog-api-key`, `proxy-authorization` and a header of your own are all
/// covered. Every `Debug` of this module keeps to it.
///
/// ```
/// use longrunning::http::is_sensitive;
///
/// assert!(is_sensitive("Authorization") && is_sensitive("x-my-token"));
/// assert!(!is_sensitive("x-goog-user-project"));
/// ```
pub fn is_sensitive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["auth", "cookie", "key", "password", "secret", "signature", "token"]
        .iter()
        .any(|part| name.contains(part))
}

/// Reaches nobody: for tests that must not need the network.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Unplugged;

#[cfg(test)]
impl HttpClient for Unplugged {
    fn send(&self, _: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        Err(HttpError::new(HttpErrorKind::Connect, "unplugged"))
    }
}
