//! One page of ListOperations.

use crate::error::Error;
use crate::json::Raw;
use crate::types::Operation;

/// One page of operations, the answer of ListOperations.
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
    /// Makes a page where everything could be reached; an empty token makes it the last one.
    pub fn new(operations: Vec<Operation>, next_page_token: impl Into<String>) -> Self {
        Self { operations, next_page_token: next_page_token.into(), unreachable: Vec::new() }
    }

    /// Reads the body of an answer to ListOperations.
    pub(crate) fn from_json(text: &str) -> Result<Self, Error> {
        let mut page = Self::default();
        Raw::document(text)
            .fields(|name, value| {
                match name {
                    "operations" => {
                        for operation in value.elements()? {
                            page.operations.push(Operation::read(operation)?);
                        }
                    }
                    "nextPageToken" | "next_page_token" => page.next_page_token = value.string()?.into(),
                    "unreachable" => {
                        for place in value.elements()? {
                            page.unreachable.push(place.string()?.into());
                        }
                    }
                    _ => {}
                }
                Ok(())
            })
            .map_err(|invalid| invalid.into_error("page of operations"))?;
        Ok(page)
    }
}
