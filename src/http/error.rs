//! The error of an HTTP exchange, and what it means for the next attempt.
//!
//! Two questions decide about retries, and each error says both: whether the
//! server may have received the request ([`HttpError::was_sent`]), and whether
//! the same request may succeed later ([`HttpError::is_transient`]). A start is
//! repeated only if nothing was sent.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::net::error::{ConnectionError, NetError, NetErrorKind};
use crate::net::proxy::ProxyServer;
use crate::util::redact::redacted;

/// The reason why an exchange returned no response.
///
/// `Display` is one line that names the host. The error of the operating
/// system, of TLS or of the HTTP client is only available as
/// [`source`](StdError::source).
///
/// ```
/// use longrunning::http::{HttpError, HttpErrorKind};
///
/// // An HTTP client of a program returns this when it fails to connect.
/// let error = HttpError::new(HttpErrorKind::Connect, "failed to connect to example.com:443");
/// assert!(error.is_transient() && !error.was_sent());
/// ```
#[derive(Clone, Debug)]
pub struct HttpError {
    kind: HttpErrorKind,
    message: String,
    /// What [`was_sent`](Self::was_sent) returns.
    sent: bool,
    /// What [`is_transient`](Self::is_transient) returns.
    transient: bool,
    source: Option<Arc<dyn StdError + Send + Sync>>,
    /// The proxy that the request went through, and where its URL comes from.
    proxy: Option<String>,
    /// The status of a response whose body could not be read.
    http_status: Option<u16>,
}

/// The kind of failure of an exchange.
///
/// Each kind has a usual meaning for [`HttpError::was_sent`] and
/// [`HttpError::is_transient`]; an error may know better.
///
/// | kind | sent | transient |
/// |---|---|---|
/// | `Connect`, `Resolve` | no | yes |
/// | `Config`, `Proxy`, `Request`, `Tls` | no | no |
/// | `Interrupted`, `Timeout` | yes | yes |
/// | `Encoding`, `Protocol`, `Stopped`, `TooLarge` | yes | no |
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpErrorKind {
    /// The proxy setting is invalid. Not sent, permanent.
    Config,
    /// No connection: refused, unreachable, or closed during the handshake. Not
    /// sent, transient.
    Connect,
    /// The body is not encoded as its `content-encoding` says, or in a way that
    /// was not requested. Sent, permanent.
    Encoding,
    /// The connection broke after the request began, or the response was cut
    /// short or damaged. Sent, transient.
    Interrupted,
    /// The peer does not follow HTTP/1.1. Sent, permanent.
    Protocol,
    /// The proxy did not open a tunnel. Not sent, permanent unless the proxy
    /// says otherwise.
    Proxy,
    /// The request cannot be sent: its URL, or the name or value of a header,
    /// is invalid. Not sent, permanent.
    Request,
    /// The host name was not found (permanent), or the lookup failed
    /// (transient). Not sent.
    Resolve,
    /// Its [`StopToken`](crate::StopToken) ended the exchange. Sent unless
    /// known otherwise, permanent.
    Stopped,
    /// The deadline passed. Sent unless known otherwise, transient.
    Timeout,
    /// Certificate verification failed, or TLS could not be set up. Not sent,
    /// permanent.
    Tls,
    /// The response is larger than the limit; the connection was dropped. Sent,
    /// permanent.
    TooLarge,
}

impl HttpError {
    /// Creates an error. Its kind determines [`was_sent`](Self::was_sent) and
    /// [`is_transient`](Self::is_transient).
    ///
    /// `message` says what was attempted and with which host, on one line,
    /// without secrets.
    ///
    /// ```
    /// use longrunning::http::{HttpError, HttpErrorKind};
    ///
    /// let error = HttpError::new(HttpErrorKind::Timeout, "request to example.com:443 timed out");
    /// assert!(error.was_sent() && error.is_transient());
    /// ```
    pub fn new(kind: HttpErrorKind, message: impl Into<String>) -> Self {
        use HttpErrorKind::{Connect, Encoding, Interrupted, Protocol, Resolve, Stopped, Timeout, TooLarge};
        // The cautious choice: what is not known counts as sent.
        let sent = matches!(kind, Encoding | Interrupted | Protocol | Stopped | Timeout | TooLarge);
        let transient = matches!(kind, Connect | Interrupted | Resolve | Timeout);
        Self {
            kind,
            // Clients of programs make errors too, with messages that nothing
            // has checked.
            message: redacted(&message.into()).into_owned(),
            sent,
            transient,
            source: None,
            proxy: None,
            http_status: None,
        }
    }

    /// Sets whether the server may have received the request. Default: as for
    /// the kind.
    ///
    /// ```
    /// use longrunning::http::{HttpError, HttpErrorKind};
    ///
    /// let error = HttpError::new(HttpErrorKind::Timeout, "no free connection to example.com:443").sent(false);
    /// assert!(!error.was_sent());
    /// ```
    pub fn sent(mut self, sent: bool) -> Self {
        self.sent = sent;
        self
    }

    /// Sets whether the same request may succeed later. Default: as for the
    /// kind.
    ///
    /// ```
    /// use longrunning::http::{HttpError, HttpErrorKind};
    ///
    /// let error = HttpError::new(HttpErrorKind::Resolve, "no such host: example.invalid").transient(false);
    /// assert!(!error.is_transient());
    /// ```
    pub fn transient(mut self, transient: bool) -> Self {
        self.transient = transient;
        self
    }

    /// Sets the cause, which [`source`](StdError::source) returns.
    ///
    /// ```
    /// use std::error::Error;
    /// use longrunning::http::{HttpError, HttpErrorKind};
    ///
    /// let cause = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    /// let error = HttpError::new(HttpErrorKind::Connect, "failed to connect to example.com:443").with_source(cause);
    /// assert!(error.source().unwrap().to_string().contains("refused"));
    /// ```
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Returns the category of the error.
    ///
    /// ```
    /// use longrunning::http::{HttpError, HttpErrorKind};
    ///
    /// assert_eq!(HttpError::new(HttpErrorKind::Tls, "unknown issuer").kind(), HttpErrorKind::Tls);
    /// ```
    pub fn kind(&self) -> HttpErrorKind {
        self.kind
    }

    /// Returns whether bytes of the request may have reached the server.
    ///
    /// `false` is certain: nothing was sent. `true` may mean that the server
    /// has acted.
    ///
    /// ```
    /// use longrunning::http::{HttpError, HttpErrorKind};
    ///
    /// assert!(HttpError::new(HttpErrorKind::Interrupted, "connection closed").was_sent());
    /// assert!(!HttpError::new(HttpErrorKind::Connect, "connection refused").was_sent());
    /// ```
    pub fn was_sent(&self) -> bool {
        self.sent
    }

    /// Returns whether the same request may succeed later without any change.
    ///
    /// ```
    /// use longrunning::http::{HttpError, HttpErrorKind};
    ///
    /// assert!(HttpError::new(HttpErrorKind::Timeout, "timed out").is_transient());
    /// assert!(!HttpError::new(HttpErrorKind::Tls, "unknown issuer").is_transient());
    /// ```
    pub fn is_transient(&self) -> bool {
        self.transient
    }

    /// Returns the status of a response whose body could not be read.
    pub(crate) fn http_status(&self) -> Option<u16> {
        self.http_status
    }

    /// Sets the status of the response, if the response failed and not the
    /// request.
    pub(crate) fn in_response(mut self, status: u16) -> Self {
        // Other kinds fail before the status is read.
        let is_response = matches!(
            self.kind,
            HttpErrorKind::Encoding | HttpErrorKind::Interrupted | HttpErrorKind::TooLarge
        );
        self.http_status = is_response.then_some(status);
        self
    }

    /// Adds to the message: `MESSAGE: what`.
    #[cfg(feature = "grpc")]
    pub(crate) fn note(mut self, what: &str) -> Self {
        self.message = format!("{}: {what}", self.message);
        self
    }

    /// Creates the error for a request of which at least a part was sent, when
    /// the connection failed before a response.
    pub(crate) fn no_response(error: ConnectionError, peer: &dyn fmt::Display) -> Self {
        match error {
            ConnectionError::Timeout => {
                Self::new(HttpErrorKind::Timeout, format!("timed out waiting for a response of {peer}"))
            }
            ConnectionError::Io(error) => {
                let message = format!("{peer} closed the connection before a response");
                Self::new(HttpErrorKind::Interrupted, message).with_source(error)
            }
            other => Self::ended(other),
        }
    }

    /// Creates the error for a response that began, and ended early.
    pub(crate) fn cut_short(error: ConnectionError, peer: &dyn fmt::Display) -> Self {
        match error {
            ConnectionError::Timeout => {
                Self::new(HttpErrorKind::Timeout, format!("timed out reading the response of {peer}"))
            }
            ConnectionError::Io(error) => {
                Self::new(HttpErrorKind::Interrupted, format!("response of {peer} was cut short"))
                    .with_source(error)
            }
            other => Self::ended(other),
        }
    }

    /// Creates the error for what can end a request at any time: TLS, or a stop
    /// token.
    fn ended(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Refused(error) => Self::from(error).sent(true),
            _ => Self::new(HttpErrorKind::Stopped, "stopped while waiting for a response"),
        }
    }

    /// Returns the error for a request that got no permit to connect in time.
    /// It was certainly not sent.
    pub(crate) fn no_permit(error: ConnectionError, peer: &dyn fmt::Display) -> Self {
        let error = match error {
            ConnectionError::Stopped => {
                Self::new(HttpErrorKind::Stopped, "stopped while waiting for a free connection")
            }
            _ => {
                let message = format!("no connection to {peer} was free in time: see `max_connections`");
                Self::new(HttpErrorKind::Timeout, message)
            }
        };
        error.sent(false)
    }

    /// Adds the proxy that the request went through, because it may be the
    /// cause.
    pub(crate) fn through(self, proxy: Option<&ProxyServer>) -> Self {
        // A request that is invalid did not reach the proxy.
        let proxy = proxy.filter(|_| self.kind != HttpErrorKind::Request).map(ToString::to_string);
        Self { proxy, ..self }
    }

    /// Returns the proxy that the request went through: `proxy HOST:PORT, set
    /// by ORIGIN`.
    pub(crate) fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// Returns the cause, for an error of another layer with the same cause.
    pub(crate) fn into_source(self) -> Option<Arc<dyn StdError + Send + Sync>> {
        self.source
    }
}

/// Converts an error from before the request. Nothing was sent: the errors of
/// an open connection are `ConnectionError`s.
impl From<NetError> for HttpError {
    fn from(error: NetError) -> Self {
        let kind = match error.kind {
            NetErrorKind::Closed => HttpErrorKind::Interrupted,
            NetErrorKind::Config => HttpErrorKind::Config,
            NetErrorKind::Connect => HttpErrorKind::Connect,
            NetErrorKind::Protocol => HttpErrorKind::Protocol,
            NetErrorKind::Proxy => HttpErrorKind::Proxy,
            NetErrorKind::Resolve => HttpErrorKind::Resolve,
            NetErrorKind::Stopped => HttpErrorKind::Stopped,
            NetErrorKind::Timeout => HttpErrorKind::Timeout,
            NetErrorKind::Tls => HttpErrorKind::Tls,
        };
        let NetError { message, transient, source, .. } = error;
        Self { source, ..Self::new(kind, message).sent(false).transient(transient) }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.proxy.as_ref().map_or(Ok(()), |proxy| write!(f, " ({proxy})"))
    }
}

impl StdError for HttpError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}
