//! The operations, as they finish.

use std::fmt;
use std::iter::FusedIterator;

use crate::error::Error;
use crate::types::Operation;

use super::PollMany;
use super::drive::Drive;

/// The operations that are waited for, each when it is over: done, or an error that says why it is not waited for any
/// longer.
///
/// Made by iterating over a [`PollMany`]; the wait starts with the first item. Its [`len`](ExactSizeIterator::len) is
/// how many are to come. Dropping it leaves the rest alone: they go on, and nobody asks for them.
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
#[must_use = "polls are made by iteration"]
pub struct Finished {
    left: usize,
    state: State,
    /// What was named more than once, and how often it is still to be given.
    again: Option<(Result<Operation, Error>, usize)>,
}

enum State {
    Before(Box<PollMany>),
    Waiting(Box<Drive>),
    Over,
}

impl Finished {
    pub(super) fn new(many: PollMany) -> Self {
        let left = if many.error.is_some() { 1 } else { many.targets.len() };
        Self { left, state: State::Before(Box::new(many)), again: None }
    }

    /// Has the [journal](PollMany::journal) forget the last item now: it is dealt with. Nothing happens without a journal.
    ///
    /// Asking for the next item says so too; this is for who stops before the end, or wants to know that it is written.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the journal cannot be written. It is tried again with the next item; until
    /// then the journal has the operation, and gives it again.
    #[cfg(feature = "journal")]
    #[cfg_attr(docsrs, doc(cfg(feature = "journal")))]
    pub fn acknowledge(&mut self) -> Result<(), Error> {
        match &mut self.state {
            State::Waiting(drive) => drive.acknowledge(),
            State::Before(_) | State::Over => Ok(()),
        }
    }

    fn advance(&mut self) -> Option<Result<Operation, Error>> {
        let mut drive = match std::mem::replace(&mut self.state, State::Over) {
            State::Before(many) => Box::new(many.start().0),
            State::Waiting(drive) => drive,
            State::Over => return None,
        };
        let acknowledged = drive.acknowledge();
        let Some((track, result)) = drive.next() else {
            if let Err(error) = acknowledged {
                log::warn!("the operation that was given last will be given again: {error}");
            }
            return None;
        };
        let copies = drive.tracks.get(track).map_or(1, |track| track.copies);
        if copies > 1 {
            self.again = Some((result.clone(), copies - 1));
        }
        self.state = State::Waiting(drive);
        Some(result)
    }
}

impl Iterator for Finished {
    type Item = Result<Operation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = match self.again.take() {
            Some((result, 1)) => Some(result),
            Some((result, more)) => {
                self.again = Some((result.clone(), more - 1));
                Some(result)
            }
            None => self.advance(),
        };
        self.left = item.as_ref().map_or(0, |_| self.left.saturating_sub(1));
        item
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
