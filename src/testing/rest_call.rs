//! Reads the calls of requests over REST, with any version prefix and any shape
//! of name.

use std::time::Duration;

use serde_json::Value;

use super::call::{RpcArguments, RpcCall, bad_page_size, bad_timeout};
use super::extended::has_method;
use super::request::RecordedRequest;
use super::store::OperationStore;
use crate::name::is_collection;
use crate::transport::Rpc;
use crate::types::{Code, Status};
use crate::util::percent::decode;

/// Reads the call of a request; `None` when it is none.
pub(super) fn read(store: &OperationStore, request: &RecordedRequest) -> Option<RpcCall> {
    let (path, mark, verb) = split_verb(request.method(), request.path());
    let resource = resolve(store, &decode(path), request.query("name"));
    let resource = resource.of_organization(request.query("parentId"));
    let rpc = match (request.method(), verb, &resource) {
        ("POST", Some("cancel"), _) => Rpc::Cancel,
        ("POST" | "GET", Some("wait"), _) => Rpc::Wait,
        ("DELETE", None, _) => Rpc::Delete,
        ("GET" | "HEAD", None, RestResource::Collection(_)) => Rpc::List,
        ("GET" | "HEAD", None, RestResource::Operation(_)) => Rpc::Get,
        _ => return None,
    };
    let (RestResource::Collection(name) | RestResource::Operation(name)) = resource;
    if !store.form(&name).is_none_or(|form| has_method(form, rpc, &name, mark)) {
        return None;
    }
    let arguments = match rpc {
        Rpc::List => list_arguments(request),
        Rpc::Wait => wait_timeout(request).map(|timeout| RpcArguments { timeout, ..RpcArguments::default() }),
        Rpc::Cancel | Rpc::Delete | Rpc::Get => Ok(RpcArguments::default()),
    };
    Some(RpcCall { rpc, name, arguments })
}

fn list_arguments(request: &RecordedRequest) -> Result<RpcArguments, Status> {
    let field =
        |camel: &str, snake: &str| request.query(camel).or_else(|| request.query(snake)).unwrap_or_default();
    let page_size = match (field("pageSize", "page_size") + &field("maxResults", "max_results")).as_str() {
        "" => 0,
        text => text.parse().map_err(|_| bad_page_size())?,
    };
    Ok(RpcArguments {
        filter: field("filter", "filter"),
        page_size,
        page_token: field("pageToken", "page_token"),
        return_partial_success: field("returnPartialSuccess", "return_partial_success") == "true",
        timeout: None,
    })
}

#[derive(Debug, PartialEq, Eq)]
enum RestResource {
    Collection(String),
    Operation(String),
}

/// What a path means. Operations that exist are found first, so that any prefix
/// and any shape of name works.
impl RestResource {
    /// Compute Engine has the organization in the query, and names have it in
    /// front.
    fn of_organization(self, parent: Option<String>) -> Self {
        let in_organization = |name: String| match parent {
            Some(parent) if name.starts_with("locations/") => format!("{parent}/{name}"),
            _ => name,
        };
        match self {
            Self::Collection(name) => Self::Collection(in_organization(name)),
            Self::Operation(name) => Self::Operation(in_organization(name)),
        }
    }
}

fn resolve(store: &OperationStore, path: &str, in_query: Option<String>) -> RestResource {
    let whole = in_query.as_deref().unwrap_or(behind_version(path));
    // A version may have a second segment, as in `v1/compute/operations/1`, and a
    // name none, as in `v1/operations/1`.
    let shorter = whole.split_once('/').map(|(_, rest)| rest).filter(|_| in_query.is_none());
    for name in [Some(whole), shorter].into_iter().flatten() {
        if store.contains(name) {
            return RestResource::Operation(name.to_owned());
        }
        if is_collection(name) && store.has_any(name) {
            return RestResource::Collection(name.to_owned());
        }
    }
    let inner = format!("{whole}/operations");
    if store.has_any(&inner) {
        return RestResource::Collection(inner);
    }
    let name = whole.to_owned();
    if is_collection(whole) { RestResource::Collection(name) } else { RestResource::Operation(name) }
}

/// Returns the path without leading segments up to and with the version, where
/// there is one.
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
    let is_numbered = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    segment.strip_prefix('v').is_some_and(is_numbered) || matches!(segment, "alpha" | "beta")
}

/// Splits `:cancel` and `:wait` off a path, and for services with URLs of their
/// own `/cancel` and `/wait` of a `POST`.
fn split_verb<'a>(method: &str, path: &'a str) -> (&'a str, Option<char>, Option<&'a str>) {
    for mark in [':', '/'] {
        let is_operation =
            |path: &str| mark == ':' || path.rsplit('/').nth(1) == Some("operations") && method == "POST";
        match path.rsplit_once(mark) {
            Some((path, verb @ ("cancel" | "wait"))) if is_operation(path) => {
                return (path, Some(mark), Some(verb));
            }
            _ => {}
        }
    }
    (path, None, None)
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

/// Returns the JSON form of `google.protobuf.Duration`, without a sign.
fn duration(text: &str) -> Option<Duration> {
    let seconds = text.strip_suffix('s')?;
    let is_plain = seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Duration::try_from_secs_f64(seconds.parse().ok().filter(|_| is_plain)?).ok()
}
