//! Opening connections, directly or through a proxy.
//!
//! ```text
//! Connector::connect(peer)
//!   ProxyRoutes::to      is there a proxy for it?
//!   reach                DNS, TCP: to the proxy or to the peer
//!   secured, open        with a proxy: TLS to an https proxy, then CONNECT
//!   secured              TLS to the peer, if it is https
//! ```
//!
//! All of this happens within one `IoLimit`, so that a slow step leaves less
//! time for the next one.

use std::fmt;

use crate::util::env::Env;

use super::connection::{Connection, IoLimit};
use super::dns::DnsCache;
use super::error::{ConnectionError, NetError, NetErrorKind};
use super::options::NetOptions;
use super::peer::Peer;
use super::plain::PlainConnection;
use super::proxy::{ProxyRoutes, ProxyServer};
use super::sockets::Sockets;
use super::tcp::TcpConnection;
use super::tls::{AlpnProtocol, PeerRole, TlsSettings};
use super::tunnel;

/// Opens connections to any server. Every error names host and port.
///
/// The threads of a client share it, and connect at the same time.
pub(crate) struct Connector {
    /// For proxies and servers; built once, because reading trusted roots takes
    /// time.
    tls: TlsSettings,
    /// May be shared with other connectors.
    dns: DnsCache,
    /// Which servers are reached through a proxy.
    routes: ProxyRoutes,
    /// All open sockets, for a forked child to close its copies.
    sockets: Sockets,
}

impl Connector {
    /// Creates a connector: reads certificates and proxy settings, and connects
    /// to nothing yet. `alpn` is the protocol that servers must agree on;
    /// without it, none is offered.
    ///
    /// # Errors
    ///
    /// `Tls` or `Config`, if an option cannot be used.
    pub(crate) fn new(
        options: &NetOptions,
        alpn: Option<AlpnProtocol>,
        dns: DnsCache,
        env: &dyn Env,
    ) -> Result<Self, NetError> {
        Self::with_routes(options, alpn, dns, ProxyRoutes::new(&options.proxy, env)?)
    }

    /// Does the same as [`new`](Self::new), with proxy settings that were read
    /// before.
    pub(crate) fn with_routes(
        options: &NetOptions,
        alpn: Option<AlpnProtocol>,
        dns: DnsCache,
        routes: ProxyRoutes,
    ) -> Result<Self, NetError> {
        let tls = TlsSettings::new(options, alpn)?;
        Ok(Self { tls, dns, routes, sockets: Sockets::default() })
    }

    /// Returns the connector for a forked child, without the sockets, TLS
    /// sessions and lookups that the parent uses.
    pub(crate) fn inherited(&self) -> Self {
        self.sockets.close_copies();
        // After the copies are closed: what is new must not be closed with
        // them.
        let (dns, routes) = (self.dns.inherited(), self.routes.clone());
        Self { tls: self.tls.inherited(), dns, routes, sockets: Sockets::default() }
    }

    /// Returns which servers are reached through a proxy, for messages and for
    /// a second connector.
    pub(crate) fn routes(&self) -> &ProxyRoutes {
        &self.routes
    }

    /// Opens a connection to `peer` within `limit`, secured if the peer has
    /// TLS.
    ///
    /// # Errors
    ///
    /// `Stopped` or `Timeout` at the limit. Otherwise the kind names the step
    /// that failed, and `transient` says whether another attempt may succeed.
    pub(crate) fn connect(
        &self,
        peer: &Peer<'_>,
        limit: IoLimit<'_>,
    ) -> Result<Box<dyn Connection>, NetError> {
        let connected = match self.routes.to(peer)? {
            Some(proxy) => self.through(proxy, peer, limit),
            None => self.reach(peer, limit),
        };
        let connected = connected.and_then(|plain| self.secured(plain, PeerRole::Server, peer, limit));
        // An address that is gone may be the reason, so the next attempt looks
        // the host up again.
        connected.inspect_err(|_| self.dns.forget(peer.host)).map_err(|error| not_connected(error, peer))
    }

    /// Opens a tunnel to `peer` through `proxy`. An error of the proxy itself
    /// says so.
    fn through(
        &self,
        proxy: &ProxyServer,
        peer: &Peer<'_>,
        limit: IoLimit<'_>,
    ) -> Result<Box<dyn Connection>, ConnectionError> {
        let via = proxy.peer();
        let connected =
            self.reach(&via, limit).and_then(|plain| self.secured(plain, PeerRole::Proxy, &via, limit));
        // The caller forgets the addresses of the server only, so those of the
        // proxy are forgotten here.
        let mut connection = connected.map_err(|error| {
            self.dns.forget(via.host);
            ConnectionError::Refused(not_connected(error, &"the proxy"))
        })?;
        tunnel::open(connection.as_mut(), proxy, peer, limit)?;
        Ok(connection)
    }

    /// Resolves the host and connects over TCP.
    fn reach(&self, peer: &Peer<'_>, limit: IoLimit<'_>) -> Result<Box<dyn Connection>, ConnectionError> {
        // A host name of the request is resolved here only if there is no
        // proxy; otherwise the proxy resolves it.
        let addresses = self.dns.resolve(peer.host, peer.port, limit.deadline);
        let addresses = addresses.map_err(ConnectionError::Refused)?;
        Ok(Box::new(TcpConnection::open(&addresses, &self.sockets, limit)?))
    }

    /// Adds TLS, or for plain HTTP the layer that notices that the peer expects
    /// TLS.
    ///
    /// It runs twice for a server behind a proxy: first for the proxy, in its
    /// role, then for the server, inside the tunnel.
    fn secured(
        &self,
        plain: Box<dyn Connection>,
        role: PeerRole,
        peer: &Peer<'_>,
        limit: IoLimit<'_>,
    ) -> Result<Box<dyn Connection>, ConnectionError> {
        match peer.tls {
            true => self.tls.connect(plain, role, peer, limit),
            false => Ok(Box::new(PlainConnection::new(plain, peer, role))),
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

/// Returns the error for a connection that could not be opened; `peer` is what
/// it was for, as messages name it.
///
/// ```text
/// failed to connect to run.googleapis.com:443
/// timed out while connecting to run.googleapis.com:443
/// failed to connect to the proxy
/// ```
fn not_connected(error: ConnectionError, peer: &dyn fmt::Display) -> NetError {
    let new = |kind, message| NetError::new(kind, message);
    match error {
        ConnectionError::Refused(known) => known,
        ConnectionError::Io(error) => {
            new(NetErrorKind::Connect, format!("failed to connect to {peer}")).with_source(error)
        }
        ConnectionError::Stopped => new(NetErrorKind::Stopped, format!("stopped while connecting to {peer}")),
        ConnectionError::Timeout => {
            new(NetErrorKind::Timeout, format!("timed out while connecting to {peer}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::net::options::{ProxySetting, Roots};
    use crate::util::env::SystemEnv;

    #[test]
    fn connection_to_an_http_server_is_not_secured() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let options = NetOptions { roots: Roots::None, proxy: ProxySetting::None, ..NetOptions::default() };
        let connector = Connector::new(&options, None, DnsCache::new(), &SystemEnv).unwrap();
        let limit = IoLimit::new(Instant::now() + Duration::from_secs(3600), None);
        let connection = connector.connect(&Peer { tls: false, host: "127.0.0.1", port }, limit).unwrap();
        assert!(!connection.is_tls(), "{connection:?}");
    }

    #[test]
    fn failures_to_connect() {
        use NetErrorKind::{Connect, Resolve, Stopped, Timeout};
        let known = NetError::new(Resolve, "failed to find host `a.test`").transient(false);
        let no_files = ConnectionError::Io(std::io::Error::from_raw_os_error(24));
        let rows = [
            (no_files, Connect, true, "failed to connect to HOST"),
            (ConnectionError::Timeout, Timeout, true, "timed out while connecting to HOST"),
            (ConnectionError::Stopped, Stopped, false, "stopped while connecting to HOST"),
            (ConnectionError::Refused(known), Resolve, false, "failed to find host `a.test`"),
        ];
        for (error, kind, transient, message) in rows {
            let error = not_connected(error, &"HOST");
            assert_eq!((error.kind, error.transient, error.to_string().as_str()), (kind, transient, message));
        }
    }
}
