//! Waiting in a future: it sleeps and polls as the [`WaitMachine`] says.
//!
//! It drives the same machine as `poller/snapshots`, with each poll on another
//! thread. The machine stays in the `Snapshots`, so a dropped future loses only
//! the poll that it was waiting for.

use std::sync::Arc;

use crate::core::Core;
use crate::error::Error;
use crate::options::CallOptions;
use crate::poller::{Poller, Snapshots, WaitMachine, WaitStep};
use crate::proto::google::longrunning::CancelOperationRequest;
use crate::types::Operation;

use super::Async;
use super::call::run;
use super::executor::AsyncWork;

impl Poller<Async> {
    /// Waits until the operation is done and returns it, succeeded or failed.
    ///
    /// [`Operation::into_response`] distinguishes the two. Dropping the future
    /// ends the wait, not the operation.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.insert(FakeOperation::new("operations/42").done_at_poll(3));
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// let done = client.poller("operations/42").until_done().await?;
    /// assert!(done.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Poller::until_done`](Poller#method.until_done-1), and as said
    /// in [`aio`](super#errors).
    pub fn until_done(self) -> impl Future<Output = Result<Operation, Error>> + Send + 'static {
        let mut snapshots = self.start();
        async move {
            let mode = snapshots.mode.clone();
            // Held for the whole wait: in virtual time a future that is between
            // two steps must not count as asleep.
            let work = mode.begin();
            loop {
                match snapshots.advance(&work).await {
                    Some(Ok(operation)) if operation.is_done() => return Ok(operation),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                    // They end after a done operation or an error, which return above.
                    None => return Err(Error::decode("the wait ended without a result")),
                }
            }
        }
    }

    /// Returns the states of the operation, one for each successful poll; the
    /// last one is done.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.insert(FakeOperation::new("operations/42").done_at_poll(3));
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// let mut snapshots = client.poller("operations/42").snapshots();
    /// while let Some(snapshot) = snapshots.next().await {
    ///     println!("{}", snapshot?.outcome());
    /// }
    /// # assert_eq!(server.requests().len(), 3);
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn snapshots(self) -> Snapshots<Async> {
        self.tracking().start()
    }
}

impl Snapshots<Async> {
    /// Waits for the next state; `None` after one that is done, or after an
    /// error.
    ///
    /// Dropping the future loses only the poll that is in flight: the next one
    /// continues the same wait.
    ///
    /// # Errors
    ///
    /// As for [`Poller::until_done`](Poller#method.until_done-1).
    pub async fn next(&mut self) -> Option<Result<Operation, Error>> {
        let mode = self.mode.clone();
        self.advance(&mode.begin()).await
    }

    /// Returns the next item.
    async fn advance(&mut self, work: &AsyncWork<'_>) -> Option<Result<Operation, Error>> {
        if self.over {
            return None;
        }
        if let Some(result) = self.begin() {
            return self.yields(result);
        }
        let result = advance(work, &self.core, &self.options, self.wait.as_mut()?).await;
        self.yields(result)
    }
}

/// Drives the wait until there is a state to return or it ends.
async fn advance(
    work: &AsyncWork<'_>,
    core: &Arc<Core>,
    options: &CallOptions,
    wait: &mut WaitMachine,
) -> Result<Operation, Error> {
    let (clock, stop) = (&*core.clock, options.stop.as_ref());
    loop {
        match wait.next(clock) {
            WaitStep::Poll(poll) => {
                let (timeout, options) = (poll.timeout(), options.clone());
                let poll = move |core: &Core, left| poll.within(left).send(&*core.transport, &options);
                // Stopped before it began: `next` returns the error of a stopped wait.
                let Some(result) = work.attempt(core, timeout, stop, poll).await else { continue };
                let news = wait.polled(result, clock);
                // Last, because the observer may panic: the state of the wait
                // is complete.
                wait.notify(clock);
                if let Some(news) = news {
                    return news;
                }
            }
            WaitStep::Sleep(until) => work.sleep(core, until, stop).await?,
            WaitStep::Cancel { timeout } => {
                let name = wait.name().to_owned();
                let task = Snapshots::<Async>::task_to_cancel(options, &name, timeout);
                let api_version = wait.version_to_cancel(core, options);
                let options = CallOptions { api_version, ..options.clone() };
                // Boxed: most waits never come here.
                let cancelled = Box::pin(run(work, core, task, CancelOperationRequest { name }, options));
                let cancelled = cancelled.await;
                wait.cancelled(cancelled, clock);
            }
            WaitStep::End(error) => return Err(error),
        }
    }
}
