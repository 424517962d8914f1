//! The options that calls, waits, sweeps and clients have in common: their
//! values, and the setters of all builders.
//!
//! ```text
//! setters on a builder ──► RequestOptions   what was set, and the first error
//!                               │ over(defaults of the client and the method)
//!                               ▼
//!                          CallOptions      complete; one for a call or a wait
//!                               │ attempt(timeout)
//!                               ▼
//!                          Attempt          for the transport
//! ```
//!
//! A setter cannot fail, so that a call reads as one expression. The first
//! option that cannot be used is kept and returned by the method that sends.

mod poll;
mod request;
mod setters;

pub use poll::{LongPoll, OnTimeout};
pub(crate) use poll::{PollOptions, clamp_concurrency};
pub(crate) use request::{CallOptions, RequestOptions};
pub(crate) use setters::{
    call_timeout_options, concurrency_option, list_options, poll_options, rate_option, request_options,
    wait_timeout_options,
};
