//! What a failed attempt means for the attempts after it: one classification for both transports, for calls and for waits.
//!
//! `docs/errors.md` lists the events and their classes, and `tests/it/events.rs` plays them.

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

/// What an error knows about the attempt that failed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FaultFacts<'a> {
    /// The status of the call; not that of an operation that failed, which is a result.
    pub(crate) status: Option<&'a Status>,
    /// The server says when to come back.
    pub(crate) is_hinted: bool,
    /// The failure says nothing about the request: of the network, of a proxy, of a token endpoint.
    pub(crate) is_transient: bool,
    /// The server asks not to send the same request again.
    pub(crate) forbids_retry: bool,
    /// A page or other text was sent as a success.
    pub(crate) is_status_page: bool,
}

impl FaultFacts<'_> {
    pub(crate) fn class(self) -> FaultClass {
        let code = self.status.map(Status::code);
        match code {
            // Before the codes: a proxy's 504 is transient, the service's DEADLINE_EXCEEDED is not.
            _ if self.is_transient || code == Some(Code::Unavailable) => self.transient(),
            _ if self.is_quota() && self.is_hinted => self.transient(),
            _ if self.is_quota() => FaultClass::Tolerable,
            Some(Code::DeadlineExceeded) => FaultClass::Tolerable,
            Some(Code::Internal | Code::Unknown) => FaultClass::Doubtful,
            Some(Code::NotFound) => FaultClass::NotFound,
            None if self.is_status_page => FaultClass::StatusPage,
            _ => FaultClass::Permanent,
        }
    }

    /// A server that forbids retries ends a call, and no wait: its next poll is no retry.
    fn transient(self) -> FaultClass {
        if self.forbids_retry { FaultClass::Tolerable } else { FaultClass::Transient }
    }

    /// Whether a quota is used up: `RESOURCE_EXHAUSTED`, or `PERMISSION_DENIED` with details that say so.
    ///
    /// Older Google APIs send 403 in place of 429, which stays the code of the error. Other refusals that come with a
    /// `Retry-After` stay refusals.
    pub(crate) fn is_quota(self) -> bool {
        match self.status {
            Some(status) if status.code() == Code::PermissionDenied => names_quota(status),
            status => status.is_some_and(|status| status.code() == Code::ResourceExhausted),
        }
    }
}

fn names_quota(status: &Status) -> bool {
    let by_reason = |info: ErrorInfo| QUOTA_REASONS.contains(&plain(&info.reason).as_str());
    status.detail::<ErrorInfo>().is_some_and(by_reason)
        || status.detail::<QuotaFailure>().is_some()
        || status.retry_delay().is_some()
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
        let class = |status: &Status, is_hinted| {
            FaultFacts { status: Some(status), is_hinted, ..FaultFacts::default() }.class()
        };
        for (reason, expected) in rows {
            let of = |code| Status::new(code, "m").with_detail(ErrorInfo::new(reason, "d"));
            let denied = of(Code::PermissionDenied);
            let without_hint = if expected { FaultClass::Tolerable } else { FaultClass::Permanent };
            assert_eq!(class(&denied, false), without_hint, "{reason}");
            assert_eq!(class(&denied, true), FaultClass::Transient, "{reason} with a hint");
            let other = of(Code::InvalidArgument);
            assert_eq!(class(&other, true), FaultClass::Permanent, "{reason} of another code");
        }
        let failure = Status::new(Code::PermissionDenied, "m").with_detail(QuotaFailure::default());
        assert_eq!(class(&failure, false), FaultClass::Tolerable);
    }
}
