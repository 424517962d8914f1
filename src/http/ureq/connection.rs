//! What ureq does not tell of a connection: whether it was a kept one, and whether a byte was answered when it fails.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use crate::http::ureq::redact::Vault;
use crate::http::ureq::stops::is_stop;

/// A connection that knows how far the exchange on it got.
#[derive(Debug)]
pub(crate) struct Link {
    inner: Box<dyn Transport>,
    vault: Vault,
    /// An earlier exchange on this connection was answered.
    reused: bool,
    /// A byte of the answer to the current exchange has arrived.
    answered: bool,
}

impl Link {
    pub(crate) fn new(inner: Box<dyn Transport>, vault: Vault) -> Self {
        Self { inner, vault, reused: false, answered: false }
    }

    fn lost(&self, error: ureq::Error) -> ureq::Error {
        match self.reused && !self.answered && !is_stop(&error) {
            true => ureq::Error::Other(Box::new(Stale(error))),
            false => error,
        }
    }
}

impl Transport for Link {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        // Sending after an answer is the next exchange.
        if self.answered {
            self.reused = true;
            self.answered = false;
        }
        let amount = self.vault.reveal(self.inner.buffers().output(), amount);
        self.inner.transmit_output(amount, timeout).map_err(|error| self.lost(error))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        match self.inner.await_input(timeout) {
            Ok(true) => {
                self.answered = true;
                Ok(true)
            }
            Ok(false) if self.reused && !self.answered => {
                Err(self.lost(io::Error::from(io::ErrorKind::UnexpectedEof).into()))
            }
            Ok(false) => Ok(false),
            Err(error) => Err(self.lost(error)),
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// A kept connection failed before the first byte of the answer: the server closed it in the meantime, or
/// (when this holds a timeout) something in between forgot it.
#[derive(Debug)]
pub(crate) struct Stale(pub(super) ureq::Error);

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Stale {}
