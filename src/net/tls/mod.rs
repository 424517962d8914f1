//! TLS by rustls.
//!
//! All of TLS is decided here: neither the process-wide crypto provider nor a
//! feature that another crate turns on has a part in it.

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
pub(crate) struct TlsSettings {
    to_proxies: Arc<ClientConfig>,
    to_servers: Arc<ClientConfig>,
    identity: Option<TlsIdentity>,
    alpn: Option<AlpnProtocol>,
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
            .map_err(|error| NetError::new(NetErrorKind::Tls, "failed to set up TLS").with_source(error))?;
        let plain = roots::trust(builder, options)?.with_no_client_auth();
        let mut to_servers = plain.clone();
        to_servers.client_auth_cert_resolver = Arc::new(ClientCertificateResolver(None));
        to_servers.alpn_protocols = alpn.iter().map(|protocol| protocol.id.to_vec()).collect();
        let to_servers = Arc::new(to_servers);
        let identity = match &options.client_certificate {
            Some(certificate) => Some(TlsIdentity::new(certificate, to_servers.clone())?),
            None => None,
        };
        Ok(Self { to_proxies: Arc::new(plain), to_servers, identity, alpn })
    }

    /// The settings of a forked child. It resumes no session of its parent's: a
    /// ticket is for one use.
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
        if let (Some(AlpnProtocol { missing, .. }), None) = (alpn, connection.protocol()) {
            let message = format!("{peer} {missing}");
            return Err(ConnectionError::Refused(NetError::new(NetErrorKind::Tls, message)));
        }
        Ok(Box::new(connection))
    }
}

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
