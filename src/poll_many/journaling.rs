//! Writes the operations and results of a wait for many operations to a
//! journal.

use std::collections::{BTreeMap, VecDeque};

use crate::error::Error;
use crate::journal::Journal;
use crate::pending::Pending;
use crate::types::Operation;

use super::track::FinishedTrack;

/// A journal, and how far the wait has followed it.
pub(super) struct JournalWriter {
    journal: Journal,
    /// By track. What has no name is not recorded.
    followed: BTreeMap<usize, Pending>,
    /// The tracks whose results the journal had before.
    stored: VecDeque<usize>,
    /// How many of the finished operations are recorded, from the front of the
    /// queue.
    recorded: usize,
    /// The one that was given last.
    given: Option<usize>,
    /// Acknowledged operations that the journal still contains.
    handled: Vec<usize>,
}

impl JournalWriter {
    pub(super) fn new(journal: &Journal) -> Self {
        Self {
            journal: journal.clone(),
            followed: BTreeMap::new(),
            stored: VecDeque::new(),
            recorded: 0,
            given: None,
            handled: Vec::new(),
        }
    }

    /// Follows a track; returns whether the journal has its result, which an
    /// operation that is done does not need.
    pub(super) fn follow(&mut self, track: usize, pending: Pending, is_done: bool) -> bool {
        let has_result = !is_done && self.journal.has_result(&pending);
        if has_result {
            self.stored.push_back(track);
        }
        self.followed.insert(track, pending);
        has_result
    }

    /// Returns the operations whose results the journal had before.
    pub(super) fn stored(&self) -> impl Iterator<Item = &Pending> {
        self.stored.iter().filter_map(|track| self.followed.get(track))
    }

    /// Records all tracks as pending.
    pub(super) fn add(&mut self) -> Result<(), Error> {
        self.journal.add_all(self.followed.values()).map(drop)
    }

    /// Replaces the results of operations that are done by `error`, except
    /// those without a name.
    pub(super) fn refuse(&self, over: &mut VecDeque<FinishedTrack>, error: &Error) {
        for over in over {
            if let Ok(operation) = &over.result {
                over.result = self.unrecorded(over.track, operation.clone(), error.clone());
            }
        }
    }

    /// Returns the next finished operation: first those that the journal had
    /// before, then new ones.
    pub(super) fn give(&mut self, over: &mut VecDeque<FinishedTrack>) -> Option<FinishedTrack> {
        let over = match self.stored.pop_front() {
            Some(track) => self.read(track),
            None if self.recorded > 0 || over.is_empty() => self.take(over)?,
            // One write for all that have finished since the last one, so a burst of results costs one sync.
            None => match self.write(over) {
                Ok(()) => self.take(over)?,
                Err(error) => {
                    let FinishedTrack { track, name, result } = over.pop_front()?;
                    let result = result.and_then(|operation| self.unrecorded(track, operation, error));
                    FinishedTrack { track, name, result }
                }
            },
        };
        // Only a result can be acknowledged. After an error the operation stays pending
        // in the journal.
        self.given = over.result.is_ok().then_some(over.track);
        Some(over)
    }

    /// Removes the last item from the journal, because the caller has
    /// acknowledged it.
    pub(super) fn handled(&mut self, over: &VecDeque<FinishedTrack>) -> Result<(), Error> {
        // Kept in `handled` if the write fails, and written with the next item.
        self.handled.extend(self.given.take());
        if self.handled.is_empty() { Ok(()) } else { self.write(over) }
    }

    /// Writes all that the journal does not have yet.
    fn write(&mut self, over: &VecDeque<FinishedTrack>) -> Result<(), Error> {
        let handled = self.handled.iter().filter_map(|track| self.followed.get(track));
        let new = over.iter().skip(self.recorded);
        let new = new.filter_map(|over| Some((self.followed.get(&over.track)?, over.result.as_ref().ok()?)));
        // Nothing below is changed before the write has succeeded, so the next write
        // repeats what this one failed to record.
        self.journal.settle(handled, new)?;
        self.recorded = over.len();
        for track in self.handled.drain(..) {
            self.followed.remove(&track);
        }
        Ok(())
    }

    fn take(&mut self, over: &mut VecDeque<FinishedTrack>) -> Option<FinishedTrack> {
        self.recorded = self.recorded.saturating_sub(1);
        over.pop_front()
    }

    fn read(&self, track: usize) -> FinishedTrack {
        let forgotten = || Error::config("the operation was removed from the journal meanwhile");
        let Some(pending) = self.followed.get(&track) else {
            return FinishedTrack { track, name: String::new(), result: Err(forgotten()) };
        };
        let name = pending.name().to_string();
        let result = self.journal.result(pending).unwrap_or_else(|| Err(forgotten()));
        FinishedTrack { track, result: result.map_err(|error| error.about(&name)), name }
    }

    /// Returns an operation without a name as it is, because it cannot be
    /// recorded; `error` with all others.
    fn unrecorded(&self, track: usize, operation: Operation, error: Error) -> Result<Operation, Error> {
        match self.followed.get(&track) {
            Some(pending) => Err(error.about(pending.name().as_str()).with_operation(Some(operation))),
            None => Ok(operation),
        }
    }
}
