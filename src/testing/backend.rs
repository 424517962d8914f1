//! The part of the server that both versions of HTTP share: it records a
//! request and decides on the response.
//!
//! For each request, a connection calls in this order:
//!
//! 1. [`record`](ServerBackend::record), which finds out which method the
//!    request calls and appends it to the log,
//! 2. [`reply_to`](ServerBackend::reply_to), which chooses the reply,
//! 3. [`respond`](ServerBackend::respond), only if that reply is
//!    [`Reply::usual`]: the request then has its effect on the operations or
//!    the token servers. A scripted response of any other kind leaves them as
//!    they are.
//!
//! Every part has a lock of its own. A lock is held while a value is read or
//! changed, never while time passes or bytes are sent, so a response that is
//! held back blocks no other connection.

use std::sync::{Arc, Mutex};

use super::auth::TokenServers;
use super::clock::VirtualClock;
use super::date::ServerDate;
use super::guard::TokenGuard;
use super::http_response::FakeResponse;
use super::log::RequestLog;
use super::pause::{AttemptPause, ExchangeEnd};
use super::reply::Reply;
use super::request::{RecordedRequest, RequestParts};
use super::rest_call;
use super::rpc_response::{OperationView, RpcResponse};
use super::script::ReplyScript;
use super::service::{FakeService, PauseFn, no_method};
use super::socket::ShutdownSignal;
use super::start::{StartMethods, StartedOperation};
use crate::util::sync::lock;

/// The state of a server, shared by the [`FakeServer`](super::FakeServer) and
/// the threads of its connections.
#[derive(Debug)]
pub(super) struct ServerBackend {
    /// Also the clock of the server's client.
    pub(super) clock: Arc<VirtualClock>,
    /// The time that the `date` header says, which need not be that of the
    /// clock.
    pub(super) date: ServerDate,
    pub(super) log: Mutex<RequestLog>,
    /// Whether requests need an access token.
    pub(super) guard: Mutex<TokenGuard>,
    pub(super) script: Mutex<ReplyScript>,
    /// Has a lock inside.
    pub(super) tokens: TokenServers,
    pub(super) service: FakeService,
    /// The methods that a test has added to start operations.
    pub(super) starts: Mutex<StartMethods>,
    /// From 1; the response to the last request announces the end of the
    /// connection.
    pub(super) requests_per_connection: u64,
    /// Set when the server is dropped.
    pub(super) shutdown: ShutdownSignal,
}

/// A response without faults.
pub(super) enum UsualResponse {
    /// Of a token server, which always speaks plain HTTP.
    Http(FakeResponse),
    /// Of the service: the transport decides how it is encoded.
    Rpc(RpcResponse),
}

impl ServerBackend {
    /// Appends a request to the log, and returns it with the call that it
    /// makes.
    ///
    /// The call of a gRPC request is known already. That of a REST request
    /// depends on the operations that exist, see [`rest_call`].
    pub(super) fn record(&self, parts: RequestParts) -> RecordedRequest {
        let mut request = RecordedRequest::new(parts);
        if request.call().is_none() && !self.is_start(&request) && !TokenServers::handles(&request) {
            // Methods that start operations are looked up first: a test may add
            // one under any path, even one that looks like an operation.
            let call = rest_call::read(&lock(&self.service.store), &request);
            request = request.with_call(call);
        }
        lock(&self.log).push(request.clone());
        request
    }

    /// Chooses the reply: 401 if the access token is missing or invalid, else
    /// the scripted reply, else the usual response.
    ///
    /// Requests to token servers need no access token, but can be scripted too.
    pub(super) fn reply_to(&self, request: &RecordedRequest) -> Reply {
        // The token servers and the guard go by the date of the server, which a
        // test may shift, not by the elapsed time.
        let check_issued = |token: &str| self.tokens.check_token(token, self.date.since_epoch());
        let denied = match TokenServers::handles(request) {
            true => None,
            false => lock(&self.guard).deny(request, check_issued),
        };
        let scripted = |request| lock(&self.script).take(request);
        // A denied request does not use up a scripted reply.
        denied.or_else(|| scripted(request)).unwrap_or_else(Reply::usual)
    }

    /// Performs a request for which nothing is scripted, and returns its
    /// response.
    ///
    /// `pause` is called when the response is due later, as with WaitOperation;
    /// its error ends the exchange without a response.
    pub(super) fn respond(
        &self,
        request: &RecordedRequest,
        pause: &mut PauseFn<'_>,
    ) -> Result<UsualResponse, ExchangeEnd> {
        // First, because their paths would otherwise be read as names of
        // operations.
        if let Some(response) = self.tokens.respond(request, self.date.since_epoch()) {
            return Ok(UsualResponse::Http(response));
        }
        let response = match request.call() {
            Some(call) => self.service.respond(call, pause)?,
            None => self.start(request).unwrap_or_else(|| no_method(request)),
        };
        Ok(UsualResponse::Rpc(response))
    }

    /// Returns whether a request calls a method that starts an operation.
    pub(super) fn is_start(&self, request: &RecordedRequest) -> bool {
        lock(&self.starts).has(request)
    }

    /// Starts an operation, if the request calls a method that does, and
    /// returns its first state. `None` if it calls none, or if the operation
    /// that its request id has started was deleted since.
    pub(super) fn start(&self, request: &RecordedRequest) -> Option<RpcResponse> {
        // The counter of the method and the operation change under one lock, so
        // two concurrent starts get two names.
        match lock(&self.starts).take(request)? {
            StartedOperation::New(operation) => {
                let name = operation.name().to_owned();
                let mut store = lock(&self.service.store);
                store.insert(*operation, self.clock.moment());
                // The first state is not a poll: `done_at_poll(1)` ends the
                // operation at the first get.
                store.peek(&name, self.clock.moment())
            }
            StartedOperation::Known(name) => lock(&self.service.store).peek(&name, self.clock.moment()),
        }
        .map(|operation| RpcResponse::Operation(OperationView::new(operation)))
    }

    /// Returns the timer of one exchange, with the remaining time that the
    /// client's attempt has now.
    pub(super) fn pauses(&self) -> AttemptPause<'_> {
        AttemptPause::new(&self.clock, &self.shutdown)
    }
}
