//! google.longrunning.Operations: what each method does to the operations of
//! the server.
//!
//! | method | effect | errors |
//! |---|---|---|
//! | `GetOperation` | counts a poll | `NOT_FOUND` |
//! | `ListOperations` | counts a poll of each operation that it looks at | `INVALID_ARGUMENT` for a filter, page size or page token; `UNAVAILABLE` while locations are unreachable |
//! | `WaitOperation` | counts a poll; responds when the operation is done, or after the timeout | `NOT_FOUND`, `INVALID_ARGUMENT` for the timeout |
//! | `CancelOperation` | ends the operation with `CANCELLED`, unless it ignores that | `NOT_FOUND` |
//! | `DeleteOperation` | removes the operation, whether it is done or not | `NOT_FOUND` |
//!
//! A method that the server does not implement responds with `UNIMPLEMENTED`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::call::{RpcArguments, RpcCall, bad_field, bad_page_size};
use super::clock::VirtualClock;
use super::pause::ExchangeEnd;
use super::request::RecordedRequest;
use super::rpc_response::{OperationView, RpcResponse};
use super::store::{InvalidPageToken, ListQuery, OperationStore};
use crate::transport::Rpc;
use crate::types::{Code, OperationForm, Status};
use crate::util::sync::lock;

/// The service: its operations, and how it performs calls.
#[derive(Debug)]
pub(super) struct FakeService {
    pub(super) clock: Arc<VirtualClock>,
    pub(super) store: Mutex<OperationStore>,
    pub(super) options: FakeServiceOptions,
}

/// The options of the service; [`FakeServerBuilder`](super::FakeServerBuilder)
/// has their defaults.
#[derive(Clone, Debug)]
pub(super) struct FakeServiceOptions {
    /// The methods that are implemented. Extended operations do not obey it:
    /// [`has_method`](super::extended::has_method) says which methods their
    /// services have.
    pub(super) rpcs: HashSet<Rpc>,
    /// The number of operations on a page for which the request sets no size;
    /// at least 1.
    pub(super) page_size: usize,
    /// The largest page; at least 1.
    pub(super) max_page_size: usize,
    /// How long a wait is held back at most.
    pub(super) max_wait: Duration,
}

/// Lets time pass before a response. An error ends the exchange: the client has
/// given up or left.
pub(super) type PauseFn<'a> = dyn FnMut(Duration) -> Result<(), ExchangeEnd> + 'a;

impl FakeService {
    /// Performs a call. An error of the service is a response too; `Err` means
    /// that the exchange has ended without one.
    pub(super) fn respond(
        &self,
        call: &RpcCall,
        pause: &mut PauseFn<'_>,
    ) -> Result<RpcResponse, ExchangeEnd> {
        // By the operation, not by the server: one fake server may have
        // operations of several services.
        let form = lock(&self.store).form(&call.name).unwrap_or_default();
        if form == OperationForm::Longrunning && !self.options.rpcs.contains(&call.rpc) {
            let message = "operation is not implemented, or supported, or enabled";
            return Ok(RpcResponse::Error(Status::new(Code::Unimplemented, message)));
        }
        // After the check of the method: a service that does not have it does
        // not read the arguments.
        let arguments = match &call.arguments {
            Ok(arguments) => arguments,
            Err(status) => return Ok(RpcResponse::Error(status.clone())),
        };
        let result = match call.rpc {
            Rpc::Wait => return self.wait(&call.name, arguments.timeout, pause),
            Rpc::Cancel => self.cancel(&call.name),
            Rpc::Delete => self.delete(&call.name),
            Rpc::Get => self.get(&call.name),
            Rpc::List => self.list(&call.name, arguments),
        };
        Ok(result.unwrap_or_else(RpcResponse::Error))
    }

    fn get(&self, name: &str) -> Result<RpcResponse, Status> {
        let found = lock(&self.store).look(name, self.clock.moment());
        found.map(RpcResponse::Operation).ok_or_else(|| not_found(name))
    }

    fn cancel(&self, name: &str) -> Result<RpcResponse, Status> {
        let found = lock(&self.store).cancel(name, self.clock.moment());
        if found { Ok(RpcResponse::Empty) } else { Err(not_found(name)) }
    }

    fn delete(&self, name: &str) -> Result<RpcResponse, Status> {
        let found = lock(&self.store).delete(name);
        if found { Ok(RpcResponse::Empty) } else { Err(not_found(name)) }
    }

    /// Returns one page of a collection.
    ///
    /// While locations are unreachable the call fails, unless the request
    /// accepts partial results (AIP-217).
    fn list(&self, collection: &str, arguments: &RpcArguments) -> Result<RpcResponse, Status> {
        let query = ListQuery {
            collection,
            done: filter(&arguments.filter)?,
            page_size: self.page_size(arguments.page_size)?,
            page_token: &arguments.page_token,
            partial: arguments.return_partial_success,
        };
        // One lock for the check and the list: both see the same locations.
        let mut store = lock(&self.store);
        // The lists of extended operations always say what is missing in them.
        let is_partial = query.partial || store.form_in(&query).is_extended();
        if !is_partial && !store.unreachable().is_empty() {
            let message = format!("cannot reach {}", store.unreachable().join(", "));
            return Err(Status::new(Code::Unavailable, message));
        }
        let page = store.list(&query, self.clock.moment());
        page.map(RpcResponse::Page)
            .map_err(|InvalidPageToken| bad_field("pageToken", "not a page token of this list"))
    }

    /// Responds as soon as the operation is done, or after the timeout with the
    /// state that it has then. A timeout of zero returns the current state.
    fn wait(
        &self,
        name: &str,
        timeout: Option<Duration>,
        pause: &mut PauseFn<'_>,
    ) -> Result<RpcResponse, ExchangeEnd> {
        let is_compute = lock(&self.store).form(name) == Some(OperationForm::ComputeEngine);
        // Compute Engine takes no timeout in the request, and has a fixed one.
        let max_wait = if is_compute { COMPUTE_WAIT } else { self.options.max_wait };
        let timeout = timeout.unwrap_or(max_wait).min(max_wait);
        let end = self.clock.elapsed().saturating_add(timeout);
        // Counts the poll of this wait; the states below are only peeked at.
        if let Err(status) = self.get(name) {
            return Ok(RpcResponse::Error(status));
        }
        // The lock is not held during a pause, so that other connections are
        // served meanwhile.
        loop {
            let now = self.clock.moment();
            let (operation, time_left) = {
                let store = lock(&self.store);
                (store.peek(name, now), store.time_left(name, now))
            };
            match operation {
                None => return Ok(RpcResponse::Error(not_found(name))),
                Some(operation) if operation.is_done() || now.elapsed >= end => {
                    return Ok(RpcResponse::Operation(OperationView::new(operation)));
                }
                Some(_) => {}
            }
            let left = end.saturating_sub(now.elapsed);
            // In virtual time, one pause reaches the end of the operation or of
            // the timeout. Real time passes in naps: a cancel on another
            // connection must end the wait early.
            let nap = if self.clock.is_virtual() { left } else { left.min(NAP) };
            pause(time_left.map_or(nap, |time| time.min(nap)))?;
        }
    }

    /// Returns the size of a page (AIP-158): zero selects the default, more
    /// than the maximum means the maximum, a negative size is an error.
    fn page_size(&self, size: i32) -> Result<usize, Status> {
        match usize::try_from(size) {
            Ok(0) => Ok(self.options.page_size.min(self.options.max_page_size)),
            Ok(size) => Ok(size.min(self.options.max_page_size)),
            Err(_) => Err(bad_page_size()),
        }
    }
}

/// Returns the `NOT_FOUND` for a request that calls no method.
pub(super) fn no_method(request: &RecordedRequest) -> RpcResponse {
    let (method, path) = (request.method(), request.path());
    let message = format!("`{method} {path}` is not a method of google.longrunning.Operations");
    RpcResponse::Error(Status::new(Code::NotFound, message))
}

/// Reads a filter: `done=true` and `done=false`, with any spaces, or none.
///
/// Real services support more, but not the same; an unknown filter is an error,
/// so that no test passes because a filter is ignored.
fn filter(text: &str) -> Result<Option<bool>, Status> {
    // Clients write `done = true` and `done=true`.
    let compact: String = text.split_whitespace().collect();
    match compact.as_str() {
        "" => Ok(None),
        "done=true" => Ok(Some(true)),
        "done=false" => Ok(Some(false)),
        _ => Err(bad_field("filter", "only `done=true` and `done=false` are supported")),
    }
}

/// Returns the error for a name that the server does not have.
fn not_found(name: &str) -> Status {
    Status::new(Code::NotFound, format!("operation `{name}` was not found"))
}

/// Compute Engine holds the response to a wait back for two minutes at most.
const COMPUTE_WAIT: Duration = Duration::from_secs(120);

/// How often a wait in real time checks whether another thread has changed the
/// operation.
const NAP: Duration = Duration::from_millis(20);
