//! The knowledge of a client about WaitOperation at its service, found out once
//! by the first waits that try it.

use std::sync::{Arc, MutexGuard};

use crate::error::Error;
use crate::transport::WaitBinding;
use crate::util::process::ProcessLock;

/// Shared by all clones of a client.
#[derive(Debug)]
pub(crate) struct WaitSupport(ProcessLock<WaitSupportState>);

#[derive(Debug)]
struct WaitSupportState {
    known: Known,
    failed: u32,
    /// One wait is finding out; the others poll until it has.
    busy: bool,
}

#[derive(Clone, Copy, Debug)]
enum Known {
    /// The next way to try.
    Untried(WaitBinding),
    Works(WaitBinding),
    Nothing,
}

impl WaitSupport {
    /// Returns the binding of WaitOperation to use; `None` if the service has
    /// none, or another wait is finding out.
    pub(crate) fn trial(self: &Arc<Self>) -> Option<Trial> {
        let mut state = self.lock();
        match state.known {
            Known::Works(binding) => Some(Trial { binding, finding_out: None }),
            Known::Untried(binding) if !state.busy => {
                // Only one wait tries. Otherwise thousands that start together would all send a
                // request that may not be supported.
                state.busy = true;
                Some(Trial { binding, finding_out: Some(Arc::clone(self)) })
            }
            Known::Untried(_) | Known::Nothing => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, WaitSupportState> {
        self.0.lock()
    }
}

/// In a child no wait is finding out, whatever threads of the parent are doing.
impl Default for WaitSupport {
    fn default() -> Self {
        let inherit = |parent: Option<&mut WaitSupportState>| match parent {
            Some(state) => WaitSupportState { busy: false, ..*state },
            None => WaitSupportState::default(),
        };
        Self(ProcessLock::new(WaitSupportState::default(), inherit))
    }
}

/// One use of a way that is known to work, or is being tried.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) binding: WaitBinding,
    finding_out: Option<Arc<WaitSupport>>,
}

impl Trial {
    /// Returns whether it is not known yet that this way works.
    pub(crate) fn finds_out(&self) -> bool {
        self.finding_out.is_some()
    }

    /// Records that the service responded.
    pub(crate) fn worked(self) {
        if let Some(support) = &self.finding_out {
            log::debug!("WaitOperation works, bound by {:?}", self.binding);
            support.lock().known = Known::Works(self.binding);
        }
    }

    /// Records a failure; returns false if this binding was known to work.
    pub(crate) fn failed(self, error: &Error) -> bool {
        let Some(support) = &self.finding_out else { return false };
        let mut state = support.lock();
        // Limited by the number of failures, because transient errors leave the binding
        // as it is and could go on for ever.
        state.failed += 1;
        state.known = match next(self.binding, error) {
            Some(binding) if state.failed < MOST_FAILURES => Known::Untried(binding),
            _ => Known::Nothing,
        };
        log::debug!("WaitOperation bound by {:?} fails: {error}; now {:?}", self.binding, state.known);
        drop(state);
        true
    }
}

/// A trial that ends without a result leaves the next wait to find out.
impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(support) = &self.finding_out {
            support.lock().busy = false;
        }
    }
}

/// Returns the binding to try after a failure.
///
/// A service whose method takes no body rejects one with 400: there the timeout
/// may go to the query. One that has no such path for a `POST` responds with
/// 404, 405 or 501, and may still have it for a `GET`. So two failures
/// distinguish all bindings. Without an HTTP status there is nothing to choose
/// between: it is gRPC, or a transport of the user's.
fn next(tried: WaitBinding, error: &Error) -> Option<WaitBinding> {
    match (tried, error.http_status()) {
        _ if error.is_transient() => Some(tried),
        (WaitBinding::Body, Some(400)) => Some(WaitBinding::Query),
        (WaitBinding::Body, Some(404 | 405 | 501)) => Some(WaitBinding::Get),
        _ => None,
    }
}

impl Default for WaitSupportState {
    fn default() -> Self {
        Self { known: Known::Untried(WaitBinding::Body), failed: 0, busy: false }
    }
}

/// Limits the failed requests that a client sends to find out.
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
