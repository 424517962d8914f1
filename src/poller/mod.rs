//! Polling an operation until it is done.

mod latest;
mod long_poll;
mod options;
mod poll;
mod snapshots;
mod target;
mod update;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use crate::call::Blocking;
use crate::core::Core;
use crate::error::Error;
use crate::options::CallOptions;
use crate::retry::Backoff;
use crate::stop::StopToken;
use crate::transport::{Compression, Headers, HeadersObserver, Rpc};
use crate::types::Operation;

pub(crate) use latest::Latest;
pub use long_poll::LongPoll;
pub use options::OnTimeout;
pub use snapshots::Snapshots;
pub use target::Target;
pub use update::Update;

pub(crate) use options::WaitOptions;
pub(crate) use wait::{Step, Wait};

/// A wait that is put together and not begun yet.
///
/// Polls with [`get`](crate::OperationsClient::get): at once, then after delays that follow the time waited (a tenth
/// of it, at least 0.5 s, at most 30 s, ±10 %). A fault that may pass (no connection, a broken one, a proxy's
/// error page, `UNAVAILABLE`, a used-up quota, a few `INTERNAL`) does not end the wait and never makes it ask
/// faster; anything else does, with the last state seen in [`Error::operation`]. How much is borne is for
/// [`max_failures`](Self::max_failures), [`max_outage`](Self::max_outage) and
/// [`not_found_grace`](Self::not_found_grace) to say.
///
/// The wait takes at most its total timeout: the last sleep is cut so that a last poll fits in front of it. A
/// machine that slept through the limit still asks once more when it wakes. What becomes of the operation then is
/// for [`on_timeout`](Self::on_timeout) to say; by default it goes on.
///
/// ```
/// # use longrunning::{Any, Operation};
/// # let server = longrunning::testing::FakeServer::start();
/// # let client = server.client();
/// # server.reply(Operation::running("operations/42"));
/// # server.reply(Operation::succeeded("operations/42", Any::from_json(r#"{"@type": "type.googleapis.com/x.Index", "rows": "9"}"#)?));
/// use std::time::Duration;
///
/// #[derive(serde::Deserialize)]
/// struct Index {
///     rows: String,
/// }
///
/// let done = client.poller("operations/42").total_timeout(Duration::from_secs(900)).until_done()?;
/// let index: Index = done.into_response()?;
/// assert_eq!(index.rows, "9");
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// It is an iterator of snapshots too, one for each poll that worked, the last one done:
///
/// ```
/// # use longrunning::{Any, Operation};
/// # let server = longrunning::testing::FakeServer::start();
/// # let client = server.client();
/// # let metadata = Any::from_json(r#"{"@type": "type.googleapis.com/x.Progress", "percent": 40}"#)?;
/// # let started = Operation::running("operations/42").with_metadata(metadata);
/// # server.reply(started.clone());
/// # server.reply(Operation::succeeded("operations/42", Any::from_json("{}")?));
/// #[derive(serde::Deserialize)]
/// struct Progress {
///     percent: f64,
/// }
///
/// for snapshot in client.poller(&started) {
///     if let Some(metadata) = snapshot?.metadata() {
///         eprintln!("{:3} %", metadata.decode::<Progress>()?.percent);
///     }
/// }
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `until_done` or iteration"]
pub struct Poller<M = Blocking> {
    core: Arc<Core>,
    mode: M,
    target: Result<Target, Error>,
    options: CallOptions,
    wait: WaitOptions,
}

impl<M> Poller<M> {
    pub(crate) fn new(core: &Arc<Core>, mode: M, target: Target) -> Self {
        Self {
            core: Arc::clone(core),
            mode,
            target: Ok(target.at(core)),
            options: core.defaults(Rpc::Get),
            wait: WaitOptions::default(),
        }
    }

    /// Limits the whole wait. Default: 24 hours.
    ///
    /// That is long enough for what services call long, and a wait that was forgotten ends all the same. With zero
    /// nothing is asked. Kept to the millisecond: see [`forever`](Self::forever) for none.
    pub fn total_timeout(mut self, total_timeout: Duration) -> Self {
        self.wait.total_timeout = Some(total_timeout);
        self
    }

    /// Waits for as long as it takes, in place of 24 hours.
    pub fn forever(mut self) -> Self {
        self.wait.total_timeout = None;
        self
    }

    /// Limits one poll. Default: the client's, which is 10 s.
    pub fn attempt_timeout(mut self, attempt_timeout: Duration) -> Self {
        self.options.attempt_timeout = attempt_timeout;
        self
    }

    /// Replaces the delays between polls. A function that gives up ends the wait like its time limit does.
    ///
    /// What a server asks for (`Retry-After`, [`RetryInfo`](crate::rpc::RetryInfo)) is a floor for the next delay, at most as long as [`max_hint`](Self::max_hint).
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.wait.backoff = backoff;
        self
    }

    /// Bears so many errors in a row that need not pass by themselves: `INTERNAL`, `UNKNOWN` and
    /// `DEADLINE_EXCEEDED`. Default: 5.
    ///
    /// With zero the first one ends the wait. What passes by itself is not counted:
    /// [`max_outage`](Self::max_outage).
    pub fn max_failures(mut self, max_failures: u32) -> Self {
        self.wait.max_failures = max_failures;
        self
    }

    /// Bears so long a time in which every poll fails: no connection, `UNAVAILABLE`, a used-up quota, no access token.
    /// Default: as long as the wait lasts.
    ///
    /// With zero the first failure ends the wait.
    pub fn max_outage(mut self, max_outage: Duration) -> Self {
        self.wait.max_outage = Some(max_outage);
        self
    }

    /// Bears `NOT_FOUND` for so long after the start of the wait, until the operation was seen once. Default: zero.
    ///
    /// For services that know of an operation only some seconds after they have given its name; 10 s are enough.
    pub fn not_found_grace(mut self, grace: Duration) -> Self {
        self.wait.not_found_grace = grace;
        self
    }

    /// Limits how long one hint of the server can pause the polls. Default: 5 minutes.
    ///
    /// A hint (`Retry-After`, [`RetryInfo`](crate::rpc::RetryInfo), `grpc-retry-pushback-ms`) is a floor for the next delay.
    /// Without a limit a maintenance page that says "in a day" would silence a wait for a day. With zero hints are ignored.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer, Reply};
    /// # let server = FakeServer::start();
    /// # server.insert(FakeOperation::new("operations/42"));
    /// # let client = server.client();
    /// use std::time::Duration;
    ///
    /// server.reply(Reply::status(503).header("retry-after", "86400"));
    /// let minute = Duration::from_secs(60);
    /// let done = client.poller("operations/42").max_hint(minute).until_done()?;
    /// assert_eq!(server.sleeps(), [minute]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn max_hint(mut self, max_hint: Duration) -> Self {
        self.wait.max_hint = max_hint;
        self
    }

    /// Decides what becomes of an operation that outlasts the wait. Default: [`OnTimeout::Leave`].
    pub fn on_timeout(mut self, on_timeout: OnTimeout) -> Self {
        self.wait.on_timeout = on_timeout;
        self
    }

    /// Decides whether the server waits too, which tells the end of the operation at once. Default:
    /// [`LongPoll::Never`].
    pub fn long_poll(mut self, long_poll: LongPoll) -> Self {
        self.wait.long_poll = long_poll;
        self
    }

    /// Sets how the requests are compressed. Default: the client's choice. Has no effect over REST.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.options.compression = compression;
        self
    }

    /// Ends the wait with [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) when `token` is stopped: a sleep at once, a
    /// poll that is under way as [`StopToken`] says. The operation goes on.
    pub fn stop(mut self, token: &StopToken) -> Self {
        self.options.stop = Some(token.clone());
        self
    }

    /// Calls `observer` with each state of the operation that differs from the one before, the first and the last
    /// included, on the thread that polls.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.insert(FakeOperation::new("operations/42").done_after(std::time::Duration::from_secs(60)));
    /// # let client = server.client();
    /// let done = client
    ///     .poller("operations/42")
    ///     .on_update(|update| match (update.progress.percent(), update.progress.remaining()) {
    ///         (Some(percent), Some(remaining)) => eprintln!("{percent} %, {} s left", remaining.as_secs()),
    ///         _ => eprintln!("{}", update.operation.outcome()),
    ///     })
    ///     .until_done()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn on_update(mut self, observer: impl Fn(&Update<'_>) + Send + Sync + 'static) -> Self {
        self.wait.observer = Some(Arc::new(observer));
        self.wait.tracks = true;
        self
    }

    /// Charges quota and billing of the polls to `project`.
    pub fn quota_project(mut self, project: &str) -> Self {
        let set = self.options.set_quota_project(project);
        self.check(set)
    }

    /// Sends a header along with each poll; see [`Call::header`](crate::Call::header).
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let set = self.options.add_header(name, value);
        self.check(set)
    }

    /// Calls `observer` with the headers of each poll's answer; see [`Call::on_headers`](crate::Call::on_headers).
    pub fn on_headers(mut self, observer: impl Fn(&Headers) + Send + Sync + 'static) -> Self {
        self.options.on_headers = Some(HeadersObserver::new(observer));
        self
    }

    /// Follows the progress.
    pub(crate) fn tracking(mut self) -> Self {
        self.wait.tracks = true;
        self
    }

    /// Keeps the latest state there too.
    pub(crate) fn reporting_to(mut self, latest: &Latest) -> Self {
        self.wait.latest = Some(latest.clone());
        self
    }

    fn check(mut self, set: Result<(), Error>) -> Self {
        self.target = self.target.and_then(|target| set.map(|()| target));
        self
    }
}

impl Poller {
    /// Blocks until the operation is done and gives it, succeeded or failed.
    ///
    /// [`Operation::into_response`] then tells the two apart.
    ///
    /// # Errors
    ///
    /// `Timeout` when time ran out and `Stopped` when the token was stopped: the message says whether the operation
    /// was cancelled, and [`Error::operation`] is its last state. Otherwise as for
    /// [`OperationsClient::get`](crate::OperationsClient::get).
    pub fn until_done(self) -> Result<Operation, Error> {
        let mut snapshots = Snapshots::new(self);
        loop {
            match snapshots.next() {
                Some(Ok(operation)) if operation.is_done() => return Ok(operation),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                // The iterator ends after a done operation or an error, which return above.
                None => return Err(Error::decode("the wait ended without an answer")),
            }
        }
    }
}

impl IntoIterator for Poller {
    type Item = Result<Operation, Error>;
    type IntoIter = Snapshots;

    fn into_iter(self) -> Snapshots {
        Snapshots::new(self.tracking())
    }
}
