//! From an error of h2 or of the connection to the fault of a call.
//!
//! h2 reports what happened; whether the request may be sent again also depends
//! on whether a response had begun, and on whether the connection was reused.

use h2::Reason;

use crate::http::{HttpError, HttpErrorKind};
use crate::net::error::ConnectionError;

use super::GrpcChannel;
use super::fault::{ChannelFault, improper};

impl GrpcChannel {
    /// Returns the fault if h2 does not accept a request.
    pub(super) fn not_sent(&self, error: h2::Error) -> ChannelFault {
        // h2 has sent nothing, so another connection may carry the request. If none of
        // this holds, h2 rejects the request itself, and would do so again.
        if self.was_used || error.is_io() || error.is_go_away() || error.is_reset() {
            return ChannelFault::Unprocessed(self.closed(false).sent(false).with_source(error));
        }
        let message = format!("cannot send this request to {}", self.server.peer());
        ChannelFault::Failed(HttpError::new(HttpErrorKind::Request, message).with_source(error))
    }

    /// Returns the fault if a call fails that was sent.
    ///
    /// | error of h2 | fault |
    /// |---|---|
    /// | `RST_STREAM` with `REFUSED_STREAM`, before a response | `Unprocessed` |
    /// | `RST_STREAM` | `Reset` |
    /// | `GOAWAY` below this stream, before a response | `Unprocessed` |
    /// | the connection ended | `Stale` or `Failed` |
    /// | the peer breaks the protocol | `Failed` |
    pub(super) fn fault(&self, error: h2::Error, begun: bool) -> ChannelFault {
        let reason = error.reason().unwrap_or(Reason::NO_ERROR);
        if error.is_reset() && error.is_remote() {
            // A reset that refuses the stream proves that nothing was processed
            // (RFC 9113 section 8.7). Every other one may come from the method
            // itself.
            return match reason {
                Reason::REFUSED_STREAM if !begun => ChannelFault::Unprocessed(
                    self.unprocessed("refused the call: it takes no more at a time"),
                ),
                reason => ChannelFault::Reset(reason),
            };
        }
        // h2 reports this for streams above the last one that the peer will process.
        // When the connection has ended, it reports it for streams below that
        // too.
        if error.is_go_away() && error.is_remote() && !begun && !self.pipe.lock().has_ended {
            let what = match reason {
                Reason::NO_ERROR => "is closing the connection",
                _ => "closed the connection",
            };
            return ChannelFault::Unprocessed(self.with_farewell(self.unprocessed(what)));
        }
        if error.is_io() {
            return self.lost(self.closed(begun).with_source(error), begun);
        }
        if error.is_go_away() && error.is_remote() {
            // Not as the source: h2 prints all of the debug data.
            return self.lost(self.closed(begun), begun);
        }
        ChannelFault::Failed(self.improper().with_source(error))
    }

    /// Returns the error for a call that the peer has certainly not acted on.
    pub(super) fn unprocessed(&self, what: &str) -> HttpError {
        HttpError::new(HttpErrorKind::Interrupted, format!("{} {what}", self.server.peer())).sent(false)
    }

    /// Returns the error for a peer that breaks the rules of HTTP/2, with a
    /// note if it responds in HTTP/1.
    pub(super) fn improper(&self) -> HttpError {
        let error = improper(&self.server);
        if !self.watch.is_http1() {
            return error;
        }
        error.note(
            "the server responds in HTTP/1.1, and gRPC needs HTTP/2 (of a port with TLS, use `https://`)",
        )
    }

    /// Adds the code and the text of the last `GOAWAY`, if there was one.
    pub(super) fn with_farewell(&self, error: HttpError) -> HttpError {
        match self.watch.go_away() {
            Some(go_away) => error.note(&go_away.to_string()),
            None => error,
        }
    }

    /// Returns the error for a connection that the peer has closed in the
    /// middle of a call.
    pub(super) fn closed(&self, begun: bool) -> HttpError {
        self.failed(ConnectionError::closed(), begun)
    }

    /// Returns the error of an exchange for that of the connection; `begun`
    /// says whether a response has begun.
    pub(super) fn failed(&self, error: ConnectionError, begun: bool) -> HttpError {
        let peer = self.server.peer();
        if begun { HttpError::cut_short(error, &peer) } else { HttpError::no_response(error, &peer) }
    }

    /// Returns the fault for a connection that failed during a call.
    pub(super) fn lost(&self, error: HttpError, begun: bool) -> ChannelFault {
        // A timeout is not explained by a `GOAWAY` that came before it.
        let is_closed = error.kind() == HttpErrorKind::Interrupted;
        let error = if is_closed { self.with_farewell(error) } else { error };
        // Servers close idle connections at any time. That explains a loss only on a
        // reused connection and before the response.
        match self.was_used && !begun && error.kind() == HttpErrorKind::Interrupted {
            true => ChannelFault::Stale(error),
            false => ChannelFault::Failed(error),
        }
    }
}
