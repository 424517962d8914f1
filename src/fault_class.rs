//! What a failed attempt means for the attempts after it: one classification for both transports, for calls and for waits.
//!
//! `docs/errors.md` lists the events and their classes, and `tests/it/events.rs` plays them.

use crate::error::{Error, ErrorKind};
use crate::types::rpc::{ErrorInfo, QuotaFailure};
use crate::types::{Code, Status};

/// How calls and waits handle a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultClass {
    /// The same request may succeed later: a call retries it, a wait tolerates it.
    Transient,
    /// A call returns it, a wait tolerates it: a later poll is another request.
    Tolerable,
    /// A call returns it, a wait tolerates a few in a row.
    Doubtful,
    /// A status page of something in front of the service, sent as a success: a call returns it, a wait tolerates one.
    StatusPage,
    /// A call returns it, a wait tolerates it within its grace.
    NotFound,
    /// A call returns it, a wait ends.
    Permanent,
}

impl FaultClass {
    /// Returns the class of an error.
    pub(crate) fn of(error: &Error) -> Self {
        let hinted = error.retry_after().is_some();
        match error.code() {
            _ if error.kind() == ErrorKind::Operation => Self::Permanent,
            // Also for errors with a code: a proxy's 504 is transient, the service's DEADLINE_EXCEEDED is not.
            _ if error.passes_by_itself() => Self::Transient.unless(error.forbids_retry()),
            _ if is_quota(error) && hinted => Self::Transient.unless(error.forbids_retry()),
            _ if is_quota(error) => Self::Tolerable,
            Some(Code::Unavailable) => Self::Transient.unless(error.forbids_retry()),
            Some(Code::DeadlineExceeded) => Self::Tolerable,
            Some(Code::Internal | Code::Unknown) => Self::Doubtful,
            Some(Code::NotFound) => Self::NotFound,
            None if error.is_status_page() => Self::StatusPage,
            _ => Self::Permanent,
        }
    }

    /// A server that forbids retries ends a call, and no wait: its next poll is no retry.
    fn unless(self, forbids_retry: bool) -> Self {
        if forbids_retry { Self::Tolerable } else { self }
    }
}

/// Whether a quota is used up: `RESOURCE_EXHAUSTED`, or `PERMISSION_DENIED` that says so or says when to come back.
///
/// Older Google APIs answer 403 in place of 429, which stays the code of the error.
pub(crate) fn is_quota(error: &Error) -> bool {
    match (error.kind(), error.status()) {
        (ErrorKind::Operation, _) | (_, None) => false,
        (_, Some(status)) => match status.code() {
            Code::ResourceExhausted => true,
            Code::PermissionDenied => error.retry_after().is_some() || names_quota(status),
            _ => false,
        },
    }
}

fn names_quota(status: &Status) -> bool {
    let by_reason = |info: ErrorInfo| QUOTA_REASONS.contains(&plain(&info.reason).as_str());
    status.detail::<ErrorInfo>().is_some_and(by_reason) || status.detail::<QuotaFailure>().is_some()
}

/// `RATE_LIMIT_EXCEEDED` and `rateLimitExceeded` are the same reason, in the new and in the older form.
fn plain(reason: &str) -> String {
    reason.chars().filter(|char| *char != '_').map(|char| char.to_ascii_lowercase()).collect()
}

/// Reasons of `google.api.ErrorReason` and of the older error format. `dailyLimitExceededUnreg` is none: it means that
/// the project is not registered.
const QUOTA_REASONS: [&str; 8] = [
    "concurrentlimitexceeded",
    "dailylimitexceeded",
    "quotaexceeded",
    "ratelimitexceeded",
    "resourcequotaexceeded",
    "servinglimitexceeded",
    "userratelimitexceeded",
    "variabletermlimitexceeded",
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn reasons_of_quotas() {
        let rows = [
            ("RATE_LIMIT_EXCEEDED", true),
            ("rateLimitExceeded", true),
            ("userRateLimitExceeded", true),
            ("RESOURCE_QUOTA_EXCEEDED", true),
            ("quotaExceeded", true),
            ("dailyLimitExceededUnreg", false),
            ("SERVICE_DISABLED", false),
            ("accessNotConfigured", false),
            ("", false),
        ];
        for (reason, expected) in rows {
            let status = Status::new(Code::PermissionDenied, "m").with_detail(ErrorInfo::new(reason, "d"));
            let class = if expected { FaultClass::Tolerable } else { FaultClass::Permanent };
            assert_eq!(FaultClass::of(&status.clone().into()), class, "{reason}");
            let other = Status::new(Code::InvalidArgument, "m").with_detail(ErrorInfo::new(reason, "d"));
            assert_eq!(FaultClass::of(&other.into()), FaultClass::Permanent, "{reason} of another code");
            let hinted = Error::from(status).with_retry_after(Some(Duration::from_secs(1)));
            assert_eq!(FaultClass::of(&hinted), FaultClass::Transient, "{reason} with a hint");
        }
        let failure = Status::new(Code::PermissionDenied, "m").with_detail(QuotaFailure::default());
        assert_eq!(FaultClass::of(&failure.into()), FaultClass::Tolerable);
    }

    #[test]
    fn an_operation_that_failed_is_no_event_of_the_call() {
        let failed = crate::Operation::failed("operations/42", Status::new(Code::ResourceExhausted, "disk"));
        assert!(!is_quota(&failed.into_response::<()>().unwrap_err()));
    }
}
