//! Starting an operation from a future.

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
    pub fn send(self) -> impl Future<Output = Result<OperationHandle<Async>, Error>> + Send + 'static {
        self.sent()
    }

    async fn sent(self) -> Result<OperationHandle<Async>, Error> {
        let (request, options) = self.complete()?;
        let task = Self::task(&request, &options);
        let operation = run(&self.mode.begin(), &self.core, task, request, options).await?;
        Ok(self.into_handle(operation))
    }
}

/// The attempt to get a token is made on another thread.
pub(super) async fn authorization_headers(core: &Arc<Core>, mode: &Async) -> Result<Headers, Error> {
    let work = mode.begin();
    let options = core.start.clone();
    let (timeout, stop) = (options.attempt_timeout, options.stop.clone());
    let fetch = move |core: &Core, left| core.transport.authorization_headers(&options.attempt(left));
    work.attempt(core, timeout, stop.as_ref(), fetch).await.unwrap_or_else(|| Err(Error::stopped()))
}
