//! TLS by rustls.
//!
//! All of TLS is decided here: neither the process-wide crypto provider nor a feature that another crate turns on has a
//! part in it.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use crate::url::bare;

use super::connection::{Connection, IoLimit, Limited};
use super::error::{ConnectionError, NetError, NetErrorKind};
use super::options::NetOptions;
use super::peer::Peer;

mod certificate_request;
mod identity;
mod read_ahead;
mod refusal;
mod roots;

use certificate_request::Asked;
use identity::Identity;
use read_ahead::ReadAhead;
use refusal::{refusal, refused};

/// The settings of all TLS connections of a client, shared by its threads.
pub(crate) struct TlsSettings {
    to_proxies: Arc<ClientConfig>,
    to_servers: Arc<ClientConfig>,
    identity: Option<Identity>,
    asked: Arc<Asked>,
    alpn: Option<AlpnProtocol>,
}

/// The protocol that servers have to agree on, as
/// [RFC 9113 section 3.2](https://www.rfc-editor.org/rfc/rfc9113#section-3.2) has it for HTTP/2.
#[derive(Clone, Copy)]
pub(crate) struct AlpnProtocol {
    pub(crate) id: &'static [u8],
    /// What messages say of a server that does not.
    pub(crate) missing: &'static str,
}

/// Whom a connection leads to.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum PeerRole {
    /// A proxy is not shown the client certificate.
    Proxy,
    Server,
}

impl TlsSettings {
    pub(crate) fn new(options: &NetOptions, alpn: Option<AlpnProtocol>) -> Result<Self, NetError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| NetError::new(NetErrorKind::Tls, "cannot set up TLS").with_source(error))?;
        let plain = roots::trust(builder, options)?.with_no_client_auth();
        let asked = Arc::new(Asked::default());
        let mut to_servers = plain.clone();
        to_servers.client_auth_cert_resolver = asked.clone();
        to_servers.alpn_protocols = alpn.iter().map(|protocol| protocol.id.to_vec()).collect();
        let to_servers = Arc::new(to_servers);
        let identity = match &options.client_certificate {
            Some(certificate) => Some(Identity::new(certificate, to_servers.clone())?),
            None => None,
        };
        Ok(Self { to_proxies: Arc::new(plain), to_servers, identity, asked, alpn })
    }

    /// The settings of a forked child. It resumes no session of its parent's: a ticket is for one use.
    pub(crate) fn inherited(&self) -> Self {
        let asked = Arc::new(Asked::default());
        let mut to_servers = without_sessions(&self.to_servers);
        to_servers.client_auth_cert_resolver = asked.clone();
        let to_servers = Arc::new(to_servers);
        Self {
            to_proxies: Arc::new(without_sessions(&self.to_proxies)),
            identity: self.identity.as_ref().map(|identity| identity.inherited(to_servers.clone())),
            to_servers,
            asked,
            alpn: self.alpn,
        }
    }

    /// Makes the handshake over `inner`, within `limit`.
    pub(super) fn connect(
        &self,
        inner: Connection,
        role: PeerRole,
        peer: &Peer<'_>,
        limit: IoLimit<'_>,
    ) -> Result<Connection, ConnectionError> {
        let identity = self.identity.as_ref().filter(|_| role == PeerRole::Server);
        let config = match role {
            PeerRole::Proxy => self.to_proxies.clone(),
            PeerRole::Server => identity.map_or_else(|| self.to_servers.clone(), Identity::config),
        };
        let alpn = self.alpn.filter(|_| role == PeerRole::Server);
        let presented = identity.is_some();
        let mut connection = TlsConnection {
            conn: client(config, peer, presented)?,
            inner,
            read_ahead: ReadAhead::default(),
            peer: peer.to_string(),
            presented,
            has_received: false,
            asked: Some(self.asked.clone()).filter(|_| alpn.is_some() && !presented),
            alpn,
        };
        connection.handshake(limit)?;
        if let (Some(AlpnProtocol { missing, .. }), None) = (alpn, connection.conn.alpn_protocol()) {
            let message = format!("{peer} {missing}");
            return Err(ConnectionError::Refused(NetError::new(NetErrorKind::Tls, message)));
        }
        Ok(Connection::Tls(Box::new(connection)))
    }
}

fn client(
    config: Arc<ClientConfig>,
    peer: &Peer<'_>,
    presented: bool,
) -> Result<ClientConnection, ConnectionError> {
    let name = ServerName::try_from(bare(peer.host).to_owned()).map_err(|error| {
        let message = format!("cannot connect to {peer}: TLS knows no such host name");
        ConnectionError::Refused(NetError::new(NetErrorKind::Tls, message).with_source(error))
    })?;
    ClientConnection::new(config, name)
        .map_err(|error| ConnectionError::Refused(refused(&error, peer, presented, None)))
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings").finish_non_exhaustive()
    }
}

/// The same settings with a session store of their own.
fn without_sessions(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.resumption = Resumption::default();
    config
}

/// TLS over another connection.
pub(crate) struct TlsConnection {
    conn: ClientConnection,
    inner: Connection,
    read_ahead: ReadAhead,
    peer: String,
    /// Whether we had a client certificate to present.
    presented: bool,
    /// Whether the peer has sent anything since the handshake.
    has_received: bool,
    /// For HTTP/2, where the server speaks first, and there is but one that can have asked.
    asked: Option<Arc<Asked>>,
    alpn: Option<AlpnProtocol>,
}

impl TlsConnection {
    fn handshake(&mut self, limit: IoLimit<'_>) -> Result<(), ConnectionError> {
        let (conn, mut wire) = Self::split(&mut self.conn, &mut self.inner, &mut self.read_ahead, limit);
        let Err(error) = conn.complete_io(&mut wire) else { return Ok(()) };
        Err(match refusal(&error, conn, &mut wire) {
            Some(refusal) => {
                ConnectionError::Refused(refused(&refusal, &self.peer, self.presented, self.alpn))
            }
            None => error.into(),
        })
    }

    pub(super) fn read(&mut self, into: &mut [u8], limit: IoLimit<'_>) -> Result<usize, ConnectionError> {
        let (conn, mut wire) = Self::split(&mut self.conn, &mut self.inner, &mut self.read_ahead, limit);
        let read = rustls::Stream::new(conn, &mut wire).read(into);
        let amount = read.map_err(|error| self.explained(error, limit))?;
        if amount == 0 && self.is_unpresented() {
            return Err(ConnectionError::Refused(refusal::unshown(&self.peer)));
        }
        self.has_received |= amount > 0;
        Ok(amount)
    }

    pub(super) fn write(&mut self, bytes: &[u8], limit: IoLimit<'_>) -> Result<(), ConnectionError> {
        let (conn, mut wire) = Self::split(&mut self.conn, &mut self.inner, &mut self.read_ahead, limit);
        write(conn, &mut wire, bytes).map_err(|error| self.explained(error, limit))
    }

    /// Takes in what was read ahead first: it may be no more than a session ticket.
    pub(super) fn is_silent(&mut self) -> bool {
        let Self { conn, inner, read_ahead, .. } = self;
        loop {
            let state = conn.process_new_packets();
            if !state.is_ok_and(|state| state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed()) {
                return false;
            }
            if read_ahead.is_empty() {
                return inner.is_silent();
            }
            if conn.read_tls(read_ahead).is_err() {
                return false;
            }
        }
    }

    fn split<'c, 'l>(
        conn: &'c mut ClientConnection,
        inner: &'c mut Connection,
        read_ahead: &'c mut ReadAhead,
        limit: IoLimit<'l>,
    ) -> (&'c mut ClientConnection, Wire<'c, 'l>) {
        (conn, Wire { read_ahead, inner: Limited { connection: inner, limit } })
    }

    /// With TLS 1.3 the refusal of a client certificate arrives after the handshake.
    fn explained(&mut self, error: io::Error, limit: IoLimit<'_>) -> ConnectionError {
        let (conn, mut wire) = Self::split(&mut self.conn, &mut self.inner, &mut self.read_ahead, limit);
        match refusal(&error, conn, &mut wire) {
            Some(refusal @ rustls::Error::AlertReceived(_)) => {
                ConnectionError::Refused(refused(&refusal, &self.peer, self.presented, self.alpn))
            }
            None if refusal::is_end(&error) && self.is_unpresented() => {
                ConnectionError::Refused(refusal::unshown(&self.peer).with_source(error))
            }
            _ => error.into(),
        }
    }

    /// Whether the server has asked for a client certificate in vain, and sent nothing since.
    ///
    /// Some refuse a client by closing without a word.
    fn is_unpresented(&self) -> bool {
        !self.has_received && self.asked.as_ref().is_some_and(|asked| asked.in_vain())
    }
}

/// Hands `bytes` to TLS and sends all that it makes of them.
fn write(conn: &mut ClientConnection, wire: &mut Wire<'_, '_>, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    loop {
        let taken = conn.writer().write(rest)?;
        rest = rest.get(taken..).unwrap_or_default();
        while conn.wants_write() {
            conn.write_tls(wire)?;
        }
        if rest.is_empty() {
            return Ok(());
        }
    }
}

/// The connection below, as rustls reads and writes it.
struct Wire<'c, 'l> {
    read_ahead: &'c mut ReadAhead,
    inner: Limited<'c, 'l>,
}

impl Read for Wire<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read_ahead.is_empty() {
            self.read_ahead.fill(&mut self.inner)?;
        }
        self.read_ahead.read(into)
    }
}

impl Write for Wire<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
