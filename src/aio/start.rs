//! Starting an operation, and fetching headers, from futures.

use std::sync::Arc;

use crate::core::Core;
use crate::error::Error;
use crate::handle::OperationHandle;
use crate::start::StartCall;
use crate::transport::Headers;

use super::Async;
use super::call::run;

impl StartCall<Async> {
    /// Sends the request and returns a handle for the operation, which holds
    /// the response.
    ///
    /// Dropping the future does not recall a request that was sent: it may
    /// still start the operation.
    ///
    /// # Errors
    ///
    /// As for [`StartCall::send`](StartCall#method.send), and as said in
    /// [`aio`](super#errors).
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.on_start("POST", "/v2/{name=projects/*/locations/*/jobs/*}:run", FakeOperation::new("projects/p/locations/l/operations/42"));
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// let execution = client.start("/v2/projects/p/locations/l/jobs/j:run").send().await?;
    /// assert_eq!(execution.name(), "projects/p/locations/l/operations/42");
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn send(self) -> impl Future<Output = Result<OperationHandle<Async>, Error>> + Send + 'static {
        self.sent()
    }

    /// Sends the request with the retries that a start has.
    async fn sent(self) -> Result<OperationHandle<Async>, Error> {
        let (request, options) = self.complete()?;
        let task = Self::task(&request, &options);
        let operation = run(&self.mode.begin(), &self.core, task, request, options).await?;
        Ok(self.into_handle(operation))
    }
}

/// Returns the headers that authorize a request of the program. A token is
/// fetched on another thread, since that may block.
pub(super) async fn authorization_headers(core: &Arc<Core>, mode: &Async) -> Result<Headers, Error> {
    let work = mode.begin();
    let options = core.start.clone();
    let (timeout, stop) = (options.attempt_timeout, options.stop.clone());
    let fetch = move |core: &Core, left| core.transport.authorization_headers(&options.attempt(left));
    work.attempt(core, timeout, stop.as_ref(), fetch).await.unwrap_or_else(|| Err(Error::stopped()))
}
