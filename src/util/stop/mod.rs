//! Stopping calls and waits from another thread.
//!
//! A [`StopToken`] is a flag with two kinds of listeners. Threads sleep on its
//! condition variable. Futures of the async client leave a waker (feature
//! `async`). Code that blocks in the operating system cannot do either; it
//! looks at the flag every 50 ms.
//!
//! ```text
//! stop() ─► set the flag ─┬► wake sleeping threads   StopToken::sleep
//!                         └► wake sleeping futures   StopListener
//! ```

#[cfg(feature = "async")]
mod listener;
mod token;
#[cfg(feature = "async")]
mod wakers;

#[cfg(feature = "async")]
pub(crate) use listener::StopListener;
pub use token::StopToken;
