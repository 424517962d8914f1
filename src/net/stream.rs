//! Connections that carry HTTP/2: bytes to and from one origin, as the [`HttpOptions`] say.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::time::Instant as Time;
use ureq::unversioned::transport::{ConnectionDetails, NextTimeout, Transport};
use ureq::{Agent, Error, Proxy, Timeout, http::Uri};

use crate::env::Env;
use crate::stop::StopToken;

use crate::http::error::{HttpError, HttpErrorKind};
use crate::http::options::HttpOptions;
use crate::http::ureq::agent::{LONGEST, checked, cut, unanswered};
use crate::http::ureq::redact::Vault;
use crate::http::ureq::stops::Heed;
use crate::net::connect::{Dialer, Peer};
use crate::net::dns::Names;
use crate::net::proxy::Routes;
use crate::net::tls::Tls;

/// Opens connections to one origin.
#[derive(Debug)]
pub(crate) struct Opener {
    uri: Uri,
    proxy: Result<Option<Proxy>, HttpError>,
    dialer: Dialer,
    names: Names,
}

impl Opener {
    /// For the origin of `url`; connects to nothing yet. Over TLS the server has to agree on HTTP/2.
    pub(crate) fn new(url: &str, options: &HttpOptions, env: &dyn Env) -> Result<Self, HttpError> {
        let uri = checked(url)?;
        let proxy = Routes::new(&options.proxy, env)?.to(&uri);
        let (tls, names) = (Tls::http2(options)?, Names::new());
        Ok(Self { uri, proxy, dialer: Dialer::new(tls, names.clone(), Vault::default()), names })
    }

    /// One for a forked child: it has no connection of this one, and no lock.
    pub(crate) fn inherited(&self) -> Self {
        let names = self.names.inherited();
        let dialer = self.dialer.inherited(names.clone(), Vault::default());
        Self { uri: self.uri.clone(), proxy: self.proxy.clone(), dialer, names }
    }

    /// Host and port, as messages name them.
    pub(crate) fn peer(&self) -> String {
        Peer::of(&self.uri).to_string()
    }

    /// Has what this thread waits for, on all connections made here, end when `token` is stopped.
    pub(crate) fn heed(&self, token: Option<&StopToken>) -> Heed<'_> {
        self.dialer.stops().heed(token)
    }

    /// Connects within `budget`. Nothing of a request was sent when this fails.
    pub(crate) fn open(&self, budget: Duration) -> Result<Stream, HttpError> {
        let peer = Peer::of(&self.uri);
        let config = Agent::config_builder()
            .proxy(self.proxy.clone()?)
            .input_buffer_size(INPUT)
            .output_buffer_size(OUTPUT)
            .build();
        let timeout = within(budget);
        let now = Time::now();
        let addrs = match config.proxy() {
            Some(_) => self.names.empty(),
            None => self
                .names
                .resolve(&self.uri, &config, timeout)
                .map_err(|error| self.dialer.failed(error, &peer))?,
        };
        let details = ConnectionDetails {
            uri: &self.uri,
            addrs,
            config: &config,
            request_level: false,
            resolver: &self.names,
            now,
            timeout,
            current_time: Arc::new(Time::now),
            run_connector: Arc::new(|_| Err(Error::ConnectionFailed)),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        let inner = self.dialer.open(&details)?;
        Ok(Stream { inner, uri: self.uri.clone() })
    }
}

/// A connection; what goes wrong on it is told in the words of an HTTP exchange.
#[derive(Debug)]
pub(crate) struct Stream {
    inner: Box<dyn Transport>,
    uri: Uri,
}

impl Stream {
    /// Appends what has come, or what comes first until `deadline`, to `sink`; gives how much that is, zero at the end.
    ///
    /// `begun` says whether an answer has begun: that makes other words.
    pub(crate) fn read(
        &mut self,
        sink: &mut Vec<u8>,
        deadline: Instant,
        begun: bool,
    ) -> Result<usize, HttpError> {
        if self.inner.buffers().input().is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            // Zero at the end: ureq's word for it is that nothing has come.
            self.inner.await_input(within(left)).map_err(|error| self.lost(error, begun))?;
        }
        let buffers = self.inner.buffers();
        let input = buffers.input();
        sink.extend_from_slice(input);
        let amount = input.len();
        buffers.input_consume(amount);
        Ok(amount)
    }

    /// Writes all of `bytes` until `deadline`.
    pub(crate) fn write(
        &mut self,
        mut bytes: &[u8],
        deadline: Instant,
        begun: bool,
    ) -> Result<(), HttpError> {
        while !bytes.is_empty() {
            let output = self.inner.buffers().output();
            let amount = bytes.len().min(output.len());
            let (now, later) = bytes.split_at(amount);
            if let Some(place) = output.get_mut(..amount) {
                place.copy_from_slice(now);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            self.inner.transmit_output(amount, within(left)).map_err(|error| self.lost(error, begun))?;
            bytes = later;
        }
        Ok(())
    }

    /// Whether nothing has come that was not read, not even the end.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.inner.buffers().input().is_empty() && self.inner.is_open()
    }

    /// The error for a connection that the peer has closed in the middle of a call.
    pub(crate) fn closed(&self, begun: bool) -> HttpError {
        self.lost(io::Error::from(io::ErrorKind::UnexpectedEof).into(), begun)
    }

    /// The error for a peer that breaks the rules of HTTP/2.
    pub(crate) fn improper(&self) -> HttpError {
        HttpError::new(HttpErrorKind::Protocol, format!("{} did not answer in proper HTTP/2", self.peer()))
    }

    /// Host and port, as messages name them.
    pub(crate) fn peer(&self) -> String {
        Peer::of(&self.uri).to_string()
    }

    fn lost(&self, error: Error, begun: bool) -> HttpError {
        let peer = Peer::of(&self.uri);
        if begun { cut(error, &peer) } else { unanswered(error, &peer) }
    }
}

fn within(left: Duration) -> NextTimeout {
    NextTimeout { after: left.min(LONGEST).into(), reason: Timeout::Global, ..NextTimeout::default() }
}

/// What is read at once: some frames of a large answer.
const INPUT: usize = 64 * 1024;

/// What is written at once: more than any request, filters aside.
const OUTPUT: usize = 16 * 1024;
