//! Sending a call from the thread that makes it.
//!
//! `aio/call` is the same for futures. Both drive the same retry loop.

use std::time::Duration;

use crate::error::Error;
use crate::pager::{Operations, Pages};
use crate::proto::google::longrunning::ListOperationsRequest;
use crate::retry;
use crate::types::Operation;

use super::{Call, CallRequest, RpcRequest, task_of};

impl<R> Call<R> {
    /// Runs the call through the retry loop, without consuming it.
    pub(crate) fn run(&self) -> Result<R::Output, Error>
    where
        R: RpcRequest,
    {
        self.run_within(Duration::MAX)
    }

    /// Runs the call within its total timeout, and within `limit`, which is
    /// what an iteration has left.
    pub(crate) fn run_within(&self, limit: Duration) -> Result<R::Output, Error>
    where
        R: RpcRequest,
    {
        let (request, mut options) = self.complete()?;
        // Before the task is made: its timeouts are those of the options.
        options.limit(limit);
        let core = &*self.core;
        // The request is borrowed: each attempt sends the same message.
        retry::run(task_of(request, &options), &*core.clock, |turn| {
            request.attempt(&*core.transport, &options.attempt(turn.timeout), turn)
        })
    }
}

impl<R: CallRequest> Call<R> {
    /// Sends the call, retries it if that is safe, and returns the response.
    ///
    /// The method that created the call says what success means: [`get`],
    /// [`list`] (one page), [`cancel`], [`delete`] or [`wait`].
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = server.client();
    /// let operation = client.get("operations/42").send()?;
    /// let page = client.list("operations").page_size(10).send()?;
    /// assert_eq!(page.operations, [operation]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// | [kind](crate::ErrorKind) | when |
    /// |---|---|
    /// | `Binding` | the name is not valid, or the method has no binding; nothing was sent |
    /// | `Config` | an option is not valid; nothing was sent |
    /// | `Auth` | there is no access token |
    /// | `Transport` | the service was not reached, or the connection failed |
    /// | `Timeout` | [`total_timeout`](Self::total_timeout) has elapsed |
    /// | `Stopped` | the [`stop`](Self::stop) token was stopped |
    /// | `Service` | the service returned an error: see [`code`](Error::code) |
    /// | `Decode` | the response cannot be read |
    ///
    /// [`get`]: crate::OperationsClient::get
    /// [`list`]: crate::OperationsClient::list
    /// [`cancel`]: crate::OperationsClient::cancel
    /// [`delete`]: crate::OperationsClient::delete
    /// [`wait`]: crate::OperationsClient::wait
    pub fn send(self) -> Result<R::Response, Error> {
        self.run()
    }
}

impl Call<ListOperationsRequest> {
    /// Returns an iterator over all operations, which fetches each page when it
    /// is needed.
    ///
    /// A `for` loop over the call does the same. Keep the iterator for
    /// [`Operations::unreachable`] and [`Operations::page_token`].
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
    /// # let client = server.client();
    /// let mut operations = client.list("projects/p").page_size(10).operations();
    /// for operation in operations.by_ref() {
    ///     println!("{}", operation?.name());
    /// }
    /// assert!(operations.unreachable().is_empty());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn operations(self) -> Operations {
        Operations::new(self.pages())
    }

    /// Returns an iterator over all pages. It fetches each page when `next` is
    /// called.
    ///
    /// ```
    /// use longrunning::Operation;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// for n in 1..=3 {
    ///     server.insert(Operation::running(format!("projects/p/operations/{n}")));
    /// }
    /// for page in server.client().list("projects/p").page_size(2).pages() {
    ///     println!("{} operations", page?.operations.len());
    /// }
    /// assert_eq!(server.request_count(), 2);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn pages(self) -> Pages {
        Pages::new(self)
    }
}

/// Iterates over all operations, page by page as they are needed.
impl IntoIterator for Call<ListOperationsRequest> {
    type Item = Result<Operation, Error>;
    type IntoIter = Operations;

    fn into_iter(self) -> Operations {
        Operations::new(self.pages())
    }
}
