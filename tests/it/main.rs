//! How the client behaves, seen through its public API: real HTTP over loopback sockets, in virtual time.

mod canary;
mod client_config;
mod credentials;
mod data_format;
mod decoding;
mod ending;
mod faults;
mod housekeeping;
#[cfg(target_os = "linux")]
mod interrupted;
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
