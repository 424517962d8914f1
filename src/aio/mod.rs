//! The async face: the same client with futures, on any executor.

mod call;
mod client;
mod executor;
mod fault;
mod job;
mod pager;
mod poller;
mod pool;
mod timer;

pub use client::OperationsAsyncClient;
pub use executor::{Async, Executor, Job};
