//! One attempt on a thread of the pool, and the future that waits for it.
//!
//! ```text
//! Queued ──► Running ──► Ended(Finished)
//!    │          └──────► Over              the future was dropped; the result is not needed
//!    ├─────────────────► Over              taken back: stopped, late, or dropped
//!    └─────────────────► Ended(Lost)       the job was dropped without being run
//! ```
//!
//! The job and the future share one slot. Each end of it may disappear first,
//! on any thread, so every change of the state happens under its lock, and
//! wakers and results are dropped without it.

use std::future;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::error::Error;
use crate::util::process::ProcessId;
use crate::util::stop::{StopListener, StopToken};

use super::fault;
use super::pool::Job;
use crate::util::sync::lock;

/// Runs `work` where `spawn` puts it, and returns its result; `None` if it was
/// stopped before it began.
///
/// `spawn` returns whether the job has to wait for a thread. If it has, `late`
/// limits that: when it ends, the job is taken back, and its error is the
/// result. Dropping the future takes back a job that has not begun. A panic of
/// `work` continues in the task that waits.
pub(super) async fn run<T: Send + 'static, F: Future<Output = Error>>(
    spawn: impl FnOnce(Job) -> bool,
    stop: Option<&StopToken>,
    late: impl FnOnce() -> F,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Option<Result<T, Error>> {
    let slot = Arc::new(JobSlot { state: Mutex::new(JobState::Queued(None)), owner: ProcessId::current() });
    let ticket = JobTicket(Arc::clone(&slot));
    let waiting = JobWaiter(slot);
    let waits = spawn(Box::new(move || ticket.run(work)));
    let mut listener = StopListener::new(stop);
    // Boxed: mostly there is a thread.
    let mut late = waits.then(|| Box::pin(late()));
    let ended = future::poll_fn(|context| {
        // A stop ends only what has not begun. A running attempt has the token itself,
        // and its result says whether it was sent.
        if listener.is_stopped(context) && waiting.take_back() {
            return Poll::Ready(JobEnd::Stopped);
        }
        if let Some(late) = late.as_mut().filter(|_| waiting.is_queued())
            && let Poll::Ready(error) = late.as_mut().poll(context)
            && waiting.take_back()
        {
            return Poll::Ready(JobEnd::Finished(Ok(Err(error))));
        }
        waiting.poll(context)
    });
    match ended.await {
        JobEnd::Finished(Ok(result)) => Some(result),
        JobEnd::Finished(Err(panic)) => panic::resume_unwind(panic),
        JobEnd::Lost => Some(Err(fault::lost_attempt())),
        JobEnd::Stopped => None,
    }
}

/// The state that the worker and the future share.
struct JobSlot<T> {
    state: Mutex<JobState<T>>,
    /// The process whose threads run the job.
    owner: ProcessId,
}

/// The position of a job in the diagram above, with the waker of the future.
enum JobState<T> {
    Queued(Option<Waker>),
    Running(Option<Waker>),
    Ended(JobEnd<T>),
    /// No future waits any more, or the result was taken.
    Over,
}

/// How a job ended.
enum JobEnd<T> {
    /// With its result, or with a panic.
    Finished(thread::Result<Result<T, Error>>),
    /// The job was dropped without being run.
    Lost,
    /// Its token was stopped before it began.
    Stopped,
}

impl<T> JobSlot<T> {
    /// Records the end, and wakes the future.
    fn end(&self, ended: JobEnd<T>) {
        let mut state = self.lock();
        // The first end counts: after `run`, dropping the ticket reports `Lost`, which
        // must not replace the result.
        let waker = match &mut *state {
            JobState::Queued(waker) | JobState::Running(waker) => waker.take(),
            JobState::Ended(_) | JobState::Over => return,
        };
        *state = JobState::Ended(ended);
        // Without the lock, because a waker may poll the future at once.
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, JobState<T>> {
        lock(&self.state)
    }
}

/// The side of the worker. Dropped without being run, it says so.
struct JobTicket<T>(Arc<JobSlot<T>>);

impl<T> JobTicket<T> {
    /// Runs the work, unless the future has taken it back.
    fn run(self, work: impl FnOnce() -> Result<T, Error>) {
        let mut state = self.0.lock();
        match &mut *state {
            JobState::Queued(waker) => {
                let waker = waker.take();
                *state = JobState::Running(waker);
            }
            // The future is gone, so the attempt is not made.
            _ => return,
        }
        drop(state);
        // A panic must not end the thread, and belongs to the task that waits.
        let finished = panic::catch_unwind(AssertUnwindSafe(work));
        self.0.end(JobEnd::Finished(finished));
    }
}

impl<T> Drop for JobTicket<T> {
    fn drop(&mut self) {
        self.0.end(JobEnd::Lost);
    }
}

/// The side of the future.
struct JobWaiter<T>(Arc<JobSlot<T>>);

impl<T> JobWaiter<T> {
    /// Returns whether the job has not begun.
    fn is_queued(&self) -> bool {
        matches!(*self.0.lock(), JobState::Queued(_))
    }

    /// Takes the job back if it has not begun, and returns whether it did so.
    fn take_back(&self) -> bool {
        let mut state = self.0.lock();
        let is_queued = matches!(*state, JobState::Queued(_));
        let left = if is_queued { std::mem::replace(&mut *state, JobState::Over) } else { JobState::Over };
        drop(state);
        drop(left);
        is_queued
    }

    /// Returns the end of the job, or stores the waker.
    fn poll(&self, context: &Context<'_>) -> Poll<JobEnd<T>> {
        if !self.0.owner.is_current() {
            // A forked child has none of the threads that may have begun it.
            return Poll::Ready(JobEnd::Lost);
        }
        let mut state = self.0.lock();
        let replaced = match std::mem::replace(&mut *state, JobState::Over) {
            JobState::Ended(ended) => return Poll::Ready(ended),
            JobState::Queued(waker) => {
                *state = JobState::Queued(Some(context.waker().clone()));
                waker
            }
            JobState::Running(waker) => {
                *state = JobState::Running(Some(context.waker().clone()));
                waker
            }
            JobState::Over => return Poll::Pending,
        };
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

/// A job without a waiting future is not started.
impl<T> Drop for JobWaiter<T> {
    fn drop(&mut self) {
        let left = std::mem::replace(&mut *self.0.lock(), JobState::Over);
        drop(left);
    }
}
