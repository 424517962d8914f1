//! The calls of a sweep: one for each selected name, several at a time.
//!
//! Results are passed on by the calling thread, so a closure of the program
//! needs no lock. Three things end a sweep early: its stop token, its timeout,
//! and ten rejections without any success. No call is interrupted by that,
//! because its result has to be known.

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

/// The names without a call, and whether another call may start.
pub(super) struct SweepQueue {
    names: vec::IntoIter<String>,
    stop: Option<StopToken>,
    /// The instant after which no call is started.
    end: Option<Instant>,
    clock: Arc<dyn Clock>,
    /// Whether a call succeeded, or failed for a reason that concerns one
    /// operation only.
    hopeful: bool,
    /// How many calls failed for a reason that concerns all operations.
    refused: usize,
}

/// A name, and the result of its call or the panic of the user's transport.
type SweepOutcome = (String, Result<Result<(), Error>, Box<dyn Any + Send>>);

impl SweepQueue {
    /// Creates the queue of a sweep; no call starts after `end`.
    pub(super) fn new(
        names: Vec<String>,
        stop: Option<StopToken>,
        end: Option<Instant>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { names: names.into_iter(), stop, end, clock, hopeful: false, refused: 0 }
    }

    /// Calls `act` for each name on up to `threads` threads, and passes the
    /// results to `done` on the calling thread.
    ///
    /// Returns the number of names for which no call was made. A panic of `act`
    /// is resumed on the calling thread.
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
            // New calls first, then one result: the threads stay busy while
            // `done` runs.
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

    /// Returns the next name, or `None` if there is none or the sweep ends
    /// early.
    fn next(&mut self) -> Option<String> {
        let stopped = self.stop.as_ref().is_some_and(StopToken::is_stopped);
        // Only the start of calls is limited. A call that runs has its own timeout, and
        // its result must be known.
        let is_over = self.end.is_some_and(|end| end <= self.clock.now());
        let hopeless = !self.hopeful && self.refused >= HOPELESS;
        if stopped || is_over || hopeless { None } else { self.names.next() }
    }

    /// Counts a result and passes it on.
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
    // An exhausted quota has the code `PERMISSION_DENIED` in older APIs, and
    // may be available again for the next operation.
    (code && !error.is_quota())
        || matches!(error.kind(), ErrorKind::Auth | ErrorKind::Binding | ErrorKind::Config)
}

/// The number of failures that concern all operations, without a success, after
/// which the sweep ends: the rest would fail in the same way.
const HOPELESS: usize = 10;
