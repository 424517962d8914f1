//! Bytes inside TLS.

use std::io::{self, Read, Write};

use rustls::ClientConnection;

use crate::net::connection::{Connection, IoLimit, Limited};
use crate::net::error::{ConnectionError, NetError};
use crate::net::peer::Peer;

use super::alpn::AlpnProtocol;
use super::client_auth::TlsClientAuth;
use super::read_ahead::ReadAhead;
use super::refusal::{self, refusal, refused};

/// TLS over another connection.
pub(super) struct TlsConnection {
    conn: ClientConnection,
    below: Below,
    peer: String,
    context: HandshakeContext,
    client_auth: TlsClientAuth,
    /// Whether the peer has sent anything since the handshake.
    has_received: bool,
}

/// The purposes of a handshake besides encryption.
pub(super) struct HandshakeContext {
    /// Whether there is a client certificate to present.
    pub(super) has_certificate: bool,
    pub(super) alpn: Option<AlpnProtocol>,
}

impl TlsConnection {
    /// Sends nothing yet.
    pub(super) fn new(
        conn: ClientConnection,
        inner: Box<dyn Connection>,
        context: HandshakeContext,
        peer: &Peer<'_>,
    ) -> Self {
        let below = Below { inner, read_ahead: ReadAhead::default() };
        let (peer, client_auth) = (peer.to_string(), TlsClientAuth::NotRequested);
        Self { conn, below, peer, context, client_auth, has_received: false }
    }

    /// Returns the protocol that the server has agreed on.
    pub(super) fn protocol(&self) -> Option<&[u8]> {
        self.conn.alpn_protocol()
    }

    pub(super) fn handshake(&mut self, limit: IoLimit<'_>) -> Result<(), ConnectionError> {
        let mut wire = self.below.within(limit);
        let conn = &mut self.conn;
        let (done, client_auth) =
            TlsClientAuth::watch(self.context.has_certificate, || conn.complete_io(&mut wire));
        self.client_auth = client_auth;
        let Err(error) = done else { return Ok(()) };
        Err(match refusal(&error, &mut self.conn, &mut wire) {
            Some(refusal) => self.refused(&refusal),
            None if refusal::is_end(&error) => match refusal::cut_handshake(&self.peer, client_auth) {
                Some(explained) => ConnectionError::Refused(explained.with_source(error)),
                None => error.into(),
            },
            None => error.into(),
        })
    }

    fn refused(&self, refusal: &rustls::Error) -> ConnectionError {
        ConnectionError::Refused(refused(refusal, &self.peer, self.client_auth, self.context.alpn))
    }

    /// With TLS 1.3 the refusal of a client certificate arrives after the
    /// handshake.
    fn explained(&mut self, error: io::Error, limit: IoLimit<'_>) -> ConnectionError {
        let mut wire = self.below.within(limit);
        match refusal(&error, &mut self.conn, &mut wire) {
            Some(refusal @ rustls::Error::AlertReceived(_)) => self.refused(&refusal),
            None if refusal::is_end(&error) => match self.closed_silently() {
                Some(explained) => ConnectionError::Refused(explained.with_source(error)),
                None => error.into(),
            },
            _ => error.into(),
        }
    }

    /// Returns the error for a server that requested a client certificate and
    /// has closed the connection without sending anything.
    ///
    /// Some refuse a client like this.
    fn closed_silently(&self) -> Option<NetError> {
        if self.has_received { None } else { refusal::closed(&self.peer, self.client_auth) }
    }
}

impl Connection for TlsConnection {
    fn read(&mut self, into: &mut [u8], limit: IoLimit<'_>) -> Result<usize, ConnectionError> {
        let mut wire = self.below.within(limit);
        let read = rustls::Stream::new(&mut self.conn, &mut wire).read(into);
        let amount = read.map_err(|error| self.explained(error, limit))?;
        // An end as the very first thing: with TLS 1.3 this may be the rejection of the
        // client certificate.
        if let Some(explained) = self.closed_silently().filter(|_| amount == 0) {
            return Err(ConnectionError::Refused(explained));
        }
        self.has_received |= amount > 0;
        Ok(amount)
    }

    fn write(&mut self, bytes: &[u8], limit: IoLimit<'_>) -> Result<(), ConnectionError> {
        let mut wire = self.below.within(limit);
        write(&mut self.conn, &mut wire, bytes).map_err(|error| self.explained(error, limit))
    }

    /// Takes in what was read ahead first: it may be no more than a session
    /// ticket.
    fn is_silent(&mut self) -> bool {
        let Self { conn, below: Below { inner, read_ahead }, .. } = self;
        loop {
            // Records that were read before count as silence, unless they contain data, an
            // alert or the end.
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

    fn is_tls(&self) -> bool {
        true
    }
}

/// Hands `bytes` to TLS and sends all that it makes of them.
fn write(conn: &mut ClientConnection, wire: &mut Wire<'_, '_>, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    loop {
        let taken = conn.writer().write(rest)?;
        rest = rest.get(taken..).unwrap_or_default();
        // All records are sent before the next part is encrypted, so rustls never
        // buffers more than one part.
        while conn.wants_write() {
            conn.write_tls(wire)?;
        }
        if rest.is_empty() {
            return Ok(());
        }
    }
}

/// The connection that carries the records, and what was read from it ahead.
struct Below {
    inner: Box<dyn Connection>,
    read_ahead: ReadAhead,
}

impl Below {
    /// Returns the connection as rustls reads and writes it.
    fn within<'l>(&mut self, limit: IoLimit<'l>) -> Wire<'_, 'l> {
        Wire { read_ahead: &mut self.read_ahead, inner: Limited { connection: self.inner.as_mut(), limit } }
    }
}

/// The socket as rustls reads and writes it.
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
