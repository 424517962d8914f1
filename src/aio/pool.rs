//! The threads on which attempts block.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, MutexGuard};
use std::thread;
use std::time::Duration;

use crate::util::process::ProcessLock;

/// An attempt: blocks for at most its attempt timeout. What drops it without
/// running it fails the attempt.
pub type Job = Box<dyn FnOnce() + Send>;

/// A bounded number of threads, started when there is work for them. They end
/// after some idle seconds, and with the pool: at once where they are idle,
/// else after the job that they have.
pub(super) struct BlockingPool {
    shared: Arc<PoolShared>,
    threads: usize,
}

struct PoolShared {
    /// A forked child has none of its parent's threads, and none of the jobs.
    state: ProcessLock<PoolState>,
}

#[derive(Default)]
struct PoolState {
    queue: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl BlockingPool {
    pub(super) fn new(threads: usize) -> Self {
        let shared = PoolShared { state: ProcessLock::default() };
        Self { shared: Arc::new(shared), threads: threads.max(1) }
    }

    /// Runs `job` when a thread is free, first come, first served; returns
    /// whether it has to wait for one.
    ///
    /// Without any thread the job is dropped.
    pub(super) fn spawn(&self, job: Job) -> bool {
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
        let queue = std::mem::take(&mut state.queue);
        self.shared.state.notify_all();
        drop(state);
        drop(queue);
    }
}

impl PoolShared {
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
            state.idle += 1;
            let (woken, timed_out) = self.state.wait(state, IDLE);
            state = woken;
            state.idle -= 1;
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
