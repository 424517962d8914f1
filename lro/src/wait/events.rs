//! What the threads of a wait report to the one that prints.

use std::time::Duration;

use longrunning::{Error, Operation};

use crate::exit::Exit;
use crate::signals::Suspension;

/// What happens while waiting; operations are known by their numbers.
pub(super) enum Event {
    News(usize, PollNews),
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
    pub(super) is_held: bool,
}
