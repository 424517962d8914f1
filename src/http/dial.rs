//! Connections: how they are made, and what is known of one when it fails.
//!
//! ureq does not tell whether a connection was a kept one, nor whether a byte was sent or answered when it
//! fails. Both ends are wrapped here, and what they know travels to [`HttpAgent`](super::HttpAgent) inside
//! `ureq::Error::Other`: an [`HttpError`] from before the request, a [`Stale`] from a kept connection.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use ureq::http::Uri;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector, Transport,
};

use super::error::{HttpError, HttpErrorKind};
use super::resolver::{Names, port};
use super::socket::Tcp;
use super::tls;

/// Connects through the proxy if there is one, then over TCP, then TLS; every failure becomes an [`HttpError`] that
/// names host and port.
pub(super) struct Dialer {
    connect: Arc<Connect>,
    names: Names,
}

type Connect = dyn Fn(&ConnectionDetails<'_>) -> Result<Box<dyn Transport>, ureq::Error> + Send + Sync;

impl Dialer {
    pub(super) fn new(names: Names) -> Self {
        let chain = ().chain(ConnectProxyConnector::default()).chain(Tcp).chain(RustlsConnector::default());
        let connect = move |details: &ConnectionDetails<'_>| match chain.connect(details, None)? {
            Some(connection) => Ok(Box::new(connection) as Box<dyn Transport>),
            None => Err(ureq::Error::ConnectionFailed),
        };
        Self { connect: Arc::new(connect), names }
    }

    /// Connects to the proxy: not watched as a [`Link`], because the `CONNECT` is no exchange of ours.
    fn to_proxy(&self) -> Arc<Connect> {
        let (connect, names) = (self.connect.clone(), self.names.clone());
        Arc::new(move |details| {
            let peer = Peer::of(details.uri);
            let until = Instant::now().checked_add(*details.timeout.after);
            let inner = connect(details).map_err(|error| {
                names.forget(peer.host);
                wrap(not_connected(error, &format_args!("proxy {peer}")))
            })?;
            Ok(Box::new(Hop { inner, until, answered: false }))
        })
    }
}

impl Connector for Dialer {
    type Out = Link;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Link>, ureq::Error> {
        let adjusted = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            // All requests carry a timeout, which makes their settings "request level", and for those ureq would
            // build roots and TLS configuration anew for every connection and never resume a session.
            request_level: false,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: self.to_proxy(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let inner = (self.connect)(&adjusted).map_err(|error| {
            let peer = Peer::of(details.uri);
            self.names.forget(peer.host);
            wrap(not_connected(error, &peer))
        })?;
        Ok(Some(Link { inner, reused: false, answered: false }))
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}

fn wrap(error: HttpError) -> ureq::Error {
    ureq::Error::Other(Box::new(error))
}

/// The error for a connection that did not come about; nothing of the request was sent.
fn not_connected(error: ureq::Error, peer: &dyn fmt::Display) -> HttpError {
    let cannot = |kind| HttpError::new(kind, format!("cannot connect to {peer}"));
    match error {
        ureq::Error::Other(error) => match error.downcast::<HttpError>() {
            Ok(known) => *known,
            Err(error) => cannot(HttpErrorKind::Connect).with_source(ureq::Error::Other(error)),
        },
        ureq::Error::Io(error) => match tls::refusal(&error) {
            Some(refusal) => tls::refused(refusal.clone(), peer),
            None => cannot(HttpErrorKind::Connect).with_source(error),
        },
        ureq::Error::Rustls(error) => tls::refused(error, peer),
        ureq::Error::Tls(_) | ureq::Error::Pem(_) => cannot(HttpErrorKind::Tls).with_source(error),
        ureq::Error::Timeout(_) => {
            HttpError::new(HttpErrorKind::Timeout, format!("timed out while connecting to {peer}"))
                .sent(false)
        }
        ureq::Error::ConnectProxyFailed(why) => refused_by_proxy(&why, peer),
        error => cannot(HttpErrorKind::Connect).with_source(error),
    }
}

/// `why` is all there is: `proxy server responded 407/407`.
fn refused_by_proxy(why: &str, peer: &dyn fmt::Display) -> HttpError {
    let status = why.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse::<u16>().ok());
    let message = match status {
        Some(status) => format!("the proxy did not connect to {peer}: it answered {status}"),
        None => format!("the proxy did not connect to {peer}: it did not answer"),
    };
    HttpError::new(HttpErrorKind::Proxy, message).transient(status.is_none_or(|status| status >= 500))
}

/// Host and port, as messages name them.
pub(super) struct Peer<'a> {
    pub(super) host: &'a str,
    port: u16,
}

impl<'a> Peer<'a> {
    pub(super) fn of(uri: &'a Uri) -> Self {
        Self { host: uri.host().unwrap_or_default(), port: port(uri) }
    }
}

impl fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A connection that knows how far the exchange on it got.
#[derive(Debug)]
pub(super) struct Link {
    inner: Box<dyn Transport>,
    /// An earlier exchange on this connection was answered.
    reused: bool,
    /// A byte of the answer to the current exchange has arrived.
    answered: bool,
}

impl Link {
    fn lost(&self, error: ureq::Error) -> ureq::Error {
        match self.reused && !self.answered {
            true => ureq::Error::Other(Box::new(Stale(error))),
            false => error,
        }
    }
}

impl Transport for Link {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        // Sending after an answer is the next exchange.
        if self.answered {
            self.reused = true;
            self.answered = false;
        }
        self.inner.transmit_output(amount, timeout).map_err(|error| self.lost(error))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        match self.inner.await_input(timeout) {
            Ok(true) => {
                self.answered = true;
                Ok(true)
            }
            Ok(false) if self.reused && !self.answered => {
                Err(self.lost(io::Error::from(io::ErrorKind::UnexpectedEof).into()))
            }
            Ok(false) => Ok(false),
            Err(error) => Err(self.lost(error)),
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// A connection to a proxy, which ureq would give the whole budget again for every part of the answer to `CONNECT`.
#[derive(Debug)]
struct Hop {
    inner: Box<dyn Transport>,
    /// When the budget ends, until the `CONNECT` is answered.
    until: Option<Instant>,
    answered: bool,
}

impl Hop {
    fn clamp(&self, mut timeout: NextTimeout) -> NextTimeout {
        if let Some(until) = self.until {
            let left = until.saturating_duration_since(Instant::now()).into();
            timeout.after = timeout.after.min(left);
        }
        timeout
    }
}

impl Transport for Hop {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if self.answered {
            self.until = None;
        }
        self.inner.transmit_output(amount, self.clamp(timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.answered = true;
        self.inner.await_input(self.clamp(timeout))
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// A kept connection failed before the first byte of the answer: the server closed it in the meantime, or
/// (when this holds a timeout) something in between forgot it.
#[derive(Debug)]
pub(super) struct Stale(pub(super) ureq::Error);

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Stale {}

#[cfg(test)]
mod tests {
    use ureq::unversioned::transport::{LazyBuffers, time};

    use super::*;

    #[test]
    fn failures_to_connect() {
        use HttpErrorKind::{Connect, Proxy, Resolve, Timeout, Tls};
        let io = |code| ureq::Error::Io(io::Error::from_raw_os_error(code));
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
            (
                "name that TLS cannot take",
                ureq::Error::Tls("invalid dns name"),
                Tls,
                false,
                "cannot connect to HOST",
            ),
            ("already told", wrap(known), Resolve, false, "cannot find host `a.test`"),
            (
                "proxy says why",
                ureq::Error::ConnectProxyFailed("proxy server responded 407/407".into()),
                Proxy,
                false,
                "the proxy did not connect to HOST: it answered 407",
            ),
            (
                "proxy is silent",
                ureq::Error::ConnectProxyFailed("proxy server did not respond".into()),
                Proxy,
                true,
                "the proxy did not connect to HOST: it did not answer",
            ),
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

    /// Works as long as it is given time.
    #[derive(Debug)]
    struct Timed(LazyBuffers);

    impl Transport for Timed {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.0
        }

        fn transmit_output(&mut self, _: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
            (!timeout.after.is_zero()).then_some(()).ok_or(ureq::Error::Timeout(timeout.reason))
        }

        fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
            self.transmit_output(0, timeout).map(|()| true)
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    #[test]
    fn hop_is_bounded_until_the_proxy_has_answered() {
        let inner = Box::new(Timed(LazyBuffers::new(1, 1)));
        let mut hop = Hop { inner, until: Some(Instant::now()), answered: false };
        let plenty = || NextTimeout { after: time::Duration::from_secs(10), ..NextTimeout::default() };
        hop.transmit_output(0, plenty()).unwrap_err();
        hop.await_input(plenty()).unwrap_err();
        hop.transmit_output(0, plenty()).unwrap();
        hop.await_input(plenty()).unwrap();
    }
}
