//! One operation as a value to keep: it remembers the latest state, and sends
//! requests about it.
//!
//! A handle has three parts: the client's shared state, the name, and a
//! [`Latest`] that its clones and pollers share. Accessors read the latest
//! state; methods that send requests update it.

use std::fmt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use serde::de::DeserializeOwned;

use crate::call::{Blocking, Call, RpcRequest};
use crate::core::Core;
use crate::error::Error;
use crate::fault_class::FaultClass;
use crate::name::OperationName;
use crate::operation_ref::OperationRef;
use crate::pending::Pending;
use crate::poller::{Latest, Poller};
use crate::progress::Progress;
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest,
};
use crate::types::{Any, Code, Operation, Status};
use crate::util::redact::Masked;

/// One operation, and the client that sends requests about it. Google's
/// libraries call it an operation future.
///
/// [`OperationsClient::start`](crate::OperationsClient::start) returns one for
/// the operation that was started, and
/// [`OperationsClient::operation`](crate::OperationsClient::operation) creates
/// one from a name, an operation, or a [`Pending`] of an earlier process. It is
/// cheap to clone, and clones share the latest state.
///
/// Accessors such as [`is_done`](Self::is_done) and
/// [`progress`](Self::progress) return the latest state that was seen, and send
/// no request. [`refresh`](Self::refresh), [`until_done`](Self::until_done) and
/// [`result`](Self::result) do.
///
/// `OperationsAsyncClient::operation` (feature `async`) returns a handle with
/// futures in place of the blocking methods.
///
/// ```
/// # use longrunning::testing::{FakeOperation, FakeServer};
/// # let server = FakeServer::start();
/// # let index = longrunning::Any::from_json(r#"{"@type": "type.googleapis.com/demo.Index", "rows": "9"}"#)?;
/// # server.insert(FakeOperation::new("operations/42").done_after(std::time::Duration::from_secs(60)).responds(index));
/// # let client = server.client();
/// #[derive(serde::Deserialize)]
/// struct Index {
///     rows: String,
/// }
///
/// let handle = client.operation("operations/42");
/// assert!(!handle.refresh()?.is_done());
/// println!("{:?} %", handle.progress().percent());
/// let index: Index = handle.result()?;
/// assert_eq!(index.rows, "9");
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// The equivalents of Python's [`google.api_core.operation.Operation`]:
///
/// | Python | here |
/// |---|---|
/// | `operation` | [`operation`](Self::operation) |
/// | `metadata` | [`metadata`](Self::metadata), [`progress`](Self::progress) |
/// | `done()`, `running()` | `handle.refresh()?.is_done()`; [`is_done`](Self::is_done) sends no request |
/// | `result(timeout)` | [`result`](Self::result); with a limit: `handle.poller().total_timeout(…).until_done()?.into_response()` |
/// | `exception(timeout)` | `handle.until_done()?.error()`; [`error`](Self::error) does not wait |
/// | `cancel()` | [`cancel`](Self::cancel), [`cancel_and_wait`](Self::cancel_and_wait) |
/// | `cancelled()` | [`is_cancelled`](Self::is_cancelled) |
/// | `add_done_callback(fn)` | [`on_done`](Self::on_done) |
/// | `set_result`, `set_exception` | none: only the service ends an operation |
/// | `deserialize(payload)` | [`Operation::from_json`], [`Operation::from_proto`](Operation::from); to continue the wait elsewhere: [`to_pending`](Self::to_pending) |
/// | `retry`, `polling` | the options of [`poller`](Self::poller), and those of the client |
///
/// [`google.api_core.operation.Operation`]: https://googleapis.dev/python/google-api-core/latest/operation.html
#[derive(Clone)]
pub struct OperationHandle<M = Blocking> {
    pub(crate) core: Arc<Core>,
    pub(crate) mode: M,
    /// Or the error for an invalid name, which the first request returns.
    name: Result<OperationName, Error>,
    pub(crate) latest: Latest,
    /// When the handle was created, by the wall clock.
    since: SystemTime,
    /// The version in the URLs of its requests, if it is not that of the
    /// client.
    version: Option<Arc<str>>,
    /// When this process started the operation; `None` if another one did.
    started: Option<Instant>,
}

/// Accessors, which send no request.
impl<M> OperationHandle<M> {
    /// Creates the handle of a target, with the state that is known.
    pub(crate) fn new(core: &Arc<Core>, mode: M, target: OperationRef) -> Self {
        let OperationRef { name, seen, version, started, .. } = target.at(core);
        // For `to_pending`: another process counts the age of the wait from
        // here.
        let since = core.clock.wall();
        Self { core: Arc::clone(core), mode, name, latest: Latest::new(seen), since, version, started }
    }

    /// Returns the name of the operation, or an empty string if the handle was
    /// created with an invalid name.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// assert_eq!(server.client().operation("operations/42").name(), "operations/42");
    /// ```
    pub fn name(&self) -> &str {
        self.name.as_ref().map_or("", OperationName::as_str)
    }

    /// Returns the last known state, without sending a request.
    ///
    /// ```
    /// use longrunning::Operation;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// let handle = server.client().operation("operations/42");
    /// assert!(handle.operation().is_none());
    /// handle.refresh()?;
    /// assert!(handle.operation().is_some());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn operation(&self) -> Option<Operation> {
        self.latest.get()
    }

    /// Returns whether the operation is done in its last known state. It sends
    /// no request.
    pub fn is_done(&self) -> bool {
        self.operation().is_some_and(|operation| operation.is_done())
    }

    /// Returns whether the operation is known to have ended with the code
    /// `CANCELLED`. It sends no request.
    pub fn is_cancelled(&self) -> bool {
        self.error().is_some_and(|status| status.code() == Code::Cancelled)
    }

    /// Returns the error with which the operation is known to have failed. It
    /// sends no request.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Code, Operation, Status};
    ///
    /// let server = FakeServer::start();
    /// let failed = Operation::failed("operations/42", Status::new(Code::Aborted, "conflict"));
    /// let handle = server.client().operation(failed);
    /// assert_eq!(handle.error().map(|status| status.code()), Some(Code::Aborted));
    /// ```
    pub fn error(&self) -> Option<Status> {
        self.operation().filter(Operation::is_done)?.error().cloned()
    }

    /// Returns the metadata of the last known state. It sends no request.
    pub fn metadata(&self) -> Option<Any> {
        self.operation()?.metadata().cloned()
    }

    /// Returns the progress in the last known state. It sends no request.
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").done_at_poll(4));
    /// let handle = server.client().operation("operations/42");
    /// handle.refresh()?;
    /// assert_eq!(handle.progress().percent(), Some(25.0));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn progress(&self) -> Progress {
        self.operation().map_or_else(Progress::default, |operation| Progress::of(&operation))
    }

    /// Returns the data that another process needs to continue: the name, the
    /// endpoint of the client and the version of its bindings. serde
    /// serializes it.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::succeeded("operations/42", longrunning::Any::from_json("{}")?));
    /// # let client = server.client();
    /// let text = serde_json::to_string(&client.operation("operations/42").to_pending()?).unwrap();
    ///
    /// // later, elsewhere
    /// let pending: longrunning::Pending = serde_json::from_str(&text).unwrap();
    /// assert!(client.operation(&pending).until_done()?.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Binding`](crate::ErrorKind::Binding) if the name cannot be requested.
    pub fn to_pending(&self) -> Result<Pending, Error> {
        self.core.pending(self.name.clone()?, self.version.as_deref(), self.operation().as_ref(), self.since)
    }
}

/// Builders of calls and waits, which send requests when they run.
impl<M: Clone> OperationHandle<M> {
    /// Returns a poller with all its options. The handle sees every state that
    /// the poller sees.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").done_at_poll(3));
    /// let handle = server.client().operation("operations/42");
    /// handle.poller().total_timeout(Duration::from_secs(600)).until_done()?;
    /// assert!(handle.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn poller(&self) -> Poller<M> {
        Poller::new(&self.core, self.mode.clone(), self.into()).reporting_to(&self.latest)
    }

    /// Replaces `NOT_FOUND` by the response of the start, for 30 s after the
    /// start: some services find an operation only after a moment.
    pub(crate) fn or_started(&self, result: Result<Operation, Error>) -> Result<Operation, Error> {
        let is_new = |error: &Error| {
            error.class() == FaultClass::NotFound && !self.core.start_grace(self.started).is_zero()
        };
        // The response of the start is the best state that is known.
        match result {
            Err(error) if is_new(&error) => self.operation().ok_or(error),
            result => result,
        }
    }

    /// Returns a call about this operation, at the version of its service.
    pub(crate) fn call<R: RpcRequest>(&self) -> Call<R, M> {
        Call::new(&self.core, self.mode.clone(), self.name.clone().map(R::from_name))
            .at_version(self.core.version_for(self.version.clone(), self.operation().as_ref()))
    }
}

/// Calls, which send requests.
impl OperationHandle {
    /// Fetches the latest state. If the operation is known to be done, it sends
    /// no request and returns that state.
    ///
    /// ```
    /// use longrunning::Operation;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// let handle = server.client().operation("operations/42");
    /// assert!(!handle.refresh()?.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`OperationsClient::get`](crate::OperationsClient::get).
    pub fn refresh(&self) -> Result<Operation, Error> {
        // A state that is done is final: it cannot change any more.
        if let Some(done) = self.operation().filter(Operation::is_done) {
            return Ok(done);
        }
        let operation = self.or_started(self.call::<GetOperationRequest>().send())?;
        self.latest.set(&operation);
        Ok(operation)
    }

    /// Blocks until the operation is done, with the default options of a wait;
    /// [`poller`](Self::poller) has others.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").done_after(Duration::from_secs(60)));
    /// assert!(server.client().operation("operations/42").until_done()?.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Poller::until_done`].
    pub fn until_done(&self) -> Result<Operation, Error> {
        // The poller starts from the latest state: if that is done, nothing is
        // sent.
        self.poller().until_done()
    }

    /// Waits until the operation is done and decodes its response with serde;
    /// see [`Operation::into_response`].
    ///
    /// ```
    /// use longrunning::{Any, Operation};
    /// use longrunning::testing::FakeServer;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Index {
    ///     rows: String,
    /// }
    ///
    /// let server = FakeServer::start();
    /// let index = Any::from_json(r#"{"@type": "type.googleapis.com/demo.Index", "rows": "9"}"#)?;
    /// server.insert(Operation::succeeded("operations/42", index));
    /// let index: Index = server.client().operation("operations/42").result()?;
    /// assert_eq!(index.rows, "9");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Operation`](crate::ErrorKind::Operation) if the operation failed,
    /// [`Decode`](crate::ErrorKind::Decode) if its response does not fit
    /// `T`, otherwise as for [`Poller::until_done`].
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.until_done()?.into_response()
    }

    /// Requests the cancellation of the operation, which is best effort, and
    /// returns whether a request was sent.
    ///
    /// If the operation [was seen to be done](Self::is_done), there is nothing
    /// to cancel: nothing is sent, and the result is `false`.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = server.client();
    /// let handle = client.operation("operations/42");
    /// assert!(handle.cancel()?, "requested");
    /// assert!(handle.refresh()?.is_done());
    /// assert!(!handle.cancel()?, "it is done");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`OperationsClient::cancel`](crate::OperationsClient::cancel).
    pub fn cancel(&self) -> Result<bool, Error> {
        if self.is_done() {
            return Ok(false);
        }
        self.call::<CancelOperationRequest>().send().map(|()| true)
    }

    /// Requests the cancellation of the operation and blocks until it is done,
    /// for at most `grace` after that.
    ///
    /// Returns the operation, which was cancelled, or finished before it could
    /// be. `FAILED_PRECONDITION`, by which some services report that it is
    /// done, is no failure here. If it was seen to be done before, nothing is
    /// sent.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = server.client();
    /// let handle = client.operation("operations/42");
    /// handle.cancel_and_wait(std::time::Duration::from_secs(60))?;
    /// assert!(handle.is_cancelled());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`cancel`](Self::cancel) and [`Poller::until_done`]; `Timeout` if
    /// it still runs after `grace`.
    pub fn cancel_and_wait(&self, grace: Duration) -> Result<Operation, Error> {
        match self.cancel() {
            Err(error) if error.code() != Some(Code::FailedPrecondition) => Err(error),
            // Done already, or being cancelled: in both cases a wait returns
            // the final state.
            _ => self.poller().total_timeout(grace).until_done(),
        }
    }

    /// Deletes the operation, which does not cancel it. The handle keeps the
    /// state that it has seen.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Any, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::succeeded("operations/42", Any::pack(&())));
    /// server.client().operation("operations/42").delete()?;
    /// assert!(server.operation("operations/42").is_none());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`OperationsClient::delete`](crate::OperationsClient::delete).
    pub fn delete(&self) -> Result<(), Error> {
        self.call::<DeleteOperationRequest>().send()
    }

    /// Waits on a new thread, and calls `callback` there with the result of
    /// [`until_done`](Self::until_done).
    ///
    /// The thread lives as long as the wait. A panic of the callback is the error
    /// of [`JoinHandle::join`]. For other options of the wait, or for a thread
    /// pool, call the [`poller`](Self::poller) of a clone there.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::succeeded("operations/42", longrunning::Any::from_json("{}")?));
    /// # let client = server.client();
    /// let thread = client.operation("operations/42").on_done(|ended| match ended {
    ///     Ok(operation) => println!("{}", operation.outcome()),
    ///     Err(error) => eprintln!("{error}"),
    /// })?;
    /// // …
    /// thread.join().unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the system cannot start a
    /// thread.
    pub fn on_done(
        &self,
        callback: impl FnOnce(Result<Operation, Error>) + Send + 'static,
    ) -> Result<JoinHandle<()>, Error> {
        let handle = self.clone();
        let thread = thread::Builder::new().spawn(move || callback(handle.until_done()));
        thread.map_err(|cause| Error::config("cannot start a thread to wait on").with_source(cause))
    }
}

impl<M> fmt::Debug for OperationHandle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationHandle")
            .field("name", &Masked(self.name()))
            .field("operation", &self.operation())
            .finish_non_exhaustive()
    }
}

impl<M> From<OperationHandle<M>> for OperationRef {
    fn from(handle: OperationHandle<M>) -> Self {
        (&handle).into()
    }
}

/// With the latest state that the handle has seen: a wait does not poll an
/// operation that is done.
impl<M> From<&OperationHandle<M>> for OperationRef {
    fn from(handle: &OperationHandle<M>) -> Self {
        Self::from_parts(handle.name.clone(), handle.operation())
            .with_start(handle.version.clone(), handle.started)
    }
}
