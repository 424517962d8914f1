//! The five requests, and how one attempt of each is made.
//!
//! A request is a message of `google.longrunning`. What differs between the
//! methods is here: which method of the transport sends it, and what a second
//! attempt means.
//!
//! | | after an attempt that may have reached the server |
//! |---|---|
//! | get, list, wait | nothing: they only read |
//! | cancel | `NOT_FOUND` and `FAILED_PRECONDITION` get a note |
//! | delete | `NOT_FOUND` of the service is a success |

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::name::OperationName;
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest,
};
use crate::retry::AttemptTurn;
use crate::transport::{Attempt, Rpc, Transport};
use crate::types::{Code, Operation, OperationPage};

/// A request that a [`Call`](crate::Call) sends, and what its `send` returns.
/// Only the five requests of this crate are.
///
/// ```
/// use longrunning::proto::google::longrunning::GetOperationRequest;
/// use longrunning::{Call, CallRequest, Error, Operation};
///
/// fn send(call: Call<GetOperationRequest>) -> Result<Operation, Error> {
///     call.send()
/// }
///
/// fn send_any<R: CallRequest>(call: Call<R>) -> Result<R::Response, Error> {
///     call.send()
/// }
/// ```
#[expect(
    private_bounds,
    reason = "only this crate knows how to make attempts, so only this crate implements it"
)]
/// A request that a [`Call`](crate::Call) sends, with the type that its `send`
/// returns.
///
/// The five requests of this crate implement it, and no others can.
///
/// ```
/// use longrunning::proto::google::longrunning::GetOperationRequest;
/// use longrunning::{Call, CallRequest, Error, Operation};
///
/// fn send(call: Call<GetOperationRequest>) -> Result<Operation, Error> {
///     call.send()
/// }
///
/// fn send_any<R: CallRequest>(call: Call<R>) -> Result<R::Response, Error> {
///     call.send()
/// }
/// ```
pub trait CallRequest: RpcRequest<Output = <Self as CallRequest>::Response> {
    /// The result of the method: an operation, a page of operations, or
    /// nothing.
    type Response: Send + 'static;
}

/// Implements [`CallRequest`] for each request.
macro_rules! returns {
    ($($request:ty => $response:ty),* $(,)?) => {
        $(impl CallRequest for $request {
            type Response = $response;
        })*
    };
}

returns! {
    GetOperationRequest => Operation,
    ListOperationsRequest => OperationPage,
    CancelOperationRequest => (),
    DeleteOperationRequest => (),
    WaitOperationRequest => Operation,
}

/// A request of which attempts can be made: one of the five, or a start.
pub(crate) trait AttemptRequest: Clone + Send + Sync + 'static {
    /// The result of a successful attempt.
    type Output: Send + 'static;

    /// Makes one attempt. `turn` has its timeout, and whether an earlier
    /// attempt may have reached the server.
    fn attempt(
        &self,
        over: &dyn Transport,
        attempt: &Attempt<'_>,
        turn: AttemptTurn,
    ) -> Result<Self::Output, Error>;
}

/// A request of one of the RPCs.
pub(crate) trait RpcRequest: AttemptRequest {
    const RPC: Rpc;

    /// Creates a request of which only the name is set.
    fn from_name(name: OperationName) -> Self;

    /// Returns the requested name.
    fn name(&self) -> &str;

    /// Returns how long the server is requested to hold the response.
    fn server_wait(&self) -> Duration {
        Duration::ZERO
    }
}

/// Writes the methods of [`RpcRequest`] for a message with the field `name`.
macro_rules! named {
    () => {
        fn from_name(name: OperationName) -> Self {
            let mut request = Self::default();
            request.name = name.into();
            request
        }

        fn name(&self) -> &str {
            &self.name
        }
    };
}

impl RpcRequest for GetOperationRequest {
    const RPC: Rpc = Rpc::Get;

    named!();
}

impl AttemptRequest for GetOperationRequest {
    type Output = Operation;

    fn attempt(
        &self,
        over: &dyn Transport,
        attempt: &Attempt<'_>,
        _: AttemptTurn,
    ) -> Result<Operation, Error> {
        over.get_operation(self, attempt)
    }
}

impl RpcRequest for ListOperationsRequest {
    const RPC: Rpc = Rpc::List;

    named!();
}

impl AttemptRequest for ListOperationsRequest {
    type Output = OperationPage;

    fn attempt(
        &self,
        over: &dyn Transport,
        attempt: &Attempt<'_>,
        _: AttemptTurn,
    ) -> Result<OperationPage, Error> {
        over.list_operations(self, attempt)
    }
}

impl RpcRequest for CancelOperationRequest {
    const RPC: Rpc = Rpc::Cancel;

    named!();
}

impl AttemptRequest for CancelOperationRequest {
    type Output = ();

    fn attempt(&self, over: &dyn Transport, attempt: &Attempt<'_>, turn: AttemptTurn) -> Result<(), Error> {
        over.cancel_operation(self, attempt).map_err(|error| match error.code() {
            // The first attempt may have ended the operation, and some services forget or
            // refuse one that has ended.
            Some(Code::NotFound | Code::FailedPrecondition) if turn.ambiguous => {
                error.note("an earlier attempt may have cancelled it")
            }
            _ => in_doubt(error, "cancelled"),
        })
    }
}

impl RpcRequest for DeleteOperationRequest {
    const RPC: Rpc = Rpc::Delete;

    named!();
}

impl AttemptRequest for DeleteOperationRequest {
    type Output = ();

    fn attempt(&self, over: &dyn Transport, attempt: &Attempt<'_>, turn: AttemptTurn) -> Result<(), Error> {
        match over.delete_operation(self, attempt) {
            // The first attempt has deleted it. A 404 of something in front of the service
            // says nothing about the operation.
            Err(error)
                if turn.ambiguous && error.code() == Some(Code::NotFound) && !error.is_status_page() =>
            {
                Ok(())
            }
            other => other.map_err(|error| in_doubt(error, "deleted")),
        }
    }
}

impl RpcRequest for WaitOperationRequest {
    const RPC: Rpc = Rpc::Wait;

    named!();

    fn server_wait(&self) -> Duration {
        self.timeout.and_then(|timeout| timeout.try_into().ok()).unwrap_or_default()
    }
}

impl AttemptRequest for WaitOperationRequest {
    type Output = Operation;

    fn attempt(
        &self,
        over: &dyn Transport,
        attempt: &Attempt<'_>,
        turn: AttemptTurn,
    ) -> Result<Operation, Error> {
        // Shortened to what this attempt has left, so that the response arrives
        // within it.
        let asked = self.timeout.map(|_| self.server_wait().min(for_server(turn.timeout)));
        let timeout = asked.and_then(|asked| prost_types::Duration::try_from(asked).ok());
        over.wait_operation(&Self { timeout, ..self.clone() }, attempt)
    }
}

/// Adds to the error of an unreadable response that the service may have acted.
fn in_doubt(error: Error, done: &str) -> Error {
    match error.kind() {
        // A response arrived, so the service has acted; all other kinds say by
        // themselves whether the request was sent.
        ErrorKind::Decode => {
            error.note(format_args!("the outcome is unknown: the operation may or may not have been {done}"))
        }
        _ => error,
    }
}

/// Returns how long the server may hold its response back if that is to arrive
/// within `left`.
///
/// ```text
/// left 60 s    59 s
/// left 5 s     4.5 s
/// ```
fn for_server(left: Duration) -> Duration {
    // A second, or a tenth of a shorter attempt, is for the response to arrive.
    left - (left / 10).min(Duration::from_secs(1))
}
