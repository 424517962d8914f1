//! A connection of `net` as ureq reads and writes it.

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
use super::redact::Vault;

/// Opens connections for ureq. What goes wrong reaches the client as it is,
/// inside `ureq::Error::Other`.
#[derive(Debug)]
pub(super) struct UreqConnector {
    connector: Arc<Connector>,
    vault: Vault,
}

impl UreqConnector {
    pub(super) fn new(connector: Arc<Connector>, vault: Vault) -> Self {
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
        let inner = self.connector.connect(&peer(details.uri), exchange::current().limit());
        let inner = inner.map_err(|error| ureq::Error::Other(Box::new(error)))?;
        Ok(Some(UreqConnection {
            inner,
            buffers: LazyPages::new(details.config),
            vault: self.vault.clone(),
            is_reused: false,
            has_answered: false,
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

/// Names are resolved where connections are opened: ureq would do it even for a
/// pooled connection.
#[derive(Debug)]
pub(super) struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// A connection that knows how far the exchange on it got, which ureq does not
/// report.
pub(super) struct UreqConnection {
    inner: Box<dyn Connection>,
    buffers: LazyPages,
    vault: Vault,
    /// An earlier exchange on this connection had a response.
    is_reused: bool,
    /// A byte of the response to the current exchange has arrived.
    has_answered: bool,
    /// The connection was not checked since it was read.
    was_just_read: bool,
}

impl UreqConnection {
    fn lost(&self, error: ConnectionError) -> ureq::Error {
        let is_stopped = matches!(error, ConnectionError::Stopped);
        // A timeout counts as stale too: a NAT gateway that has forgotten the
        // connection drops packets without a reply.
        match self.is_reused && !self.has_answered && !is_stopped {
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
        if self.has_answered {
            self.is_reused = true;
            self.has_answered = false;
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
        // The server has closed the connection while it was idle. Left to ureq, this
        // would be a violation of the protocol.
        if amount == 0 && self.is_reused && !self.has_answered {
            return Err(self.lost(ConnectionError::closed()));
        }
        self.buffers.input_appended(amount);
        self.has_answered |= amount > 0;
        self.was_just_read = amount > 0;
        Ok(amount > 0)
    }

    /// ureq asks when it puts a connection back and when it takes it out again.
    /// The first time, right after the response, is not worth three system
    /// calls.
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
