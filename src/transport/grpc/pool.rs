//! Connections between calls, and the one resend that is not a retry.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;

use crate::http::{HttpError, HttpErrorKind, HttpOptions, MOST_IDLE_BEFORE_ONCE};
use crate::net::connect::Connector;
use crate::net::connection::IoLimit;
use crate::net::dns::DnsCache;
use crate::net::peer::{Peer, ServerAddress};
use crate::net::permits::Permits;
use crate::net::proxy::ProxyServer;
use crate::net::tls::AlpnProtocol;
use crate::util::env::Env;
use crate::util::process::PerProcess;
use crate::util::url::UrlParts;

use super::channel::{ChannelFault, GrpcChannel, GrpcResponse};
use super::metadata::stamped;
use crate::util::sync::lock;

/// Connections to one service; at most as many as calls are made at the same
/// time.
pub(super) struct ConnectionPool {
    local: PerProcess<LocalPool>,
    server: ServerAddress,
    proxy: Option<ProxyServer>,
    max_connections: usize,
    /// How many unused connections are kept, and for how long.
    most: usize,
    keep: Duration,
}

/// The state that no process shares with another: connections, and locks.
struct LocalPool {
    connector: Connector,
    permits: Permits,
    idle: Mutex<Vec<IdleConnection>>,
}

/// A request and its limits.
pub(super) struct GrpcCall<'a> {
    pub(super) head: &'a Request<()>,
    pub(super) message: &'a Bytes,
    /// Bytes of the response.
    pub(super) limit: usize,
    /// For the sockets, with what ends it when it is stopped.
    pub(super) io: IoLimit<'a>,
    /// Returns the remaining time of the attempt by its clock.
    pub(super) left: &'a dyn Fn() -> Duration,
    /// Sent at most once, on a connection that is new or was just used.
    pub(super) once: bool,
}

struct IdleConnection {
    /// In a box, because it is large and moves in and out of the pool.
    channel: Box<GrpcChannel>,
    since: Instant,
}

impl ConnectionPool {
    pub(super) fn new(url: &str, options: &HttpOptions, env: &dyn Env) -> Result<Self, HttpError> {
        let (most, keep) = options.idle_limits();
        let max_connections = options.connection_limit();
        let parts = UrlParts::split(url);
        let server = parts.as_ref().and_then(Peer::of).ok_or_else(|| {
            HttpError::new(HttpErrorKind::Request, "endpoint is not an `https` or `http` URL with a host")
        })?;
        let connector = Connector::new(&options.net, Some(HTTP2), DnsCache::new(), env)?;
        let proxy = connector.routes().to(&server)?.cloned();
        let local = PerProcess::new(LocalPool::new(connector, max_connections));
        Ok(Self { local, server: server.into(), proxy, max_connections, most, keep })
    }

    /// The sockets below the channels of the parent are closed without a word.
    /// The channels themselves stay in memory.
    fn local(&self) -> &LocalPool {
        self.local.get_or(|parent| LocalPool::new(parent.connector.inherited(), self.max_connections))
    }

    /// Makes a call; errors name the proxy, if there is one.
    pub(super) fn call(&self, call: &GrpcCall<'_>) -> Result<GrpcResponse, ChannelFault> {
        let proxy = self.proxy.as_ref();
        self.call_with_resend(call).map_err(|fault| fault.map(|error| error.through(proxy)))
    }

    /// Makes a call. Makes it once more if the server certainly has not
    /// processed it, or closed a pooled connection before a response; a
    /// call that is to be sent once is left to the caller then.
    fn call_with_resend(&self, call: &GrpcCall<'_>) -> Result<GrpcResponse, ChannelFault> {
        // Taken before a connection is chosen, and held for the whole call: so there
        // are never more connections than permits.
        let permit = self.local().permits.take(call.io);
        let _permit =
            permit.map_err(|error| ChannelFault::Failed(HttpError::no_permit(error, &self.peer())))?;
        // A server may close an idle connection while the request is on its way, and a
        // request that is sent once gets no second connection. So it takes only
        // one that was used a moment ago.
        let most = if call.once { self.keep.min(MOST_IDLE_BEFORE_ONCE) } else { self.keep };
        let first = match self.idle(call.io.deadline, most) {
            Some(channel) => self.send(call, channel).inspect_err(|fault| {
                if matches!(fault, ChannelFault::Failed(error) if error.kind() == HttpErrorKind::Timeout) {
                    // Something in between may have forgotten the connections that were idle as
                    // long.
                    self.lock().clear();
                }
            }),
            None => self.send(call, self.fresh(call.io)?),
        };
        let error = match first {
            Err(ChannelFault::Stale(error)) => {
                // The other connections were idle at the same time, so they are probably closed
                // too.
                self.lock().clear();
                if call.once {
                    return Err(ChannelFault::Stale(error));
                }
                error
            }
            Err(ChannelFault::Unprocessed(error)) if !call.once => error,
            other => return other,
        };
        if (call.left)().is_zero() {
            return Err(ChannelFault::Failed(error));
        }
        log::debug!("{error}: asking again on a new connection");
        self.fresh(call.io).and_then(|channel| self.send(call, channel)).map_err(|fault| match fault {
            // The server may have processed the first request, so the error must not say that nothing was
            // sent.
            ChannelFault::Failed(second) if error.was_sent() => ChannelFault::Failed(second.sent(true)),
            fault => fault,
        })
    }

    /// Sends a request with the remaining time as its timeout, which does not
    /// include the time to get the connection.
    fn send(&self, call: &GrpcCall<'_>, mut channel: Box<GrpcChannel>) -> Result<GrpcResponse, ChannelFault> {
        let left = (call.left)();
        if left.is_zero() {
            let message = format!("no connection to {} was there in time", self.peer());
            return Err(ChannelFault::Failed(HttpError::new(HttpErrorKind::Timeout, message).sent(false)));
        }
        let head = stamped(call.head, left);
        let response = channel.call(head, call.message.clone(), call.limit, call.io)?;
        self.keep(channel);
        Ok(response)
    }

    /// Returns the server, as messages name it.
    pub(super) fn peer(&self) -> Peer<'_> {
        self.server.peer()
    }

    fn fresh(&self, limit: IoLimit<'_>) -> Result<Box<GrpcChannel>, ChannelFault> {
        let channel = GrpcChannel::open(&self.local().connector, &self.server, limit);
        channel.map(Box::new).map_err(ChannelFault::Failed)
    }

    /// Returns the connection that was used last and is still good, if it was
    /// idle for less than `most`.
    fn idle(&self, deadline: Instant, most: Duration) -> Option<Box<GrpcChannel>> {
        loop {
            let mut idle = self.lock();
            if idle.last().is_some_and(|last| last.since.elapsed() >= self.keep) {
                // All below it are older.
                idle.clear();
            }
            let IdleConnection { mut channel, .. } = idle.pop_if(|idle| idle.since.elapsed() < most)?;
            // Without the lock, because `refresh` reads from the socket.
            drop(idle);
            if channel.refresh(deadline) {
                return Some(channel);
            }
        }
    }

    fn keep(&self, channel: Box<GrpcChannel>) {
        if channel.is_over() || self.most == 0 || self.keep.is_zero() {
            return;
        }
        let mut idle = self.lock();
        if idle.len() >= self.most {
            // The oldest one, which the server is most likely to close next.
            idle.remove(0);
        }
        idle.push(IdleConnection { channel, since: Instant::now() });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<IdleConnection>> {
        lock(&self.local().idle)
    }
}

impl LocalPool {
    fn new(connector: Connector, max_connections: usize) -> Self {
        Self { connector, permits: Permits::new(max_connections), idle: Mutex::default() }
    }
}

/// Over TLS the server has to agree on HTTP/2.
const HTTP2: AlpnProtocol =
    AlpnProtocol { id: b"h2", missing: "does not offer HTTP/2 (ALPN `h2`), which gRPC needs" };
