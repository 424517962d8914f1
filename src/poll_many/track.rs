//! One operation that is waited for, among others.
//!
//! ```text
//! Idle ──► Sent { missed: false } ──► Idle                    a get of its own
//! Idle ──► Listed ──► Found ──► Idle                          a page contains it
//!             └────► Missed ──► Sent { missed: true } ──► Idle   no page does
//! ```

use crate::error::Error;
use crate::poller::WaitMachine;
use crate::retry::Attempts;
use crate::types::Operation;

/// An operation, however often it was named. Its place in the list of tracks is
/// its number, which requests and reports carry.
pub(super) struct WaitTrack {
    /// `None` when it is finished. In a box, so that a finished track takes
    /// little memory.
    pub(super) wait: Option<Box<WaitMachine>>,
    /// The retries of its cancellation, while there is one.
    pub(super) cancel: Option<Box<Attempts>>,
    /// The number of its group; `None` for a name without a collection.
    pub(super) group: Option<usize>,
    pub(super) stage: TrackStage,
    /// How many times this name was requested. The result is yielded as often.
    pub(super) copies: usize,
}

/// The position of a track in the diagram above. A poll in progress begins in
/// `Listed`, or, without a page, in `Sent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TrackStage {
    /// No request for it is in flight; its next step is scheduled.
    Idle,
    /// A pass over the pages is in progress to find it.
    Listed,
    /// A page of the pass contained it, and the pass continues.
    Found,
    /// No page contained it, so it is fetched.
    Missed,
    /// A request for it alone is in flight; after `Missed` if `missed`.
    Sent { missed: bool },
}

impl WaitTrack {
    /// Creates a track. Without a wait, its result is known from the start.
    pub(super) fn new(wait: Option<WaitMachine>, group: Option<usize>) -> Self {
        Self { wait: wait.map(Box::new), cancel: None, group, stage: TrackStage::Idle, copies: 1 }
    }
}

/// A finished track and its result.
pub(super) struct FinishedTrack {
    /// The number of its track.
    pub(super) track: usize,
    /// The requested name; the response may contain another one.
    pub(super) name: String,
    pub(super) result: Result<Operation, Error>,
}
