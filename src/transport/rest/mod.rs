//! REST: `google.api.http` bindings, ProtoJSON, HTTP/1.1.

pub(crate) mod binding;
pub(in crate::transport) mod decode;
mod exchange;
pub(crate) mod format;
mod http_options;
pub(crate) mod method_binding;
mod presets;
mod request;
pub(in crate::transport) mod route;
pub(crate) mod service_bindings;
mod start;
mod template;
#[cfg(test)]
mod vectors;

use std::fmt;

use crate::error::Error;
use crate::net::peer::ServerAddress;
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest,
};
use crate::transport::routing::routing_header;
use crate::transport::{Attempt, Headers, Rpc, ServiceParts, StartRequest, Transport};
use crate::types::{Operation, OperationPage};
use crate::util::redact::Masked;

use binding::Bindings;
use decode::RestResponse;
use format::DataFormat;
use method_binding::RequestField;
use request::{JSON, RestContent, RestRequest};
use route::{list_fields, wait_fields};

/// Options of the REST transport alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct RestOptions {
    pub(crate) bindings: Bindings,
    pub(crate) data_format: DataFormat,
    pub(crate) enum_encoding_int: bool,
}

/// The transport of
/// [`OperationsClient::builder`](crate::OperationsClient::builder).
pub(crate) struct RestTransport {
    service: ServiceParts,
    options: RestOptions,
    api_client: String,
    /// The server of all URLs.
    server: Option<ServerAddress>,
}

impl RestTransport {
    pub(crate) fn new(service: ServiceParts, options: RestOptions) -> Self {
        let api_client = service.api_client(concat!("rest/", env!("CARGO_PKG_VERSION"), "-ureq"));
        let server = service.endpoint.server();
        let bindings = options.bindings.at_host(service.endpoint.host());
        Self { service, options: RestOptions { bindings, ..options }, api_client, server }
    }
}

impl RestTransport {
    /// Makes one attempt of a method and reads the response.
    fn attempt<T>(
        &self,
        rpc: Rpc,
        name: &str,
        fields: Vec<RequestField>,
        attempt: &Attempt<'_>,
        read: fn(&RestResponse) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let limit = if rpc == Rpc::List { PAGE_LIMIT } else { OPERATION_LIMIT };
        let RestOptions { bindings, data_format, enum_encoding_int } = &self.options;
        let bindings = bindings.at_version(attempt.api_version())?;
        let bindings = bindings.or_wait_by(attempt.wait_binding());
        if bindings.service().is_some() && *data_format == DataFormat::Proto {
            return Err(Error::config(
                "the operations of this service have no protobuf form here: leave `data_format` at JSON",
            ));
        }
        let route = bindings.route(rpc, name, fields, data_format.query(*enum_encoding_int))?;
        let route = route.ok_or_else(|| Error::unbound(rpc.name()))?;
        let request = RestRequest {
            verb: route.verb,
            target: &route.target,
            content: route.body.as_ref().map(|text| RestContent { media_type: JSON, bytes: text.as_bytes() }),
            routing: Some(routing_header(name)),
            name,
            limit,
            once: false,
        };
        let response = self.exchange(&request, attempt)?;
        // Some front ends send an error with 200.
        let read = read(&response).map_err(|error| error.with_url(&self.service.endpoint.url(&route.target)));
        self.service.http.reuse_body(response.into_bytes());
        read
    }
}

impl Transport for RestTransport {
    fn get_operation(
        &self,
        request: &GetOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        let name = &request.name;
        let operation = self.attempt(Rpc::Get, name, Vec::new(), attempt, RestResponse::operation)?;
        Ok(operation.requested_as(name))
    }

    fn list_operations(
        &self,
        request: &ListOperationsRequest,
        attempt: &Attempt<'_>,
    ) -> Result<OperationPage, Error> {
        let parent = &request.name;
        let page = self.attempt(Rpc::List, parent, list_fields(request), attempt, RestResponse::page)?;
        Ok(page.listed_in(parent))
    }

    fn cancel_operation(&self, request: &CancelOperationRequest, attempt: &Attempt<'_>) -> Result<(), Error> {
        self.attempt(Rpc::Cancel, &request.name, Vec::new(), attempt, RestResponse::empty)
    }

    fn delete_operation(&self, request: &DeleteOperationRequest, attempt: &Attempt<'_>) -> Result<(), Error> {
        self.attempt(Rpc::Delete, &request.name, Vec::new(), attempt, RestResponse::empty)
    }

    fn wait_operation(
        &self,
        request: &WaitOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        let name = &request.name;
        let operation =
            self.attempt(Rpc::Wait, name, wait_fields(request), attempt, RestResponse::operation)?;
        Ok(operation.requested_as(name))
    }

    fn start_operation(&self, request: &StartRequest, attempt: &Attempt<'_>) -> Result<Operation, Error> {
        self.start(request, attempt)
    }

    fn authorization_headers(&self, attempt: &Attempt<'_>) -> Result<Headers, Error> {
        self.service.authorization_headers(attempt)
    }
}

impl fmt::Debug for RestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestTransport")
            .field("endpoint", &Masked(&self.service.endpoint.to_string()))
            .field("authorizer", &self.service.authorizer)
            .finish_non_exhaustive()
    }
}

/// Decoded bytes of one operation.
const OPERATION_LIMIT: usize = 32 << 20;

/// Decoded bytes of a list page.
const PAGE_LIMIT: usize = 64 << 20;
