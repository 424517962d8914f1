//! google.longrunning.Operations over REST, for any version prefix and any shape of name.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{Gone, Http, operations_page};
use super::auth;
use super::lock;
use super::log::{RecordedRequest, percent_decode};
use super::server::Core;
use super::store::{BadToken, Query};
use crate::types::{Any, Code, Status};

/// A method of google.longrunning.Operations.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rpc {
    /// CancelOperation.
    Cancel,
    /// DeleteOperation.
    Delete,
    /// GetOperation.
    Get,
    /// ListOperations.
    List,
    /// WaitOperation, as `POST {name}:wait` with a body or a query, and as `GET {name}:wait`.
    Wait,
}

/// How time passes while an answer is held back.
pub(super) type Pause<'a> = dyn FnMut(Duration) -> Result<(), Gone> + 'a;

/// Answers a request from the operations of the server, or as one of the servers that give tokens.
pub(super) fn answer(core: &Core, request: &RecordedRequest, pause: &mut Pause<'_>) -> Result<Http, Gone> {
    if let Some(http) = auth::answer(core, request) {
        return Ok(http);
    }
    let Some(call) = Call::read(core, request) else {
        let (method, path) = (request.method(), request.path());
        let message = format!("`{method} {path}` is no method of google.longrunning.Operations");
        return Ok(Http::error(&Status::new(Code::NotFound, message)));
    };
    let result = match call.rpc {
        rpc if !core.options.rpcs.contains(&rpc) => {
            Err(Status::new(Code::Unimplemented, "operation is not implemented, or supported, or enabled"))
        }
        Rpc::Wait => return wait(core, &call.name, request, pause),
        Rpc::Cancel => cancel(core, &call.name),
        Rpc::Delete => delete(core, &call.name),
        Rpc::Get => get(core, &call.name),
        Rpc::List => list(core, &call.name, request),
    };
    Ok(result.unwrap_or_else(|status| Http::error(&status)))
}

fn get(core: &Core, name: &str) -> Result<Http, Status> {
    let (json, _) = lock(&core.store).look(name, core.clock.elapsed()).ok_or_else(|| not_found(name))?;
    Ok(Http::json(json))
}

fn cancel(core: &Core, name: &str) -> Result<Http, Status> {
    let found = lock(&core.store).cancel(name, core.clock.elapsed());
    if found { Ok(Http::json("{}")) } else { Err(not_found(name)) }
}

fn delete(core: &Core, name: &str) -> Result<Http, Status> {
    let found = lock(&core.store).delete(name);
    if found { Ok(Http::json("{}")) } else { Err(not_found(name)) }
}

fn list(core: &Core, collection: &str, request: &RecordedRequest) -> Result<Http, Status> {
    let field =
        |camel: &str, snake: &str| request.query(camel).or_else(|| request.query(snake)).unwrap_or_default();
    let page_token = field("pageToken", "page_token");
    let query = Query {
        collection,
        done: filter(&field("filter", "filter"))?,
        page_size: page_size(&field("pageSize", "page_size"), core)?,
        page_token: &page_token,
        partial: field("returnPartialSuccess", "return_partial_success") == "true",
    };
    let mut store = lock(&core.store);
    if !query.partial && !store.unreachable().is_empty() {
        let message = format!("cannot reach {}", store.unreachable().join(", "));
        return Err(Status::new(Code::Unavailable, message));
    }
    let page = store.list(&query, core.clock.elapsed());
    let page = page.map_err(|BadToken| bad_field("pageToken", "not a page token of this list"))?;
    Ok(Http::json(operations_page(page.operations.iter(), &page.next_page_token, &page.unreachable)))
}

/// Answers as soon as the operation is done, at the latest after the asked time.
fn wait(core: &Core, name: &str, request: &RecordedRequest, pause: &mut Pause<'_>) -> Result<Http, Gone> {
    let timeout = match wait_timeout(request) {
        Ok(timeout) => timeout.unwrap_or(core.options.max_wait).min(core.options.max_wait),
        Err(status) => return Ok(Http::error(&status)),
    };
    let end = core.clock.elapsed().saturating_add(timeout);
    if let Err(status) = get(core, name) {
        return Ok(Http::error(&status));
    }
    loop {
        let now = core.clock.elapsed();
        let (operation, time_left) = {
            let store = lock(&core.store);
            (store.peek(name, now), store.time_left(name, now))
        };
        match operation {
            None => return Ok(Http::error(&not_found(name))),
            Some(operation) if operation.is_done() || now >= end => {
                return Ok(Http::json(operation.to_json()));
            }
            Some(_) => {}
        }
        let left = end.saturating_sub(now);
        let nap = if core.clock.is_virtual() { left } else { left.min(NAP) };
        pause(time_left.map_or(nap, |time| time.min(nap)))?;
    }
}

/// A request as a call of an RPC. The name of a list call is its collection.
struct Call {
    rpc: Rpc,
    name: String,
}

impl Call {
    fn read(core: &Core, request: &RecordedRequest) -> Option<Self> {
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
        Some(Self { rpc, name })
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

fn filter(text: &str) -> Result<Option<bool>, Status> {
    let compact: String = text.split_whitespace().collect();
    match compact.as_str() {
        "" => Ok(None),
        "done=true" => Ok(Some(true)),
        "done=false" => Ok(Some(false)),
        _ => Err(bad_field("filter", "only `done=true` and `done=false` are supported")),
    }
}

/// AIP-158: zero means the default, more than the maximum means the maximum, less than zero is an error.
fn page_size(text: &str, core: &Core) -> Result<usize, Status> {
    let size = if text.is_empty() { Ok(0) } else { text.parse::<i32>() };
    match size.map(usize::try_from) {
        Ok(Ok(0)) => Ok(core.options.page_size.min(core.options.max_page_size)),
        Ok(Ok(size)) => Ok(size.min(core.options.max_page_size)),
        _ => Err(bad_field("pageSize", "must be a number that is not negative")),
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
    let bad = || bad_field("timeout", "must be a duration such as `3.5s`");
    text.map(|text| duration(&text).ok_or_else(bad)).transpose()
}

/// The JSON form of `google.protobuf.Duration`, without a sign.
fn duration(text: &str) -> Option<Duration> {
    let seconds = text.strip_suffix('s')?;
    let is_plain = seconds.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Duration::try_from_secs_f64(seconds.parse().ok().filter(|_| is_plain)?).ok()
}

fn not_found(name: &str) -> Status {
    Status::new(Code::NotFound, format!("operation `{name}` was not found"))
}

fn bad_field(field: &str, description: &str) -> Status {
    let violation = json!({ "field": field, "description": description });
    let detail = json!({ "@type": BAD_REQUEST, "fieldViolations": [violation] });
    let status = Status::new(Code::InvalidArgument, format!("{field}: {description}"));
    match Any::from_json(&detail.to_string()) {
        Ok(detail) => status.with_detail(detail),
        Err(_) => status,
    }
}

const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

/// How often a wait in real time looks whether somebody else has changed the operation.
const NAP: Duration = Duration::from_millis(20);
