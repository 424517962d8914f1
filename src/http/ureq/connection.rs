//! A connection of `net` as ureq reads and writes it.
//!
//! Besides moving bytes, it does two things for [`client`](mod@super::client): it
//! notes how far an exchange got, which ureq does not report, and it replaces
//! placeholders by secrets at the last moment.

use std::fmt;
use std::sync::Arc;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector as Connects, NextTimeout, Transport,
};

use crate::net::connect::Connector;
use crate::net::connection::Connection;
use crate::net::error::ConnectionError;
use crate::net::peer::Peer;

use super::buffers::LazyPages;
use super::error::Stale;
use super::exchange;
use super::redact::SecretVault;

/// Opens connections for ureq. Errors reach the client as they are, inside
/// `ureq::Error::Other`.
#[derive(Debug)]
pub(super) struct UreqConnector {
    connector: Arc<Connector>,
    vault: SecretVault,
}

impl UreqConnector {
    /// Creates a connector whose connections know the secrets of `vault`.
    pub(super) fn new(connector: Arc<Connector>, vault: SecretVault) -> Self {
        Self { connector, vault }
    }
}

impl Connects for UreqConnector {
    type Out = UreqConnection;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<UreqConnection>, ureq::Error> {
        // DNS, TCP, proxy and TLS, within the deadline of the exchange.
        let inner = self.connector.connect(&peer(details.uri), exchange::current().limit());
        let inner = inner.map_err(|error| ureq::Error::Other(Box::new(error)))?;
        Ok(Some(UreqConnection {
            inner,
            buffers: LazyPages::new(details.config),
            vault: self.vault.clone(),
            is_reused: false,
            has_response: false,
            was_just_read: false,
        }))
    }
}

/// Returns the server of a URL that was checked.
fn peer(uri: &Uri) -> Peer<'_> {
    let tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    Peer { tls, host: uri.host().unwrap_or_default(), port }
}

/// Resolves nothing. Names are resolved when connections are opened; ureq would
/// do it even for a pooled connection.
#[derive(Debug)]
pub(super) struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// A connection that knows how far the exchange on it got.
///
/// ```text
/// new       is_reused no,  has_response no
/// response  is_reused no,  has_response yes
/// next      is_reused yes, has_response no      a failure here is stale
/// ```
pub(super) struct UreqConnection {
    inner: Box<dyn Connection>,
    buffers: LazyPages,
    vault: SecretVault,
    /// Whether an earlier exchange on this connection had a response.
    is_reused: bool,
    /// Whether a byte of the response to the current exchange has arrived.
    has_response: bool,
    /// Whether the connection was not checked since it was read.
    was_just_read: bool,
}

impl UreqConnection {
    /// Returns the error for a failed read or write, marked as stale if the
    /// connection may be the reason.
    fn lost(&self, error: ConnectionError) -> ureq::Error {
        let is_stopped = matches!(error, ConnectionError::Stopped);
        // A timeout counts as stale too: a NAT gateway that has forgotten the
        // connection drops packets without a word.
        match self.is_reused && !self.has_response && !is_stopped {
            true => ureq::Error::Other(Box::new(Stale(error))),
            false => ureq::Error::Other(Box::new(error)),
        }
    }
}

impl Transport for UreqConnection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        // Sending after a response is the next exchange.
        if self.has_response {
            self.is_reused = true;
            self.has_response = false;
        }
        let output = self.buffers.output();
        // As late as possible: ureq and its log have only seen placeholders.
        let amount = self.vault.reveal(output, amount);
        let output = output.get(..amount).unwrap_or_default();
        self.inner.write(output, exchange::current().limit()).map_err(|error| self.lost(error))
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let read = self.inner.read(self.buffers.input_append_buf(), exchange::current().limit());
        let amount = read.map_err(|error| self.lost(error))?;
        // The server has closed the connection while it was idle. ureq would
        // report a violation of the protocol.
        if amount == 0 && self.is_reused && !self.has_response {
            return Err(self.lost(ConnectionError::closed()));
        }
        // Zero is the end of a body without a length, which ureq decides.
        self.buffers.input_appended(amount);
        // Whatever fails from here on, the server has seen the request: nothing
        // is sent again.
        self.has_response |= amount > 0;
        self.was_just_read = amount > 0;
        Ok(amount > 0)
    }

    /// Returns whether the connection can be reused.
    ///
    /// ureq calls it when it puts a connection into the pool and when it takes
    /// it out. The first time is right after the response, and not worth three
    /// system calls.
    fn is_open(&mut self) -> bool {
        std::mem::take(&mut self.was_just_read) || self.inner.is_silent()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

impl fmt::Debug for UreqConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqConnection").field("inner", &self.inner).finish_non_exhaustive()
    }
}
