//! One attempt of a start, and whether a failed one may have started the
//! operation.

use crate::call::AttemptRequest;
use crate::error::{Error, ErrorKind};
use crate::retry::AttemptTurn;
use crate::transport::{Attempt, StartRequest, Transport};
use crate::types::{Code, Operation};

impl AttemptRequest for StartRequest {
    type Output = Operation;

    fn attempt(
        &self,
        over: &dyn Transport,
        attempt: &Attempt<'_>,
        turn: AttemptTurn,
    ) -> Result<Operation, Error> {
        over.start_operation(self, attempt).map_err(|error| {
            // An earlier attempt counts too: if it has started the operation, this one may
            // be refused for that very reason.
            match turn.ambiguous || may_have_started(&error) {
                true => error.in_doubt_of_start(self.is_idempotent),
                false => error,
            }
        })
    }
}

/// Returns whether the service may have started an operation although the
/// attempt failed with `error`.
fn may_have_started(error: &Error) -> bool {
    // The method has succeeded but does not return operations, or without a token
    // nothing was sent.
    if error.is_no_operation() || error.kind() == ErrorKind::Auth {
        return false;
    }
    match error.code() {
        // Of the statuses of proxies, those that are transient say nothing about the request.
        Some(code) => error.passes_by_itself() || leaves_open(code),
        // Without a status, the service may have acted on any request that was sent.
        None => error.was_sent(),
    }
}

/// Returns whether a service or a proxy may send this code although the
/// operation was started. All other codes say that it was not.
fn leaves_open(code: Code) -> bool {
    matches!(
        code,
        Code::Cancelled
            | Code::DataLoss
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Ok
            | Code::Unavailable
            | Code::Unknown
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Status;

    #[test]
    fn refusals_leave_nothing_open() {
        let rows = [
            (Code::Aborted, false),
            (Code::AlreadyExists, false),
            (Code::Cancelled, true),
            (Code::DataLoss, true),
            (Code::DeadlineExceeded, true),
            (Code::FailedPrecondition, false),
            (Code::Internal, true),
            (Code::InvalidArgument, false),
            (Code::NotFound, false),
            (Code::Ok, true),
            (Code::OutOfRange, false),
            (Code::PermissionDenied, false),
            (Code::ResourceExhausted, false),
            (Code::Unauthenticated, false),
            (Code::Unavailable, true),
            (Code::Unimplemented, false),
            (Code::Unknown, true),
        ];
        for (code, open) in rows {
            assert_eq!(may_have_started(&Error::from(Status::new(code, "x"))), open, "{code}");
        }
        assert!(may_have_started(&Error::response_cut("x")));
        assert!(!may_have_started(&Error::attempt_timed_out("h", false)));
        assert!(!may_have_started(&Error::no_token("c", "x", true)));
    }
}
