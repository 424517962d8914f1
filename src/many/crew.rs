//! Threads that send requests, as long as there is an iterator that wants them sent.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::process::ProcessId;

use super::job::{Job, Report, Shared};

/// At most so many threads, each started when it is needed for the first time. Dropping the crew ends them all, with
/// the requests that are under way.
pub(super) struct Crew {
    shared: Arc<Shared>,
    size: usize,
    workers: Vec<Worker>,
    /// Positions in `workers`.
    idle: Vec<usize>,
    done: (Sender<Done>, Receiver<Done>),
    owner: ProcessId,
}

struct Worker {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
}

struct Done {
    worker: usize,
    report: Report,
}

impl Crew {
    pub(super) fn new(shared: Arc<Shared>, size: usize) -> Self {
        Self {
            shared,
            size,
            workers: Vec::new(),
            idle: Vec::new(),
            done: channel(),
            owner: ProcessId::current(),
        }
    }

    /// One without threads and requests, to take the place of this one.
    pub(super) fn afresh(&self) -> Self {
        Self::new(Arc::clone(&self.shared), self.size)
    }

    /// Whether this is a forked child, in which these threads do not exist.
    pub(super) fn is_lost(&self) -> bool {
        !self.owner.is_current()
    }

    /// Whether the thread that waits sends everything itself.
    pub(super) fn is_alone(&self) -> bool {
        self.size <= 1
    }

    pub(super) fn is_busy(&self) -> bool {
        self.idle.len() < self.workers.len()
    }

    pub(super) fn has_room(&self) -> bool {
        self.workers.len() < self.size || !self.idle.is_empty()
    }

    /// Gives a job to a thread that has none; gives it back when there is none.
    pub(super) fn send(&mut self, job: Job) -> Result<(), Job> {
        let Some(worker) = self.idle.pop().or_else(|| self.hire()) else { return Err(job) };
        let Some(chosen) = self.workers.get(worker) else { return Err(job) };
        chosen.jobs.send(job).map_err(|refused| refused.0)
    }

    /// What one of them has done, if it is done by now.
    pub(super) fn poll(&mut self) -> Option<Report> {
        let done = self.done.1.try_recv().ok()?;
        Some(self.take(done))
    }

    /// What one of them has done, waiting for that at most so long.
    pub(super) fn wait(&mut self, limit: Option<Duration>) -> Option<Report> {
        let done = match limit {
            Some(limit) => self.done.1.recv_timeout(limit).ok()?,
            None => self.done.1.recv().ok()?,
        };
        Some(self.take(done))
    }

    fn take(&mut self, done: Done) -> Report {
        self.idle.push(done.worker);
        done.report
    }

    fn hire(&mut self) -> Option<usize> {
        let number = self.workers.len();
        if number >= self.size {
            return None;
        }
        let (jobs, inbox) = channel::<Job>();
        let (shared, done) = (Arc::clone(&self.shared), self.done.0.clone());
        let work = move || {
            for job in inbox {
                if done.send(Done { worker: number, report: job.run(&shared) }).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name(format!("poll-many-{number}")).spawn(work).ok()?;
        self.workers.push(Worker { jobs, thread });
        Some(number)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        if self.is_lost() {
            // There is nothing to join, and what they were doing to the channels is never finished.
            let parts = (std::mem::take(&mut self.workers), std::mem::replace(&mut self.done, channel()));
            return std::mem::forget(parts);
        }
        // A thread ends when nobody can give it a job any more.
        let threads: Vec<_> = self.workers.drain(..).map(|worker| worker.thread).collect();
        for thread in threads {
            let _ = thread.join();
        }
    }
}
