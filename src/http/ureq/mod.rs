//! The default client, over [ureq](https://docs.rs/ureq).

pub(crate) mod agent;
pub(crate) mod buffers;
pub(crate) mod connection;
mod encoding;
pub(crate) mod redact;
pub(crate) mod stops;
