//! One request and its result, independent of the wait that it belongs to.
//!
//! A request and its report name a track or a group by its number. So a worker
//! needs no access to the scheduler, and a report that arrives late is matched
//! when it is processed.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::call::AttemptRequest;
use crate::core::Core;
use crate::error::{Error, ErrorKind};
use crate::options::CallOptions;
use crate::poller::Poll;
use crate::proto::google::longrunning::{CancelOperationRequest, ListOperationsRequest};
use crate::retry::AttemptTurn;
use crate::types::{Operation, OperationPage};

/// The context that all requests share.
pub(super) struct RequestContext {
    pub(super) core: Arc<Core>,
    /// The options of all requests; a timeout and a version come with each.
    pub(super) options: CallOptions,
}

/// A request to send, and the track or group that it is for.
pub(super) enum PollRequest {
    /// A get or a long poll.
    Poll { track: usize, poll: Poll },
    /// One page of a listing. In a box, because it is much larger than the
    /// others.
    List { group: usize, request: Box<ListOperationsRequest>, version: Option<Arc<str>>, timeout: Duration },
    /// One attempt of a cancellation.
    Cancel { track: usize, request: CancelOperationRequest, version: Option<Arc<str>>, turn: AttemptTurn },
}

/// The result of a request, and the panic that it ended with.
pub(super) struct RequestReport {
    pub(super) result: RequestResult,
    /// The panic of a transport of the caller's. The result is then an error,
    /// and the panic continues on the thread of the caller when the report is
    /// processed.
    pub(super) panic: Option<Box<dyn Any + Send>>,
}

/// The result, with the number of the track or group.
pub(super) enum RequestResult {
    Got { track: usize, result: Result<Operation, Error> },
    Listed { group: usize, result: Result<OperationPage, Error> },
    Cancelled { track: usize, result: Result<(), Error> },
}

impl PollRequest {
    /// Makes the one attempt that the request is, on any thread.
    pub(super) fn run(self, shared: &RequestContext) -> RequestReport {
        let (over, options) = (&*shared.core.transport, &shared.options);
        let mut panic = None;
        let result = match self {
            Self::Poll { track, poll } => {
                let send = || poll.send(over, options);
                RequestResult::Got { track, result: caught(send, &mut panic) }
            }
            Self::List { group, request, version, timeout } => {
                let attempt = options.attempt(timeout).at_version(version.as_deref());
                let send = || over.list_operations(&request, &attempt);
                RequestResult::Listed { group, result: caught(send, &mut panic) }
            }
            Self::Cancel { track, request, version, turn } => {
                let attempt = options.attempt(turn.timeout).at_version(version.as_deref());
                let send = || request.attempt(over, &attempt, turn);
                RequestResult::Cancelled { track, result: caught(send, &mut panic) }
            }
        };
        RequestReport { result, panic }
    }

    /// Returns the timeout of the attempt.
    pub(super) fn timeout(&self) -> Duration {
        match self {
            Self::Poll { poll, .. } => poll.timeout(),
            Self::List { timeout, .. } => *timeout,
            Self::Cancel { turn, .. } => turn.timeout,
        }
    }
}

/// Calls `send`, and turns a panic into an error.
fn caught<T>(
    send: impl FnOnce() -> Result<T, Error>,
    panic: &mut Option<Box<dyn Any + Send>>,
) -> Result<T, Error> {
    // Caught here, on whichever thread: the scheduler must get a report for every
    // request, or it would wait for ever.
    catch_unwind(AssertUnwindSafe(send)).unwrap_or_else(|payload| {
        *panic = Some(payload);
        Err(Error::new(ErrorKind::Transport, "the transport panicked"))
    })
}
