//! Sending a call from the thread that makes it.

use std::time::Duration;

use crate::error::Error;
use crate::pager::{Operations, Pages};
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest,
};
use crate::retry;
use crate::types::{Operation, OperationPage};

use super::{Call, RpcRequest, task_of};

impl<R> Call<R> {
    /// Runs the call through the retry loop.
    pub(crate) fn run(&self) -> Result<R::Answer, Error>
    where
        R: RpcRequest,
    {
        self.run_within(Duration::MAX)
    }

    /// Runs the call within its total timeout, and within `limit`.
    pub(crate) fn run_within(&self, limit: Duration) -> Result<R::Answer, Error>
    where
        R: RpcRequest,
    {
        let (request, mut options) = self.complete()?;
        options.limit(limit);
        let core = &*self.core;
        retry::run(task_of(request, &options), &*core.clock, |turn| {
            request.attempt(&*core.transport, &options.attempt(turn.timeout), turn)
        })
    }
}

impl Call<GetOperationRequest> {
    /// Sends the call and returns the latest state of the operation.
    ///
    /// # Errors
    ///
    /// `Binding` for an invalid name, `Service` with the service's code (`NOT_FOUND` for an
    /// operation that was deleted or has expired), `Auth`, `Transport`, `Timeout`, `Decode`, `Config`. An
    /// operation that failed is not an error here.
    pub fn send(self) -> Result<Operation, Error> {
        self.run()
    }
}

impl Call<CancelOperationRequest> {
    /// Sends the call. Success means that the service received the request.
    ///
    /// Cancelling is best effort: get the operation afterwards to see whether it ended with `CANCELLED`.
    ///
    /// # Errors
    ///
    /// As for [`get`](crate::OperationsClient::get); `UNIMPLEMENTED` if the service cannot cancel operations. If an
    /// earlier attempt may have reached the service, the message of `NOT_FOUND` and `FAILED_PRECONDITION` says
    /// that it may have cancelled the operation.
    pub fn send(self) -> Result<(), Error> {
        self.run()
    }
}

impl Call<DeleteOperationRequest> {
    /// Sends the call. Success means that the service has deleted the operation.
    ///
    /// Running work continues: deleting does not cancel. `NOT_FOUND` after an attempt whose response was
    /// lost counts as success.
    ///
    /// # Errors
    ///
    /// As for [`get`](crate::OperationsClient::get); `UNIMPLEMENTED` if the service cannot delete operations.
    pub fn send(self) -> Result<(), Error> {
        self.run()
    }
}

impl Call<WaitOperationRequest> {
    /// Sends the call and returns the latest state of the operation, done or not.
    ///
    /// # Errors
    ///
    /// As for [`get`](crate::OperationsClient::get); `UNIMPLEMENTED` if the service has no such method. Without
    /// a binding for it nothing is sent, and the error is of the kind `Binding`, with `UNIMPLEMENTED` too.
    pub fn send(self) -> Result<Operation, Error> {
        self.run()
    }
}

impl Call<ListOperationsRequest> {
    /// Sends the call for one page.
    ///
    /// # Errors
    ///
    /// As for [`get`](crate::OperationsClient::get).
    pub fn send(self) -> Result<OperationPage, Error> {
        self.run()
    }

    /// Returns an iterator over all operations, which fetches each page when it is needed.
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

    /// Returns an iterator over all pages. It fetches each page when `next` is called.
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

/// Lists all operations, page by page as they are needed.
impl IntoIterator for Call<ListOperationsRequest> {
    type Item = Result<Operation, Error>;
    type IntoIter = Operations;

    fn into_iter(self) -> Operations {
        Operations::new(self.pages())
    }
}
