//! Calls of google.longrunning.Operations, whichever transport carries them.
//!
//! REST and gRPC requests become the same [`RpcCall`], so the service performs
//! them in one place, and [`RecordedRequest::message`] returns the same message
//! for both:
//!
//! | request | call |
//! |---|---|
//! | `GET /v1/projects/p/operations?pageSize=5` | `List`, `projects/p/operations`, `page_size: 5` |
//! | `ListOperations` with `name: "projects/p"`, `page_size: 5` | the same |
//!
//! [`RecordedRequest::message`]: super::RecordedRequest::message

use std::time::Duration;

use prost::Message;
use serde_json::json;

#[cfg(feature = "grpc")]
use crate::name::is_collection;
use crate::proto::google::longrunning as pb;
use crate::transport::Rpc;
use crate::types::{Any, Code, Status};

/// A method of google.longrunning.Operations with its arguments.
#[derive(Clone, Debug)]
pub(super) struct RpcCall {
    pub(super) rpc: Rpc,
    /// The name of an operation; for a list call its collection, such as
    /// `projects/p/operations`.
    pub(super) name: String,
    /// Or the `INVALID_ARGUMENT` with which the service responds. Such a call
    /// is recorded as well.
    pub(super) arguments: Result<RpcArguments, Status>,
}

/// The fields of a request message without its name. Fields that a method does
/// not have keep their default.
#[derive(Clone, Debug, Default)]
pub(super) struct RpcArguments {
    pub(super) filter: String,
    /// Zero for the default of the server; negative sizes are invalid.
    pub(super) page_size: i32,
    pub(super) page_token: String,
    pub(super) return_partial_success: bool,
    /// How long a wait may hold its response back; the server's own limit if
    /// absent.
    pub(super) timeout: Option<Duration>,
}

impl RpcCall {
    /// Reads the message of a gRPC call; `None` if the bytes are no such
    /// message.
    #[cfg(feature = "grpc")]
    pub(super) fn from_message(rpc: Rpc, message: &[u8]) -> Option<Self> {
        let plain = |name| Self { rpc, name, arguments: Ok(RpcArguments::default()) };
        Some(match rpc {
            Rpc::Cancel => plain(pb::CancelOperationRequest::decode(message).ok()?.name),
            Rpc::Delete => plain(pb::DeleteOperationRequest::decode(message).ok()?.name),
            Rpc::Get => plain(pb::GetOperationRequest::decode(message).ok()?.name),
            Rpc::List => {
                let request = pb::ListOperationsRequest::decode(message).ok()?;
                let pb::ListOperationsRequest { name, filter, page_size, page_token, return_partial_success } =
                    request;
                // The client may list a parent or a collection; REST paths
                // always end with the collection.
                let name = if is_collection(&name) { name } else { format!("{name}/operations") };
                let timeout = None;
                let arguments =
                    RpcArguments { filter, page_size, page_token, return_partial_success, timeout };
                Self { rpc, name, arguments: Ok(arguments) }
            }
            Rpc::Wait => {
                let request = pb::WaitOperationRequest::decode(message).ok()?;
                // A negative duration has no counterpart in std, and is invalid
                // anyway.
                let timeout = request.timeout.map(Duration::try_from).transpose().map_err(|_| bad_timeout());
                let arguments = timeout.map(|timeout| RpcArguments { timeout, ..RpcArguments::default() });
                Self { rpc, name: request.name, arguments }
            }
        })
    }

    /// Returns the short name and the bytes of the request message; `None` if
    /// the arguments are invalid.
    pub(super) fn message(&self) -> Option<(&'static str, Vec<u8>)> {
        fn encode<M: Message + prost::Name>(message: &M) -> (&'static str, Vec<u8>) {
            (M::NAME, message.encode_to_vec())
        }
        let name = self.name.clone();
        let arguments = self.arguments.clone().ok()?;
        Some(match self.rpc {
            Rpc::Cancel => encode(&pb::CancelOperationRequest { name }),
            Rpc::Delete => encode(&pb::DeleteOperationRequest { name }),
            Rpc::Get => encode(&pb::GetOperationRequest { name }),
            Rpc::List => {
                let RpcArguments { filter, page_size, page_token, return_partial_success, .. } = arguments;
                encode(&pb::ListOperationsRequest {
                    name,
                    filter,
                    page_size,
                    page_token,
                    return_partial_success,
                })
            }
            Rpc::Wait => {
                let timeout = arguments.timeout.map(prost_types::Duration::try_from).transpose().ok()?;
                encode(&pb::WaitOperationRequest { name, timeout })
            }
        })
    }
}

/// Returns the error for a timeout that is no duration.
pub(super) fn bad_timeout() -> Status {
    bad_field("timeout", "must be a duration such as `3.5s`")
}

/// Returns the error for a page size that is negative or no number.
pub(super) fn bad_page_size() -> Status {
    bad_field("pageSize", "must be a number that is not negative")
}

/// Returns an `INVALID_ARGUMENT` with a `google.rpc.BadRequest` that names the
/// field, as AIP-193 has it.
pub(super) fn bad_field(field: &str, description: &str) -> Status {
    let violation = json!({ "field": field, "description": description });
    let detail = json!({ "@type": BAD_REQUEST, "fieldViolations": [violation] });
    let status = Status::new(Code::InvalidArgument, format!("{field}: {description}"));
    match Any::from_json(&detail.to_string()) {
        Ok(detail) => status.with_detail(detail),
        // Does not happen: the detail is JSON with a type. If it did, the error
        // without it would still be right.
        Err(_) => status,
    }
}

const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
