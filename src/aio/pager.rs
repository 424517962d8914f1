//! Pages and items of a listing, from futures.

use crate::error::Error;
use crate::pager::{ListStep, Operations, Pages};
use crate::types::{Operation, OperationPage};

use super::Async;

impl Pages<Async> {
    /// Fetches the next page; none after the last one, or after an error.
    ///
    /// Dropping the future loses nothing: the next one fetches the same page.
    ///
    /// # Errors
    ///
    /// As for [`OperationsClient::get`](crate::OperationsClient::get), and
    /// `Decode` for a listing that would not end.
    pub async fn next(&mut self) -> Option<Result<OperationPage, Error>> {
        let mut step = self.step();
        self.fetch(&mut step).await
    }

    async fn fetch(&mut self, step: &mut ListStep) -> Option<Result<OperationPage, Error>> {
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
