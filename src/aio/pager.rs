//! Pages and items of a listing, from futures.
//!
//! The state of an iteration is in `pager`, for both modes. A future only
//! fetches, so dropping one leaves the state at the same page.

use crate::error::Error;
use crate::pager::{ListStep, Operations, Pages};
use crate::types::{Operation, OperationPage};

use super::Async;

impl Pages<Async> {
    /// Fetches the next page; `None` after the last one, or after an error.
    ///
    /// Dropping the future loses nothing: the next one fetches the same page.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
    /// # let client = longrunning::OperationsAsyncClient::from(server.client());
    /// # pollster::block_on(async {
    /// let mut pages = client.list("projects/p").page_size(10).pages();
    /// while let Some(page) = pages.next().await {
    ///     println!("{} operations", page?.operations.len());
    /// }
    /// # assert_eq!(server.request_count(), 3);
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`OperationsClient::get`](crate::OperationsClient::get), and
    /// `Decode` for a listing that would not end.
    pub async fn next(&mut self) -> Option<Result<OperationPage, Error>> {
        let mut step = self.step();
        self.fetch(&mut step).await
    }

    /// Fetches the next page within the time of the step.
    async fn fetch(&mut self, step: &mut ListStep) -> Option<Result<OperationPage, Error>> {
        // The page is recorded after the await, so a dropped future records
        // none.
        let page = match self.due(step)? {
            Ok(left) => self.call.run_within(left).await,
            Err(error) => Err(error),
        };
        Some(self.fetched(page, step))
    }
}

impl Operations<Async> {
    /// Returns the next operation, and fetches a page if necessary; `None` at
    /// the end, or after an error.
    ///
    /// Dropping the future loses nothing: the next one fetches the same page.
    ///
    /// # Errors
    ///
    /// As for [`Pages::next`](Pages#method.next-1).
    pub async fn next(&mut self) -> Option<Result<Operation, Error>> {
        if let Some(operation) = self.item() {
            return Some(Ok(operation));
        }
        let mut step = self.pages.step();
        loop {
            if let Some(operation) = self.item() {
                return Some(Ok(operation));
            }
            match self.pages.fetch(&mut step).await? {
                Ok(page) => self.turn_to(page),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
