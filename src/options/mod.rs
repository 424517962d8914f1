//! The options that calls, waits, sweeps and clients have in common: their
//! values, and the setters of all builders.

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
