//! Converts the errors of ureq into [`HttpError`].
//!
//! Errors of `net` go through ureq unchanged, in a box. They are taken out
//! here, so that their kinds and messages are the same as over gRPC.

use std::error::Error as StdError;
use std::fmt;

use crate::http::error::{HttpError, HttpErrorKind};
use crate::net::error::{ConnectionError, NetError};
use crate::net::peer::Peer;

/// A pooled connection failed before the first byte of the response: the server
/// has closed it, or (if this holds a timeout) something on the way has
/// forgotten it.
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
    /// Any other error.
    Final(HttpError),
}

impl UreqFailure {
    /// Classifies an error of ureq.
    pub(super) fn of(error: ureq::Error, peer: &Peer<'_>) -> Self {
        let ureq::Error::Other(error) = error else {
            return Self::Final(without_response(error, peer));
        };
        match error.downcast::<Stale>() {
            Ok(stale) => Self::Stale(stale.0),
            Err(error) => Self::Final(without_response(ureq::Error::Other(error), peer)),
        }
    }

    /// Returns the error for the caller, when nothing is sent again.
    pub(super) fn into_error(self, peer: &Peer<'_>) -> HttpError {
        match self {
            Self::Stale(error) => HttpError::no_response(error, peer),
            Self::Final(error) => error,
        }
    }
}

/// The layer that failed: an open connection, opening one, or ureq itself.
enum UreqCause {
    /// An open connection.
    Connection(ConnectionError),
    /// Opening one.
    Net(NetError),
    /// ureq: the response is invalid, or the request.
    Ureq(ureq::Error),
}

impl From<ureq::Error> for UreqCause {
    fn from(error: ureq::Error) -> Self {
        let error = match error {
            ureq::Error::Other(error) => error,
            // Also errors that went through `std::io` as `ConnectionError`s.
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

/// Returns the error for an exchange that has no response.
fn without_response(error: ureq::Error, peer: &Peer<'_>) -> HttpError {
    let refuse = |kind, message: String| HttpError::new(kind, message);
    let error = match UreqCause::from(error) {
        UreqCause::Connection(error) => return HttpError::no_response(error, peer),
        // Opening a connection failed, so nothing was sent.
        UreqCause::Net(error) => return error.into(),
        UreqCause::Ureq(error) => error,
    };
    match error {
        ureq::Error::LargeResponseHeader(..) => {
            let message = format!("{peer} sent more than {MAX_HEADER} bytes of headers");
            refuse(HttpErrorKind::Protocol, message)
        }
        // Recognised by its text, because only ureq depends on the crate that
        // has the type.
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
        // What ureq may add in later versions: the cautious choice is that the
        // request was sent.
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

/// The largest size of the headers of a response, in bytes.
pub(super) const MAX_HEADER: usize = 64 * 1024;

/// The most headers of a response, a constant of `ureq_proto`.
const MAX_HEADERS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_say_what_was_waited_for() {
        let peer = Peer { tls: true, host: "example.com", port: 443 };
        let timeout = || ureq::Error::Other(Box::new(ConnectionError::Timeout));
        for (error, message) in [
            (without_response(timeout(), &peer), "timed out waiting for a response of example.com:443"),
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
