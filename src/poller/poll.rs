//! One poll, as a value that another thread may send.
//!
//! `WaitMachine` makes it, the driver sends it. It owns its name, so that
//! `poll_many` can hand it to a worker while the wait stays where it is.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::options::CallOptions;
use crate::proto::google::longrunning::{GetOperationRequest, WaitOperationRequest};
use crate::transport::Transport;
use crate::transport::WaitBinding;
use crate::types::Operation;

/// One request for the state of an operation, and how long its attempt may
/// take.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    request: Request,
    /// The timeout of the attempt, from when it is sent.
    timeout: Duration,
    /// The version of the operation, if it is not that of the options it is
    /// sent with.
    version: Option<Arc<str>>,
}

/// GetOperation, or WaitOperation for a long poll.
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

    /// Creates a long poll: the server holds its response back until the
    /// operation is done, for at most `asked`, which is less than `timeout`.
    pub(super) fn held(name: &str, timeout: Duration, asked: Duration, binding: WaitBinding) -> Self {
        let asked = prost_types::Duration::try_from(asked).ok();
        let request = WaitOperationRequest { name: name.to_owned(), timeout: asked };
        Self { request: Request::Wait(request, binding), timeout, version: None }
    }

    /// Sets the version of the API at which it is sent.
    pub(crate) fn at_version(self, version: Option<&Arc<str>>) -> Self {
        Self { version: version.cloned(), ..self }
    }

    /// Returns the timeout of its attempt.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns the same poll with another timeout, because time has passed
    /// since it was made.
    pub(crate) fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Makes the one attempt that a poll is. There is no retry: the wait judges
    /// the error.
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
