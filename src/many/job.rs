//! One request, apart from what it is for.

use std::sync::Arc;
use std::time::Duration;

use crate::call::Request;
use crate::core::Core;
use crate::error::Error;
use crate::options::CallOptions;
use crate::proto::google::longrunning::{CancelOperationRequest, GetOperationRequest, ListOperationsRequest};
use crate::retry::Turn;
use crate::types::{Operation, OperationPage};

/// What all requests have in common.
pub(super) struct Shared {
    pub(super) core: Arc<Core>,
    pub(super) options: CallOptions,
}

/// A request to send, and the place of what it is for.
pub(super) enum Job {
    Get { track: usize, request: GetOperationRequest, timeout: Duration },
    List { group: usize, request: Box<ListOperationsRequest>, timeout: Duration },
    Cancel { track: usize, request: CancelOperationRequest, turn: Turn },
}

/// What came of it.
pub(super) enum Report {
    Got { track: usize, answer: Result<Operation, Error> },
    Listed { group: usize, answer: Result<OperationPage, Error> },
    Cancelled { track: usize, answer: Result<(), Error> },
}

impl Job {
    pub(super) fn run(self, shared: &Shared) -> Report {
        let (over, options) = (&*shared.core.transport, &shared.options);
        match self {
            Self::Get { track, request, timeout } => {
                Report::Got { track, answer: over.get_operation(&request, &options.attempt(timeout)) }
            }
            Self::List { group, request, timeout } => {
                Report::Listed { group, answer: over.list_operations(&request, &options.attempt(timeout)) }
            }
            Self::Cancel { track, request, turn } => Report::Cancelled {
                track,
                answer: request.attempt(over, &options.attempt(turn.timeout), turn),
            },
        }
    }

    pub(super) fn timeout(&self) -> Duration {
        match self {
            Self::Get { timeout, .. } | Self::List { timeout, .. } => *timeout,
            Self::Cancel { turn, .. } => turn.timeout,
        }
    }
}
