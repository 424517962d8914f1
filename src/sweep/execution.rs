//! The calls of a sweep: one for each selected name, several at a time.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Instant;
use std::vec;

use crate::error::{Error, ErrorKind};
use crate::types::Code;
use crate::util::clock::Clock;
use crate::util::stop::StopToken;
use crate::util::threads::ThreadPool;

/// The remaining names, and whether to continue.
pub(super) struct SweepQueue {
    names: vec::IntoIter<String>,
    stop: Option<StopToken>,
    /// The instant after which no call is started.
    end: Option<Instant>,
    clock: Arc<dyn Clock>,
    /// A call succeeded, or failed for a reason that concerns one operation
    /// only.
    hopeful: bool,
    refused: usize,
}

/// A name, and the result of its call or the panic of the user's transport.
type SweepOutcome = (String, Result<Result<(), Error>, Box<dyn Any + Send>>);

impl SweepQueue {
    pub(super) fn new(
        names: Vec<String>,
        stop: Option<StopToken>,
        end: Option<Instant>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { names: names.into_iter(), stop, end, clock, hopeful: false, refused: 0 }
    }

    /// Calls `act` for each name on up to `threads` threads and passes the
    /// results to `done` on the calling thread.
    ///
    /// Returns how many names were not tried.
    pub(super) fn run(
        mut self,
        threads: usize,
        act: impl Fn(&str) -> Result<(), Error> + Send + Sync + 'static,
        mut done: impl FnMut(String, Result<(), Error>),
    ) -> usize {
        let mut pool = ThreadPool::new("sweep", threads, move |name: String| -> SweepOutcome {
            let result = catch_unwind(AssertUnwindSafe(|| act(&name)));
            (name, result)
        });
        loop {
            while pool.has_room()
                && let Some(name) = self.next()
            {
                if let Err(name) = pool.send(name) {
                    // No thread can be started: the calling thread does the work.
                    let outcome = pool.run_here(name);
                    self.take(outcome, &mut done);
                }
            }
            if !pool.is_busy() {
                return self.names.len();
            }
            if let Some(outcome) = pool.wait(None) {
                self.take(outcome, &mut done);
            }
        }
    }

    fn next(&mut self) -> Option<String> {
        let stopped = self.stop.as_ref().is_some_and(StopToken::is_stopped);
        // Only the start of calls is limited. A call that runs has its own timeout, and
        // its result must be known.
        let is_over = self.end.is_some_and(|end| end <= self.clock.now());
        let hopeless = !self.hopeful && self.refused >= HOPELESS;
        if stopped || is_over || hopeless { None } else { self.names.next() }
    }

    fn take(&mut self, (name, result): SweepOutcome, done: &mut impl FnMut(String, Result<(), Error>)) {
        let result = result.unwrap_or_else(|panic| resume_unwind(panic));
        match &result {
            // One success shows that the credentials and the method are right, so later rejections concern
            // single operations.
            Err(error) if concerns_all(error) => self.refused += 1,
            _ => self.hopeful = true,
        }
        done(name, result);
    }
}

/// Returns whether an error says more about the caller or the service than
/// about the one operation.
fn concerns_all(error: &Error) -> bool {
    let code =
        matches!(error.code(), Some(Code::PermissionDenied | Code::Unauthenticated | Code::Unimplemented));
    // A used-up quota has the code of a refusal in older APIs, and may be free
    // again for the next operation.
    (code && !error.is_quota())
        || matches!(error.kind(), ErrorKind::Auth | ErrorKind::Binding | ErrorKind::Config)
}

/// This many such failures, without a success, end the sweep: the rest would
/// fail in the same way.
const HOPELESS: usize = 10;
