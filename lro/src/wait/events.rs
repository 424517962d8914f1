//! The events that the threads of a wait send to the one that prints.

use std::time::Duration;

use longrunning::{Error, Operation};

use crate::exit::Exit;
use crate::signals::Suspension;

/// What happens while waiting. Operations are known by their numbers.
///
/// For one operation there is any number of `News`, then one `Ended`. After
/// `Stopped` nothing more is read.
pub(super) enum Event {
    /// A poll has found out something about an operation that is not known to
    /// be done.
    News(usize, PollNews),
    /// The wait for an operation has ended: with the operation, which is done,
    /// or with an error.
    Ended(usize, Result<Operation, Error>),
    /// By a signal, which has this status.
    Stopped(Exit),
    /// By Ctrl-Z, for a while.
    Suspension(Suspension),
}

/// What a poll has found out about an operation that is not known to be done.
pub(super) struct PollNews {
    /// The latest state; none if no poll has found it yet.
    pub(super) operation: Option<Operation>,
    /// The error of the last poll, and for how long polls have failed.
    pub(super) fault: Option<(Error, Duration)>,
    /// How long the wait pauses at the request of the service.
    pub(super) pause: Option<Duration>,
    /// The service holds the response to the next poll.
    // For a display only: a poll that takes minutes is no failure then.
    pub(super) is_held: bool,
}
