//! Connections: how they are made.
//!
//! What goes wrong travels to [`HttpAgent`](super::HttpAgent) inside `ureq::Error::Other`, as an [`HttpError`].

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use ureq::Proxy;
use ureq::http::Uri;
use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, Transport, TransportAdapter};

use crate::excerpt::shown;
use crate::http::error::{HttpError, HttpErrorKind};
use crate::http::ureq::connection::Link;
use crate::http::ureq::redact::Vault;
use crate::http::ureq::stops::Stops;
use crate::net::dns::{Names, port};
use crate::net::sockets::Sockets;
use crate::net::tcp::Socket;
use crate::net::tls::{Tls, To};
use crate::net::tunnel;

/// Connects within the budget of the exchange, directly or through a proxy; every failure names host and port.
#[derive(Debug)]
pub(crate) struct Dialer {
    tls: Tls,
    names: Names,
    vault: Vault,
    stops: Stops,
    sockets: Sockets,
}

impl Dialer {
    pub(crate) fn new(tls: Tls, names: Names, vault: Vault) -> Self {
        Self { tls, names, vault, stops: Stops::default(), sockets: Sockets::default() }
    }

    /// One for a forked child: as this one, with nothing of what the parent goes on using.
    pub(crate) fn inherited(&self, names: Names, vault: Vault) -> Self {
        self.sockets.close_copies();
        Self::new(self.tls.inherited(), names, vault)
    }
}

/// How ureq has it.
#[derive(Debug)]
pub(crate) struct Dialing(pub(crate) Arc<Dialer>);

impl Connector for Dialing {
    type Out = Link;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Link>, ureq::Error> {
        let inner = self.0.open(details).map_err(wrap)?;
        Ok(Some(Link::new(inner, self.0.vault.clone())))
    }
}

impl Dialer {
    /// The tokens that the connections made here heed.
    pub(crate) fn stops(&self) -> &Stops {
        &self.stops
    }

    /// Connects, and secures the connection where that is asked for.
    pub(crate) fn open(&self, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, HttpError> {
        let peer = Peer::of(details.uri);
        let connected = match details.config.proxy() {
            Some(proxy) => self.tunnel(details, proxy, &peer),
            None => self.direct(details, &peer),
        };
        connected.map_err(|error| self.failed(error, &peer))
    }

    /// The error for a connection that did not come about; the address of the peer is not believed any more.
    pub(crate) fn failed(&self, error: ureq::Error, peer: &Peer<'_>) -> HttpError {
        self.names.forget(peer.host);
        not_connected(error, peer)
    }

    fn direct(
        &self,
        details: &ConnectionDetails<'_>,
        peer: &Peer<'_>,
    ) -> Result<Box<dyn Transport>, ureq::Error> {
        let plain = self.dial(details, &details.addrs)?;
        self.secured(plain, details, details.uri, To::Server, peer)
    }

    fn tunnel(
        &self,
        details: &ConnectionDetails<'_>,
        proxy: &Proxy,
        peer: &Peer<'_>,
    ) -> Result<Box<dyn Transport>, ureq::Error> {
        let to_proxy = self.reach(details, proxy).map_err(|error| {
            let proxy = Peer::of(proxy.uri());
            self.names.forget(proxy.host);
            wrap(not_connected(error, &format_args!("proxy {proxy}")))
        })?;
        let mut adapter = TransportAdapter::new(to_proxy, details.current_time.clone());
        adapter.set_timeout(left(details)?);
        let tunnel = tunnel::open(adapter, proxy, peer)?;
        self.secured(tunnel, details, details.uri, To::Server, peer)
    }

    fn reach(
        &self,
        details: &ConnectionDetails<'_>,
        proxy: &Proxy,
    ) -> Result<Box<dyn Transport>, ureq::Error> {
        let addresses = details.resolver.resolve(proxy.uri(), details.config, left(details)?)?;
        let plain = self.dial(details, &addresses)?;
        self.secured(plain, details, proxy.uri(), To::Proxy, &Peer::of(proxy.uri()))
    }

    fn dial(
        &self,
        details: &ConnectionDetails<'_>,
        addresses: &[SocketAddr],
    ) -> Result<Box<dyn Transport>, ureq::Error> {
        Ok(Box::new(Socket::open(addresses, left(details)?, details.config, &self.stops, &self.sockets)?))
    }

    fn secured(
        &self,
        plain: Box<dyn Transport>,
        details: &ConnectionDetails<'_>,
        uri: &Uri,
        to: To,
        peer: &Peer<'_>,
    ) -> Result<Box<dyn Transport>, ureq::Error> {
        match uri.scheme_str() {
            Some("https") => self.tls.connect(plain, to, peer, details, left(details)?),
            _ => Ok(plain),
        }
    }
}

/// What is left of the budget, if anything is.
fn left(details: &ConnectionDetails<'_>) -> Result<NextTimeout, ureq::Error> {
    let mut timeout = details.timeout;
    if let (Instant::Exact(start), Instant::Exact(now)) = (details.now, (details.current_time)())
        && !timeout.after.is_not_happening()
    {
        timeout.after = timeout.after.saturating_sub(now.saturating_duration_since(start)).into();
    }
    match timeout.after.is_zero() {
        true => Err(ureq::Error::Timeout(timeout.reason)),
        false => Ok(timeout),
    }
}

pub(crate) fn wrap(error: HttpError) -> ureq::Error {
    ureq::Error::Other(Box::new(error))
}

/// The error for a connection that did not come about; nothing of the request was sent.
fn not_connected(error: ureq::Error, peer: &dyn fmt::Display) -> HttpError {
    let cannot = || HttpError::new(HttpErrorKind::Connect, format!("cannot connect to {peer}"));
    match error {
        ureq::Error::Other(error) => match error.downcast::<HttpError>() {
            Ok(known) => known.sent(false),
            Err(error) => cannot().with_source(ureq::Error::Other(error)),
        },
        ureq::Error::Io(error) => cannot().with_source(error),
        ureq::Error::Timeout(_) => {
            HttpError::new(HttpErrorKind::Timeout, format!("timed out while connecting to {peer}"))
                .sent(false)
        }
        error => cannot().with_source(error),
    }
}

/// Host and port, as messages name them.
pub(crate) struct Peer<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl<'a> Peer<'a> {
    pub(crate) fn of(uri: &'a Uri) -> Self {
        Self { host: uri.host().unwrap_or_default(), port: port(uri) }
    }
}

impl fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", shown(self.host), self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_to_connect() {
        use HttpErrorKind::{Connect, Resolve, Timeout};
        let io = |code| ureq::Error::Io(std::io::Error::from_raw_os_error(code));
        let known = HttpError::new(Resolve, "cannot find host `a.test`").transient(false);
        let rows = [
            ("no files left", io(24), Connect, true, "cannot connect to HOST"),
            (
                "timeout",
                ureq::Error::Timeout(ureq::Timeout::Global),
                Timeout,
                true,
                "timed out while connecting to HOST",
            ),
            ("already told", wrap(known), Resolve, false, "cannot find host `a.test`"),
        ];
        for (name, error, kind, transient, message) in rows {
            let error = not_connected(error, &"HOST");
            assert_eq!(error.to_string(), message, "{name}");
            assert_eq!(
                (error.kind(), error.is_transient(), error.was_sent()),
                (kind, transient, false),
                "{name}"
            );
        }
    }
}
