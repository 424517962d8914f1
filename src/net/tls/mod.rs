//! TLS by rustls, with the crypto of ring.
//!
//! All of TLS is decided here: neither the process-wide crypto provider nor a
//! feature that another crate turns on changes it. The versions are TLS 1.2 and
//! 1.3, the cipher suites those of rustls.
//!
//! ```text
//! roots        which certificates are trusted
//! verifier     rustls' verification, with better reasons
//! identity     the client certificate, read anew for each connection
//! client_auth  whether the server requested it
//! alpn         the protocol inside, for HTTP/2
//! connection   the handshake, and records as a Connection
//! read_ahead   fewer system calls below TLS
//! refusal      messages for what either side refused
//! rsa_key      the length of a key, for such a message
//! ```
//!
//! There is no way to turn verification off. Tests and emulators have roots of
//! their own.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use crate::util::url::bare;

use super::connection::{Connection, IoLimit};
use super::error::{ConnectionError, NetError, NetErrorKind};
use super::options::NetOptions;
use super::peer::Peer;

mod alpn;
mod client_auth;
mod connection;
mod identity;
mod read_ahead;
mod refusal;
mod roots;
mod rsa_key;
#[cfg(test)]
mod tests;
mod verifier;

pub(crate) use alpn::AlpnProtocol;
use client_auth::{ClientCertificateResolver, TlsClientAuth};
use connection::{HandshakeContext, TlsConnection};
use identity::{TlsIdentity, without_sessions};
use refusal::refused;

/// The settings of all TLS connections of a client, shared by its threads.
///
/// Each `ClientConfig` has a store of sessions, so connections resume sessions
/// of earlier ones.
pub(crate) struct TlsSettings {
    /// Without client certificate and ALPN.
    to_proxies: Arc<ClientConfig>,
    /// For servers, if there is no client certificate.
    to_servers: Arc<ClientConfig>,
    /// The client certificate, with settings for servers of its own.
    identity: Option<TlsIdentity>,
    /// What servers must agree on; `None` offers no protocol.
    alpn: Option<AlpnProtocol>,
}

/// What a connection leads to.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum PeerRole {
    /// A proxy, to which the client certificate is not presented.
    Proxy,
    /// The server of a request.
    Server,
}

impl TlsSettings {
    /// Creates settings: reads roots and certificates.
    ///
    /// # Errors
    ///
    /// `Tls`, if an option cannot be used.
    pub(crate) fn new(options: &NetOptions, alpn: Option<AlpnProtocol>) -> Result<Self, NetError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| NetError::new(NetErrorKind::Tls, "failed to set up TLS").with_source(error))?;
        // Settings for proxies have no resolver, so rustls presents no
        // certificate.
        let plain = roots::trust(builder, options)?.with_no_client_auth();
        let mut to_servers = plain.clone();
        to_servers.client_auth_cert_resolver = Arc::new(ClientCertificateResolver(None));
        to_servers.alpn_protocols = alpn.iter().map(|protocol| protocol.id.to_vec()).collect();
        let to_servers = Arc::new(to_servers);
        let identity = match &options.client_certificate {
            // Reads files, here rather than at the first connection: a wrong
            // path is an error of `build`.
            Some(certificate) => Some(TlsIdentity::new(certificate, to_servers.clone())?),
            None => None,
        };
        Ok(Self { to_proxies: Arc::new(plain), to_servers, identity, alpn })
    }

    /// Returns the settings for a forked child. It does not resume sessions of
    /// its parent: a ticket is for one use (RFC 8446 section C.4).
    pub(crate) fn inherited(&self) -> Self {
        let to_servers = Arc::new(without_sessions(&self.to_servers));
        Self {
            to_proxies: Arc::new(without_sessions(&self.to_proxies)),
            identity: self.identity.as_ref().map(|identity| identity.inherited(to_servers.clone())),
            to_servers,
            alpn: self.alpn,
        }
    }

    /// Makes the handshake over `inner`, within `limit`.
    ///
    /// # Errors
    ///
    /// `Refused`, if either side rejects the other or the server does not
    /// support the protocol; otherwise that of the connection below.
    pub(super) fn connect(
        &self,
        inner: Box<dyn Connection>,
        role: PeerRole,
        peer: &Peer<'_>,
        limit: IoLimit<'_>,
    ) -> Result<Box<dyn Connection>, ConnectionError> {
        let identity = self.identity.as_ref().filter(|_| role == PeerRole::Server);
        let config = match role {
            PeerRole::Proxy => self.to_proxies.clone(),
            PeerRole::Server => identity.map_or_else(|| self.to_servers.clone(), TlsIdentity::config),
        };
        let alpn = self.alpn.filter(|_| role == PeerRole::Server);
        let conn = client(config, peer)?;
        let context = HandshakeContext { has_certificate: identity.is_some(), alpn };
        let mut connection = TlsConnection::new(conn, inner, context, peer);
        connection.handshake(limit)?;
        // A server that ignores ALPN speaks HTTP/1.1, and would not understand
        // the first frame.
        if let (Some(AlpnProtocol { missing, .. }), None) = (alpn, connection.protocol()) {
            let message = format!("{peer} {missing}");
            return Err(ConnectionError::Refused(NetError::new(NetErrorKind::Tls, message)));
        }
        Ok(Box::new(connection))
    }
}

/// Returns the state machine of a connection to `peer`, whose name the
/// certificate has to match.
fn client(config: Arc<ClientConfig>, peer: &Peer<'_>) -> Result<ClientConnection, ConnectionError> {
    let name = ServerName::try_from(bare(peer.host).to_owned()).map_err(|error| {
        let message = format!("failed to connect to {peer}: its host is not a valid DNS name for TLS");
        ConnectionError::Refused(NetError::new(NetErrorKind::Tls, message).with_source(error))
    })?;
    ClientConnection::new(config, name)
        .map_err(|error| ConnectionError::Refused(refused(&error, peer, TlsClientAuth::NotRequested, None)))
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings").finish_non_exhaustive()
    }
}
