//! gRPC: protobuf over HTTP/2, on a blocking connection and without a runtime.

mod channel;
mod exchange;
mod frame;
mod metadata;
pub(crate) mod pipe;
mod pool;
mod status;
#[cfg(test)]
mod tests;
mod watch;

use std::fmt;

use prost::Message;

use crate::error::Error;
use crate::http::HttpMethod;
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest,
};
use crate::transport::routing::routing_fields;
use crate::transport::start_path::grpc_path;
use crate::transport::start_result::{StartPayload, start_result};
use crate::transport::{Attempt, Headers, Rpc, ServiceParts, StartBody, StartRequest, Transport};
use crate::types::{Operation, OperationPage};
use crate::util::env::Env;
use crate::util::excerpt::shown;
use crate::util::redact::Masked;

use exchange::UnaryCall;
use metadata::{RequestHeads, uri_of};
use pool::ConnectionPool;

/// Options of the gRPC transport alone.
#[derive(Clone, Debug)]
pub(crate) struct GrpcOptions {
    /// Bytes of one message, before and after it is decompressed.
    pub(crate) message_limit: usize,
}

impl Default for GrpcOptions {
    fn default() -> Self {
        Self { message_limit: MESSAGE_LIMIT }
    }
}

/// The transport of
/// [`TransportKind::Grpc`](crate::transport::TransportKind::Grpc).
pub(crate) struct GrpcTransport {
    service: ServiceParts,
    options: GrpcOptions,
    heads: RequestHeads,
    pool: ConnectionPool,
}

impl GrpcTransport {
    pub(crate) fn new(service: ServiceParts, options: GrpcOptions, env: &dyn Env) -> Result<Self, Error> {
        let endpoint = &service.endpoint;
        let url = endpoint.origin();
        if endpoint.url("") != url {
            return Err(Error::config(format!(
                "endpoint `{}` has a base path, which gRPC does not support: expected scheme, host and port",
                shown(&endpoint.to_string())
            )));
        }
        let pool = ConnectionPool::new(&url, &service.http_options, env).map_err(Error::http_options)?;
        Ok(Self { heads: RequestHeads::new(&service)?, pool, options, service })
    }

    /// Makes one attempt and returns the bytes of the response message.
    fn unary(
        &self,
        rpc: Rpc,
        name: &str,
        request: &impl Message,
        attempt: &Attempt<'_>,
    ) -> Result<Vec<u8>, Error> {
        // A list may be about everything; whatever else there is in a name is for the
        // service to judge.
        if name.is_empty() && rpc != Rpc::List {
            return Err(Error::bad_name(name, "is empty"));
        }
        let message = &frame::encode(request, attempt.compression());
        let is_acknowledged = matches!(rpc, Rpc::Cancel | Rpc::Delete);
        let call = UnaryCall { name, message, is_acknowledged, once: false };
        self.exchange(self.heads.head(rpc, name, attempt)?, &call, attempt)
    }
}

impl Transport for GrpcTransport {
    fn get_operation(
        &self,
        request: &GetOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        Operation::from_protobuf(&self.unary(Rpc::Get, &request.name, request, attempt)?)
    }

    fn list_operations(
        &self,
        request: &ListOperationsRequest,
        attempt: &Attempt<'_>,
    ) -> Result<OperationPage, Error> {
        OperationPage::from_protobuf(&self.unary(Rpc::List, &request.name, request, attempt)?)
    }

    fn cancel_operation(&self, request: &CancelOperationRequest, attempt: &Attempt<'_>) -> Result<(), Error> {
        empty(&self.unary(Rpc::Cancel, &request.name, request, attempt)?)
    }

    fn delete_operation(&self, request: &DeleteOperationRequest, attempt: &Attempt<'_>) -> Result<(), Error> {
        empty(&self.unary(Rpc::Delete, &request.name, request, attempt)?)
    }

    fn wait_operation(
        &self,
        request: &WaitOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        Operation::from_protobuf(&self.unary(Rpc::Wait, &request.name, request, attempt)?)
    }

    fn start_operation(&self, request: &StartRequest, attempt: &Attempt<'_>) -> Result<Operation, Error> {
        let uri = uri_of(&self.service.endpoint, &grpc_path(&request.path)?)?;
        let message = &frame::encode_bytes(message_of(request)?, attempt.compression());
        let head = self.heads.head_to(uri, routing_fields(&request.routing), attempt)?;
        let call =
            UnaryCall { name: &request.path, message, is_acknowledged: false, once: !request.is_idempotent };
        start_result(StartPayload::Proto(&self.exchange(head, &call, attempt)?))
    }

    fn authorization_headers(&self, attempt: &Attempt<'_>) -> Result<Headers, Error> {
        self.service.authorization_headers(attempt)
    }
}

/// The message of a start, which nothing else of a request over HTTP can
/// accompany.
fn message_of(request: &StartRequest) -> Result<&[u8], Error> {
    let refuse = |what: &str| {
        Err(Error::config(format!(
            "a start over gRPC has no {what}: the request is a message, see `.message(…)`"
        )))
    };
    if !request.query.is_empty() {
        return refuse("query");
    }
    if request.method != HttpMethod::Post {
        return refuse("HTTP method");
    }
    match &request.body {
        StartBody::Empty => Ok(&[]),
        StartBody::Json(_) => refuse("JSON body"),
        StartBody::Message(bytes) => Ok(bytes),
    }
}

fn empty(response: &[u8]) -> Result<(), Error> {
    <()>::decode(response).map_err(|cause| Error::decode("response is not valid protobuf").with_source(cause))
}

impl fmt::Debug for GrpcTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcTransport")
            .field("endpoint", &Masked(&self.service.endpoint.to_string()))
            .field("authorizer", &self.service.authorizer)
            .finish_non_exhaustive()
    }
}

/// The default of gRPC everywhere.
const MESSAGE_LIMIT: usize = 4 << 20;
