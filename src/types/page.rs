//! One page of ListOperations.

use crate::error::Error;
use crate::json::Reader;
use crate::types::Operation;

/// One page of operations, the answer of `ListOperations`.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationPage {
    /// The operations of this page; there may be none although more pages follow.
    pub operations: Vec<Operation>,
    /// The token of the next page; empty on the last.
    pub next_page_token: String,
    /// Places that could not be asked, when the request allows partial success.
    pub unreachable: Vec<String>,
}

impl OperationPage {
    /// Makes a page on which nothing was unreachable.
    pub fn new(operations: Vec<Operation>, next_page_token: impl Into<String>) -> Self {
        Self { operations, next_page_token: next_page_token.into(), unreachable: Vec::new() }
    }

    /// Reads the JSON form of a `ListOperationsResponse`, in one pass and without keeping the text of the page.
    pub(crate) fn from_json(text: &str) -> Result<Self, Error> {
        let mut page = Self::default();
        let outcome = Reader::document(text, |reader| {
            reader.fields(|name, reader| {
                match name {
                    "operations" => drop(reader.elements(|reader| {
                        page.operations.push(Operation::read(reader)?);
                        Ok(())
                    })?),
                    "nextPageToken" | "next_page_token" => {
                        page.next_page_token = reader.value()?.string()?.into()
                    }
                    "unreachable" => drop(reader.elements(|reader| {
                        page.unreachable.push(reader.value()?.string()?.into());
                        Ok(())
                    })?),
                    _ => reader.skip()?,
                }
                Ok(())
            })
        });
        outcome.map_err(|invalid| invalid.into_error("page of operations"))?;
        Ok(page)
    }
}
