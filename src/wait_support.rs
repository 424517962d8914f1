//! What a client knows about WaitOperation at its service.
//!
//! Few services have the method, its HTTP rule differs between them
//! ([`WaitBinding`]), and no discovery request reveals it. With
//! `LongPoll::Auto`, the first waits of a client find out by trying:
//!
//! ```text
//! Untried(Body) ── response ──────────► Works(Body)
//!      │ 400                ┌─ response ► Works(Query)
//!      ├──────► Untried(Query)
//!      │                    └─ failure ─► Nothing
//!      │ 404, 405, 501
//!      ├──────► Untried(Get) ── as above
//!      │ transient error: the same again; after two failures: Nothing
//!      └─ other error ──────────────────► Nothing
//! ```
//!
//! The invariants: at most one wait tries at a time, and at most
//! [`MOST_FAILURES`] requests of a client fail on the way to `Works` or
//! `Nothing`, which are final. Waits that meanwhile find nothing use plain
//! polls, so none of them blocks.
//!
//! The result lives as long as the client. It is not kept per operation: all
//! operations of a service have the same rule.

use std::sync::{Arc, MutexGuard};

use crate::error::Error;
use crate::transport::WaitBinding;
use crate::util::process::ProcessLock;

/// The knowledge that all clones of a client share.
#[derive(Debug)]
pub(crate) struct WaitSupport(ProcessLock<WaitSupportState>);

/// What was found out so far, and whether a wait is at it.
#[derive(Debug)]
struct WaitSupportState {
    /// The state in the diagram of this module.
    known: Known,
    /// How many trials have failed.
    failed: u32,
    /// Whether a wait has a [`Trial`] that finds out. The others poll until it
    /// ends.
    busy: bool,
}

/// Whether WaitOperation works, and with which binding.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// The binding to try next.
    Untried(WaitBinding),
    /// The service has responded to this binding.
    Works(WaitBinding),
    /// No binding works: all waits poll.
    Nothing,
}

impl WaitSupport {
    /// Returns the binding of WaitOperation to use.
    ///
    /// `None` means to send a plain poll: the service does not have the method,
    /// or another wait is finding out.
    pub(crate) fn trial(self: &Arc<Self>) -> Option<Trial> {
        let mut state = self.lock();
        match state.known {
            Known::Works(binding) => Some(Trial { binding, finding_out: None }),
            Known::Untried(binding) if !state.busy => {
                // Only one wait tries. Otherwise thousands that start together
                // would all send a request that may not be supported.
                state.busy = true;
                Some(Trial { binding, finding_out: Some(Arc::clone(self)) })
            }
            Known::Untried(_) | Known::Nothing => None,
        }
    }

    /// Locks the state. The lock is never held while a request is sent.
    fn lock(&self) -> MutexGuard<'_, WaitSupportState> {
        self.0.lock()
    }
}

/// Starts untried. A forked child keeps what its parent knew, but not its
/// trial: the thread that made it does not exist in the child.
impl Default for WaitSupport {
    fn default() -> Self {
        let inherit = |parent: Option<&mut WaitSupportState>| match parent {
            Some(state) => WaitSupportState { busy: false, ..*state },
            None => WaitSupportState::default(),
        };
        Self(ProcessLock::new(WaitSupportState::default(), inherit))
    }
}

/// One long poll by a binding that is known to work, or is being tried.
///
/// It ends with [`worked`](Self::worked) or [`failed`](Self::failed). Dropping
/// it without either, for instance because the wait was stopped, leaves the
/// state as it was.
#[derive(Debug)]
pub(crate) struct Trial {
    /// The binding to send the request with.
    pub(crate) binding: WaitBinding,
    /// Where the result is recorded. `None` if the binding is known to work, so
    /// nothing is left to record.
    finding_out: Option<Arc<WaitSupport>>,
}

impl Trial {
    /// Returns whether this is the first use of the binding, whose failure says
    /// something about the service rather than about the operation.
    pub(crate) fn finds_out(&self) -> bool {
        self.finding_out.is_some()
    }

    /// Records that the service responded, which settles the binding.
    pub(crate) fn worked(self) {
        if let Some(support) = &self.finding_out {
            log::debug!("WaitOperation works, bound by {:?}", self.binding);
            support.lock().known = Known::Works(self.binding);
        }
    }

    /// Records a failure and returns true if this trial was to find out.
    ///
    /// Returns false if the binding was known to work. Then the failure is one
    /// of the operation or of the moment, and the caller counts it.
    pub(crate) fn failed(self, error: &Error) -> bool {
        // A binding that is known to work stays known, whatever one operation
        // returns.
        let Some(support) = &self.finding_out else { return false };
        let mut state = support.lock();
        state.failed += 1;
        // Limited by the number of failures, because transient errors leave the
        // binding as it is and could go on for ever. `busy` stays set until
        // `self` is dropped, so no other trial sees the old state.
        state.known = match next(self.binding, error) {
            Some(binding) if state.failed < MOST_FAILURES => Known::Untried(binding),
            _ => Known::Nothing,
        };
        log::debug!("WaitOperation bound by {:?} fails: {error}; now {:?}", self.binding, state.known);
        drop(state);
        true
    }
}

/// Lets the next wait find out, if this trial ended without a result.
impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(support) = &self.finding_out {
            support.lock().busy = false;
        }
    }
}

/// Returns the binding to try after a failure; `None` if there is no other.
///
/// A service whose method takes no body rejects one with 400: there the timeout
/// may go into the query. A service that has no such path for `POST` responds
/// with 404, 405 or 501, and may have it for `GET`. So two failures distinguish
/// all bindings. An error without an HTTP status comes from gRPC or from a
/// transport of the user, which have no binding to choose.
///
/// ```text
/// Body,  400            Query
/// Body,  405            Get
/// Query, 400            None
/// any,   503            the same binding again
/// ```
fn next(tried: WaitBinding, error: &Error) -> Option<WaitBinding> {
    match (tried, error.http_status()) {
        _ if error.is_transient() => Some(tried),
        (WaitBinding::Body, Some(400)) => Some(WaitBinding::Query),
        (WaitBinding::Body, Some(404 | 405 | 501)) => Some(WaitBinding::Get),
        _ => None,
    }
}

/// The body is tried first, because most services that have the method take
/// one.
impl Default for WaitSupportState {
    fn default() -> Self {
        Self { known: Known::Untried(WaitBinding::Body), failed: 0, busy: false }
    }
}

/// The number of failed requests after which a client stops finding out. One
/// failure leads from the body to the right binding; a second one means that
/// there is none, or that the service is down, which is no time for
/// experiments.
const MOST_FAILURES: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Code, Status};

    fn refusal(http: u16) -> Error {
        Error::service(Status::new(Code::from_http(http), "no")).with_http_status(http)
    }

    #[test]
    fn two_failures_tell_the_bindings_apart() {
        let passing = || Error::response_cut("cut").with_http_status(200);
        let rows = [
            ("bound by body", vec![], Some(WaitBinding::Body)),
            ("bound by query", vec![refusal(400)], Some(WaitBinding::Query)),
            ("bound to GET", vec![refusal(404)], Some(WaitBinding::Get)),
            ("bound to GET, and says so", vec![refusal(405)], Some(WaitBinding::Get)),
            ("not bound", vec![refusal(404), refusal(404)], None),
            ("not implemented", vec![refusal(501), refusal(404)], None),
            ("not bound by query either", vec![refusal(400), refusal(400)], None),
            ("not allowed", vec![refusal(403)], None),
            ("gRPC without it", vec![Error::service(Status::new(Code::Unimplemented, "no"))], None),
            ("a bad moment", vec![passing()], Some(WaitBinding::Body)),
            ("bad times", vec![passing(), passing()], None),
            ("a bad moment and a refusal", vec![passing(), refusal(404)], None),
        ];
        for (row, errors, expected) in rows {
            let support = Arc::new(WaitSupport::default());
            for error in &errors {
                assert!(support.trial().expect(row).failed(error), "{row}");
            }
            assert_eq!(support.trial().map(|trial| trial.binding), expected, "{row}");
        }
    }

    #[test]
    fn one_wait_finds_out_for_all() {
        let support = Arc::new(WaitSupport::default());
        let trial = support.trial().expect("nothing is known");
        assert!(support.trial().is_none(), "another wait is at it");
        drop(trial);
        support.trial().expect("the trial was not made").worked();
        let (one, other) = (support.trial().expect("it works"), support.trial().expect("for all"));
        assert!(!one.failed(&refusal(404)), "what worked once is not forgotten");
        assert_eq!(other.binding, WaitBinding::Body);
        assert!(support.trial().is_some());
    }
}
