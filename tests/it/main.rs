//! How the client behaves, seen through its public API: real HTTP over loopback sockets, in virtual time.

mod canary;
mod client_config;
mod credentials;
mod data_format;
mod decoding;
mod ending;
mod faults;
#[cfg(target_os = "linux")]
mod handle;
mod housekeeping;
mod interrupted;
#[cfg(feature = "journal")]
mod journal;
mod kit;
mod list;
mod listener;
mod long_poll;
mod messages;
mod network;
mod polling;
mod progress;
mod properties;
mod requests;
mod retry;
mod timing;
mod token_sources;
mod wait;
