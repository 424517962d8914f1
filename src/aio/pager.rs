//! Pages and items of a listing, from futures.

use crate::error::Error;
use crate::pager::{Operations, Pages};
use crate::types::{Operation, OperationPage};

use super::Async;

impl Pages<Async> {
    /// Fetches the next page; none after the last one, or after an error.
    ///
    /// Dropping the future loses nothing: the next one asks for the same page.
    ///
    /// # Errors
    ///
    /// As for [`OperationsClient::get`](crate::OperationsClient::get), and `Decode` for a listing that would not end.
    pub async fn next(&mut self) -> Option<Result<OperationPage, Error>> {
        let page = match self.due()? {
            Ok(()) => self.call.run().await,
            Err(error) => Err(error),
        };
        Some(self.fetched(page))
    }
}

impl Operations<Async> {
    /// Gives the next operation, and fetches a page where that takes one; none at the end, or after an error.
    ///
    /// Dropping the future loses nothing: the next one asks for the same page.
    ///
    /// # Errors
    ///
    /// As for [`Pages::next`](Pages#method.next-1).
    pub async fn next(&mut self) -> Option<Result<Operation, Error>> {
        loop {
            if let Some(operation) = self.item() {
                return Some(Ok(operation));
            }
            match self.pages.next().await? {
                Ok(page) => self.turn_to(page),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
