//! google.longrunning.Operations: what each method does to the operations of the server.

use std::time::Duration;

use serde_json::json;

use super::answer::Gone;
use super::call::{Arguments, Call};
use super::lock;
use super::log::RecordedRequest;
use super::said::{Said, View};
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
    /// WaitOperation; over REST as `POST {name}:wait` with a body or a query, and as `GET {name}:wait`.
    Wait,
}

/// How time passes while an answer is held back.
pub(super) type Pause<'a> = dyn FnMut(Duration) -> Result<(), Gone> + 'a;

/// Answers a call from the operations of the server.
pub(super) fn answer(core: &Core, call: &Call, pause: &mut Pause<'_>) -> Result<Said, Gone> {
    if !core.options.rpcs.contains(&call.rpc) {
        let message = "operation is not implemented, or supported, or enabled";
        return Ok(Said::Error(Status::new(Code::Unimplemented, message)));
    }
    let arguments = match &call.arguments {
        Ok(arguments) => arguments,
        Err(status) => return Ok(Said::Error(status.clone())),
    };
    let result = match call.rpc {
        Rpc::Wait => return wait(core, &call.name, arguments.timeout, pause),
        Rpc::Cancel => cancel(core, &call.name),
        Rpc::Delete => delete(core, &call.name),
        Rpc::Get => get(core, &call.name),
        Rpc::List => list(core, &call.name, arguments),
    };
    Ok(result.unwrap_or_else(Said::Error))
}

/// The answer to a request that is no call.
pub(super) fn no_method(request: &RecordedRequest) -> Said {
    let (method, path) = (request.method(), request.path());
    let message = format!("`{method} {path}` is no method of google.longrunning.Operations");
    Said::Error(Status::new(Code::NotFound, message))
}

fn get(core: &Core, name: &str) -> Result<Said, Status> {
    let found = lock(&core.store).look(name, core.clock.elapsed());
    found.map(Said::Operation).ok_or_else(|| not_found(name))
}

fn cancel(core: &Core, name: &str) -> Result<Said, Status> {
    let found = lock(&core.store).cancel(name, core.clock.elapsed());
    if found { Ok(Said::Empty) } else { Err(not_found(name)) }
}

fn delete(core: &Core, name: &str) -> Result<Said, Status> {
    let found = lock(&core.store).delete(name);
    if found { Ok(Said::Empty) } else { Err(not_found(name)) }
}

fn list(core: &Core, collection: &str, arguments: &Arguments) -> Result<Said, Status> {
    let query = Query {
        collection,
        done: filter(&arguments.filter)?,
        page_size: page_size(arguments.page_size, core)?,
        page_token: &arguments.page_token,
        partial: arguments.return_partial_success,
    };
    let mut store = lock(&core.store);
    if !query.partial && !store.unreachable().is_empty() {
        let message = format!("cannot reach {}", store.unreachable().join(", "));
        return Err(Status::new(Code::Unavailable, message));
    }
    let page = store.list(&query, core.clock.elapsed());
    page.map(Said::Page).map_err(|BadToken| bad_field("pageToken", "not a page token of this list"))
}

/// Answers as soon as the operation is done, at the latest after the asked time.
fn wait(core: &Core, name: &str, timeout: Option<Duration>, pause: &mut Pause<'_>) -> Result<Said, Gone> {
    let timeout = timeout.unwrap_or(core.options.max_wait).min(core.options.max_wait);
    let end = core.clock.elapsed().saturating_add(timeout);
    if let Err(status) = get(core, name) {
        return Ok(Said::Error(status));
    }
    loop {
        let now = core.clock.elapsed();
        let (operation, time_left) = {
            let store = lock(&core.store);
            (store.peek(name, now), store.time_left(name, now))
        };
        match operation {
            None => return Ok(Said::Error(not_found(name))),
            Some(operation) if operation.is_done() || now >= end => {
                return Ok(Said::Operation(View::new(operation)));
            }
            Some(_) => {}
        }
        let left = end.saturating_sub(now);
        let nap = if core.clock.is_virtual() { left } else { left.min(NAP) };
        pause(time_left.map_or(nap, |time| time.min(nap)))?;
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
fn page_size(size: i32, core: &Core) -> Result<usize, Status> {
    match usize::try_from(size) {
        Ok(0) => Ok(core.options.page_size.min(core.options.max_page_size)),
        Ok(size) => Ok(size.min(core.options.max_page_size)),
        Err(_) => Err(bad_page_size()),
    }
}

pub(super) fn bad_page_size() -> Status {
    bad_field("pageSize", "must be a number that is not negative")
}

fn not_found(name: &str) -> Status {
    Status::new(Code::NotFound, format!("operation `{name}` was not found"))
}

pub(super) fn bad_field(field: &str, description: &str) -> Status {
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
