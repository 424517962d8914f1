//! One attempt on a thread of the pool, and the future that waits for it.

use std::future;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::error::Error;
use crate::stop::{Listener, StopToken};

use super::{Job, fault};

/// Runs `work` where `spawn` puts it; none when it was stopped before it began.
///
/// Dropping the future takes back what has not begun. A panic of `work` goes on in the task that waits, as it would
/// have without a pool in between.
pub(super) async fn run<T: Send + 'static>(
    spawn: impl FnOnce(Job),
    stop: Option<&StopToken>,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Option<Result<T, Error>> {
    let slot = Arc::new(Slot(Mutex::new(State::Queued(None))));
    let ticket = Ticket(Arc::clone(&slot));
    let waiting = Waiting(slot);
    spawn(Box::new(move || ticket.run(work)));
    let mut listener = Listener::new(stop);
    let ended = future::poll_fn(|context| {
        let stopped = listener.is_stopped(context);
        waiting.poll(context, stopped)
    });
    match ended.await {
        Ended::Finished(Ok(answer)) => Some(answer),
        Ended::Finished(Err(panic)) => panic::resume_unwind(panic),
        Ended::Lost => Some(Err(fault::lost_attempt())),
        Ended::Stopped => None,
    }
}

/// What the two sides share.
struct Slot<T>(Mutex<State<T>>);

enum State<T> {
    Queued(Option<Waker>),
    Running(Option<Waker>),
    Ended(Ended<T>),
    /// Nobody waits any more, or the end was taken.
    Over,
}

enum Ended<T> {
    Finished(thread::Result<Result<T, Error>>),
    /// The job was dropped without being run.
    Lost,
    Stopped,
}

impl<T> Slot<T> {
    fn end(&self, ended: Ended<T>) {
        let mut state = self.lock();
        let waker = match &mut *state {
            State::Queued(waker) | State::Running(waker) => waker.take(),
            State::Ended(_) | State::Over => return,
        };
        *state = State::Ended(ended);
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side of the worker. Dropped without being run, it says so.
struct Ticket<T>(Arc<Slot<T>>);

impl<T> Ticket<T> {
    fn run(self, work: impl FnOnce() -> Result<T, Error>) {
        let mut state = self.0.lock();
        match &mut *state {
            State::Queued(waker) => {
                let waker = waker.take();
                *state = State::Running(waker);
            }
            _ => return,
        }
        drop(state);
        let finished = panic::catch_unwind(AssertUnwindSafe(work));
        self.0.end(Ended::Finished(finished));
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        self.0.end(Ended::Lost);
    }
}

/// The side of the future.
struct Waiting<T>(Arc<Slot<T>>);

impl<T> Waiting<T> {
    fn poll(&self, context: &Context<'_>, stopped: bool) -> Poll<Ended<T>> {
        let mut state = self.0.lock();
        let replaced = match std::mem::replace(&mut *state, State::Over) {
            State::Ended(ended) => return Poll::Ready(ended),
            State::Queued(_) if stopped => return Poll::Ready(Ended::Stopped),
            State::Queued(waker) => {
                *state = State::Queued(Some(context.waker().clone()));
                waker
            }
            State::Running(waker) => {
                *state = State::Running(Some(context.waker().clone()));
                waker
            }
            State::Over => return Poll::Pending,
        };
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

/// What nobody waits for is not begun.
impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        let left = std::mem::replace(&mut *self.0.lock(), State::Over);
        drop(left);
    }
}
