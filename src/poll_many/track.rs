//! One operation that is waited for, among others.

use crate::error::Error;
use crate::poller::WaitMachine;
use crate::retry::Attempts;
use crate::types::Operation;

/// An operation, however often it was named.
pub(super) struct WaitTrack {
    /// `None` when it is finished. In a box, so that a finished track takes
    /// little memory.
    pub(super) wait: Option<Box<WaitMachine>>,
    /// The call that cancels it, while there is one.
    pub(super) cancel: Option<Box<Attempts>>,
    /// The place of its group; none for a name without a collection.
    pub(super) group: Option<usize>,
    pub(super) stage: TrackStage,
    /// How many times this name was requested.
    pub(super) copies: usize,
}

/// Where a track is. A poll under way begins in `Listed`, or, without a page,
/// in `Sent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TrackStage {
    /// Its next step is known, and comes at a known time.
    Idle,
    /// A pass over the pages is under way to find it.
    Listed,
    /// A page of the pass contained it, and the pass continues.
    Found,
    /// No page contained it, so it is fetched.
    Missed,
    /// A request for it alone is under way; after `Missed` if `missed`.
    Sent { missed: bool },
}

impl WaitTrack {
    pub(super) fn new(wait: Option<WaitMachine>, group: Option<usize>) -> Self {
        Self { wait: wait.map(Box::new), cancel: None, group, stage: TrackStage::Idle, copies: 1 }
    }
}

/// A finished track and its result.
pub(super) struct FinishedTrack {
    pub(super) track: usize,
    /// The requested name; the response may contain another one.
    pub(super) name: String,
    pub(super) result: Result<Operation, Error>,
}
