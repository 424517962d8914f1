//! Polling an operation until it is done.

mod builder;
mod latest;
mod long_poll;
mod poll;
mod snapshots;
mod update;
mod wait;

pub use builder::Poller;
pub(crate) use latest::Latest;
pub(crate) use poll::Poll;
pub use snapshots::Snapshots;
pub use update::{PollFault, Update};
pub(crate) use update::{WaitWatch, observer_option};
pub(crate) use wait::{WaitMachine, WaitStep};
