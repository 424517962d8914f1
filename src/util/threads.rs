//! A pool of threads that run blocking jobs for one iterator or one sweep.
//!
//! `poll_many` and sweeps decide on the thread of the caller what to do next,
//! and hand the requests to a [`ThreadPool`]. The pool lives as long as one
//! iteration, so an idle program has no threads. The async client has another
//! pool, whose threads belong to the client (`aio`).
//!
//! ```text
//! send(job) ─► an idle thread ─► run(job) ─► results ─► poll(), wait()
//! ```

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::util::process::ProcessId;

/// At most `size` threads that turn jobs `J` into results `R`.
///
/// A thread is started when a job needs it. Dropping the pool joins all
/// threads, so it blocks until the running jobs are finished. A job must not
/// panic: a panic ends its thread, and the pool waits for a result that never
/// comes.
///
/// After a fork, the child has no threads: it replaces the pool by
/// [`fresh`](Self::fresh) if [`is_inherited`](Self::is_inherited).
pub(crate) struct ThreadPool<J, R> {
    /// What a thread does with a job.
    run: Arc<dyn Fn(J) -> R + Send + Sync>,
    /// The prefix of the threads' names.
    name: &'static str,
    /// The greatest number of threads, and so of jobs that run at a time.
    size: usize,
    /// The threads that were started; none ends before the pool is dropped.
    workers: Vec<PoolThread<J>>,
    /// Positions in `workers` of the threads without a job.
    idle: Vec<usize>,
    /// The channel of all results. The pool keeps a sender for new threads, so
    /// the receiver is never disconnected.
    results: (Sender<JobResult<R>>, Receiver<JobResult<R>>),
    /// The process that has the threads.
    owner: ProcessId,
}

/// One thread, and the channel of its jobs.
struct PoolThread<J> {
    jobs: Sender<J>,
    thread: JoinHandle<()>,
}

/// A result, and which thread is idle again with it.
struct JobResult<R> {
    worker: usize,
    result: R,
}

impl<J: Send + 'static, R: Send + 'static> ThreadPool<J, R> {
    /// Creates a pool without threads, which [`send`](Self::send) starts. The
    /// threads are called `name-0`, `name-1` and so on.
    pub(crate) fn new(name: &'static str, size: usize, run: impl Fn(J) -> R + Send + Sync + 'static) -> Self {
        let (run, owner) = (Arc::new(run), ProcessId::current());
        Self { run, name, size, workers: Vec::new(), idle: Vec::new(), results: channel(), owner }
    }

    /// Creates a pool of the same kind for this process, without threads and
    /// jobs.
    pub(crate) fn fresh(&self) -> Self {
        let (run, owner) = (Arc::clone(&self.run), ProcessId::current());
        Self { run, workers: Vec::new(), idle: Vec::new(), results: channel(), owner, ..*self }
    }

    /// Returns whether this is a forked child of the process that has the
    /// threads.
    pub(crate) fn is_inherited(&self) -> bool {
        !self.owner.is_current()
    }

    /// Runs a job on the calling thread: if no thread can be started, or if
    /// another thread would be of no use.
    pub(crate) fn run_here(&self, job: J) -> R {
        (self.run)(job)
    }

    /// Returns how many jobs may run at a time.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Returns whether a job is running, or a result waits to be taken.
    pub(crate) fn is_busy(&self) -> bool {
        self.idle.len() < self.workers.len()
    }

    /// Returns whether a thread is idle or may still be started.
    pub(crate) fn has_room(&self) -> bool {
        self.workers.len() < self.size || !self.idle.is_empty()
    }

    /// Hands a job to an idle thread, or to a new one.
    ///
    /// Returns the job if all threads are busy, or if the operating system
    /// refuses to start another.
    pub(crate) fn send(&mut self, job: J) -> Result<(), J> {
        let Some(worker) = self.idle.pop().or_else(|| self.start_thread()) else { return Err(job) };
        let Some(chosen) = self.workers.get(worker) else { return Err(job) };
        chosen.jobs.send(job).map_err(|refused| refused.0)
    }

    /// Returns the result of a finished job; `None` if there is none at the
    /// moment. It does not block.
    pub(crate) fn poll(&mut self) -> Option<R> {
        let done = self.results.1.try_recv().ok()?;
        Some(self.take(done))
    }

    /// Blocks until a job is finished, for at most `limit`; `None` is no limit,
    /// and blocks for ever if no job is running.
    pub(crate) fn wait(&mut self, limit: Option<Duration>) -> Option<R> {
        let done = match limit {
            Some(limit) => self.results.1.recv_timeout(limit).ok()?,
            None => self.results.1.recv().ok()?,
        };
        Some(self.take(done))
    }

    /// Marks the thread of a result as idle.
    fn take(&mut self, done: JobResult<R>) -> R {
        self.idle.push(done.worker);
        done.result
    }

    /// Starts a thread, and returns its position; `None` if the pool is full or
    /// the operating system refuses.
    fn start_thread(&mut self) -> Option<usize> {
        let worker = self.workers.len();
        if worker >= self.size {
            return None;
        }
        // Each thread has its own channel, so that a job goes only to an idle
        // thread, and never waits behind another.
        let (jobs, inbox) = channel::<J>();
        let (run, results) = (Arc::clone(&self.run), self.results.0.clone());
        let work = move || {
            for job in inbox {
                if results.send(JobResult { worker, result: run(job) }).is_err() {
                    return;
                }
            }
        };
        let name = format!("{}-{worker}", self.name);
        let thread = thread::Builder::new().name(name).spawn(work).ok()?;
        self.workers.push(PoolThread { jobs, thread });
        Some(worker)
    }
}

impl<J, R> Drop for ThreadPool<J, R> {
    fn drop(&mut self) {
        if !self.owner.is_current() {
            // In a forked child there is nothing to join. A channel may have
            // been in the middle of a change at the fork and never come out of
            // it, so the parts leak.
            let parts = (std::mem::take(&mut self.workers), std::mem::replace(&mut self.results, channel()));
            return std::mem::forget(parts);
        }
        // Dropping the sender of its jobs ends a thread. All senders are
        // dropped before the first join, so the threads end at the same time.
        let threads: Vec<_> = self.workers.drain(..).map(|worker| worker.thread).collect();
        for thread in threads {
            let _ = thread.join();
        }
    }
}

impl<J, R> fmt::Debug for ThreadPool<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").field("size", &self.size).field("started", &self.workers.len()).finish()
    }
}
