//! The iterator over operations, as they finish.
//!
//! It starts the scheduler at its first item, acknowledges each item with the
//! call for the next one, and repeats items whose name was given more than
//! once.

use std::fmt;
use std::iter::FusedIterator;

use crate::error::Error;
use crate::types::Operation;

use super::scheduler::Scheduler;
use super::start::PollPlan;
use super::track::FinishedTrack;

/// The operations of a wait for many, each when it has ended: done, or with an
/// error that says why the wait gave up.
///
/// Iterating over a [`PollMany`](crate::PollMany) creates it, with names
/// [`PollMany::named`](crate::PollMany::named). The wait starts with the first
/// item. Its [`len`](ExactSizeIterator::len) is the number of items to come.
/// Dropping it ends the wait; the other operations continue.
///
/// ```
/// # let server = longrunning::testing::FakeServer::start();
/// # server.insert(longrunning::Operation::failed("operations/1", longrunning::Status::new(longrunning::Code::Internal, "out of disk")));
/// # let client = server.client();
/// let mut finished = client.poll_many(["operations/1", "operations/2"]).into_iter();
/// assert_eq!(finished.len(), 2);
/// for result in finished.by_ref() {
///     match result {
///         Ok(operation) => println!("{}: {}", operation.name(), operation.outcome()),
///         Err(error) => assert_eq!(error.name(), Some("operations/2"), "deleted, or expired"),
///     }
/// }
/// assert_eq!(finished.len(), 0);
/// ```
///
/// It continues after a panic in code of the caller, such as an observer or a
/// transport, if the caller catches it: an operation whose request panicked is
/// an error item, and the others are polled again.
#[must_use = "polls are made by iteration"]
pub struct Finished {
    /// The number of items to come.
    left: usize,
    state: FinishedState,
    /// An item whose name was given more than once, and how often it still has
    /// to be returned.
    again: Option<(Item, usize)>,
}

/// A requested name and its result.
pub(super) type Item = (String, Result<Operation, Error>);

/// The wait behind the iterator.
enum FinishedState {
    /// Nothing was sent.
    Before(Box<PollPlan>),
    /// Some items have not been returned yet.
    Waiting(Box<Scheduler>),
    /// All items were returned.
    Over,
}

impl Finished {
    /// Creates the iterator. It sends nothing.
    pub(super) fn new(plan: PollPlan) -> Self {
        Self { left: plan.len(), state: FinishedState::Before(Box::new(plan)), again: None }
    }

    /// Acknowledges the last item: the [journal](crate::PollMany::journal)
    /// removes it. Has no effect without a journal.
    ///
    /// Calling `next` also acknowledges the previous item; call this if you
    /// stop early, or to know that it is written.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the journal cannot be written.
    /// It is tried again with the next item; until then the journal has the
    /// operation, and delivers it again.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # for name in ["operations/1", "operations/2"] { server.insert(FakeOperation::new(name).done_at_poll(3)); }
    /// # let client = server.client();
    /// # let folder = std::env::temp_dir().join(format!("acknowledge-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("jobs.jsonl");
    /// let journal = longrunning::Journal::open(&path)?;
    /// let mut finished = client.poll_many(["operations/1", "operations/2"]).journal(&journal).into_iter();
    /// if let Some(operation) = finished.next().transpose()? {
    ///     println!("{}: {}", operation.name(), operation.outcome());
    ///     finished.acknowledge()?; // stop here, without a second delivery
    /// }
    /// drop(finished);
    /// assert_eq!(client.resume(&journal).into_iter().len(), 1);
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[cfg(feature = "journal")]
    #[cfg_attr(docsrs, doc(cfg(feature = "journal")))]
    pub fn acknowledge(&mut self) -> Result<(), Error> {
        match &mut self.state {
            FinishedState::Waiting(scheduler) => scheduler.acknowledge(),
            FinishedState::Before(_) | FinishedState::Over => Ok(()),
        }
    }

    /// Returns the next item, with its name.
    pub(super) fn next_named(&mut self) -> Option<Item> {
        let item = match self.again.take() {
            Some((item, 1)) => Some(item),
            Some((item, more)) => {
                self.again = Some((item.clone(), more - 1));
                Some(item)
            }
            None => self.advance(),
        };
        self.left = item.as_ref().map_or(0, |_| self.left.saturating_sub(1));
        item
    }

    /// Acknowledges the last item and waits for the next one.
    fn advance(&mut self) -> Option<Item> {
        let scheduler = self.scheduler()?;
        // The call for the next item means that the caller has processed the previous
        // one.
        let acknowledged = scheduler.acknowledge();
        let Some(FinishedTrack { track, name, result }) = scheduler.next() else {
            if let Err(error) = acknowledged {
                log::warn!(
                    "the last operation will be delivered again, because the journal was not written: {error}"
                );
            }
            self.state = FinishedState::Over;
            return None;
        };
        let copies = scheduler.tracks.get(track).map_or(1, |track| track.copies);
        if copies > 1 {
            self.again = Some(((name.clone(), result.clone()), copies - 1));
        }
        Some((name, result))
    }

    /// Returns the wait, which starts here. It stays in its place while it
    /// runs, so that it survives a panic of the caller's code.
    fn scheduler(&mut self) -> Option<&mut Scheduler> {
        if let FinishedState::Before(_) = self.state
            && let FinishedState::Before(many) = std::mem::replace(&mut self.state, FinishedState::Over)
        {
            // No code of the caller's runs in here.
            self.state = FinishedState::Waiting(Box::new(many.start().0));
        }
        match &mut self.state {
            FinishedState::Waiting(scheduler) => Some(scheduler),
            FinishedState::Before(_) | FinishedState::Over => None,
        }
    }
}

impl Iterator for Finished {
    type Item = Result<Operation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_named().map(|(_, result)| result)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Finished {}

impl FusedIterator for Finished {}

impl fmt::Debug for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finished").field("left", &self.left).finish_non_exhaustive()
    }
}
