//! Connections between calls, and the one resend that is not a retry.
//!
//! ```text
//! call_with_resend
//!    permit ── waits within the deadline
//!    idle connection, used last ──► refresh ──► send ─┬─ response ──► keep
//!    or a new one                                     ├─ Stale, Unprocessed ──► once more, on a new one
//!                                                     └─ any other failure ──► returned
//! ```
//!
//! Permits and connections are separate: a permit limits calls, an idle
//! connection needs none. After `fork` a child has its own connections and
//! permits, since two processes on one connection would receive each other's
//! responses.

use std::sync::Mutex;
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

/// Connections to one service; at most as many as calls are made concurrently.
pub(super) struct ConnectionPool {
    local: PerProcess<LocalPool>,
    server: ServerAddress,
    /// The proxy for this server, for error messages.
    proxy: Option<ProxyServer>,
    max_connections: usize,
    /// The largest number of idle connections; zero turns pooling off.
    max_idle: usize,
    /// The time after which an idle connection is closed.
    idle_timeout: Duration,
}

/// The state that no process shares with another: connections, and locks.
struct LocalPool {
    connector: Connector,
    permits: Permits,
    /// In the order in which they were used last, the newest at the end.
    idle: Mutex<Vec<IdleConnection>>,
}

/// A request and its limits.
pub(super) struct GrpcCall<'a> {
    /// The headers, with the credentials and without the timeout.
    pub(super) head: &'a Request<()>,
    pub(super) message: &'a Bytes,
    /// The largest response message in bytes.
    pub(super) limit: usize,
    /// The deadline for sockets, and the stop token.
    pub(super) io: IoLimit<'a>,
    /// Returns the remaining time of the attempt by its clock.
    pub(super) left: &'a dyn Fn() -> Duration,
    /// Whether the request must be sent at most once. It then goes over a
    /// connection that is new or was used a moment ago.
    pub(super) once: bool,
}

/// A connection without a call.
struct IdleConnection {
    /// In a box, because it is large and moves in and out of the pool.
    channel: Box<GrpcChannel>,
    /// The end of its last call, by the real clock: the server's idle timeout
    /// is real too.
    since: Instant,
}

impl ConnectionPool {
    /// Creates an empty pool.
    ///
    /// # Errors
    ///
    /// Those of network options: roots, certificates, proxies.
    pub(super) fn new(url: &str, options: &HttpOptions, env: &dyn Env) -> Result<Self, HttpError> {
        let (max_idle, idle_timeout) = options.idle_limits();
        let max_connections = options.connection_limit();
        let parts = UrlParts::split(url);
        let server = parts.as_ref().and_then(Peer::of).ok_or_else(|| {
            HttpError::new(HttpErrorKind::Request, "endpoint is not an `https` or `http` URL with a host")
        })?;
        // The pool has one server, so the proxy for it is looked up once.
        let connector = Connector::new(&options.net, Some(HTTP2), DnsCache::new(), env)?;
        let proxy = connector.routes().to(&server)?.cloned();
        let local = PerProcess::new(LocalPool::new(connector, max_connections));
        Ok(Self { local, server: server.into(), proxy, max_connections, max_idle, idle_timeout })
    }

    /// Returns the state of this process, which a forked child makes anew.
    ///
    /// The sockets of the parent's channels are closed without sending
    /// anything. The channels themselves stay in memory. A call asks once: a
    /// thread that forks is not in the middle of a call.
    fn local(&self) -> &LocalPool {
        self.local.get_or(|parent| LocalPool::new(parent.connector.inherited(), self.max_connections))
    }

    /// Makes a call; errors name the proxy, if there is one.
    pub(super) fn call(&self, call: &GrpcCall<'_>) -> Result<GrpcResponse, ChannelFault> {
        let proxy = self.proxy.as_ref();
        self.call_with_resend(call).map_err(|fault| fault.map(|error| error.through(proxy)))
    }

    /// Makes a call, and resends it at most once: if the server certainly has
    /// not processed it, or closed a pooled connection before a response.
    ///
    /// A call that must be sent once is not resent here; its caller decides by
    /// [`HttpError::was_sent`].
    fn call_with_resend(&self, call: &GrpcCall<'_>) -> Result<GrpcResponse, ChannelFault> {
        // Taken before a connection is chosen, and held for the whole call: so there
        // are never more connections than permits.
        let local = self.local();
        let permit = local.permits.take(call.io);
        let _permit =
            permit.map_err(|error| ChannelFault::Failed(HttpError::no_permit(error, &self.peer())))?;
        // A server may close an idle connection while the request is on its way, and a
        // request that is sent once gets no second connection. So it takes only
        // one that was used a moment ago.
        let most = if call.once { self.idle_timeout.min(MOST_IDLE_BEFORE_ONCE) } else { self.idle_timeout };
        let first = match self.idle(local, call.io.deadline, most) {
            Some(channel) => self.send(local, call, channel).inspect_err(|fault| {
                if matches!(fault, ChannelFault::Failed(error) if error.kind() == HttpErrorKind::Timeout) {
                    // Something in between may have forgotten the connections that were idle as
                    // long.
                    lock(&local.idle).clear();
                }
            }),
            None => self.send(local, call, self.fresh(local, call.io)?),
        };
        let error = match first {
            Err(ChannelFault::Stale(error)) => {
                // The other connections were idle at the same time, so they are probably closed
                // too.
                lock(&local.idle).clear();
                if call.once {
                    return Err(ChannelFault::Stale(error));
                }
                error
            }
            Err(ChannelFault::Unprocessed(error)) if !call.once => error,
            other => return other,
        };
        // Checked here, because the resend would only report that nothing was
        // sent in time, and hide why the first one failed.
        if (call.left)().is_zero() {
            return Err(ChannelFault::Failed(error));
        }
        log::debug!("{error}: sending the request again on a new connection");
        self.fresh(local, call.io).and_then(|channel| self.send(local, call, channel)).map_err(|fault| {
            match fault {
                // The server may have processed the first request, so the error must not say that nothing was
                // sent.
                ChannelFault::Failed(second) if error.was_sent() => ChannelFault::Failed(second.sent(true)),
                fault => fault,
            }
        })
    }

    /// Sends a request with the remaining time as its timeout, which does not
    /// include the time to get the connection. Keeps the connection if there is
    /// a response.
    fn send(
        &self,
        local: &LocalPool,
        call: &GrpcCall<'_>,
        mut channel: Box<GrpcChannel>,
    ) -> Result<GrpcResponse, ChannelFault> {
        let left = (call.left)();
        if left.is_zero() {
            let message = format!("no connection to {} was there in time", self.peer());
            return Err(ChannelFault::Failed(HttpError::new(HttpErrorKind::Timeout, message).sent(false)));
        }
        let head = stamped(call.head, left);
        let response = channel.call(head, call.message.clone(), call.limit, call.io)?;
        self.keep(local, channel);
        Ok(response)
    }

    /// Returns the server, as messages name it.
    pub(super) fn peer(&self) -> Peer<'_> {
        self.server.peer()
    }

    /// Opens a connection.
    fn fresh(&self, local: &LocalPool, limit: IoLimit<'_>) -> Result<Box<GrpcChannel>, ChannelFault> {
        let channel = GrpcChannel::open(&local.connector, &self.server, limit);
        channel.map(Box::new).map_err(ChannelFault::Failed)
    }

    /// Returns the connection that was used last and is still good, if it was
    /// idle for less than `most`.
    ///
    /// The last one is the most likely to be open. Connections that are too
    /// old, or found closed, are dropped on the way.
    fn idle(&self, local: &LocalPool, deadline: Instant, most: Duration) -> Option<Box<GrpcChannel>> {
        loop {
            let mut idle = lock(&local.idle);
            let now = Instant::now();
            let age = |idle: &IdleConnection| now.saturating_duration_since(idle.since);
            if idle.last().is_some_and(|last| age(last) >= self.idle_timeout) {
                // All below it are older.
                idle.clear();
            }
            let IdleConnection { mut channel, .. } = idle.pop_if(|idle| age(idle) < most)?;
            // Without the lock, because `refresh` reads from the socket.
            drop(idle);
            if channel.refresh(deadline) {
                return Some(channel);
            }
        }
    }

    /// Pools a connection after a call, unless it is over or pooling is off.
    fn keep(&self, local: &LocalPool, channel: Box<GrpcChannel>) {
        if channel.is_over() || self.max_idle == 0 || self.idle_timeout.is_zero() {
            return;
        }
        let mut idle = lock(&local.idle);
        if idle.len() >= self.max_idle {
            // Drops the oldest one, which the server is most likely to close next.
            idle.remove(0);
        }
        idle.push(IdleConnection { channel, since: Instant::now() });
    }

    /// Changes when the idle connections were used last.
    #[cfg(test)]
    pub(super) fn set_idle_since(&self, since: Instant) {
        lock(&self.local().idle).iter_mut().for_each(|idle| idle.since = since);
    }
}

impl LocalPool {
    fn new(connector: Connector, max_connections: usize) -> Self {
        Self { connector, permits: Permits::new(max_connections), idle: Mutex::default() }
    }
}

/// The protocol that a server has to agree on over TLS.
const HTTP2: AlpnProtocol =
    AlpnProtocol { id: b"h2", missing: "does not offer HTTP/2 (ALPN `h2`), which gRPC needs" };

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::TcpListener;

    use super::*;
    use crate::http::ProxySetting;

    #[test]
    fn a_connection_is_taken_if_it_was_idle_for_less_than_the_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let options = HttpOptions::new().proxy(ProxySetting::None);
        let pool = ConnectionPool::new(&url, &options, &BTreeMap::<String, String>::new()).unwrap();
        let later = Instant::now() + Duration::from_secs(3600);
        pool.keep(pool.local(), pool.fresh(pool.local(), IoLimit::new(later, None)).unwrap());
        // Later than the test ends, so that no time has passed since.
        pool.set_idle_since(later);
        assert!(pool.idle(pool.local(), later, Duration::ZERO).is_none());
        assert!(pool.idle(pool.local(), later, Duration::from_nanos(1)).is_some());
    }
}
