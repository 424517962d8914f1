//! The operations with their requested names.
//!
//! It is an adapter of [`Finished`], which has the names anyway.

use std::iter::FusedIterator;

use crate::error::Error;
use crate::types::Operation;

use super::finished::{Finished, Item};

/// The operations of a [`Finished`], each with its requested name.
///
/// [`PollMany::named`](crate::PollMany::named) creates it. The name is empty
/// for an operation that has none, as services return for work that is done at
/// once, and for the one error item if an option cannot be used.
///
/// ```
/// # let server = longrunning::testing::FakeServer::start();
/// # server.insert(longrunning::Operation::succeeded("operations/1", longrunning::Any::from_json("{}")?));
/// # let client = server.client();
/// use std::collections::BTreeMap;
///
/// // What is to be done with each.
/// let mut imports = BTreeMap::from([("operations/1", "customers.csv"), ("operations/2", "orders.csv")]);
/// for (name, finished) in client.poll_many(imports.clone().into_keys()).named() {
///     let file = imports.remove(&*name).unwrap_or_default();
///     match finished {
///         Ok(operation) => println!("{file}: {}", operation.outcome()),
///         Err(error) => eprintln!("{file}: {error}"),
///     }
/// }
/// assert!(imports.is_empty());
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "polls are made by iteration"]
pub struct Named(Finished);

impl Named {
    pub(super) fn new(finished: Finished) -> Self {
        Self(finished)
    }

    /// Removes the last item from the [journal](crate::PollMany::journal) now;
    /// see [`Finished::acknowledge`].
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the journal cannot be written.
    /// The operation then stays in the journal and is delivered again.
    #[cfg(feature = "journal")]
    #[cfg_attr(docsrs, doc(cfg(feature = "journal")))]
    pub fn acknowledge(&mut self) -> Result<(), Error> {
        self.0.acknowledge()
    }
}

impl Iterator for Named {
    type Item = (String, Result<Operation, Error>);

    fn next(&mut self) -> Option<Item> {
        self.0.next_named()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Named {}

impl FusedIterator for Named {}
