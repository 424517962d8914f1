//! Polling an operation until it is done.

mod snapshots;

use std::time::Duration;

use crate::call::CallOptions;
use crate::client::OperationsClient;
use crate::error::Error;
use crate::name::OperationName;
use crate::retry::Backoff;
use crate::transport::Header;
use crate::types::Operation;

pub use snapshots::Snapshots;

/// A wait that is put together and not begun yet.
///
/// Polls with [`get`](OperationsClient::get): at once, then after delays that follow the time waited (a tenth
/// of it, at least 0.5 s, at most 30 s, ±10 %). A fault that may pass (no connection, a broken one, a proxy's
/// error page, `UNAVAILABLE`, a used-up quota, a few `INTERNAL`) does not end the wait and never makes it ask
/// faster; anything else does, with the last state seen in [`Error::operation`].
///
/// The wait takes at most its total timeout: the last sleep and the last poll are cut to fit. It never cancels
/// the operation.
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
pub struct Poller<'c> {
    client: &'c OperationsClient,
    target: Result<Target, Error>,
    options: CallOptions,
    total_timeout: Duration,
    backoff: Backoff,
}

impl<'c> Poller<'c> {
    pub(crate) fn new(client: &'c OperationsClient, target: Target) -> Self {
        Self {
            client,
            target: Ok(target),
            options: client.defaults().clone(),
            total_timeout: TOTAL_TIMEOUT,
            backoff: Backoff::proportional(0.1, Duration::from_millis(500), Duration::from_secs(30)),
        }
    }

    /// Limits the whole wait. Default: 24 hours.
    ///
    /// With zero nothing is asked.
    pub fn total_timeout(mut self, total_timeout: Duration) -> Self {
        self.total_timeout = total_timeout;
        self
    }

    /// Limits one poll. Default: the client's, which is 10 s.
    pub fn attempt_timeout(mut self, attempt_timeout: Duration) -> Self {
        self.options.attempt_timeout = attempt_timeout;
        self
    }

    /// Replaces the delays between polls. A function that gives up ends the wait like its time limit does.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Charges quota and billing of the polls to `project`.
    pub fn quota_project(mut self, project: &str) -> Self {
        let set = self.options.set_quota_project(project);
        self.check(set)
    }

    /// Sends a header along with each poll; see [`Call::header`](crate::Call::header).
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let set = Header::new(name, value).map(|header| self.options.headers.push(header));
        self.check(set)
    }

    /// Blocks until the operation is done and gives it, succeeded or failed.
    ///
    /// [`Operation::into_response`] then tells the two apart.
    ///
    /// # Errors
    ///
    /// `Timeout` when time ran out: the message says that the operation was not cancelled, and
    /// [`Error::operation`] is its last state. Otherwise as for [`OperationsClient::get`].
    pub fn until_done(self) -> Result<Operation, Error> {
        let mut snapshots = self.into_iter();
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

    fn check(mut self, set: Result<(), Error>) -> Self {
        self.target = self.target.and_then(|target| set.map(|()| target));
        self
    }
}

impl<'c> IntoIterator for Poller<'c> {
    type Item = Result<Operation, Error>;
    type IntoIter = Snapshots<'c>;

    fn into_iter(self) -> Snapshots<'c> {
        Snapshots::new(self)
    }
}

/// What a [`Poller`] waits for: a name, or an operation as it was when it was started.
///
/// An operation that is done already needs no poll.
#[derive(Clone, Debug)]
pub struct Target {
    name: Result<OperationName, Error>,
    done: Option<Operation>,
}

impl Target {
    fn named(name: impl TryInto<OperationName, Error: Into<Error>>) -> Self {
        Self { name: name.try_into().map_err(Into::into), done: None }
    }
}

impl From<&str> for Target {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl From<String> for Target {
    fn from(name: String) -> Self {
        Self::named(name)
    }
}

impl From<&String> for Target {
    fn from(name: &String) -> Self {
        Self::named(name)
    }
}

impl From<OperationName> for Target {
    fn from(name: OperationName) -> Self {
        Self::named(name)
    }
}

impl From<&OperationName> for Target {
    fn from(name: &OperationName) -> Self {
        Self::named(name)
    }
}

impl From<&Operation> for Target {
    fn from(operation: &Operation) -> Self {
        let done = operation.is_done().then(|| operation.clone());
        Self { done, ..Self::named(operation) }
    }
}

impl From<Operation> for Target {
    fn from(operation: Operation) -> Self {
        Self::from(&operation)
    }
}

/// Long enough never to end a wait that would have ended by itself, short enough that a forgotten one ends.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
