//! The threads on which attempts block.
//!
//! ```text
//! spawn ──► queue ──► a thread that is idle, or a new one up to the limit
//!                         │ runs one job after the other, ends after 10 idle seconds
//!                         ▼
//!                     the job wakes its future
//! ```
//!
//! The pool is never joined: the last future may be dropped on a thread of an
//! executor, which must not wait for an attempt.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, MutexGuard};
use std::thread;
use std::time::Duration;

use crate::util::process::ProcessLock;

/// An attempt, which blocks its thread for at most its attempt timeout.
///
/// Dropping it without running it fails the attempt.
pub type Job = Box<dyn FnOnce() + Send>;

/// A bounded number of threads, started when there is work for them. They end
/// after some idle seconds, and with the pool: at once if they are idle,
/// otherwise after their job.
pub(super) struct BlockingPool {
    shared: Arc<PoolShared>,
    /// The most threads; at least 1.
    threads: usize,
}

/// The part of a pool that its threads share with it.
struct PoolShared {
    /// A forked child has none of its parent's threads, and none of the jobs.
    state: ProcessLock<PoolState>,
}

/// The jobs and the threads.
#[derive(Default)]
struct PoolState {
    queue: VecDeque<Job>,
    /// Threads that run, idle ones included.
    threads: usize,
    /// Threads that wait for a job.
    idle: usize,
    /// Whether the pool was dropped.
    closed: bool,
}

impl BlockingPool {
    /// Creates a pool without threads.
    pub(super) fn new(threads: usize) -> Self {
        let shared = PoolShared { state: ProcessLock::default() };
        Self { shared: Arc::new(shared), threads: threads.max(1) }
    }

    /// Runs `job` when a thread is free, first come, first served; returns
    /// whether it has to wait for one.
    ///
    /// Without any thread the job is dropped.
    pub(super) fn spawn(&self, job: Job) -> bool {
        // One lock around the queue and the counts: a job must not be queued
        // between a thread's last look at the queue and its end.
        let mut state = self.shared.lock();
        state.queue.push_back(job);
        self.shared.state.notify_one();
        // An idle thread that was notified still counts until it wakes up. So idle
        // threads are compared with the queue, not with zero.
        let mut free = state.idle;
        if free < state.queue.len() && state.threads < self.threads {
            let shared = Arc::clone(&self.shared);
            let started = thread::Builder::new().name("longrunning-io".into()).spawn(move || shared.work());
            free += usize::from(started.is_ok());
            state.threads += usize::from(started.is_ok());
        }
        let waits = free < state.queue.len();
        let lost = if state.threads == 0 { state.queue.pop_back() } else { None };
        // Dropping a job wakes its future, which may lock this pool. So that happens
        // without the lock.
        drop(state);
        drop(lost);
        waits
    }
}

impl Drop for BlockingPool {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        // Jobs that will not run are dropped, which fails their attempts.
        let queue = std::mem::take(&mut state.queue);
        self.shared.state.notify_all();
        drop(state);
        drop(queue);
    }
}

impl PoolShared {
    /// Runs jobs until there is none for some seconds, or the pool is dropped.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                drop(state);
                // The job catches panics of its attempt. The waker that it calls, and what it
                // drops, may panic too.
                let _ = panic::catch_unwind(AssertUnwindSafe(job));
                state = self.lock();
                continue;
            }
            if state.closed {
                break;
            }
            // Counted while it waits, so that `spawn` starts no thread for a
            // job that this one will take.
            state.idle += 1;
            let (woken, timed_out) = self.state.wait(state, IDLE);
            state = woken;
            state.idle -= 1;
            // A job may have been queued in the same moment.
            if timed_out && state.queue.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock()
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// How long a thread waits for more work before it ends.
pub(super) const IDLE: Duration = Duration::from_secs(10);
