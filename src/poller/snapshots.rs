//! The wait of a thread: it sleeps and asks as the [`Wait`] says.

use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{Blocking, Request};
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
pub struct Snapshots<M = Blocking> {
    pub(crate) core: Arc<Core>,
    #[cfg_attr(not(feature = "async"), allow(dead_code))]
    pub(crate) mode: M,
    pub(crate) options: CallOptions,
    pub(crate) state: State,
}

pub(crate) enum State {
    /// The wait starts with the first poll, so that its time limit counts from there.
    Before(Box<(Result<Target, Error>, WaitOptions)>),
    Waiting(Box<Wait>),
    Over,
}

impl<M> Snapshots<M> {
    pub(crate) fn new(poller: Poller<M>) -> Self {
        let Poller { core, mode, target, options, wait } = poller;
        Self { core, mode, options, state: State::Before(Box::new((target, wait))) }
    }

    /// Begins the wait if it has not begun, or gives what there is in place of one.
    pub(crate) fn begin(&mut self) -> Option<Result<Operation, Error>> {
        let (target, options) = match std::mem::replace(&mut self.state, State::Over) {
            State::Before(before) => *before,
            other => {
                self.state = other;
                return None;
            }
        };
        let begun = target.and_then(|Target { name, done }| match done {
            // Services give no name to what was done at once.
            Some(done) => Ok(Begun::Done(done)),
            None => {
                let wait = Wait::new(name?, options, &self.options, &*self.core.clock);
                Ok(Begun::Waiting(wait.paced_by(self.core.rate.as_ref())))
            }
        });
        match begun {
            Ok(Begun::Waiting(wait)) => self.state = State::Waiting(Box::new(wait)),
            Ok(Begun::Done(done)) => return Some(Ok(done)),
            Err(error) => return Some(Err(error)),
        }
        None
    }

    /// Ends the wait if this is its last answer.
    pub(crate) fn gives(&mut self, answer: Result<Operation, Error>) -> Option<Result<Operation, Error>> {
        if !matches!(&answer, Ok(operation) if !operation.is_done()) {
            self.state = State::Over;
        }
        Some(answer)
    }

    /// The call that asks for the operation to be cancelled, in `timeout` at most.
    pub(crate) fn task_to_cancel(options: &CallOptions, name: &str, timeout: Duration) -> Task {
        Task {
            rpc: Rpc::Cancel,
            name: name.to_owned(),
            attempt_timeout: options.attempt_timeout,
            total_timeout: timeout,
            policy: options.retry.clone(),
            stop: options.stop.clone(),
        }
    }
}

impl Snapshots {
    /// Sleeps and asks until there is an answer to give or the wait has to end.
    fn advance(core: &Core, options: &CallOptions, wait: &mut Wait) -> Result<Operation, Error> {
        let Core { transport, clock, .. } = core;
        loop {
            match wait.next(&**clock) {
                Step::Poll { timeout } => {
                    let answer = transport.get_operation(wait.request(), &options.attempt(timeout));
                    if let Some(news) = wait.answered(answer, &**clock) {
                        return news;
                    }
                }
                Step::Sleep(until) => clock.sleep_until(until, options.stop.as_ref()),
                Step::Cancel { timeout } => {
                    let cancelled = Self::cancel(core, options, &wait.request().name, timeout);
                    wait.cancelled(cancelled, &**clock);
                }
                Step::End(error) => return Err(error),
            }
        }
    }

    fn cancel(core: &Core, options: &CallOptions, name: &str, timeout: Duration) -> Result<(), Error> {
        let request = CancelOperationRequest { name: name.to_owned() };
        retry::run(Self::task_to_cancel(options, name, timeout), &*core.clock, |turn| {
            request.attempt(&*core.transport, &options.attempt(turn.timeout), turn)
        })
    }
}

enum Begun {
    Done(Operation),
    Waiting(Wait),
}

impl Iterator for Snapshots {
    type Item = Result<Operation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(answer) = self.begin() {
            return Some(answer);
        }
        let State::Waiting(wait) = &mut self.state else { return None };
        let answer = Self::advance(&self.core, &self.options, wait);
        self.gives(answer)
    }
}

impl FusedIterator for Snapshots {}

impl<M> fmt::Debug for Snapshots<M> {
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
