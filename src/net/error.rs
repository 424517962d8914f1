//! Why a connection could not be opened, and why an open one failed.
//!
//! There are two types, because only the caller of an open connection knows
//! what its bytes were for:
//!
//! ```text
//! opening    NetError         a kind, and a message that names the server
//! open       ConnectionError  mostly the error of the operating system
//! ```
//!
//! `http` and gRPC turn both into their own errors. Nothing above this layer
//! sees an error of rustls except as `source`.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::util::redact::redacted;

/// Why a connection could not be opened, or why TLS refused it afterwards.
///
/// `Display` is one line that names host and port. The cause is only in
/// `source`, so that chains do not print it twice.
#[derive(Clone, Debug)]
pub(crate) struct NetError {
    /// The step that failed.
    pub(crate) kind: NetErrorKind,
    /// What `Display` prints; redacted when the error is made.
    pub(crate) message: String,
    /// Whether another connection may succeed without any change.
    pub(crate) transient: bool,
    /// The cause, shared because errors are cloned: several callers wait for
    /// one lookup.
    pub(crate) source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The step that failed.
///
/// `HttpErrorKind` has the same kinds, with `Interrupted` for
/// [`Closed`](Self::Closed), and gRPC maps them to the same public errors. A
/// kind is transient by default if the failure depends on the moment or on the
/// other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetErrorKind {
    /// An open connection was closed by the peer.
    Closed,
    /// An option is invalid.
    Config,
    /// No connection: refused, unreachable, or closed during the handshake.
    Connect,
    /// The peer uses another protocol.
    Protocol,
    /// The proxy did not open a tunnel.
    Proxy,
    /// The host name was not found, or the lookup failed.
    Resolve,
    /// The stop token was stopped.
    Stopped,
    /// The deadline passed.
    Timeout,
    /// Certificate verification failed, or TLS could not be set up.
    Tls,
}

impl NetError {
    /// Creates an error that is transient if errors of its kind usually are.
    pub(crate) fn new(kind: NetErrorKind, message: impl Into<String>) -> Self {
        use NetErrorKind::{Closed, Connect, Resolve, Timeout};
        // What depends on the moment or on the other side, and not on options,
        // certificates or the request.
        let transient = matches!(kind, Closed | Connect | Resolve | Timeout);
        // Messages have host names and paths of users in them, and either may
        // be a secret in the wrong place.
        Self { kind, message: redacted(&message.into()).into_owned(), transient, source: None }
    }

    /// Sets whether another connection may succeed without any change.
    pub(crate) fn transient(mut self, transient: bool) -> Self {
        self.transient = transient;
        self
    }

    /// Sets the cause.
    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for NetError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

/// Why a read or a write on a connection failed.
///
/// Only the caller knows what the bytes were for, so only an error that TLS
/// explains has a message of its own.
#[derive(Debug)]
pub(crate) enum ConnectionError {
    /// The error of the operating system, or the connection has ended.
    Io(io::Error),
    /// TLS, the proxy or the DNS lookup says why.
    Refused(NetError),
    /// The stop token was stopped.
    Stopped,
    /// The deadline passed.
    Timeout,
}

impl ConnectionError {
    /// Returns the error for a connection that the peer has closed.
    pub(crate) fn closed() -> Self {
        Self::Io(io::ErrorKind::UnexpectedEof.into())
    }

    /// Carries the error through an interface that knows [`io::Error`] only.
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Io(error) => error,
            error => io::Error::other(error),
        }
    }
}

/// Takes out the error that [`ConnectionError::into_io`] has put in.
impl From<io::Error> for ConnectionError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            // It went through rustls or a parser, which know only `io::Error`.
            Ok(error) => error,
            Err(error) => Self::Io(error),
        }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Refused(error) => error.fmt(f),
            Self::Stopped => f.write_str("stopped"),
            Self::Timeout => f.write_str("timed out"),
        }
    }
}

impl StdError for ConnectionError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Io(error) => error.source(),
            Self::Refused(error) => error.source(),
            Self::Stopped | Self::Timeout => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_passed_on() {
        let cause = || io::Error::other("cause");
        let refused = || NetError::new(NetErrorKind::Tls, "refused").with_source(cause());
        let rows: [(Box<dyn StdError>, Option<&str>); 5] = [
            (Box::new(refused()), Some("cause")),
            (Box::new(ConnectionError::Refused(refused())), Some("cause")),
            (Box::new(ConnectionError::Io(io::Error::other(refused()))), Some("cause")),
            (Box::new(ConnectionError::Stopped), None),
            (Box::new(ConnectionError::closed()), None),
        ];
        for (error, source) in rows {
            assert_eq!(error.source().map(ToString::to_string).as_deref(), source, "{error:?}");
        }
    }
}
