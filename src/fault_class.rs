//! The classification of errors, one for both transports, for calls and for
//! waits: whether another attempt may follow.
//!
//! | class | a call | a wait |
//! |---|---|---|
//! | `Transient` | retries | tolerates |
//! | `Tolerable` | returns it | tolerates |
//! | `Doubtful` | returns it | tolerates `max_failures` in a row |
//! | `StatusPage` | returns it | the same, before a success one |
//! | `NotFound` | returns it | tolerates within its grace |
//! | `UnknownHost` | returns it | ends, after a success as `Doubtful` |
//! | `Permanent` | returns it | ends |
//!
//! `docs/errors.md` lists the events and their classes, and
//! `tests/it/events.rs` plays them.

use crate::types::Code;

/// How calls and waits handle a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultClass {
    /// The same request may succeed later: a call retries it, a wait tolerates
    /// it.
    Transient,
    /// A call returns it, a wait tolerates it: a later poll is another request.
    Tolerable,
    /// A call returns it, a wait tolerates a few in a row.
    Doubtful,
    /// A status page of something in front of the service, or other text that
    /// is not JSON, sent as a success: a call returns it, a wait tolerates one.
    /// A wait that has reached the service before tolerates a few in a row.
    StatusPage,
    /// A call returns it, a wait tolerates it within its grace.
    NotFound,
    /// DNS says that the host does not exist: a call returns it. A wait ends,
    /// unless it has reached the host before: then it tolerates a few in a
    /// row, because it is DNS that changed.
    UnknownHost,
    /// A call returns it, a wait ends.
    Permanent,
}

/// The facts about a failed attempt by which it is classified. An error
/// collects them; nothing else about it counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FaultFacts {
    /// The code of the call; not that of an operation that failed, which is a
    /// result.
    pub(crate) code: Option<Code>,
    /// The details of the status say that a quota is used up.
    pub(crate) names_quota: bool,
    /// The server says when to come back.
    pub(crate) is_hinted: bool,
    /// The failure says nothing about the request: of the network, of a proxy,
    /// of a token endpoint.
    pub(crate) is_transient: bool,
    /// The server forbids a retry of the same request.
    pub(crate) forbids_retry: bool,
    /// A page or other text was sent as a success.
    pub(crate) is_status_page: bool,
    /// The host name was looked up and does not exist.
    pub(crate) is_unknown_host: bool,
}

impl FaultFacts {
    /// Returns the class. The first rule that matches counts.
    pub(crate) fn class(self) -> FaultClass {
        match self.code {
            // Before the codes: a proxy's 504 is transient, the service's DEADLINE_EXCEEDED is not.
            _ if self.is_transient || self.code == Some(Code::Unavailable) => self.transient(),
            // AIP-194: without a hint, a retry would use up more of the quota.
            _ if self.is_quota() && self.is_hinted => self.transient(),
            _ if self.is_quota() => FaultClass::Tolerable,
            Some(Code::DeadlineExceeded) => FaultClass::Tolerable,
            // Services report short failures and broken requests alike by
            // these.
            Some(Code::Internal | Code::Unknown) => FaultClass::Doubtful,
            Some(Code::NotFound) => FaultClass::NotFound,
            // Only without a code: a page with an error status has the code of
            // that status.
            None if self.is_status_page => FaultClass::StatusPage,
            None if self.is_unknown_host => FaultClass::UnknownHost,
            _ => FaultClass::Permanent,
        }
    }

    /// A server that forbids retries ends a call, and no wait: its next poll is
    /// no retry.
    fn transient(self) -> FaultClass {
        if self.forbids_retry { FaultClass::Tolerable } else { FaultClass::Transient }
    }

    /// Returns whether a quota is used up: `RESOURCE_EXHAUSTED`, or
    /// `PERMISSION_DENIED` with details that say so.
    ///
    /// Older Google APIs send 403 in place of 429, which stays the code of the
    /// error. Other refusals that come with a `Retry-After` stay refusals.
    pub(crate) fn is_quota(self) -> bool {
        match self.code {
            Some(Code::PermissionDenied) => self.names_quota,
            code => code == Some(Code::ResourceExhausted),
        }
    }
}
