//! The five requests, and how one attempt of each is made.

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

/// One of the RPCs: a request that can be sent through a transport.
pub(crate) trait RpcRequest: Clone + Send + Sync + 'static {
    const RPC: Rpc;

    type Answer: Send + 'static;

    fn from_name(name: OperationName) -> Self;

    fn name(&self) -> &str;

    /// How long the server is asked to hold the response back.
    fn server_wait(&self) -> Duration {
        Duration::ZERO
    }

    /// Makes one attempt.
    fn attempt(
        &self,
        over: &dyn Transport,
        attempt: &Attempt<'_>,
        turn: AttemptTurn,
    ) -> Result<Self::Answer, Error>;
}

/// What the five have in common: their RPC, what it returns, and the name.
macro_rules! rpc {
    ($rpc:ident, $answer:ty) => {
        const RPC: Rpc = Rpc::$rpc;

        type Answer = $answer;

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
    rpc!(Get, Operation);

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
    rpc!(List, OperationPage);

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
    rpc!(Cancel, ());

    fn attempt(&self, over: &dyn Transport, attempt: &Attempt<'_>, turn: AttemptTurn) -> Result<(), Error> {
        over.cancel_operation(self, attempt).map_err(|error| match error.code() {
            Some(Code::NotFound | Code::FailedPrecondition) if turn.ambiguous => {
                error.note("an earlier attempt may have cancelled it")
            }
            _ => in_doubt(error, "cancelled"),
        })
    }
}

impl RpcRequest for DeleteOperationRequest {
    rpc!(Delete, ());

    fn attempt(&self, over: &dyn Transport, attempt: &Attempt<'_>, turn: AttemptTurn) -> Result<(), Error> {
        match over.delete_operation(self, attempt) {
            // A 404 of something in front of the service says nothing about the operation.
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
    rpc!(Wait, Operation);

    fn server_wait(&self) -> Duration {
        self.timeout.and_then(|timeout| timeout.try_into().ok()).unwrap_or_default()
    }

    fn attempt(
        &self,
        over: &dyn Transport,
        attempt: &Attempt<'_>,
        turn: AttemptTurn,
    ) -> Result<Operation, Error> {
        let asked = self.timeout.map(|_| self.server_wait().min(for_server(turn.timeout)));
        let timeout = asked.and_then(|asked| prost_types::Duration::try_from(asked).ok());
        over.wait_operation(&Self { timeout, ..self.clone() }, attempt)
    }
}

/// Says so if a response that cannot be read leaves open whether the service has acted.
fn in_doubt(error: Error, done: &str) -> Error {
    match error.kind() {
        ErrorKind::Decode => {
            error.note(format_args!("the outcome is unknown: the operation may or may not have been {done}"))
        }
        _ => error,
    }
}

/// How long the server may hold its response back if that is to arrive within `left`.
fn for_server(left: Duration) -> Duration {
    left - (left / 10).min(Duration::from_secs(1))
}
