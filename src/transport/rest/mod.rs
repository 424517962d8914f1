//! REST: `google.api.http` bindings, ProtoJSON, HTTP/1.1.
//!
//! ```text
//! message and name
//!    │ service_bindings     services whose URLs are unlike the others
//!    │ binding, template    the first binding whose template matches the name
//!    ▼ route                path, query and body
//! RestRequest
//!    │ exchange             token, headers, one HTTP request, one replay after a 401
//!    ▼
//! HttpResponse
//!    │ decode               status, media type and body decide what it is
//!    ▼
//! Operation, OperationPage, () or Error
//! ```
//!
//! Every name is checked where the URL is built ([`Bindings::route`]), whatever
//! was checked before: a program may call a transport without a client, and
//! names also come from servers. A name never leaves the path that a binding
//! gives it.

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
    /// Whether enums in JSON are requested as numbers. It has no effect on
    /// protobuf.
    pub(crate) enum_encoding_int: bool,
}

/// The transport of
/// [`OperationsClient::builder`](crate::OperationsClient::builder).
///
/// It has no state of its own that changes; connections are those of the HTTP
/// client, tokens those of the authorizer.
pub(crate) struct RestTransport {
    service: ServiceParts,
    options: RestOptions,
    /// The value of `x-goog-api-client`.
    api_client: String,
    /// The server of all URLs, so that the HTTP client does not have to parse
    /// them.
    server: Option<ServerAddress>,
}

impl RestTransport {
    /// Creates the transport. The host of the endpoint may choose the bindings;
    /// see [`Bindings::at_host`].
    pub(crate) fn new(service: ServiceParts, options: RestOptions) -> Self {
        let api_client = service.api_client(concat!("rest/", env!("CARGO_PKG_VERSION"), "-ureq"));
        let server = service.endpoint.server();
        // Once, because the host of a transport never changes.
        let bindings = options.bindings.at_host(service.endpoint.host());
        Self { service, options: RestOptions { bindings, ..options }, api_client, server }
    }
}

impl RestTransport {
    /// Makes one attempt of a method and reads the response.
    ///
    /// `fields` are those of the message that are set, without the name, in the
    /// order of the proto.
    ///
    /// # Errors
    ///
    /// `Binding` and `Config` before anything is sent; those of
    /// [`exchange`](Self::exchange) and `read` afterwards.
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
        // After the version, because the form is bound under the prefix of the
        // operation.
        let bindings = bindings.or_wait_by(attempt.wait_binding());
        // The operations of these services are other messages than those of
        // google.longrunning.
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
        // Some front ends send an error with 200, so the URL is added here too.
        let read = read(&response).map_err(|error| error.with_url(&self.service.endpoint.url(&route.target)));
        // The values that were read have copies of their own of what they need,
        // so the memory of the body serves the next response.
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

/// Bytes of one operation, after decompression. A larger one is an error.
const OPERATION_LIMIT: usize = 32 << 20;

/// Bytes of a list page, after decompression.
const PAGE_LIMIT: usize = 64 << 20;
