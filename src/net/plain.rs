//! Connections without TLS that notice when the peer expects TLS.
//!
//! That happens with an emulator that was started with TLS, and with `http://`
//! in the URL of an `https` proxy. Without this layer, the error would only say
//! that the response is not valid HTTP.

use super::connection::{Connection, IoLimit};
use super::error::{ConnectionError, NetError, NetErrorKind};
use super::peer::Peer;
use super::tls::PeerRole;

/// TCP, or a tunnel, to a peer that should understand plain HTTP.
///
/// A server that expects TLS sends an alert when it receives something else, or
/// closes the connection without a word, as OpenSSL does. Both happen before
/// anything else is received, so only the first bytes are examined.
pub(super) struct PlainConnection {
    /// The connection below.
    inner: Box<dyn Connection>,
    /// Host and port, as messages name them.
    peer: String,
    /// What the peer is. A proxy gets advice about its URL, a server about the
    /// endpoint.
    role: PeerRole,
    /// Whether a byte was received, after which nothing is examined.
    has_received: bool,
}

impl PlainConnection {
    /// Wraps a new connection.
    pub(super) fn new(inner: Box<dyn Connection>, peer: &Peer<'_>, role: PeerRole) -> Self {
        Self { inner, peer: peer.to_string(), role, has_received: false }
    }

    /// Returns the error for a peer that responded with TLS.
    fn speaks_tls(&self) -> ConnectionError {
        let (kind, who, instead) = match self.role {
            PeerRole::Proxy => (NetErrorKind::Proxy, "proxy ", "`https://` in the proxy URL"),
            PeerRole::Server => (NetErrorKind::Protocol, "", "an `https://` endpoint"),
        };
        let message = format!("{who}{} responded to plain HTTP with TLS: use {instead}", self.peer);
        ConnectionError::Refused(NetError::new(kind, message))
    }

    /// Adds the hint to an error of a connection to a server on which nothing
    /// was received. It stays transient: a server that is restarted closes
    /// connections in the same way.
    fn explained(&self, error: ConnectionError) -> ConnectionError {
        match error {
            ConnectionError::Io(cause) if !self.has_received && self.role == PeerRole::Server => {
                let message = format!(
                    "{} closed the connection before a response (a server that expects TLS does so: use `https://`)",
                    self.peer
                );
                ConnectionError::Refused(NetError::new(NetErrorKind::Closed, message).with_source(cause))
            }
            error => error,
        }
    }
}

/// Passes everything on, and examines the first bytes that are received.
impl Connection for PlainConnection {
    fn read(&mut self, into: &mut [u8], limit: IoLimit<'_>) -> Result<usize, ConnectionError> {
        let amount = match self.inner.read(into, limit) {
            // Only for servers: the code that opens a tunnel has a message of
            // its own for a proxy that does not respond.
            Ok(0) if !self.has_received && self.role == PeerRole::Server => {
                return Err(self.explained(ConnectionError::closed()));
            }
            Ok(amount) => amount,
            Err(error) => return Err(self.explained(error)),
        };
        // Three bytes are enough. A peer that sends fewer at first is reported
        // as invalid HTTP by the layer above.
        if !self.has_received && is_tls(into.get(..amount).unwrap_or_default()) {
            return Err(self.speaks_tls());
        }
        self.has_received |= amount != 0;
        Ok(amount)
    }

    fn write(&mut self, bytes: &[u8], limit: IoLimit<'_>) -> Result<(), ConnectionError> {
        self.inner.write(bytes, limit).map_err(|error| self.explained(error))
    }

    fn is_silent(&mut self) -> bool {
        self.inner.is_silent()
    }

    fn is_tls(&self) -> bool {
        false
    }
}

/// Returns whether this is the start of a TLS record: an alert (21) or a
/// handshake message (22), of any version since SSL 3.0 ([RFC 8446 section
/// 5.1](https://www.rfc-editor.org/rfc/rfc8446#section-5.1)). No response of
/// HTTP starts like that.
fn is_tls(input: &[u8]) -> bool {
    matches!(input, [21 | 22, 3, 0..=4, ..])
}
