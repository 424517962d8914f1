//! Polling an operation until it is done.
//!
//! ```text
//! Poller          options; nothing is sent
//!    │ start, into_iter
//!    ▼
//! Snapshots       the driver: sends, sleeps, calls the observer, on one thread
//!    │ next, polled, cancelled
//!    ▼
//! WaitMachine     decides: when to poll, what a result means, when to end
//!    ├── long_poll       whether the service may hold the next response
//!    └── progress        what the metadata say, if anything looks at it
//! ```
//!
//! `WaitMachine` does no I/O, so that three drivers share it: [`Snapshots`]
//! blocks a thread, `poll_many` drives thousands, and `aio` drives one without
//! a thread. They cannot differ in what is tolerated or when a wait ends.
//!
//! A wait does not use the retries of calls. A poll is one attempt; after a
//! transient error the next poll comes at its usual time, so errors never
//! increase the rate of requests.

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
