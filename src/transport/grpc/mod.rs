//! gRPC: protobuf over HTTP/2, on a blocking connection and without a runtime
//! ([protocol](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)).
//!
//! ```text
//! message and name
//!    │ frame::encode        flag, length, message, maybe compressed
//!    │ metadata             path, headers, routing, later credentials and timeout
//!    ▼ exchange             token, one replay after UNAUTHENTICATED
//! ConnectionPool            permit, idle or new connection, one resend
//!    ▼
//! GrpcChannel               h2 over a Pipe in memory; this thread moves the bytes
//!    │ watch                reads GOAWAY beside h2
//!    ▼
//! GrpcResponse
//!    │ status               grpc-status, or the page of a proxy
//!    ▼
//! Operation, OperationPage, () or Error
//! ```
//!
//! All methods are unary: one message there, one back. A connection carries one
//! call at a time, so a slow call never delays another one on its connection.
//! Nothing runs between calls. `DESIGN.md` has the reasons.

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
    /// The largest response message in bytes, before and after it is
    /// decompressed. Requests are not limited.
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
    /// The metadata that all calls share.
    heads: RequestHeads,
    pool: ConnectionPool,
}

impl GrpcTransport {
    /// Creates the transport. It connects at the first call.
    ///
    /// # Errors
    ///
    /// `Config` for an endpoint with a base path, since gRPC's paths are those
    /// of methods, and for network options that cannot be used.
    pub(crate) fn new(service: ServiceParts, options: GrpcOptions, env: &dyn Env) -> Result<Self, Error> {
        let endpoint = &service.endpoint;
        let url = endpoint.origin();
        // A path in front of the method would be another method.
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
    ///
    /// # Errors
    ///
    /// `Binding` for an empty name, where the method is about one operation;
    /// those of [`exchange`](Self::exchange).
    fn unary(
        &self,
        rpc: Rpc,
        name: &str,
        request: &impl Message,
        attempt: &Attempt<'_>,
    ) -> Result<Vec<u8>, Error> {
        // A listing may have no parent. Everything else in a name is for the
        // service to judge: over gRPC a name is no path, so it cannot lead to
        // another method.
        if name.is_empty() && rpc != Rpc::List {
            return Err(Error::bad_name(name, "is empty"));
        }
        let message = &frame::encode(request, attempt.compression());
        // Their response is `google.protobuf.Empty`, which some servers leave
        // out.
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

/// Returns the message of a start.
///
/// # Errors
///
/// `Config` for a query, an HTTP method and JSON, which a request over gRPC
/// cannot have. Leaving them out would start something else.
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

/// Checks the response to a cancel or delete. Fields in it are ignored.
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

/// 4 MiB, the default of other implementations of gRPC.
const MESSAGE_LIMIT: usize = 4 << 20;
