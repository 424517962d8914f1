//! The blocking driver of one wait: it sends and sleeps as the [`WaitMachine`]
//! says.

use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{AttemptRequest, Blocking};
use crate::core::Core;
use crate::error::Error;
use crate::operation_ref::OperationRef;
use crate::options::{CallOptions, PollOptions};
use crate::progress::Progress;
use crate::proto::google::longrunning::CancelOperationRequest;
use crate::retry::{self, RepeatRule, RetryTask};
use crate::transport::Rpc;
use crate::types::Operation;

use super::update::WaitWatch;
use super::wait::{WaitMachine, WaitStep};

/// The states of an operation, one for each successful poll; the last one is
/// done.
///
/// Iterating over a [`Poller`](crate::Poller) creates it. It ends after an
/// operation that is done, or after an error.
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
pub struct Snapshots<M = Blocking> {
    pub(crate) core: Arc<Core>,
    #[cfg_attr(
        not(feature = "async"),
        allow(dead_code, reason = "only futures need it: what blocks has no state")
    )]
    pub(crate) mode: M,
    pub(crate) options: CallOptions,
    /// The parameters, until the first poll: the wait begins there, so that its
    /// timeout counts from there.
    before: Option<Box<WaitStart>>,
    /// The wait, from the first poll on.
    pub(crate) wait: Option<Box<WaitMachine>>,
    /// Whether the last item was returned. No request follows it.
    pub(crate) over: bool,
}

/// The parameters of a wait that has not begun.
pub(super) struct WaitStart {
    /// The operation, or the first option that cannot be used.
    pub(super) target: Result<OperationRef, Error>,
    pub(super) poll: PollOptions,
    pub(super) watch: WaitWatch,
}

impl<M> Snapshots<M> {
    /// Creates the iterator. It reads no clock and sends nothing.
    pub(super) fn new(core: Arc<Core>, mode: M, options: CallOptions, start: WaitStart) -> Self {
        Self { core, mode, options, before: Some(Box::new(start)), wait: None, over: false }
    }

    /// Returns the progress of the operation, from all its states so far.
    ///
    /// It is empty before the first item, and for metadata without known
    /// fields.
    ///
    /// ```
    /// # use longrunning::{Any, Operation};
    /// # let server = longrunning::testing::FakeServer::start();
    /// # let metadata = Any::from_json(r#"{"@type": "type.googleapis.com/x.Metadata", "progressPercent": 40}"#)?;
    /// # server.reply(Operation::running("operations/42").with_metadata(metadata));
    /// # let client = server.client();
    /// let mut snapshots = client.poller("operations/42").into_iter();
    /// assert_eq!(snapshots.progress().percent(), None);
    /// snapshots.next().transpose()?;
    /// assert_eq!(snapshots.progress().percent(), Some(40.0));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn progress(&self) -> Progress {
        let progress = self.wait.as_ref().and_then(|wait| wait.progress());
        progress.cloned().unwrap_or_default()
    }

    /// Begins the wait if it has not begun. Returns the item that ends it at
    /// once: an operation that is done already, or an invalid name or option.
    pub(crate) fn begin(&mut self) -> Option<Result<Operation, Error>> {
        let WaitStart { target, poll, watch } = *self.before.take()?;
        match target.and_then(|target| WaitMachine::begin(target, poll, watch, &self.options, &self.core)) {
            Ok((wait, done)) => {
                self.wait = Some(Box::new(wait));
                done.map(Ok)
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Returns an item, and ends the wait if it is the last one.
    pub(crate) fn yields(&mut self, result: Result<Operation, Error>) -> Option<Result<Operation, Error>> {
        self.over = !matches!(&result, Ok(operation) if !operation.is_done());
        Some(result)
    }

    /// Returns the call that cancels the operation, within `timeout`, retries
    /// included. A cancellation is idempotent (AIP-151).
    pub(crate) fn task_to_cancel(options: &CallOptions, name: &str, timeout: Duration) -> RetryTask {
        RetryTask {
            method: Rpc::Cancel.name(),
            name: name.to_owned(),
            repeat: RepeatRule::Idempotent,
            attempt_timeout: options.attempt_timeout,
            total_timeout: timeout,
            policy: options.retry.clone(),
            stop: options.stop.clone(),
        }
    }
}

impl Snapshots {
    /// Sleeps and polls until there is a state to return or the wait has to
    /// end.
    fn advance(core: &Core, options: &CallOptions, wait: &mut WaitMachine) -> Result<Operation, Error> {
        let Core { transport, clock, .. } = core;
        loop {
            match wait.next(&**clock) {
                WaitStep::Poll(poll) => {
                    let result = poll.send(&**transport, options);
                    let news = wait.polled(result, &**clock);
                    // The result is recorded before the observer runs, which
                    // may panic: the wait can then be continued.
                    wait.notify(&**clock);
                    if let Some(news) = news {
                        return news;
                    }
                }
                WaitStep::Sleep(until) => clock.sleep_until(until, options.stop.as_ref()),
                WaitStep::Cancel { timeout } => {
                    let options =
                        CallOptions { api_version: wait.version_to_cancel(core, options), ..options.clone() };
                    let cancelled = Self::cancel(core, &options, wait.name(), timeout);
                    wait.cancelled(cancelled, &**clock);
                }
                WaitStep::End(error) => return Err(error),
            }
        }
    }

    /// Cancels the operation, with the retries of a call.
    fn cancel(core: &Core, options: &CallOptions, name: &str, timeout: Duration) -> Result<(), Error> {
        let request = CancelOperationRequest { name: name.to_owned() };
        retry::run(Self::task_to_cancel(options, name, timeout), &*core.clock, |turn| {
            request.attempt(&*core.transport, &options.attempt(turn.timeout), turn)
        })
    }
}

impl Iterator for Snapshots {
    type Item = Result<Operation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        if let Some(result) = self.begin() {
            return self.yields(result);
        }
        let result = Self::advance(&self.core, &self.options, self.wait.as_mut()?);
        self.yields(result)
    }
}

impl FusedIterator for Snapshots {}

impl<M> fmt::Debug for Snapshots<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Snapshots");
        if let Some(before) = &self.before {
            shown.field("target", &before.target);
        }
        if let Some(wait) = &self.wait {
            shown.field("wait", wait);
        }
        shown.field("over", &self.over).finish_non_exhaustive()
    }
}
