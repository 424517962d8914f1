//! A pool of threads that run blocking jobs for one iterator or one sweep.

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
pub(crate) struct ThreadPool<J, R> {
    run: Arc<dyn Fn(J) -> R + Send + Sync>,
    /// The prefix of the threads' names.
    name: &'static str,
    size: usize,
    workers: Vec<PoolThread<J>>,
    /// Positions in `workers` of the threads without a job.
    idle: Vec<usize>,
    results: (Sender<JobResult<R>>, Receiver<JobResult<R>>),
    owner: ProcessId,
}

struct PoolThread<J> {
    jobs: Sender<J>,
    thread: JoinHandle<()>,
}

struct JobResult<R> {
    worker: usize,
    result: R,
}

impl<J: Send + 'static, R: Send + 'static> ThreadPool<J, R> {
    /// Creates a pool without threads, which are started by
    /// [`send`](Self::send).
    pub(crate) fn new(name: &'static str, size: usize, run: impl Fn(J) -> R + Send + Sync + 'static) -> Self {
        let (run, owner) = (Arc::new(run), ProcessId::current());
        Self { run, name, size, workers: Vec::new(), idle: Vec::new(), results: channel(), owner }
    }

    /// Creates a pool of the same kind that has no threads and no jobs.
    pub(crate) fn fresh(&self) -> Self {
        let (run, owner) = (Arc::clone(&self.run), ProcessId::current());
        Self { run, workers: Vec::new(), idle: Vec::new(), results: channel(), owner, ..*self }
    }

    /// Returns whether this is a forked child of the process that has the
    /// threads.
    pub(crate) fn is_inherited(&self) -> bool {
        !self.owner.is_current()
    }

    /// Runs a job on the calling thread.
    pub(crate) fn run_here(&self, job: J) -> R {
        (self.run)(job)
    }

    /// Returns how many jobs may run at a time.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Returns whether a job is running.
    pub(crate) fn is_busy(&self) -> bool {
        self.idle.len() < self.workers.len()
    }

    /// Returns whether a thread is idle or may still be started.
    pub(crate) fn has_room(&self) -> bool {
        self.workers.len() < self.size || !self.idle.is_empty()
    }

    /// Hands a job to an idle thread, and returns it if there is none and none
    /// can be started.
    pub(crate) fn send(&mut self, job: J) -> Result<(), J> {
        let Some(worker) = self.idle.pop().or_else(|| self.start_thread()) else { return Err(job) };
        let Some(chosen) = self.workers.get(worker) else { return Err(job) };
        chosen.jobs.send(job).map_err(|refused| refused.0)
    }

    /// Returns the result of a finished job, if there is one now.
    pub(crate) fn poll(&mut self) -> Option<R> {
        let done = self.results.1.try_recv().ok()?;
        Some(self.take(done))
    }

    /// Blocks until a job is finished, for at most `limit`.
    pub(crate) fn wait(&mut self, limit: Option<Duration>) -> Option<R> {
        let done = match limit {
            Some(limit) => self.results.1.recv_timeout(limit).ok()?,
            None => self.results.1.recv().ok()?,
        };
        Some(self.take(done))
    }

    fn take(&mut self, done: JobResult<R>) -> R {
        self.idle.push(done.worker);
        done.result
    }

    fn start_thread(&mut self) -> Option<usize> {
        let worker = self.workers.len();
        if worker >= self.size {
            return None;
        }
        // A channel for each thread, so that a job is only sent to a thread that is
        // idle, and none waits behind another.
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
            // There is nothing to join in a forked child, and a channel may be in the
            // middle of a change for ever.
            let parts = (std::mem::take(&mut self.workers), std::mem::replace(&mut self.results, channel()));
            return std::mem::forget(parts);
        }
        // Dropping the sender of its jobs ends a thread; all senders are dropped before
        // the first join.
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
