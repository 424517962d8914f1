//! Converts the errors of ureq into those of
//! [`HttpClient`](crate::http::HttpClient).

use std::error::Error as StdError;
use std::fmt;

use crate::http::error::{HttpError, HttpErrorKind};
use crate::net::error::{ConnectionError, NetError};
use crate::net::peer::Peer;

/// A pooled connection failed before the first byte of the response: the server
/// closed it in the meantime, or (when this holds a timeout) something in
/// between forgot it.
#[derive(Debug)]
pub(super) struct Stale(pub(super) ConnectionError);

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Stale {}

/// Why there is no response.
pub(super) enum UreqFailure {
    /// A pooled connection failed before the response began.
    Stale(ConnectionError),
    Final(HttpError),
}

impl UreqFailure {
    pub(super) fn of(error: ureq::Error, peer: &Peer<'_>) -> Self {
        let ureq::Error::Other(error) = error else {
            return Self::Final(unanswered(error, peer));
        };
        match error.downcast::<Stale>() {
            Ok(stale) => Self::Stale(stale.0),
            Err(error) => Self::Final(unanswered(ureq::Error::Other(error), peer)),
        }
    }

    pub(super) fn into_error(self, peer: &Peer<'_>) -> HttpError {
        match self {
            Self::Stale(error) => HttpError::unanswered(error, peer),
            Self::Final(error) => error,
        }
    }
}

/// The layer that failed: the connection, opening it, or ureq itself.
enum UreqCause {
    /// An open connection.
    Connection(ConnectionError),
    /// Opening one.
    Net(NetError),
    Ureq(ureq::Error),
}

impl From<ureq::Error> for UreqCause {
    fn from(error: ureq::Error) -> Self {
        let error = match error {
            ureq::Error::Other(error) => error,
            ureq::Error::Io(error) => return Self::Connection(error.into()),
            error => return Self::Ureq(error),
        };
        match error.downcast::<ConnectionError>() {
            Ok(error) => Self::Connection(*error),
            Err(error) => match error.downcast::<NetError>() {
                Ok(error) => Self::Net(*error),
                Err(error) => Self::Ureq(ureq::Error::Other(error)),
            },
        }
    }
}

/// Returns the error for a request that was sent, at least in part, and has no
/// response.
fn unanswered(error: ureq::Error, peer: &Peer<'_>) -> HttpError {
    let refuse = |kind, message: String| HttpError::new(kind, message);
    let error = match UreqCause::from(error) {
        UreqCause::Connection(error) => return HttpError::unanswered(error, peer),
        UreqCause::Net(error) => return error.into(),
        UreqCause::Ureq(error) => error,
    };
    match error {
        ureq::Error::LargeResponseHeader(..) => {
            let message = format!("{peer} sent more than {MAX_HEADER} bytes of headers");
            refuse(HttpErrorKind::Protocol, message)
        }
        // Recognised by its text: only ureq depends on the crate that has the type.
        ureq::Error::Protocol(error) if error.to_string().contains("too many headers") => {
            let message = format!("{peer} sent more than {MAX_HEADERS} headers");
            refuse(HttpErrorKind::Protocol, message).with_source(error)
        }
        ureq::Error::Protocol(error) => {
            let message = format!("response of {peer} is not valid HTTP/1.1");
            refuse(HttpErrorKind::Protocol, message).with_source(error)
        }
        error @ (ureq::Error::Http(_) | ureq::Error::BadUri(_)) => {
            let message = format!("cannot send this request to {peer}");
            refuse(HttpErrorKind::Request, message).with_source(error)
        }
        error => refuse(HttpErrorKind::Interrupted, format!("request to {peer} failed")).with_source(error),
    }
}

/// Returns the error for a response that began with a success status and was
/// cut short.
pub(super) fn cut_short(error: ureq::Error, peer: &Peer<'_>) -> HttpError {
    match UreqCause::from(error) {
        UreqCause::Connection(error) => HttpError::cut_short(error, peer),
        UreqCause::Net(error) => error.into(),
        UreqCause::Ureq(error) => {
            let message = format!("response of {peer} was cut short");
            HttpError::new(HttpErrorKind::Interrupted, message).with_source(error)
        }
    }
}

/// Bytes of the headers of a response.
pub(super) const MAX_HEADER: usize = 64 * 1024;

/// Fixed in `ureq_proto`.
const MAX_HEADERS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_say_what_was_waited_for() {
        let peer = Peer { tls: true, host: "example.com", port: 443 };
        let timeout = || ureq::Error::Other(Box::new(ConnectionError::Timeout));
        for (error, message) in [
            (unanswered(timeout(), &peer), "timed out waiting for a response of example.com:443"),
            (cut_short(timeout(), &peer), "timed out reading the response of example.com:443"),
        ] {
            assert_eq!(error.to_string(), message);
            assert_eq!(
                (error.kind(), error.was_sent(), error.is_transient()),
                (HttpErrorKind::Timeout, true, true)
            );
        }
    }
}
