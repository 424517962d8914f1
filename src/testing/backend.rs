//! The backend of the HTTP front ends: the order in which the parts of the
//! server handle a request.

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

/// The parts of a server that its front ends need, shared by all threads.
#[derive(Debug)]
pub(super) struct ServerBackend {
    pub(super) clock: Arc<VirtualClock>,
    pub(super) date: ServerDate,
    pub(super) log: Mutex<RequestLog>,
    pub(super) guard: Mutex<TokenGuard>,
    pub(super) script: Mutex<ReplyScript>,
    pub(super) tokens: TokenServers,
    pub(super) service: FakeService,
    pub(super) starts: Mutex<StartMethods>,
    pub(super) requests_per_connection: u64,
    pub(super) shutdown: ShutdownSignal,
}

/// A response without faults, of the token servers or of the service.
pub(super) enum UsualResponse {
    Http(FakeResponse),
    Rpc(RpcResponse),
}

impl ServerBackend {
    /// Records a request, with the call that it makes.
    pub(super) fn record(&self, parts: RequestParts) -> RecordedRequest {
        let mut request = RecordedRequest::new(parts);
        if request.call().is_none() && !self.is_start(&request) && !TokenServers::handles(&request) {
            let call = rest_call::read(&lock(&self.service.store), &request);
            request = request.with_call(call);
        }
        lock(&self.log).push(request.clone());
        request
    }

    /// Chooses the reply: tokens are checked first, then comes the script, then
    /// the operations.
    pub(super) fn reply_to(&self, request: &RecordedRequest) -> Reply {
        let check_issued = |token: &str| self.tokens.check_token(token, self.date.since_epoch());
        let denied = match TokenServers::handles(request) {
            true => None,
            false => lock(&self.guard).deny(request, check_issued),
        };
        let scripted = |request| lock(&self.script).take(request);
        denied.or_else(|| scripted(request)).unwrap_or_else(Reply::usual)
    }

    /// Responds to a request for which nothing is scripted.
    pub(super) fn respond(
        &self,
        request: &RecordedRequest,
        pause: &mut PauseFn<'_>,
    ) -> Result<UsualResponse, ExchangeEnd> {
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

    /// Starts the operation of a method that starts one, if the request calls
    /// it.
    pub(super) fn start(&self, request: &RecordedRequest) -> Option<RpcResponse> {
        match lock(&self.starts).take(request)? {
            StartedOperation::New(operation) => {
                let name = operation.name().to_owned();
                let mut store = lock(&self.service.store);
                store.insert(*operation, self.clock.moment());
                store.peek(&name, self.clock.moment())
            }
            StartedOperation::Known(name) => lock(&self.service.store).peek(&name, self.clock.moment()),
        }
        .map(|operation| RpcResponse::Operation(OperationView::new(operation)))
    }

    /// Starts the pauses of one exchange.
    pub(super) fn pauses(&self) -> AttemptPause<'_> {
        AttemptPause::new(&self.clock, &self.shutdown)
    }
}
