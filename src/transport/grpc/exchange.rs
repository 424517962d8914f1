//! One attempt: token, request, response, and one replay with a fresh token
//! after `UNAUTHENTICATED`.
//!
//! This is the counterpart of `rest/exchange`, with the same order, the same
//! deadline and the same errors. In addition it interprets the end of the
//! deadline: the server enforces the timeout in the request too, and which side
//! ends the call first is chance.

use std::time::Instant;

use bytes::Bytes;
use http::Request;

use crate::error::Error;
use crate::http::{HttpError, HttpErrorKind};
use crate::net::connection::IoLimit;
use crate::net::peer::Peer;
use crate::transport::{Attempt, Headers, ServiceParts};
use crate::types::Code;
use crate::util::clock::deadline;
use crate::util::excerpt::shown_name;

use super::channel::{ChannelFault, GrpcResponse};
use super::frame::{self, OversizeMessage};
use super::metadata::{reserve, sign};
use super::pool::GrpcCall;
use super::{GrpcTransport, status};

/// A call with one request message and one response message.
pub(super) struct UnaryCall<'a> {
    /// The name of the operation or the path of the start, for the log.
    pub(super) name: &'a str,
    /// The framed request message.
    pub(super) message: &'a Bytes,
    /// Whether the response message is empty by definition, so that it may be
    /// missing.
    pub(super) is_acknowledged: bool,
    /// Whether the request must be sent at most once.
    pub(super) once: bool,
}

impl GrpcTransport {
    /// Returns the bytes of the response's message.
    ///
    /// # Errors
    ///
    /// `Config` for headers that must not be sent, `Auth` for the token, and
    /// whatever the response says, with the URL of the method.
    pub(super) fn exchange(
        &self,
        mut head: Request<()>,
        call: &UnaryCall<'_>,
        attempt: &Attempt<'_>,
    ) -> Result<Vec<u8>, Error> {
        let ServiceParts { authorizer, clock, .. } = &self.service;
        self.service.check(attempt)?;
        let deadline = deadline(clock.now(), attempt.timeout());
        let mut replayed = false;
        loop {
            let authorization = authorizer.authorization(deadline, attempt.stop())?;
            // The head is made once. Only the credentials in it are replaced
            // for the replay.
            sign(&mut head, authorization.as_ref())?;
            let start = clock.now();
            let sent = self.send(call, &head, attempt, deadline);
            log::debug!(
                "gRPC: {} `{}`: {} after {} ms",
                head.uri(),
                shown_name(call.name),
                sent.as_ref().map_or_else(Error::to_string, |_| "status OK".to_owned()),
                clock.now().saturating_duration_since(start).as_millis()
            );
            let error = match sent {
                Err(error) => error,
                response => return response,
            };
            // Once only: a token may have been revoked before it expired, but a fresh one
            // that is rejected will be rejected again.
            let is_rejected = error.code() == Some(Code::Unauthenticated) && !replayed;
            let rejected = authorization.filter(|_| is_rejected);
            if rejected.is_some_and(|rejected| authorizer.invalidate(rejected.generation())) {
                log::debug!(
                    "`{}`: UNAUTHENTICATED, trying once more with a fresh token",
                    shown_name(call.name)
                );
                replayed = true;
                continue;
            }
            return Err(authorizer.explain(error.with_url(&head.uri().to_string())));
        }
    }

    /// Makes one call and returns its message.
    ///
    /// # Errors
    ///
    /// `Timeout` if the deadline has passed, or if the server ended the call
    /// within the reserve before it; otherwise what the pool, the frame or the
    /// status says.
    fn send(
        &self,
        call: &UnaryCall<'_>,
        head: &Request<()>,
        attempt: &Attempt<'_>,
        deadline: Instant,
    ) -> Result<Vec<u8>, Error> {
        let ServiceParts { endpoint, clock, .. } = &self.service;
        // By the clock of the client, which may be virtual. `io` has the same
        // deadline by the clock of sockets.
        let left = || deadline.saturating_duration_since(clock.now());
        // What is left when the request is made, by which the reserve of the
        // server's timeout is computed.
        let (host, granted) = (endpoint.authority(), left());
        if granted.is_zero() {
            return Err(Error::attempt_timed_out(host, false));
        }
        let io = IoLimit::new(clock.socket_deadline(deadline), attempt.stop());
        let UnaryCall { message, once, .. } = *call;
        let sent = GrpcCall { head, message, limit: self.options.message_limit, io, left: &left, once };
        let response = self.pool.call(&sent);
        // Before the status is read, so that the observer sees the metadata of
        // errors too.
        let response = response.inspect(|response| attempt.observe_response(|| metadata(response)));
        let error = match response.map(|response| status::read(response, host, clock.wall())) {
            Ok(Ok(message)) => return Ok(message),
            Ok(Err(fault)) | Err(ChannelFault::Frame(fault)) => match fault {
                frame::FrameFault::Wrong(error) => error,
                frame::FrameFault::Oversize(oversize) => too_large(self.pool.peer(), oversize),
                // An acknowledgement has no content anyway: without a message it is a success, as over REST.
                frame::FrameFault::Empty if call.is_acknowledged => {
                    return Ok(Vec::new());
                }
                frame::FrameFault::Empty => Error::response_cut("the response is empty"),
            },
            Err(ChannelFault::Reset(reason)) => status::reset(reason),
            Err(
                ChannelFault::Failed(error) | ChannelFault::Stale(error) | ChannelFault::Unprocessed(error),
            ) => {
                return Err(match left().is_zero() {
                    // As over REST: what ends after its time was up has run out of time, whatever ended it.
                    true => Error::ended_late(host, error),
                    false => error.into(),
                });
            }
        };
        // The server enforces the timeout in the request, and may be a little
        // early: its clock and ours may differ by a twentieth of the timeout.
        // An earlier `DEADLINE_EXCEEDED` or `CANCELLED` is its own decision.
        let is_end = matches!(error.code(), Some(Code::Cancelled | Code::DeadlineExceeded));
        match is_end && left() <= reserve(granted) + granted / 20 {
            true => Err(Error::attempt_timed_out(host, true).caused_by_end(error)),
            false => Err(error),
        }
    }
}

/// Returns the initial and the trailing metadata, in this order. Invalid UTF-8
/// is replaced.
fn metadata(response: &GrpcResponse) -> Headers {
    let entries = response.headers.iter().chain(&response.trailers);
    entries.map(|(name, value)| (name, String::from_utf8_lossy(value.as_bytes()))).collect()
}

/// Returns the error for a message larger than the limit, and the option that
/// raises it.
fn too_large(peer: Peer<'_>, OversizeMessage { length, limit }: OversizeMessage) -> Error {
    let length = length.map(|length| format!(" of {length} bytes")).unwrap_or_default();
    let message = format!(
        "response{length} of {peer} is larger than the limit of {limit} bytes: `message_limit` raises it"
    );
    HttpError::new(HttpErrorKind::TooLarge, message).into()
}
