//! TLS by rustls, under ureq.
//!
//! ureq has a connector of its own, which cannot add roots to those of Mozilla, cannot replace a client
//! certificate, and panics on one that does not fit. This one takes its place, so all of TLS is decided here:
//! neither the process-wide crypto provider nor a feature that another crate turns on has a part in it.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, NextTimeout, Transport, TransportAdapter};

use crate::http::error::{HttpError, HttpErrorKind};
use crate::http::options::HttpOptions;
use crate::http::ureq::buffers::LazyPages;
use crate::net::connect::{Peer, wrap};
use crate::net::proxy::bare;

mod certificate_request;
mod identity;
mod refusal;
mod roots;

use certificate_request::Asked;
use identity::{Identity, without_sessions};
use refusal::{refusal, refused};

/// The settings of all TLS connections of a client, shared by its threads.
pub(crate) struct Tls {
    to_proxies: Arc<ClientConfig>,
    to_servers: Arc<ClientConfig>,
    identity: Option<Identity>,
    asked: Arc<Asked>,
}

/// Whom a connection leads to.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum To {
    /// A proxy is not shown the client certificate.
    Proxy,
    Server,
}

impl Tls {
    pub(crate) fn http1(options: &HttpOptions) -> Result<Self, HttpError> {
        Self::new(options, &[])
    }

    /// Servers have to agree on HTTP/2 ([RFC 9113 section 3.2](https://www.rfc-editor.org/rfc/rfc9113#section-3.2)).
    #[cfg(feature = "grpc")]
    pub(crate) fn http2(options: &HttpOptions) -> Result<Self, HttpError> {
        Self::new(options, &[b"h2"])
    }

    fn new(options: &HttpOptions, alpn: &[&[u8]]) -> Result<Self, HttpError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| HttpError::new(HttpErrorKind::Tls, "cannot set up TLS").with_source(error))?;
        let plain = roots::trust(builder, options)?.with_no_client_auth();
        let asked = Arc::new(Asked::default());
        let mut to_servers = plain.clone();
        to_servers.client_auth_cert_resolver = asked.clone();
        to_servers.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let to_servers = Arc::new(to_servers);
        let identity = match &options.client_certificate {
            Some(certificate) => Some(Identity::new(certificate, to_servers.clone())?),
            None => None,
        };
        Ok(Self { to_proxies: Arc::new(plain), to_servers, identity, asked })
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
        }
    }

    /// Makes the handshake over `inner`, within `timeout`.
    pub(crate) fn connect(
        &self,
        inner: Box<dyn Transport>,
        to: To,
        peer: &Peer<'_>,
        details: &ConnectionDetails<'_>,
        timeout: NextTimeout,
    ) -> Result<Box<dyn Transport>, ureq::Error> {
        let identity = self.identity.as_ref().filter(|_| to == To::Server);
        let config = match to {
            To::Proxy => self.to_proxies.clone(),
            To::Server => identity.map_or_else(|| self.to_servers.clone(), Identity::config),
        };
        let wants_protocol = !config.alpn_protocols.is_empty();
        let peer_name = peer.to_string();
        let name = ServerName::try_from(bare(peer.host).to_owned()).map_err(|error| {
            let message = format!("cannot connect to {peer}: TLS knows no such host name");
            wrap(HttpError::new(HttpErrorKind::Tls, message).with_source(error))
        })?;
        let presented = identity.is_some();
        let refuse = |error: &rustls::Error| wrap(refused(error, &peer_name, presented));
        let mut conn = ClientConnection::new(config, name).map_err(|error| refuse(&error))?;
        let mut sock = TransportAdapter::new(inner, details.current_time.clone());
        sock.set_timeout(timeout);
        if let Err(error) = conn.complete_io(&mut sock) {
            return Err(match refusal(&error, &mut conn, &mut sock) {
                Some(refusal) => refuse(&refusal),
                None => error.into(),
            });
        }
        if wants_protocol && conn.alpn_protocol().is_none() {
            let message = format!("{peer_name} {}", refusal::NO_PROTOCOL);
            return Err(wrap(HttpError::new(HttpErrorKind::Tls, message)));
        }
        let buffers = LazyPages::new(details.config);
        let stream = StreamOwned { conn, sock };
        let asked = Some(self.asked.clone()).filter(|_| wants_protocol && !presented);
        Ok(Box::new(Secured { buffers, stream, peer: peer_name, presented, is_silent: true, asked }))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// A connection inside TLS.
struct Secured {
    buffers: LazyPages,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    peer: String,
    presented: bool,
    /// Nothing has come yet.
    is_silent: bool,
    /// For HTTP/2, where the server speaks first, and there is but one that can have asked.
    asked: Option<Arc<Asked>>,
}

impl Secured {
    /// With TLS 1.3 the refusal of a client certificate arrives after the handshake.
    fn told(&mut self, error: io::Error) -> ureq::Error {
        match refusal(&error, &mut self.stream.conn, &mut self.stream.sock) {
            Some(refusal @ rustls::Error::AlertReceived(_)) => {
                wrap(refused(&refusal, &self.peer, self.presented).sent(true))
            }
            None if refusal::is_end(&error) && self.is_unshown() => {
                wrap(refusal::unshown(&self.peer).with_source(error))
            }
            _ => error.into(),
        }
    }

    /// Whether the server has asked for a client certificate in vain, and said nothing since.
    ///
    /// Some refuse a client by closing without a word.
    fn is_unshown(&self) -> bool {
        self.is_silent && self.asked.as_ref().is_some_and(|asked| asked.in_vain())
    }
}

impl Transport for Secured {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output).map_err(|error| self.told(error))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = io::Read::read(&mut self.stream, input).map_err(|error| self.told(error))?;
        self.buffers.input_appended(amount);
        if amount == 0 && self.is_unshown() {
            return Err(wrap(refusal::unshown(&self.peer)));
        }
        self.is_silent &= amount == 0;
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured").field("peer", &self.peer).finish_non_exhaustive()
    }
}
