//! Writes the operations and results of a wait for many operations to a
//! journal.
//!
//! ```text
//! follow ──► add ──► … ──► give ──► handled
//! each       all as        each     at the call for the next item, or when the
//! target     pending       result   caller acknowledges: removed
//! ```
//!
//! A result is written before it is returned, and removed after the caller has
//! processed it, so a crash in between delivers it again and never loses it.
//! Both are in one write, and one write covers everything that finished
//! meanwhile.

use std::collections::{BTreeMap, VecDeque};

use crate::error::Error;
use crate::journal::Journal;
use crate::pending::Pending;
use crate::types::Operation;

use super::track::FinishedTrack;

/// A journal, and how far the wait has written to it.
pub(super) struct JournalWriter {
    journal: Journal,
    /// The entry of each track. A track without a name has none.
    followed: BTreeMap<usize, Pending>,
    /// The tracks whose results the journal had before.
    stored: VecDeque<usize>,
    /// How many of the finished operations are recorded, from the front of the
    /// queue.
    recorded: usize,
    /// The track that was returned last, if it has a result.
    given: Option<usize>,
    /// Acknowledged operations that the journal still contains.
    handled: Vec<usize>,
}

impl JournalWriter {
    /// Starts with a journal from which nothing was read yet.
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

    /// Records all tracks as pending, in one write.
    ///
    /// # Errors
    ///
    /// `Config` if the journal cannot be written.
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
    ///
    /// If a result cannot be recorded, its item is an error with the operation.
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
    ///
    /// # Errors
    ///
    /// `Config` if the journal cannot be written. The removal stays noted, and
    /// is written with the next result.
    pub(super) fn handled(&mut self, over: &VecDeque<FinishedTrack>) -> Result<(), Error> {
        // Kept in `handled` if the write fails, and written with the next item.
        self.handled.extend(self.given.take());
        if self.handled.is_empty() { Ok(()) } else { self.write(over) }
    }

    /// Writes all that the journal does not have yet: removals of acknowledged
    /// operations and new results, in one write with one sync.
    ///
    /// # Errors
    ///
    /// `Config`; nothing is changed then, here or in the journal.
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

    /// Returns the first of the finished tracks, whose result is recorded if it
    /// is to be.
    fn take(&mut self, over: &mut VecDeque<FinishedTrack>) -> Option<FinishedTrack> {
        self.recorded = self.recorded.saturating_sub(1);
        over.pop_front()
    }

    /// Returns the result that the journal had before. Another process or
    /// another clone may have removed it meanwhile.
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
