//! How the client behaves, seen through its public API: real HTTP over loopback sockets, in virtual time.

mod credentials;
mod decoding;
mod faults;
mod kit;
mod list;
mod requests;
mod retry;
mod timing;
mod wait;
