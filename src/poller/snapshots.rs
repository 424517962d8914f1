//! The wait of a thread: it sleeps and asks as the [`Wait`] says.

use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::time::Duration;

use crate::call::Request;
use crate::core::Core;
use crate::error::Error;
use crate::options::CallOptions;
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
#[must_use = "polls are made by iteration"]
pub struct Snapshots {
    core: Arc<Core>,
    options: CallOptions,
    state: State,
}

enum State {
    /// The wait starts with the first poll, so that its time limit counts from there.
    Before(Box<(Result<Target, Error>, WaitOptions)>),
    Waiting(Box<Wait>),
    Over,
}

impl Snapshots {
    pub(super) fn new(poller: Poller) -> Self {
        let Poller { core, target, options, wait, .. } = poller;
        Self { core, options, state: State::Before(Box::new((target, wait))) }
    }

    fn begin(&self, target: Result<Target, Error>, options: WaitOptions) -> Result<Begun, Error> {
        let Target { name, done } = target?;
        // Services give no name to what was done at once.
        if let Some(done) = done {
            return Ok(Begun::Done(done));
        }
        let wait = Wait::new(name?, options, &self.options, &*self.core.clock);
        let wait = wait.paced_by(self.core.rate.as_ref());
        Ok(Begun::Waiting(Box::new(wait)))
    }

    /// Sleeps and asks until there is an answer to give or the wait has to end.
    fn advance(&self, wait: &mut Wait) -> Result<Operation, Error> {
        let Core { transport, clock, .. } = &*self.core;
        loop {
            match wait.next(&**clock) {
                Step::Poll { timeout } => {
                    let answer = transport.get_operation(wait.request(), &self.options.attempt(timeout));
                    if let Some(news) = wait.answered(answer, &**clock) {
                        return news;
                    }
                }
                Step::Sleep(until) => clock.sleep_until(until, self.options.stop.as_ref()),
                Step::Cancel { timeout } => {
                    let cancelled = self.cancel(&wait.request().name, timeout);
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

enum Begun {
    Done(Operation),
    Waiting(Box<Wait>),
}

impl Iterator for Snapshots {
    type Item = Result<Operation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut wait = match std::mem::replace(&mut self.state, State::Over) {
            State::Before(before) => match self.begin(before.0, before.1) {
                Ok(Begun::Waiting(wait)) => wait,
                Ok(Begun::Done(done)) => return Some(Ok(done)),
                Err(error) => return Some(Err(error)),
            },
            State::Waiting(wait) => wait,
            State::Over => return None,
        };
        let answer = self.advance(&mut wait);
        if matches!(&answer, Ok(operation) if !operation.is_done()) {
            self.state = State::Waiting(wait);
        }
        Some(answer)
    }
}

impl FusedIterator for Snapshots {}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Snapshots");
        match &self.state {
            State::Before(before) => shown.field("target", &before.0),
            State::Waiting(wait) => shown.field("wait", wait),
            State::Over => shown.field("over", &true),
        };
        shown.finish_non_exhaustive()
    }
}
