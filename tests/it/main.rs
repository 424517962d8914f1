//! How the client behaves, seen through its public API: real HTTP over loopback sockets, in virtual time.

mod canary;
mod credentials;
mod decoding;
mod faults;
#[cfg(feature = "journal")]
mod journal;
mod kit;
mod list;
mod listener;
mod messages;
mod network;
mod properties;
mod requests;
mod retry;
mod timing;
mod token_sources;
mod wait;
