//! The options of a wait for one operation.
//!
//! The setters come from `options/setters`, which all builders share, so this
//! file only has what is special about one operation.

use std::sync::Arc;

use crate::call::Blocking;
use crate::core::Core;
use crate::error::Error;
use crate::operation_ref::OperationRef;
use crate::options::{PollOptions, RequestOptions, poll_options, request_options, wait_timeout_options};
use crate::transport::Rpc;
use crate::types::Operation;

use super::latest::Latest;
use super::snapshots::{Snapshots, WaitStart};
use super::update::{WaitWatch, observer_option};

/// A wait for one operation, with its options, that has not started yet.
///
/// Polls with [`get`](crate::OperationsClient::get): at once, then after delays
/// that follow the time waited (a tenth of it, at least 0.5 s, at most 30 s,
/// ±10 %). Transient errors (no connection, a broken one, a proxy's error page,
/// `UNAVAILABLE`, a used-up quota, a few `INTERNAL`) do not end the wait and
/// never make it poll faster; any other error does, and [`Error::operation`] is
/// the last state. Use [`max_failures`](Self::max_failures),
/// [`max_outage`](Self::max_outage) and
/// [`not_found_grace`](Self::not_found_grace) to change what is tolerated, and
/// [`on_update`](Self::on_update) to see it.
///
/// The wait takes at most its total timeout: the last sleep is shortened so
/// that a last poll fits before it. A machine that was suspended past the limit
/// polls once more when it wakes. [`on_timeout`](Self::on_timeout) says what
/// happens to the operation then; by default it continues.
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
/// Iterate over it for snapshots, one for each successful poll, the last one
/// done:
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
#[must_use = "nothing is sent before `until_done` or iteration"]
pub struct Poller<M = Blocking> {
    core: Arc<Core>,
    mode: M,
    /// The operation, or the error of its name, which is reported when the wait
    /// begins.
    target: OperationRef,
    /// The options of requests that were set. The rest comes from the client.
    options: RequestOptions,
    /// Those of the client, as far as nothing was set here.
    poll: PollOptions,
    watch: WaitWatch,
}

impl Poller {
    /// Blocks until the operation is done and returns it, succeeded or failed.
    ///
    /// [`Operation::into_response`] distinguishes the two. An operation that is
    /// known to be done is returned without a request.
    ///
    /// ```
    /// # use longrunning::{Code, ErrorKind, Operation, Status};
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.reply(Operation::running("operations/42"));
    /// # server.reply(Operation::failed("operations/42", Status::new(Code::Internal, "out of disk")));
    /// # let client = server.client();
    /// let done = client.poller("operations/42").until_done()?;
    /// let error = done.into_response::<()>().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Operation);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Timeout` if the total timeout has elapsed, and `Stopped` if the token
    /// was stopped: the message says whether the operation was cancelled, and
    /// [`Error::operation`] is its last state. Otherwise as for
    /// [`OperationsClient::get`](crate::OperationsClient::get).
    pub fn until_done(self) -> Result<Operation, Error> {
        let mut snapshots = self.start();
        loop {
            match snapshots.next() {
                Some(Ok(operation)) if operation.is_done() => return Ok(operation),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                // The iterator ends after a done operation or an error, which return above.
                None => return Err(Error::decode("the wait ended without a result")),
            }
        }
    }
}

impl<M> Poller<M> {
    /// Creates a wait with the options of the client, at the version of the
    /// operation.
    ///
    /// An operation that this client has just started may be unknown to its
    /// service for some seconds, so its grace for `NOT_FOUND` is longer.
    pub(crate) fn new(core: &Arc<Core>, mode: M, target: OperationRef) -> Self {
        let target = target.at(core);
        let options = RequestOptions::at_version(target.version.clone());
        let mut poll = core.poll.clone();
        poll.not_found_grace = poll.not_found_grace.max(core.start_grace(target.started));
        Self { core: Arc::clone(core), mode, target, options, poll, watch: WaitWatch::default() }
    }

    wait_timeout_options!();
    poll_options!();
    request_options!();

    observer_option!();

    /// Returns the wait, which begins with its first poll.
    pub(crate) fn start(self) -> Snapshots<M> {
        let Self { core, mode, target, options, poll, watch } = self;
        let target = options.check().and(Ok(target));
        let options = options.over(core.defaults(Rpc::Get));
        Snapshots::new(core, mode, options, WaitStart { target, poll, watch })
    }

    /// Turns the tracking of progress on, for an iterator whose caller may look
    /// at it.
    pub(crate) fn tracking(mut self) -> Self {
        self.watch.tracks = true;
        self
    }

    /// Stores each state in `latest` too, for the handle that started the wait.
    pub(crate) fn reporting_to(mut self, latest: &Latest) -> Self {
        self.watch.latest = Some(latest.clone());
        self
    }
}

impl IntoIterator for Poller {
    type Item = Result<Operation, Error>;
    type IntoIter = Snapshots;

    fn into_iter(self) -> Snapshots {
        self.tracking().start()
    }
}
