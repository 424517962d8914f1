//! The setters of all builders, each written once with its documentation.
//!
//! A builder names the sets of options that it has inside an `impl` block. It
//! keeps the values in the fields `options`
//! ([`RequestOptions`](super::RequestOptions)), `poll`
//! ([`PollOptions`](super::PollOptions)), `concurrency` and `rate`.
//!
//! | macro | `Call`, `StartCall` | `Poller` | `PollMany` | `Sweep` | client |
//! |---|---|---|---|---|---|
//! | `request_options` | yes | yes | yes | yes | yes |
//! | `call_timeout_options` | yes | | | yes | yes |
//! | `wait_timeout_options` | | yes | yes | | |
//! | `poll_options` | | yes | yes | | yes |
//! | `rate_option` | | | yes | | yes |
//! | `concurrency_option` | | | yes | yes | |
//! | `list_options` | lists | | | yes | |
//!
//! They are macros and not a trait, so that the methods need no import and are
//! in the documentation of each builder.

mod list;
mod request;
mod wait;

pub(crate) use list::list_options;
pub(crate) use request::{call_timeout_options, request_options};
pub(crate) use wait::{concurrency_option, poll_options, rate_option, wait_timeout_options};
