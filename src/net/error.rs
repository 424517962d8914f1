//! Why a connection could not be opened, and why an open one failed.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::util::redact::redacted;

/// Why a connection could not be opened, or TLS refused it afterwards.
///
/// `Display` is one line that names host and port; the cause stands in `source`
/// only.
#[derive(Clone, Debug)]
pub(crate) struct NetError {
    pub(crate) kind: NetErrorKind,
    pub(crate) message: String,
    /// Whether another connection may succeed without any change.
    pub(crate) transient: bool,
    pub(crate) source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetErrorKind {
    /// An open connection was closed by the peer.
    Closed,
    /// A setting is unusable.
    Config,
    /// No connection: refused, unreachable, or cut in the handshake.
    Connect,
    /// The peer speaks another protocol.
    Protocol,
    /// The proxy refused.
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
        let transient = matches!(kind, Closed | Connect | Resolve | Timeout);
        Self { kind, message: redacted(&message.into()).into_owned(), transient, source: None }
    }

    pub(crate) fn transient(mut self, transient: bool) -> Self {
        self.transient = transient;
        self
    }

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
/// Only the caller knows what the bytes were for, so only a failure that TLS
/// explains has a message of its own.
#[derive(Debug)]
pub(crate) enum ConnectionError {
    /// The operating system's, or the connection has ended.
    Io(io::Error),
    /// TLS says why.
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

/// Takes the error out again that [`ConnectionError::into_io`] has put in.
impl From<io::Error> for ConnectionError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
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
