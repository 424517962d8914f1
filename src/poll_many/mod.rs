//! Waiting for many operations at once.
//!
//! ```text
//! PollMany      options; nothing is sent
//!    │ start         tracks, groups, threads, the journal
//!    ▼
//! Scheduler     one loop: due steps, results, sleeps
//!    ├── steps       a track: poll, get, cancel
//!    ├── pages       a group: passes over the listing of a parent
//!    │ PollRequest
//!    ▼
//! ThreadPool    sends requests, if several are in flight at once
//!    │ RequestReport
//!    ▼
//! Finished, Named, join_all, race, try_join_all
//! ```
//!
//! A *track* is one operation with its `WaitMachine`, the same as that of a
//! single wait. A *group* is the tracks with one parent, polled by listing it
//! as long as that costs less than a get for each. A *round* of a group is one
//! *pass* over the pages of the listing.
//!
//! The calling thread decides everything, so there are no locks here. No
//! request is sent between calls of `next`, except those in flight. Dropping
//! the iterator ends it.

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
