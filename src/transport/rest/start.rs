//! The request that starts an operation, over REST.
//!
//! It has no binding: the program gives the path, since every service has
//! methods of its own. Headers, token, limits and the reading of errors are
//! those of other requests.

use crate::error::Error;
use crate::http::HttpMethod;
use crate::transport::Attempt;
use crate::transport::routing::routing_fields;
use crate::transport::start_path::rest_path;
use crate::transport::start_request::{StartBody, StartRequest};
use crate::types::Operation;
use crate::util::percent::encode;

use super::format::DataFormat;
use super::request::{JSON, RestContent, RestRequest};
use super::{OPERATION_LIMIT, RestOptions, RestTransport};

impl RestTransport {
    /// Makes one attempt of a start.
    ///
    /// Some services return the name of an extended operation in part. It is
    /// completed from the path, so that it can be polled.
    ///
    /// # Errors
    ///
    /// `Binding` and `Config` before anything is sent. An error after that says
    /// by [`Error::sent`] whether an operation may be running.
    pub(super) fn start(&self, request: &StartRequest, attempt: &Attempt<'_>) -> Result<Operation, Error> {
        let target = self.start_target(request)?;
        let rest = RestRequest {
            verb: request.method,
            target: &target,
            content: self.start_content(request)?,
            routing: routing_fields(&request.routing),
            name: &request.path,
            limit: OPERATION_LIMIT,
            once: !request.is_idempotent,
        };
        // From here on the request may have been processed.
        let response = self.exchange(&rest, attempt)?;
        let operation =
            response.started().map_err(|error| error.with_url(&self.service.endpoint.url(&target)))?;
        // Only the path has the scope of some extended operations.
        Ok(operation.started_at(&request.path, &request.query))
    }

    /// Returns path and query. The parameters of the program come before those
    /// of the data format.
    fn start_target(&self, request: &StartRequest) -> Result<String, Error> {
        let RestOptions { data_format, enum_encoding_int, .. } = &self.options;
        let pairs = request.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let alt = data_format.query(*enum_encoding_int).map(str::to_owned);
        let query: Vec<_> = pairs.chain(alt).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        Ok(format!("{}{mark}{}", rest_path(&request.path)?, query.join("&")))
    }

    /// Returns the body with its media type; `None` for an empty one.
    ///
    /// # Errors
    ///
    /// `Config` for a protobuf message while responses are JSON, since the
    /// service would have to accept both forms, and for a body of a `GET`.
    fn start_content<'a>(&self, request: &'a StartRequest) -> Result<Option<RestContent<'a>>, Error> {
        let (media_type, bytes) = match &request.body {
            StartBody::Empty => return Ok(None),
            StartBody::Json(text) => (JSON, text.as_bytes()),
            StartBody::Message(bytes) if self.options.data_format == DataFormat::Proto => {
                (PROTO, bytes.as_slice())
            }
            StartBody::Message(_) => {
                return Err(Error::config(
                    "a protobuf message as the body needs `.data_format(DataFormat::Proto)` of the client, or gRPC",
                ));
            }
        };
        match request.method {
            HttpMethod::Get => Err(Error::config("a GET request has no body: use `.query(name, value)`")),
            _ => Ok(Some(RestContent { media_type, bytes })),
        }
    }
}

const PROTO: &str = "application/x-protobuf";
