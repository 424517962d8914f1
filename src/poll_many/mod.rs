//! Waiting for many operations at once.

mod builder;
mod finished;
mod frozen_clock;
mod group;
#[cfg(feature = "journal")]
mod journaling;
#[cfg(not(feature = "journal"))]
#[path = "journaling_off.rs"]
mod journaling;
mod named;
mod rate;
mod request;
mod scheduler;
mod start;
mod track;

pub use builder::PollMany;
pub use finished::Finished;
pub use named::Named;
