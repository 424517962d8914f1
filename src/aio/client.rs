//! The async client and its methods.
//!
//! It is an [`OperationsClient`] with another mode: the same [`Core`], and
//! calls and waits that return futures.

use std::fmt;
use std::sync::Arc;

use crate::call::{Call, RpcRequest};
use crate::client::{OperationsClient, OperationsClientBuilder};
use crate::core::Core;
use crate::error::Error;
use crate::handle::OperationHandle;
use crate::operation_ref::{CallTarget, OperationRef};
use crate::poller::Poller;
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest,
};
use crate::start::StartCall;
use crate::transport::Headers;

use super::{Async, Executor};

/// A client for the long-running operations of one service, with futures in
/// place of calls that block.
///
/// It is made from an [`OperationsClient`], with which it shares options,
/// connections and tokens, or by [`OperationsClientBuilder::build_async`]. It is
/// cheap to clone; clones share the threads of their [`Executor`]. Its futures
/// are `Send` and `'static`, need no particular runtime, and do nothing before
/// they are polled.
///
/// ```
/// # let server = longrunning::testing::FakeServer::start();
/// # server.insert(longrunning::testing::FakeOperation::new("operations/42").done_at_poll(3));
/// # let endpoint = server.url();
/// use longrunning::{Credentials, OperationsClient};
///
/// let client = OperationsClient::builder(&endpoint).credentials(Credentials::anonymous()).build_async()?;
/// # let client = longrunning::OperationsAsyncClient::from(server.client());
/// # pollster::block_on(async {
/// let operation = client.get("operations/42").send().await?;
/// let done = client.poller(operation).until_done().await?;
/// println!("{}: {}", done.name(), done.outcome());
/// # Ok::<(), longrunning::Error>(())
/// # })?;
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone)]
pub struct OperationsAsyncClient {
    core: Arc<Core>,
    mode: Async,
}

impl OperationsAsyncClient {
    /// Creates a client for the service at `endpoint`; see
    /// [`OperationsClient::new`].
    ///
    /// Reads the credentials file, if there is one, which blocks shortly, and
    /// does no network I/O.
    ///
    /// # Errors
    ///
    /// As [`OperationsClientBuilder::build`].
    pub fn new(endpoint: impl Into<String>) -> Result<Self, Error> {
        OperationsClient::new(endpoint).map(Self::from)
    }

    /// Creates a client that shares everything but the threads with `client`.
    ///
    /// See [`Executor`] for what can be chosen; [`From`] takes the default.
    pub fn with_executor(client: OperationsClient, executor: Executor) -> Self {
        // The clock of the client: sleeps of a client of a fake server are
        // virtual.
        let mode = executor.start(&client.core.clock);
        Self { core: client.core, mode }
    }

    /// Returns the same client with blocking calls. Both share connections,
    /// tokens and limits.
    ///
    /// Use it for what has no future, such as `poll_many` and sweeps.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// let report = client.blocking().cancel_all("projects/p").run()?;
    /// assert_eq!(report.listed, 0);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn blocking(&self) -> OperationsClient {
        OperationsClient { core: Arc::clone(&self.core) }
    }

    /// Sends the request that starts an operation, and returns a handle that
    /// holds the response; see [`OperationsClient::start`].
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.on_start("POST", "/v2/{name=projects/*/locations/*/jobs/*}:run", FakeOperation::new("projects/p/locations/l/operations/42").done_at_poll(2));
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// let execution = client.start("/v2/projects/p/locations/l/jobs/j:run").send().await?;
    /// assert!(execution.until_done().await?.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn start(&self, path: impl Into<String>) -> StartCall<Async> {
        StartCall::new(&self.core, self.mode.clone(), path.into())
    }

    /// Returns the headers by which a request of the program's own to the same
    /// service is authorized; see
    /// [`OperationsClient::authorization_headers`].
    ///
    /// # Errors
    ///
    /// As [`OperationsClient::authorization_headers`], and as said in
    /// [`aio`](super#errors).
    pub fn authorization_headers(&self) -> impl Future<Output = Result<Headers, Error>> + Send + 'static {
        let (core, mode) = (Arc::clone(&self.core), self.mode.clone());
        async move { super::start::authorization_headers(&core, &mode).await }
    }

    /// Gets the latest state of an operation; see [`OperationsClient::get`].
    pub fn get(&self, operation: impl Into<OperationRef>) -> Call<GetOperationRequest, Async> {
        self.call(operation.into().at(&self.core).into_target())
    }

    /// Lists operations, by item, by page, or one page alone; see
    /// [`OperationsClient::list`].
    pub fn list(&self, parent: impl Into<OperationRef>) -> Call<ListOperationsRequest, Async> {
        self.call(parent.into().at(&self.core).into_parent_target())
    }

    /// Requests the cancellation of an operation, which is best effort; see
    /// [`OperationsClient::cancel`].
    pub fn cancel(&self, operation: impl Into<OperationRef>) -> Call<CancelOperationRequest, Async> {
        self.call(operation.into().at(&self.core).into_target())
    }

    /// Deletes an operation, which does not cancel it; see
    /// [`OperationsClient::delete`].
    pub fn delete(&self, operation: impl Into<OperationRef>) -> Call<DeleteOperationRequest, Async> {
        self.call(operation.into().at(&self.core).into_target())
    }

    /// Lets the server wait for an operation; may return before it is done; see
    /// [`OperationsClient::wait`].
    ///
    /// Each such call takes a thread of the [`Executor`] for as long as the
    /// server waits: to wait for many operations,
    /// use [`poller`](Self::poller).
    pub fn wait(&self, operation: impl Into<OperationRef>) -> Call<WaitOperationRequest, Async> {
        self.call(operation.into().at(&self.core).into_target())
    }

    /// Polls an operation until it is done; see [`OperationsClient::poller`].
    ///
    /// Between polls a wait has no thread, and takes about 3 KB: thousands can
    /// run concurrently.
    pub fn poller(&self, operation: impl Into<OperationRef>) -> Poller<Async> {
        Poller::new(&self.core, self.mode.clone(), operation.into())
    }

    /// Returns a handle for one operation; see [`OperationsClient::operation`].
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::testing::FakeOperation::new("operations/42").done_at_poll(3));
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// let handle = client.operation("operations/42");
    /// assert!(!handle.refresh().await?.is_done());
    /// handle.until_done().await?;
    /// assert!(handle.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn operation(&self, operation: impl Into<OperationRef>) -> OperationHandle<Async> {
        OperationHandle::new(&self.core, self.mode.clone(), operation.into())
    }

    /// Creates a call for a target. An invalid name is reported by `send`.
    fn call<R: RpcRequest>(&self, (name, version): CallTarget) -> Call<R, Async> {
        Call::new(&self.core, self.mode.clone(), name.map(R::from_name)).at_version(version)
    }
}

/// Adds the default [`Executor`].
impl From<OperationsClient> for OperationsAsyncClient {
    fn from(client: OperationsClient) -> Self {
        Self::with_executor(client, Executor::default())
    }
}

impl OperationsClientBuilder {
    /// Creates an [`OperationsAsyncClient`] with the default [`Executor`]; see
    /// [`build`](Self::build).
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    #[cfg_attr(docsrs, doc(cfg(feature = "async")))]
    pub fn build_async(self) -> Result<OperationsAsyncClient, Error> {
        self.build().map(OperationsAsyncClient::from)
    }
}

impl fmt::Debug for OperationsAsyncClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationsAsyncClient")
            .field("transport", &self.core.transport)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
