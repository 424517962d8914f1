//! [ureq](https://docs.rs/ureq) below [`HttpAgent`](super::HttpAgent):
//! HTTP/1.1, and the pool of idle connections.
//!
//! Nothing outside of this folder knows ureq. It makes no connection, resolves
//! no name and keeps no time here: its connections are those of `net`, and the
//! limits of an exchange come from [`exchange`].
//!
//! ```text
//! client       one exchange, and the resend after a stale connection
//! request      headers and body as ureq takes them
//! response     status, headers and the whole body
//! connection   a Connection of net as a Transport of ureq
//! exchange     the limit of the exchange, by thread
//! buffers      input and output, without writing zeros
//! encoding     content-encoding that ureq does not decode
//! redact       placeholders for secrets, against ureq's log
//! spare_body   memory of the last body
//! error        errors of ureq as HttpError
//! ```
//!
//! `ureq::unversioned` may change in a minor version of ureq, so `Cargo.toml`
//! allows only the one that was tested.

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
