//! What an observer of a wait is told.

use std::sync::Arc;
use std::time::Duration;

use crate::progress::Progress;
use crate::types::Operation;

/// A state of an operation that is news; see [`Poller::on_update`](crate::Poller::on_update).
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The state as it came.
    pub operation: &'a Operation,
    /// How far it is, as far as that can be told; its percentage never goes back.
    pub progress: &'a Progress,
    /// How many polls were made, this one included; zero for an operation that was done before the wait.
    pub polls: u32,
    /// How long the wait has lasted.
    pub elapsed: Duration,
}

pub(crate) type Observer = Arc<dyn Fn(&Update<'_>) + Send + Sync>;
