//! TLS over another connection.
//!
//! rustls is a state machine: it turns bytes into records and back, and this
//! module moves them. The stack, from above:
//!
//! ```text
//! read, write      TlsConnection      plain bytes, for HTTP
//!                  ClientConnection   rustls
//!                  Wire               Read and Write with the limit of one call
//!                  ReadAhead          32 KiB of records
//!                  Connection         TCP, or a tunnel
//! ```

use std::io::{self, Read, Write};

use rustls::ClientConnection;

use crate::net::connection::{Connection, IoLimit, Limited};
use crate::net::error::{ConnectionError, NetError};
use crate::net::peer::Peer;

use super::alpn::AlpnProtocol;
use super::client_auth::TlsClientAuth;
use super::read_ahead::ReadAhead;
use super::refusal::{self, refusal, refused};

/// TLS over another connection. Dropping it sends no `close_notify`: HTTP has
/// an end of its own, and a write could block.
pub(super) struct TlsConnection {
    /// The state machine.
    conn: ClientConnection,
    /// Where records go.
    below: LowerConnection,
    /// Host and port, as messages name them.
    peer: String,
    /// What the handshake is for.
    context: HandshakeContext,
    /// What the handshake said about the client certificate, to explain an
    /// early end.
    client_auth: TlsClientAuth,
    /// Whether the peer has sent anything since the handshake.
    has_received: bool,
}

/// What a handshake is for besides encryption.
pub(super) struct HandshakeContext {
    /// Whether there is a client certificate to present.
    pub(super) has_certificate: bool,
    /// The protocol that the server must agree on.
    pub(super) alpn: Option<AlpnProtocol>,
}

impl TlsConnection {
    /// Creates a connection. Nothing is sent before
    /// [`handshake`](Self::handshake).
    pub(super) fn new(
        conn: ClientConnection,
        inner: Box<dyn Connection>,
        context: HandshakeContext,
        peer: &Peer<'_>,
    ) -> Self {
        let below = LowerConnection { inner, read_ahead: ReadAhead::default() };
        let (peer, client_auth) = (peer.to_string(), TlsClientAuth::NotRequested);
        Self { conn, below, peer, context, client_auth, has_received: false }
    }

    /// Returns the protocol on which the server has agreed; `None` before the
    /// handshake, and if it ignored ALPN.
    pub(super) fn protocol(&self) -> Option<&[u8]> {
        self.conn.alpn_protocol()
    }

    /// Makes the handshake within `limit`.
    ///
    /// # Errors
    ///
    /// `Refused` if TLS, or the way in which the connection ended, says why.
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

    /// Returns the error for a refusal, with what this connection knows.
    fn refused(&self, refusal: &rustls::Error) -> ConnectionError {
        ConnectionError::Refused(refused(refusal, &self.peer, self.client_auth, self.context.alpn))
    }

    /// Returns the error for a failed read or write.
    ///
    /// With TLS 1.3, the refusal of a client certificate arrives after the
    /// handshake: the client is done when it has sent its certificate.
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

    /// Returns the error for a server that has closed the connection without
    /// sending anything, if it requested a client certificate. Some servers
    /// refuse a client like this.
    fn closed_silently(&self) -> Option<NetError> {
        if self.has_received { None } else { refusal::closed(&self.peer, self.client_auth) }
    }
}

/// Each call makes a [`Wire`] with its own limit, so one connection serves
/// requests with different deadlines.
impl Connection for TlsConnection {
    /// Reads decrypted bytes. Zero is the end that the peer has announced with
    /// `close_notify`; a connection that is cut is an error, because the
    /// response may be cut as well.
    fn read(&mut self, into: &mut [u8], limit: IoLimit<'_>) -> Result<usize, ConnectionError> {
        let mut wire = self.below.within(limit);
        let read = rustls::Stream::new(&mut self.conn, &mut wire).read(into);
        let amount = read.map_err(|error| self.explained(error, limit))?;
        // An end as the very first thing. With TLS 1.3 it may be the refusal of
        // the client certificate.
        if let Some(explained) = self.closed_silently().filter(|_| amount == 0) {
            return Err(ConnectionError::Refused(explained));
        }
        // From the first byte on, the server has accepted the handshake.
        self.has_received |= amount != 0;
        Ok(amount)
    }

    fn write(&mut self, bytes: &[u8], limit: IoLimit<'_>) -> Result<(), ConnectionError> {
        let mut wire = self.below.within(limit);
        write(&mut self.conn, &mut wire, bytes).map_err(|error| self.explained(error, limit))
    }

    /// Processes what was read ahead first: it may be no more than a session
    /// ticket, which servers send when they like.
    fn is_silent(&mut self) -> bool {
        let Self { conn, below: LowerConnection { inner, read_ahead }, .. } = self;
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

/// Encrypts `bytes` and sends all records.
fn write(conn: &mut ClientConnection, wire: &mut Wire<'_, '_>, bytes: &[u8]) -> io::Result<()> {
    // Not `rustls::Stream`, whose `write` succeeds although sending the records
    // has failed.
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
struct LowerConnection {
    inner: Box<dyn Connection>,
    read_ahead: ReadAhead,
}

impl LowerConnection {
    /// Returns the connection as rustls reads and writes it, with the limit of
    /// one call.
    fn within<'l>(&mut self, limit: IoLimit<'l>) -> Wire<'_, 'l> {
        Wire { read_ahead: &mut self.read_ahead, inner: Limited { connection: self.inner.as_mut(), limit } }
    }
}

/// The connection below, as rustls reads and writes it.
struct Wire<'c, 'l> {
    read_ahead: &'c mut ReadAhead,
    inner: Limited<'c, 'l>,
}

/// Fills the buffer only when it is empty, so rustls never waits for bytes that
/// it has already.
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
