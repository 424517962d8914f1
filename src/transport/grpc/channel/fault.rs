//! The reasons why a call has no response, by whether it may be sent again.
//!
//! | fault | the request |
//! |---|---|
//! | `Unprocessed` | was not processed, so it may be sent again |
//! | `Stale` | was most likely not processed: may be sent again, unless it must be sent once |
//! | others | is for the retry loop to judge |

use h2::Reason;

use crate::http::{HttpError, HttpErrorKind};
use crate::net::peer::ServerAddress;

use super::super::frame;

/// The reason why there is no response.
#[derive(Debug)]
pub(in crate::transport::grpc) enum ChannelFault {
    /// The connection failed, or the deadline has passed.
    Failed(HttpError),
    /// The response is not exactly one message, or it is too large.
    Frame(frame::FrameFault),
    /// The server reset the stream with this code.
    Reset(Reason),
    /// A pooled connection was closed before a response began. The request may
    /// have been processed, though most likely the server has closed an idle
    /// connection.
    Stale(HttpError),
    /// The server has not processed the request, by its own word or because
    /// nothing was sent.
    Unprocessed(HttpError),
}

impl ChannelFault {
    /// Marks the failure as one before the request was handed over.
    pub(super) fn unsent(self) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(error.sent(false)),
            // The other faults know already what was sent.
            fault => fault,
        }
    }

    /// Changes the error of the connection, if it is one.
    pub(in crate::transport::grpc) fn map(self, change: impl FnOnce(HttpError) -> HttpError) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(change(error)),
            Self::Stale(error) => Self::Stale(change(error)),
            Self::Unprocessed(error) => Self::Unprocessed(change(error)),
            fault => fault,
        }
    }
}

/// Returns the error for a peer that breaks the rules of HTTP/2.
pub(super) fn improper(server: &ServerAddress) -> HttpError {
    let message = format!("response of {} is not valid HTTP/2", server.peer());
    HttpError::new(HttpErrorKind::Protocol, message)
}
