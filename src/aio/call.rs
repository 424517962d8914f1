//! Sending a call from a future.
//!
//! `call/send` is the same for threads. Both drive the same retry loop.

use std::sync::Arc;
use std::time::Duration;

use crate::call::{AttemptRequest, Call, CallRequest, RpcRequest, task_of};
use crate::core::Core;
use crate::error::Error;
use crate::options::CallOptions;
use crate::pager::{Operations, Pages};
use crate::proto::google::longrunning::ListOperationsRequest;
use crate::retry::{Attempts, RetryStep, RetryTask};

use super::Async;
use super::executor::AsyncWork;

impl<R> Call<R, Async> {
    /// Runs the call through the retry loop, within its total timeout and
    /// within `limit`.
    pub(super) async fn run_within(&self, limit: Duration) -> Result<R::Output, Error>
    where
        R: RpcRequest,
    {
        let (request, mut options) = self.complete()?;
        options.limit(limit);
        let work = self.mode.begin();
        run(&work, &self.core, task_of(request, &options), request.clone(), options).await
    }

    /// Sends the call within its total timeout.
    async fn sent(self) -> Result<R::Output, Error>
    where
        R: RpcRequest,
    {
        self.run_within(Duration::MAX).await
    }
}

/// Drives a call: attempts on other threads, sleeps in the future.
pub(super) async fn run<R: AttemptRequest>(
    work: &AsyncWork<'_>,
    core: &Arc<Core>,
    task: RetryTask,
    request: R,
    options: CallOptions,
) -> Result<R::Output, Error> {
    // Shared with the attempts, which outlive a future that is dropped.
    let (clock, asked) = (&*core.clock, Arc::new((request, options)));
    let mut attempts = Attempts::new(task, clock);
    loop {
        match attempts.next(clock) {
            RetryStep::Attempt(turn) => {
                let it = Arc::clone(&asked);
                let attempt =
                    move |core: &Core, timeout| it.0.attempt(&*core.transport, &it.1.attempt(timeout), turn);
                match work.attempt(core, turn.timeout, asked.1.stop.as_ref(), attempt).await {
                    Some(Ok(result)) => {
                        attempts.succeeded();
                        return Ok(result);
                    }
                    Some(Err(error)) => attempts.failed(error, clock),
                    // Stopped before it began: `next` returns the error of a stopped call.
                    None => {}
                }
            }
            RetryStep::Sleep(until) => work.sleep(core, until, asked.1.stop.as_ref()).await?,
            RetryStep::End(error) => return Err(error),
        }
    }
}

impl<R: CallRequest> Call<R, Async> {
    /// Sends the call, retries it where that is safe, and returns the response;
    /// see [`Call::send`](Call#method.send).
    ///
    /// A call of [`wait`](crate::OperationsAsyncClient::wait) takes one thread
    /// of the [`Executor`](super::Executor) for as long as the server holds
    /// the response back.
    ///
    /// # Errors
    ///
    /// As for [`Call::send`](Call#method.send), and as said in
    /// [`aio`](super#errors).
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// let operation = client.get("operations/42").send().await?;
    /// assert!(!operation.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn send(self) -> impl Future<Output = Result<R::Response, Error>> + Send + 'static {
        self.sent()
    }
}

impl Call<ListOperationsRequest, Async> {
    /// Returns all operations, page by page as they are needed.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// let mut operations = client.list("projects/p").page_size(10).operations();
    /// while let Some(operation) = operations.next().await {
    ///     println!("{}", operation?.name());
    /// }
    /// # assert_eq!(server.requests().len(), 3);
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn operations(self) -> Operations<Async> {
        Operations::new(self.pages())
    }

    /// Returns all pages, each fetched when
    /// [`Pages::next`](Pages#method.next-1) is called.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// let mut pages = client.list("projects/p").page_size(20).pages();
    /// let first = pages.next().await.transpose()?;
    /// assert_eq!(first.map(|page| page.operations.len()), Some(20));
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn pages(self) -> Pages<Async> {
        Pages::new(self)
    }
}
