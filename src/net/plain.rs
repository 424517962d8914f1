//! A connection without TLS that notices when its peer speaks TLS.

use std::fmt;
use std::io;

use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use crate::http::error::{HttpError, HttpErrorKind};
use crate::net::connect::wrap;
use crate::net::tls::To;

/// What the first bytes from a peer say about it.
///
/// A server that expects TLS sends an alert when it receives something else, or closes the connection without a word,
/// as OpenSSL does.
pub(crate) struct Plain {
    inner: Box<dyn Transport>,
    /// Host and port, as messages name them.
    peer: String,
    to: To,
    /// Nothing was received yet.
    is_silent: bool,
}

impl Plain {
    pub(crate) fn new(inner: Box<dyn Transport>, peer: String, to: To) -> Self {
        Self { inner, peer, to, is_silent: true }
    }

    fn speaks_tls(&self) -> ureq::Error {
        let (peer, instead) = match self.to {
            To::Proxy => (format!("proxy {}", self.peer), "`https://` in the proxy URL"),
            To::Server => (self.peer.clone(), "an `https://` endpoint"),
        };
        let message = format!("{peer} responded to plain HTTP with TLS: use {instead}");
        let kind = if self.to == To::Proxy { HttpErrorKind::Proxy } else { HttpErrorKind::Protocol };
        wrap(HttpError::new(kind, message).sent(false))
    }

    fn lost(&self, error: ureq::Error) -> ureq::Error {
        match error {
            ureq::Error::Io(cause) if self.is_silent && self.to == To::Server => wrap(self.closed(cause)),
            error => error,
        }
    }

    fn closed(&self, cause: io::Error) -> HttpError {
        let message = format!(
            "{} closed the connection before an answer (a server that expects TLS does so: use `https://`)",
            self.peer
        );
        HttpError::new(HttpErrorKind::Interrupted, message).with_source(cause)
    }
}

impl Transport for Plain {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.inner.transmit_output(amount, timeout).map_err(|error| self.lost(error))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        match self.inner.await_input(timeout) {
            Ok(true) if self.is_silent && is_tls(self.inner.buffers().input()) => Err(self.speaks_tls()),
            Ok(true) => {
                self.is_silent = false;
                Ok(true)
            }
            Ok(false) if self.is_silent && self.to == To::Server => {
                Err(self.lost(io::Error::from(io::ErrorKind::UnexpectedEof).into()))
            }
            Ok(false) => Ok(false),
            Err(error) => Err(self.lost(error)),
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// Whether this is the start of a record of TLS: an alert or a handshake message, of any version since SSL 3.0
/// ([RFC 8446 section 5.1](https://www.rfc-editor.org/rfc/rfc8446#section-5.1)).
fn is_tls(input: &[u8]) -> bool {
    matches!(input, [21 | 22, 3, 0..=4, ..])
}
