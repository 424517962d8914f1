//! Sending a call from the thread that makes it.

use crate::error::Error;
use crate::pager::{Operations, Pages};
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest,
};
use crate::retry;
use crate::types::{Operation, OperationPage};

use super::{Call, Request};

impl<R> Call<R> {
    /// Runs the call through the retry loop.
    pub(crate) fn run(&self) -> Result<R::Answer, Error>
    where
        R: Request,
    {
        let request = self.request.as_ref().map_err(Error::clone)?;
        let core = &*self.core;
        retry::run(self.task(request), &*core.clock, |turn| {
            request.attempt(&*core.transport, &self.options.attempt(turn.timeout), turn)
        })
    }
}

impl Call<GetOperationRequest> {
    /// Sends the call and gives the latest state of the operation.
    ///
    /// # Errors
    ///
    /// `Binding` for a name that cannot be asked for, `Service` with the service's code (`NOT_FOUND` for an
    /// operation that was deleted or has expired), `Auth`, `Transport`, `Timeout`, `Decode`, `Config`. An
    /// operation that failed is not an error here.
    pub fn send(self) -> Result<Operation, Error> {
        self.run()
    }
}

impl Call<CancelOperationRequest> {
    /// Sends the call; success means that the service has taken note.
    ///
    /// Cancelling is best effort: get the operation afterwards to see whether it ended with `CANCELLED`.
    ///
    /// # Errors
    ///
    /// As for [`get`](crate::OperationsClient::get); `UNIMPLEMENTED` where operations cannot be cancelled. When an
    /// earlier attempt may have reached the service, the message of `NOT_FOUND` and `FAILED_PRECONDITION` says
    /// so: that attempt may have worked.
    pub fn send(self) -> Result<(), Error> {
        self.run()
    }
}

impl Call<DeleteOperationRequest> {
    /// Sends the call; success means that the service has forgotten the operation.
    ///
    /// Work that is running goes on: deleting does not cancel. `NOT_FOUND` after an attempt whose answer was
    /// lost counts as success.
    ///
    /// # Errors
    ///
    /// As for [`get`](crate::OperationsClient::get); `UNIMPLEMENTED` where operations cannot be deleted.
    pub fn send(self) -> Result<(), Error> {
        self.run()
    }
}

impl Call<WaitOperationRequest> {
    /// Sends the call and gives the latest state of the operation, done or not.
    ///
    /// # Errors
    ///
    /// As for [`get`](crate::OperationsClient::get); `UNIMPLEMENTED` where the service has no such method or no
    /// binding for it is configured.
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

    /// Gives all pages, each fetched when it is asked for.
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
