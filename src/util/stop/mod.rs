//! Stopping calls and waits from another thread.

#[cfg(feature = "async")]
mod listener;
mod token;
#[cfg(feature = "async")]
mod wakers;

#[cfg(feature = "async")]
pub(crate) use listener::StopListener;
pub use token::StopToken;
