//! The updates that the observer of a wait receives.
//!
//! An update is a view of the wait: it borrows everything, and is made only if
//! there is an observer and news for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::progress::Progress;
use crate::types::Operation;

use super::latest::Latest;

/// News of a wait: a new state of the operation, or a fault of its polls; see
/// [`Poller::on_update`](crate::Poller::on_update).
///
/// ```
/// # use longrunning::{Any, Code, Operation, Status};
/// # let server = longrunning::testing::FakeServer::start();
/// # server.reply(Operation::running("operations/42"));
/// # server.reply(Status::new(Code::Unavailable, "draining"));
/// # server.reply(Operation::succeeded("operations/42", Any::from_json("{}")?));
/// # let client = server.client();
/// let poller = client.poller("operations/42").on_update(|update| match update.fault() {
///     Some(fault) => eprintln!("unreachable for {:?}: {}", fault.elapsed(), fault.error()),
///     None => eprintln!("{}: {}", update.name(), update.progress()),
/// });
/// assert!(poller.until_done()?.is_done());
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    pub(super) name: &'a str,
    pub(super) operation: Option<&'a Operation>,
    pub(super) progress: &'a Progress,
    pub(super) polls: u32,
    pub(super) elapsed: Duration,
    pub(super) fault: Option<PollFault<'a>>,
    pub(super) pause: Option<Duration>,
    pub(super) next_is_long_poll: bool,
}

impl<'a> Update<'a> {
    /// Returns the name that is polled. A service may use another one in its
    /// responses.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the latest state of the operation; `None` if no poll has
    /// succeeded yet.
    ///
    /// While there is a [fault](Self::fault), it is the state before the fault.
    ///
    /// ```
    /// # use longrunning::{Any, Operation};
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.reply(Operation::succeeded("operations/42", Any::from_json("{}")?));
    /// # let client = server.client();
    /// let poller = client.poller("operations/42").on_update(|update| {
    ///     if update.operation().is_some_and(Operation::is_done) {
    ///         eprintln!("done after {} polls, {:?}", update.polls(), update.elapsed());
    ///     }
    /// });
    /// poller.until_done()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn operation(&self) -> Option<&'a Operation> {
        self.operation
    }

    /// Returns the progress of the operation, as far as its metadata contain
    /// it.
    ///
    /// The percentage never decreases.
    pub fn progress(&self) -> &'a Progress {
        self.progress
    }

    /// Returns how many polls were sent, this one included.
    ///
    /// It is zero for an operation that was done before the wait.
    pub fn polls(&self) -> u32 {
        self.polls
    }

    /// Returns the time since the wait began, its sleeps included.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns why the latest poll failed; `None` if it succeeded.
    ///
    /// It is a failure that the wait tolerates: any other ends the wait and is
    /// its error.
    pub fn fault(&self) -> Option<PollFault<'a>> {
        self.fault
    }

    /// Returns how long the wait pauses before its next poll, if the service
    /// requested that pause and it is longer than the usual delay.
    ///
    /// Services request it by `Retry-After`,
    /// [`RetryInfo`](crate::rpc::RetryInfo) or, over gRPC, push-back. The value
    /// is what the wait does: a longer request is limited.
    ///
    /// ```
    /// # use longrunning::{Any, Operation};
    /// # use longrunning::testing::Reply;
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.reply(Reply::status(503).header("retry-after", "40"));
    /// # server.reply(Operation::succeeded("operations/42", Any::from_json("{}")?));
    /// # let client = server.client();
    /// let poller = client.poller("operations/42").on_update(|update| {
    ///     if let Some(pause) = update.pause() {
    ///         eprintln!("the service requests a pause of {} s", pause.as_secs());
    ///     }
    /// });
    /// poller.until_done()?;
    /// # assert_eq!(server.elapsed().as_secs(), 40);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn pause(&self) -> Option<Duration> {
        self.pause
    }

    /// Returns whether the next poll is a long poll: a WaitOperation request
    /// whose response the service holds back until the operation is done or
    /// some time has passed.
    ///
    /// There is no news while the service holds the response, for up to 30
    /// seconds by default. A display that shows it is not taken for one
    /// that hangs.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use longrunning::testing::{FakeOperation, FakeServer, Rpc};
    /// # let server = FakeServer::builder().with(Rpc::Wait).start()?;
    /// # server.insert(FakeOperation::new("operations/42").done_after(Duration::from_secs(60)));
    /// # let client = server.client();
    /// let poller = client.poller("operations/42").on_update(|update| {
    ///     if update.next_is_long_poll() {
    ///         eprintln!("waiting for the service to report the end");
    ///     }
    /// });
    /// poller.until_done()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn next_is_long_poll(&self) -> bool {
        self.next_is_long_poll
    }
}

/// Why polls fail at the moment; see [`Update::fault`].
#[derive(Clone, Copy, Debug)]
pub struct PollFault<'a> {
    pub(super) error: &'a Error,
    pub(super) elapsed: Duration,
    pub(super) polls: u32,
}

impl<'a> PollFault<'a> {
    /// Returns the error of the latest poll.
    pub fn error(&self) -> &'a Error {
        self.error
    }

    /// Returns the time since the first of these polls was sent.
    ///
    /// [`max_outage`](crate::Poller::max_outage) limits it.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns how many polls have failed without interruption.
    pub fn polls(&self) -> u32 {
        self.polls
    }
}

/// The closure of `on_update`.
pub(crate) type Observer = Arc<dyn Fn(&Update<'_>) + Send + Sync>;

/// Where the states of a wait are reported to, and whether progress is tracked
/// for it.
#[derive(Clone, Default)]
pub(crate) struct WaitWatch {
    /// The closure that receives updates.
    pub(crate) observer: Option<Observer>,
    /// The place that a handle shares with the wait.
    pub(crate) latest: Option<Latest>,
    /// Whether progress is tracked. Parsing metadata takes time, which a wait
    /// without an observer saves.
    pub(crate) tracks: bool,
}

impl WaitWatch {
    /// Reports news to `observer`, and follows the progress for it.
    pub(crate) fn observe(&mut self, observer: impl Fn(&Update<'_>) + Send + Sync + 'static) {
        self.observer = Some(Arc::new(observer));
        self.tracks = true;
    }
}

impl fmt::Debug for WaitWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitWatch").field("observer", &self.observer.is_some()).finish_non_exhaustive()
    }
}

/// Writes the observer of waits: [`Poller`](crate::Poller),
/// [`PollMany`](crate::PollMany). Both have the field `watch`.
macro_rules! observer_option {
    () => {
        /// Calls `observer` with each new state of an operation, the first and the last
        /// included, and when polls start to fail, fail for another reason, or succeed
        /// again.
        ///
        /// It runs on the thread that polls (for many operations: that iterates), and
        /// the wait continues when it returns. An error that ends a wait is not an
        /// update: the wait returns it.
        ///
        /// ```
        /// # use longrunning::testing::{FakeOperation, FakeServer};
        /// # let server = FakeServer::start();
        /// # server.insert(FakeOperation::new("operations/42").done_after(std::time::Duration::from_secs(60)));
        /// # let client = server.client();
        /// let poller = client.poller("operations/42").on_update(|update| match update.fault() {
        ///     Some(fault) => eprintln!("unreachable for {:?}: {}", fault.elapsed(), fault.error()),
        ///     None => eprintln!("{} after {} polls", update.progress(), update.polls()),
        /// });
        /// poller.until_done()?;
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn on_update(
            mut self,
            observer: impl Fn(&crate::poller::Update<'_>) + Send + Sync + 'static,
        ) -> Self {
            self.watch.observe(observer);
            self
        }
    };
}

pub(crate) use observer_option;
