//! The calls of a handle, as futures.
//!
//! The futures own a clone of the handle, so that they are `'static` and can be
//! spawned. All clones share the last known state.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::handle::OperationHandle;
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest,
};
use crate::types::{Code, Operation};

use super::Async;

/// Calls, as futures that own what they need.
impl OperationHandle<Async> {
    /// Gets the latest state, unless the operation is known to be done.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// let handle = client.operation("operations/42");
    /// assert!(!handle.refresh().await?.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`OperationsClient::get`](crate::OperationsClient::get), and as
    /// said in [`aio`](super#errors).
    pub fn refresh(&self) -> impl Future<Output = Result<Operation, Error>> + Send + use<> {
        let handle = self.clone();
        async move {
            // The end is final, so no request can change it.
            if let Some(done) = handle.operation().filter(Operation::is_done) {
                return Ok(done);
            }
            let operation = handle.or_started(handle.call::<GetOperationRequest>().send().await)?;
            handle.latest.set(&operation);
            Ok(operation)
        }
    }

    /// Waits until the operation is done, with the options that a wait has by
    /// default.
    ///
    /// Dropping the future ends the wait, not the operation.
    ///
    /// # Errors
    ///
    /// As for `until_done` of [`poller`](Self::poller).
    pub fn until_done(&self) -> impl Future<Output = Result<Operation, Error>> + Send + use<> {
        let handle = self.clone();
        async move { handle.poller().until_done().await }
    }

    /// Waits until the operation is done and reads its response into a type of
    /// yours; see [`Operation::into_response`].
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # let index = longrunning::Any::from_json(r#"{"@type": "type.googleapis.com/demo.Index", "rows": "9"}"#)?;
    /// # server.insert(longrunning::Operation::succeeded("operations/42", index));
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// #[derive(serde::Deserialize)]
    /// struct Index {
    ///     rows: String,
    /// }
    ///
    /// # pollster::block_on(async {
    /// let index: Index = client.operation("operations/42").result().await?;
    /// assert_eq!(index.rows, "9");
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Operation`](crate::ErrorKind::Operation) if the operation failed,
    /// [`Decode`](crate::ErrorKind::Decode) if `T` does not fit, otherwise
    /// as for [`until_done`](Self#method.until_done-1).
    pub fn result<T: DeserializeOwned>(&self) -> impl Future<Output = Result<T, Error>> + Send + use<T> {
        let done = self.until_done();
        async move { done.await?.into_response() }
    }

    /// Requests the cancellation of the operation, which is best effort, and
    /// returns whether a request was sent.
    ///
    /// If the operation [is known to be done](Self::is_done), there is nothing
    /// to cancel: nothing is sent, and the result is `false`.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// let handle = client.operation("operations/42");
    /// assert!(handle.cancel().await?);
    /// handle.until_done().await?;
    /// assert!(!handle.cancel().await?, "it is done");
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`OperationsClient::cancel`](crate::OperationsClient::cancel),
    /// and as said in [`aio`](super#errors).
    pub fn cancel(&self) -> impl Future<Output = Result<bool, Error>> + Send + use<> {
        // Decided before the future is polled, so that it owns a call and no
        // handle.
        let call = (!self.is_done()).then(|| self.call::<CancelOperationRequest>().send());
        async move {
            match call {
                Some(call) => call.await.map(|()| true),
                None => Ok(false),
            }
        }
    }

    /// Requests the cancellation of the operation and waits until it is done,
    /// for at most `grace` after that.
    ///
    /// Returns the operation, which was cancelled, or finished before it could
    /// be. `FAILED_PRECONDITION`, by which some services report that it is
    /// done, is not an error here. If it is known to be done, nothing is sent.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// use std::time::Duration;
    ///
    /// let ended = client.operation("operations/42").cancel_and_wait(Duration::from_secs(60)).await?;
    /// assert!(ended.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`cancel`](Self#method.cancel-1) and
    /// [`until_done`](Self#method.until_done-1); `Timeout` if it still runs
    /// after `grace`.
    pub fn cancel_and_wait(
        &self,
        grace: Duration,
    ) -> impl Future<Output = Result<Operation, Error>> + Send + use<> {
        let handle = self.clone();
        async move {
            match handle.cancel().await {
                // It has finished before the request arrived, so the wait will
                // find it done.
                Err(error) if error.code() != Some(Code::FailedPrecondition) => Err(error),
                _ => handle.poller().total_timeout(grace).until_done().await,
            }
        }
    }

    /// Deletes the operation, which does not cancel it.
    ///
    /// # Errors
    ///
    /// As for [`OperationsClient::delete`](crate::OperationsClient::delete),
    /// and as said in [`aio`](super#errors).
    pub fn delete(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        self.call::<DeleteOperationRequest>().send()
    }
}
