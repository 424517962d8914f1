//! Reads the calls of requests over REST, with any version prefix and any shape
//! of name.
//!
//! The fake server has no bindings: it plays every service at once. The HTTP
//! method and the end of the path decide on the RPC, and the operations that
//! the server has decide which part of the path is the name.
//!
//! | request | call |
//! |---|---|
//! | `GET /v1/operations/42` | `Get`, `operations/42` |
//! | `GET /v2/projects/p/locations/l/operations` | `List`, `projects/p/locations/l/operations` |
//! | `GET /v1/projects/p` with operations below `projects/p/operations` | `List`, `projects/p/operations` |
//! | `POST /v1/operations/42:cancel` | `Cancel`, `operations/42` |
//! | `POST /compute/v1/projects/p/zones/z/operations/o/wait` | `Wait`, `projects/p/zones/z/operations/o` |
//! | `DELETE /v1/operations/42` | `Delete`, `operations/42` |

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

/// Reads the call of a request; `None` if it calls no method, or one that the
/// service of the operation does not have.
pub(super) fn read(store: &OperationStore, request: &RecordedRequest) -> Option<RpcCall> {
    let (path, mark, verb) = split_verb(request.method(), request.path());
    // The name may be percent-encoded in the path, but never in the store.
    let resource = resolve(store, &decode(path), request.query("name"));
    let resource = resource.of_organization(request.query("parentId"));
    // A verb decides before the resource does: `DELETE` and `cancel` may have
    // any name. HEAD is a GET without a body (RFC 9110 §9.3.2).
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

/// Reads the query of a list call, in camel case or snake case. `maxResults` is
/// the page size of Compute Engine and others.
fn list_arguments(request: &RecordedRequest) -> Result<RpcArguments, Status> {
    let field =
        |camel: &str, snake: &str| request.query(camel).or_else(|| request.query(snake)).unwrap_or_default();
    // A request has one of the two, and the other is empty.
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

/// What the path of a request names.
#[derive(Debug, PartialEq, Eq)]
enum RestResource {
    Collection(String),
    Operation(String),
}

impl RestResource {
    /// Puts the organization of the query in front of the name. Compute Engine
    /// has `parentId=organizations/1` there, and the name of the operation is
    /// `organizations/1/locations/…`.
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

/// Returns the resource that a path names. `in_query` is the `name` parameter,
/// which some services have instead.
///
/// Names of operations that exist go first, so that any prefix and any shape of
/// name works. Without one, a path that ends with `operations` is a collection,
/// and any other path an operation, which is then not found.
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

/// Returns the path after its version, or the whole path if it has none:
/// `/compute/v1/projects/p` is `projects/p`.
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

/// Returns whether a segment is a version, such as `v1`, `v1beta1` or `beta`.
fn is_version(segment: &str) -> bool {
    let is_numbered = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    segment.strip_prefix('v').is_some_and(is_numbered) || matches!(segment, "alpha" | "beta")
}

/// Splits the verb off a path: `operations/42:cancel` has `:` and `cancel`.
///
/// Services with URLs of their own have `…/operations/42/cancel`. That is a
/// verb only in a `POST`, and only behind an operation.
fn split_verb<'a>(method: &str, path: &'a str) -> (&'a str, Option<char>, Option<&'a str>) {
    for mark in [':', '/'] {
        // A colon is a verb anywhere, but a slash is only one behind an
        // operation: `wait` may be a resource.
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

/// Reads the timeout of a wait from the JSON body, else from the query.
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

/// Reads the JSON form of `google.protobuf.Duration`, such as `3.5s`. `None`
/// for a sign, and for anything else.
fn duration(text: &str) -> Option<Duration> {
    let seconds = text.strip_suffix('s')?;
    // Excludes signs, exponents and names, which Rust would parse too.
    let is_plain = seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Duration::try_from_secs_f64(seconds.parse().ok().filter(|_| is_plain)?).ok()
}
