//! The wait of a thread: it sleeps and asks as the [`Wait`] says.

use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::time::Duration;

use crate::call::Request;
use crate::core::Core;
use crate::error::Error;
use crate::options::CallOptions;
use crate::progress::Progress;
use crate::proto::google::longrunning::CancelOperationRequest;
use crate::retry::{self, Task};
use crate::transport::Rpc;
use crate::types::Operation;

use super::options::WaitOptions;
use super::wait::{Step, Wait};
use super::{Poller, Target};

/// The states of an operation, one for each poll that worked; the last one is done.
///
/// Made by iterating over a [`Poller`]. Ends after an operation that is done, or after an error.
///
/// ```
/// # use longrunning::testing::{FakeOperation, FakeServer};
/// # let server = FakeServer::start();
/// # server.insert(FakeOperation::new("operations/42").done_after(std::time::Duration::from_secs(60)));
/// # let client = server.client();
/// let mut snapshots = client.poller("operations/42").into_iter();
/// while let Some(snapshot) = snapshots.next() {
///     let operation = snapshot?;
///     println!("{} {:?} %", operation.outcome(), snapshots.progress().percent());
/// }
/// # Ok::<(), longrunning::Error>(())
/// ```
#[must_use = "polls are made by iteration"]
pub struct Snapshots {
    core: Arc<Core>,
    options: CallOptions,
    /// The wait starts with the first poll, so that its time limit counts from there.
    before: Option<Box<(Result<Target, Error>, WaitOptions)>>,
    wait: Option<Box<Wait>>,
    over: bool,
}

impl Snapshots {
    pub(super) fn new(poller: Poller) -> Self {
        let Poller { core, target, options, wait, .. } = poller;
        Self { core, options, before: Some(Box::new((target, wait))), wait: None, over: false }
    }

    /// How far the operation is, by all that was seen of it.
    pub fn progress(&self) -> Progress {
        let progress = self.wait.as_ref().and_then(|wait| wait.progress());
        progress.cloned().unwrap_or_default()
    }

    fn step(&mut self) -> Option<Result<Operation, Error>> {
        let wait = match self.before.take() {
            Some(before) => {
                let (target, options) = *before;
                let begun = target.and_then(|target| Wait::begin(target, options, &self.options, &self.core));
                match begun {
                    Ok((wait, None)) => Some(Box::new(wait)),
                    Ok((wait, Some(done))) => {
                        self.wait = Some(Box::new(wait));
                        return Some(Ok(done));
                    }
                    Err(error) => return Some(Err(error)),
                }
            }
            None => self.wait.take(),
        };
        let mut wait = wait?;
        let answer = self.advance(&mut wait);
        self.wait = Some(wait);
        Some(answer)
    }

    /// Sleeps and asks until there is an answer to give or the wait has to end.
    fn advance(&self, wait: &mut Wait) -> Result<Operation, Error> {
        let Core { transport, clock, .. } = &*self.core;
        loop {
            match wait.next(&**clock) {
                Step::Poll(poll) => {
                    let answer = poll.send(&**transport, &self.options);
                    if let Some(news) = wait.answered(answer, &**clock) {
                        return news;
                    }
                }
                Step::Sleep(until) => clock.sleep_until(until, self.options.stop.as_ref()),
                Step::Cancel { timeout } => {
                    let cancelled = self.cancel(wait.name(), timeout);
                    wait.cancelled(cancelled, &**clock);
                }
                Step::End(error) => return Err(error),
            }
        }
    }

    fn cancel(&self, name: &str, timeout: Duration) -> Result<(), Error> {
        let request = CancelOperationRequest { name: name.to_owned() };
        let task = Task {
            rpc: Rpc::Cancel,
            name: name.to_owned(),
            attempt_timeout: self.options.attempt_timeout,
            total_timeout: timeout,
            policy: self.options.retry.clone(),
            stop: self.options.stop.clone(),
        };
        retry::run(task, &*self.core.clock, |turn| {
            request.attempt(&*self.core.transport, &self.options.attempt(turn.timeout), turn)
        })
    }
}

impl Iterator for Snapshots {
    type Item = Result<Operation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let answer = self.step();
        self.over = !matches!(&answer, Some(Ok(operation)) if !operation.is_done());
        answer
    }
}

impl FusedIterator for Snapshots {}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Snapshots");
        if let Some(before) = &self.before {
            shown.field("target", &before.0);
        }
        if let Some(wait) = &self.wait {
            shown.field("wait", wait);
        }
        shown.field("over", &self.over).finish_non_exhaustive()
    }
}
