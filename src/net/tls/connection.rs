//! Bytes inside TLS.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::ClientConnection;

use crate::net::connection::{Connection, IoLimit, Limited};
use crate::net::error::ConnectionError;
use crate::net::peer::Peer;

use super::alpn::AlpnProtocol;
use super::certificate_request::Asked;
use super::read_ahead::ReadAhead;
use super::refusal::{self, refusal, refused};

/// TLS over another connection.
pub(super) struct TlsConnection {
    conn: ClientConnection,
    below: Below,
    peer: String,
    context: Presented,
    /// Whether the peer has sent anything since the handshake.
    has_received: bool,
}

/// What is known of a handshake when it is to be explained why it failed.
pub(super) struct Presented {
    /// Whether we had a client certificate to present.
    pub(super) presented: bool,
    /// For protocols in which the server speaks first, and there is but one server that can have asked.
    pub(super) asked: Option<Arc<Asked>>,
    pub(super) alpn: Option<AlpnProtocol>,
}

impl TlsConnection {
    /// Sends nothing yet.
    pub(super) fn new(
        conn: ClientConnection,
        inner: Box<dyn Connection>,
        context: Presented,
        peer: &Peer<'_>,
    ) -> Self {
        let below = Below { inner, read_ahead: ReadAhead::default() };
        Self { conn, below, peer: peer.to_string(), context, has_received: false }
    }

    /// The protocol that the server has agreed on.
    pub(super) fn protocol(&self) -> Option<&[u8]> {
        self.conn.alpn_protocol()
    }

    pub(super) fn handshake(&mut self, limit: IoLimit<'_>) -> Result<(), ConnectionError> {
        let mut wire = self.below.within(limit);
        let Err(error) = self.conn.complete_io(&mut wire) else { return Ok(()) };
        Err(match refusal(&error, &mut self.conn, &mut wire) {
            Some(refusal) => self.refused(&refusal),
            None => error.into(),
        })
    }

    fn refused(&self, refusal: &rustls::Error) -> ConnectionError {
        let Presented { presented, alpn, .. } = self.context;
        ConnectionError::Refused(refused(refusal, &self.peer, presented, alpn))
    }

    /// With TLS 1.3 the refusal of a client certificate arrives after the handshake.
    fn explained(&mut self, error: io::Error, limit: IoLimit<'_>) -> ConnectionError {
        let mut wire = self.below.within(limit);
        match refusal(&error, &mut self.conn, &mut wire) {
            Some(refusal @ rustls::Error::AlertReceived(_)) => self.refused(&refusal),
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
        !self.has_received && self.context.asked.as_ref().is_some_and(|asked| asked.in_vain())
    }
}

impl Connection for TlsConnection {
    fn read(&mut self, into: &mut [u8], limit: IoLimit<'_>) -> Result<usize, ConnectionError> {
        let mut wire = self.below.within(limit);
        let read = rustls::Stream::new(&mut self.conn, &mut wire).read(into);
        let amount = read.map_err(|error| self.explained(error, limit))?;
        if amount == 0 && self.is_unpresented() {
            return Err(ConnectionError::Refused(refusal::unshown(&self.peer)));
        }
        self.has_received |= amount > 0;
        Ok(amount)
    }

    fn write(&mut self, bytes: &[u8], limit: IoLimit<'_>) -> Result<(), ConnectionError> {
        let mut wire = self.below.within(limit);
        write(&mut self.conn, &mut wire, bytes).map_err(|error| self.explained(error, limit))
    }

    /// Takes in what was read ahead first: it may be no more than a session ticket.
    fn is_silent(&mut self) -> bool {
        let Self { conn, below: Below { inner, read_ahead }, .. } = self;
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
    /// The connection as rustls reads and writes it.
    fn within<'l>(&mut self, limit: IoLimit<'l>) -> Wire<'_, 'l> {
        Wire { read_ahead: &mut self.read_ahead, inner: Limited { connection: self.inner.as_mut(), limit } }
    }
}

/// What rustls reads and writes.
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
