//! One poll, as a value that another thread may send.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::options::CallOptions;
use crate::proto::google::longrunning::{GetOperationRequest, WaitOperationRequest};
use crate::transport::Transport;
use crate::transport::WaitBinding;
use crate::types::Operation;

/// One request for the state of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    request: Request,
    timeout: Duration,
    /// If it is not that of the options it is sent with.
    version: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
enum Request {
    Get(GetOperationRequest),
    Wait(WaitOperationRequest, WaitBinding),
}

impl Poll {
    /// Creates a poll that gets the current state, within `timeout`.
    pub(crate) fn get(name: &str, timeout: Duration) -> Self {
        Self { request: Request::Get(GetOperationRequest { name: name.to_owned() }), timeout, version: None }
    }

    /// Creates a poll whose response the server holds back until the operation
    /// is done, for at most `asked`.
    pub(super) fn held(name: &str, timeout: Duration, asked: Duration, binding: WaitBinding) -> Self {
        let asked = prost_types::Duration::try_from(asked).ok();
        let request = WaitOperationRequest { name: name.to_owned(), timeout: asked };
        Self { request: Request::Wait(request, binding), timeout, version: None }
    }

    /// Sends it at this version of the API.
    pub(crate) fn at_version(self, version: Option<&Arc<str>>) -> Self {
        Self { version: version.cloned(), ..self }
    }

    /// Returns how long it may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The same poll with less time, because some has passed.
    pub(crate) fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Makes the one attempt that a poll is.
    pub(crate) fn send(&self, over: &dyn Transport, options: &CallOptions) -> Result<Operation, Error> {
        let attempt = options.attempt(self.timeout).at_version(self.version.as_deref());
        match &self.request {
            Request::Get(request) => over.get_operation(request, &attempt),
            Request::Wait(request, binding) => {
                over.wait_operation(request, &attempt.with_wait_binding(Some(*binding)))
            }
        }
    }
}
