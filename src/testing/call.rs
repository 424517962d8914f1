//! A request as a call of google.longrunning.Operations, from REST or from protobuf.

use std::time::Duration;

use prost::Message;
use serde_json::Value;

use super::lock;
use super::log::{RecordedRequest, percent_decode};
use super::server::Core;
use super::service::{Rpc, bad_field, bad_page_size};
use crate::proto::google::longrunning as pb;
use crate::types::{Code, Status};

/// What is asked for. The name of a list call is its collection.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) rpc: Rpc,
    pub(super) name: String,
    pub(super) arguments: Result<Arguments, Status>,
}

/// Everything but the name.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments {
    pub(super) filter: String,
    pub(super) page_size: i32,
    pub(super) page_token: String,
    pub(super) return_partial_success: bool,
    pub(super) timeout: Option<Duration>,
}

impl Call {
    /// Reads a request over REST, with any version prefix and any shape of name.
    pub(super) fn from_rest(core: &Core, request: &RecordedRequest) -> Option<Self> {
        let (path, verb) = split_verb(request.path());
        let resource = core.resolve(&percent_decode(path), request.query("name"));
        let rpc = match (request.method(), verb, &resource) {
            ("POST", Some("cancel"), _) => Rpc::Cancel,
            ("POST" | "GET", Some("wait"), _) => Rpc::Wait,
            ("DELETE", None, _) => Rpc::Delete,
            ("GET" | "HEAD", None, Resource::Collection(_)) => Rpc::List,
            ("GET" | "HEAD", None, Resource::Operation(_)) => Rpc::Get,
            _ => return None,
        };
        let (Resource::Collection(name) | Resource::Operation(name)) = resource;
        let arguments = match rpc {
            Rpc::List => Arguments::of_list(request),
            Rpc::Wait => wait_timeout(request).map(|timeout| Arguments { timeout, ..Arguments::default() }),
            Rpc::Cancel | Rpc::Delete | Rpc::Get => Ok(Arguments::default()),
        };
        Some(Self { rpc, name, arguments })
    }

    /// Reads the message of a gRPC call; `None` when it is broken.
    #[cfg(feature = "grpc")]
    pub(super) fn from_message(rpc: Rpc, message: &[u8]) -> Option<Self> {
        let plain = |name| Self { rpc, name, arguments: Ok(Arguments::default()) };
        Some(match rpc {
            Rpc::Cancel => plain(pb::CancelOperationRequest::decode(message).ok()?.name),
            Rpc::Delete => plain(pb::DeleteOperationRequest::decode(message).ok()?.name),
            Rpc::Get => plain(pb::GetOperationRequest::decode(message).ok()?.name),
            Rpc::List => {
                let request = pb::ListOperationsRequest::decode(message).ok()?;
                let pb::ListOperationsRequest { name, filter, page_size, page_token, return_partial_success } =
                    request;
                let name = if is_collection(&name) { name } else { format!("{name}/operations") };
                let timeout = None;
                let arguments = Arguments { filter, page_size, page_token, return_partial_success, timeout };
                Self { rpc, name, arguments: Ok(arguments) }
            }
            Rpc::Wait => {
                let request = pb::WaitOperationRequest::decode(message).ok()?;
                let timeout = request.timeout.map(Duration::try_from).transpose().map_err(|_| bad_timeout());
                let arguments = timeout.map(|timeout| Arguments { timeout, ..Arguments::default() });
                Self { rpc, name: request.name, arguments }
            }
        })
    }

    /// The protobuf message of the call; `None` when its arguments make none.
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
                let Arguments { filter, page_size, page_token, return_partial_success, .. } = arguments;
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

impl Arguments {
    fn of_list(request: &RecordedRequest) -> Result<Self, Status> {
        let field = |camel: &str, snake: &str| {
            request.query(camel).or_else(|| request.query(snake)).unwrap_or_default()
        };
        let page_size = match field("pageSize", "page_size").as_str() {
            "" => 0,
            text => text.parse().map_err(|_| bad_page_size())?,
        };
        Ok(Self {
            filter: field("filter", "filter"),
            page_size,
            page_token: field("pageToken", "page_token"),
            return_partial_success: field("returnPartialSuccess", "return_partial_success") == "true",
            timeout: None,
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Resource {
    Collection(String),
    Operation(String),
}

impl Core {
    /// What a path means. Operations that exist are found first, so that any prefix and any shape of name works.
    fn resolve(&self, path: &str, in_query: Option<String>) -> Resource {
        let whole = in_query.as_deref().unwrap_or(behind_version(path));
        let store = lock(&self.store);
        // A version may have a second segment, as in `v1/compute/operations/1`, and a name none, as in `v1/operations/1`.
        let shorter = whole.split_once('/').map(|(_, rest)| rest).filter(|_| in_query.is_none());
        for name in [Some(whole), shorter].into_iter().flatten() {
            if store.contains(name) {
                return Resource::Operation(name.to_owned());
            }
            if is_collection(name) && store.has_any(name) {
                return Resource::Collection(name.to_owned());
            }
        }
        let inner = format!("{whole}/operations");
        if store.has_any(&inner) {
            return Resource::Collection(inner);
        }
        let name = whole.to_owned();
        if is_collection(whole) { Resource::Collection(name) } else { Resource::Operation(name) }
    }
}

fn is_collection(name: &str) -> bool {
    name == "operations" || name.ends_with("/operations")
}

/// The path without leading segments up to and with the version, where there is one.
fn behind_version(path: &str) -> &str {
    let mut rest = path.trim_start_matches('/');
    let whole = rest;
    while let Some((segment, tail)) = rest.split_once('/') {
        if is_version(segment) {
            return tail;
        }
        rest = tail;
    }
    whole
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// Cuts a custom method off the path. An encoded colon belongs to the name.
fn split_verb(path: &str) -> (&str, Option<&str>) {
    match path.rsplit_once(':') {
        Some((path, verb @ ("cancel" | "wait"))) => (path, Some(verb)),
        _ => (path, None),
    }
}

fn wait_timeout(request: &RecordedRequest) -> Result<Option<Duration>, Status> {
    let body: Value = match request.body() {
        [] => Value::Null,
        body => serde_json::from_slice(body)
            .map_err(|_| Status::new(Code::InvalidArgument, "body is not JSON"))?,
    };
    let text = match body.get("timeout") {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Null) | None => request.query("timeout"),
        Some(_) => Some(String::new()),
    };
    text.map(|text| duration(&text).ok_or_else(bad_timeout)).transpose()
}

fn bad_timeout() -> Status {
    bad_field("timeout", "must be a duration such as `3.5s`")
}

/// The JSON form of `google.protobuf.Duration`, without a sign.
fn duration(text: &str) -> Option<Duration> {
    let seconds = text.strip_suffix('s')?;
    let is_plain = seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Duration::try_from_secs_f64(seconds.parse().ok().filter(|_| is_plain)?).ok()
}
