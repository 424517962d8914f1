//! Methods about many operations at once.
//!
//! None of them takes names one by one: sweeps list a parent, `poll_many` has a
//! scheduler, and `resume` reads a journal.

#[cfg(feature = "journal")]
use crate::journal::Journal;
use crate::operation_ref::OperationRef;
use crate::poll_many::PollMany;
use crate::sweep::Sweep;

use super::OperationsClient;

/// Many operations at once.
impl OperationsClient {
    /// Cancels every operation under `parent` that is not done, as far as the
    /// service lists them.
    ///
    /// Cancelling is best effort, for each of them.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("projects/p/operations/42"));
    /// # let client = server.client();
    /// let report = client.cancel_all("projects/p").dry_run(true).run()?;
    /// println!("{} operations are running", report.matched);
    /// # assert_eq!((report.matched, server.request_count()), (1, 1));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn cancel_all(&self, parent: impl Into<OperationRef>) -> Sweep {
        // `at` translates a URL into a name, and checks that it is of this
        // service.
        Sweep::cancel(&self.core, parent.into().at(&self.core).into_parent_target())
    }

    /// Deletes every operation under `parent` that is done, as far as the
    /// service lists them.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # let client = server.client();
    /// use std::time::Duration;
    ///
    /// let week = Duration::from_secs(7 * 24 * 60 * 60);
    /// let report = client.delete_done("projects/p/locations/l").older_than(week).run()?;
    /// println!("{report}");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn delete_done(&self, parent: impl Into<OperationRef>) -> Sweep {
        Sweep::delete(&self.core, parent.into().at(&self.core).into_parent_target())
    }

    /// Waits for many operations at once.
    ///
    /// A target is a name or an operation. Operations with the same parent are
    /// polled by listing it, where that costs less than one request for
    /// each; see [`PollMany`].
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.insert(FakeOperation::new("operations/1").done_at_poll(3));
    /// # server.insert(FakeOperation::new("operations/2").done_at_poll(2));
    /// # let client = server.client();
    /// for finished in client.poll_many(["operations/1", "operations/2"]) {
    ///     let operation = finished?;
    ///     println!("{}: {}", operation.name(), operation.outcome());
    /// }
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn poll_many(&self, targets: impl IntoIterator<Item = impl Into<OperationRef>>) -> PollMany {
        // Targets may be of different kinds and versions; each keeps its own.
        PollMany::new(&self.core, targets)
    }

    /// Waits for the operations of this client in a journal: one call continues
    /// the work of an earlier process.
    ///
    /// Results that were not acknowledged come first, without a request, then
    /// the pending operations as [`poll_many`](Self::poll_many) yields
    /// them. [`PollMany::journal`] says what is recorded and removed.
    ///
    /// An operation is this client's if it was recorded with the endpoint of
    /// this client, as [`to_pending`](crate::OperationHandle::to_pending)
    /// records it; over a transport of your own, if it was recorded without an
    /// endpoint. [`Journal::pending`] has the others too. Each operation is
    /// polled at the version it was recorded with. Two concurrent waits that
    /// resume from one journal yield the same operations.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.insert(FakeOperation::new("operations/42").done_at_poll(3));
    /// # let client = server.client();
    /// # let folder = std::env::temp_dir().join(format!("resume-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("jobs.jsonl");
    /// use longrunning::Journal;
    ///
    /// let journal = Journal::open(&path)?;
    /// journal.add(&client.operation("operations/42").to_pending()?)?; // as soon as it is started
    ///
    /// // at the next start too
    /// for finished in client.resume(&journal) {
    ///     match finished {
    ///         Ok(operation) => println!("{}: {}", operation.name(), operation.outcome()),
    ///         Err(error) => eprintln!("{error}"), // stays pending
    ///     }
    /// }
    /// assert!(journal.pending().is_empty());
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[cfg(feature = "journal")]
    #[cfg_attr(docsrs, doc(cfg(feature = "journal")))]
    pub fn resume(&self, journal: &Journal) -> PollMany {
        // A journal may have operations of several services. Those of others
        // stay for the clients of their endpoints.
        let known = journal.known().into_iter().filter(|pending| self.core.is_home_of(pending));
        self.poll_many(known).journal(journal)
    }
}
