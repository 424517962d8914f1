//! [ureq](https://docs.rs/ureq) below [`HttpAgent`](super::HttpAgent): HTTP/1.1, and the pool of its connections.
//!
//! Nothing outside of this folder knows ureq. It makes no connection, resolves
//! no name and keeps no time here: its connections are those of `net`, and the
//! limits of an exchange come from [`exchange`].

mod buffers;
mod client;
mod connection;
mod encoding;
mod error;
mod exchange;
mod redact;
mod request;
mod response;
mod spare_body;

pub(super) use client::client;
