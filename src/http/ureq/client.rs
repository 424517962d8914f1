//! One exchange over ureq, and the one resend that is not a retry.
//!
//! A server may close an idle connection at any moment. A request that is sent
//! at that moment fails, although nothing is wrong. So after a *stale*
//! connection, the request is sent again, once:
//!
//! ```text
//! attempt on a pooled or new connection
//!   response, or failure on a new connection ──► the result
//!   stale ─┬─ sent once, or no time left ──────► the error
//!          └─ otherwise ──► attempt on a new connection ──► the result
//! ```
//!
//! A connection is stale if it was used before and failed before the first byte
//! of the response.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ureq::config::{AutoHeaderValue, Config};
use ureq::http::{Request, Response, Uri};
use ureq::{Agent, AsSendBody, Body};

use crate::http::client::{HttpLibrary, MOST_IDLE_BEFORE_ONCE};
use crate::http::error::{HttpError, HttpErrorKind};
use crate::http::options::HttpOptions;
use crate::http::request::HttpRequest;
use crate::http::response::HttpResponse;
use crate::net::connect::Connector;
use crate::net::connection::IoLimit;
use crate::net::error::ConnectionError;
use crate::net::peer::Peer;

use super::connection::{NoResolver, UreqConnector};
use super::error::UreqFailure;
use super::exchange;
use super::redact::SecretVault;
use super::spare_body::SpareBody;
use super::{request, response};
use crate::util::sync::lock;

/// Creates the library for a client with these options.
pub(in crate::http) fn client(options: &HttpOptions, connector: Connector) -> Box<dyn HttpLibrary> {
    let gzip = if cfg!(feature = "gzip") { "gzip".into() } else { AutoHeaderValue::None };
    let config = Agent::config_builder()
        // ureq would read the environment. Proxies are the business of `net`.
        .proxy(None)
        // A status is a response; its meaning is decided in the layers above.
        .http_status_as_error(false)
        // A redirect is a response like any other; see `HttpClient`.
        .max_redirects(0)
        // Headers come from the transport, and none from ureq.
        .user_agent(AutoHeaderValue::None)
        .accept(AutoHeaderValue::None)
        .accept_encoding(gzip)
        .max_response_header_size(super::error::MAX_HEADER)
        // ureq drops idle connections when the next request looks for one.
        .max_idle_age(options.idle_timeout)
        .max_idle_connections(options.idle_total)
        .max_idle_connections_per_host(options.idle_per_host)
        .build();
    Box::new(UreqClient::new(config, connector, options.idle_timeout))
}

/// An agent of ureq, over connections of `net`.
struct UreqClient {
    /// Has the pool.
    agent: Agent,
    connector: Arc<Connector>,
    /// The secrets of the requests that are being sent, shared with the
    /// connections.
    vault: SecretVault,
    /// The configured limit, in the agent too.
    idle_timeout: Duration,
    /// Memory for the next body.
    body: SpareBody,
    /// When a pooled connection last failed. Those that were idle at that time
    /// are not used any more.
    suspect: Mutex<Option<Instant>>,
}

impl UreqClient {
    /// Creates an agent whose connections and names are not ureq's.
    fn new(config: Config, connector: Connector, idle_timeout: Duration) -> Self {
        let (connector, vault) = (Arc::new(connector), SecretVault::default());
        let opens = UreqConnector::new(Arc::clone(&connector), vault.clone());
        let agent = Agent::with_parts(config, opens, NoResolver);
        Self { agent, connector, vault, idle_timeout, body: SpareBody::default(), suspect: Mutex::default() }
    }
}

impl HttpLibrary for UreqClient {
    fn exchange(
        &self,
        request: &HttpRequest<'_>,
        peer: &Peer<'_>,
        limit: IoLimit<'_>,
    ) -> Result<HttpResponse, HttpError> {
        let uri = uri(request.url)?;
        // For both attempts: the resend has the same deadline.
        let _current = exchange::begin(limit);
        let error = match self.attempt(request, &uri, peer, self.idle_age(request)) {
            Err(UreqFailure::Stale(error)) => error,
            first => return first.map_err(|failure| failure.into_error(peer)),
        };
        // What closed this connection, such as a restart of the server, has
        // most likely closed all that were idle with it.
        *lock(&self.suspect) = Some(Instant::now());
        // The request was written, so sending it again repeats it. After a
        // timeout there is no time for that, and a request with `once` must not
        // be repeated.
        if request.once || limit.remaining().is_err() || matches!(error, ConnectionError::Timeout) {
            return Err(HttpError::no_response(error, peer));
        }
        log::debug!("a pooled connection to {peer} was closed: sending the request again on a new one");
        // With an idle age of zero, ureq opens a new connection.
        let second = self.attempt(request, &uri, peer, Some(Duration::ZERO));
        // The first attempt may have reached the server, so the error must not
        // say that nothing was sent.
        second.map_err(|failure| failure.into_error(peer).sent(true))
    }

    fn reuse_body(&self, body: Vec<u8>) {
        self.body.put(body);
    }

    fn inherited(&self) -> Box<dyn HttpLibrary> {
        let config = self.agent.config().clone();
        Box::new(Self::new(config, self.connector.inherited(), self.idle_timeout))
    }
}

impl UreqClient {
    /// Sends the request once, on a pooled connection that was idle for less
    /// than `idle_age`, or on a new one. `None` is the limit of the
    /// configuration.
    fn attempt(
        &self,
        request: &HttpRequest<'_>,
        uri: &Uri,
        peer: &Peer<'_>,
        idle_age: Option<Duration>,
    ) -> Result<HttpResponse, UreqFailure> {
        // Lives until the request is sent: the connection replaces the
        // placeholders.
        let mut placeholders = self.vault.open();
        let head = request::head(request, uri, &mut placeholders).map_err(UreqFailure::Final)?;
        let sent = match request::body(request) {
            Some(body) => {
                let shown = placeholders.body(body);
                self.run(head.map(|()| shown.as_deref().unwrap_or(body)), idle_age)
            }
            None => self.run(head, idle_age),
        };
        let response = sent.map_err(|error| UreqFailure::of(error, peer))?;
        response::read(response, request.limit, peer, &self.body).map_err(UreqFailure::Final)
    }

    /// Sends a request by ureq.
    fn run(
        &self,
        request: Request<impl AsSendBody>,
        idle_age: Option<Duration>,
    ) -> Result<Response<Body>, ureq::Error> {
        match idle_age {
            // Copies the configuration, which is why `None` is better if the
            // limit is the same.
            Some(age) => self.agent.run(self.agent.configure_request(request).max_idle_age(age).build()),
            None => self.agent.run(request),
        }
    }

    /// Returns how long a pooled connection may have been idle; `None` is the
    /// limit of the configuration.
    fn idle_age(&self, request: &HttpRequest<'_>) -> Option<Duration> {
        let trusted = self.trusted_age();
        match request.once {
            // The server may close an idle connection at this moment; see
            // `MOST_IDLE_BEFORE_ONCE`.
            true => Some(trusted.unwrap_or(self.idle_timeout).min(MOST_IDLE_BEFORE_ONCE)),
            false => trusted,
        }
    }

    /// Returns how long a connection may have been idle to be newer than the
    /// last failure. `None` if the limit of the configuration is shorter, so
    /// that ureq need not copy the configuration.
    fn trusted_age(&self) -> Option<Duration> {
        let suspect = *lock(&self.suspect);
        suspect.map(|since| since.elapsed()).filter(|age| *age < self.idle_timeout)
    }
}

/// Parses a URL that [`HttpAgent`](crate::http::HttpAgent) has checked. What it
/// rejects here are characters that need an escape.
fn uri(url: &str) -> Result<Uri, HttpError> {
    url.parse().map_err(|error| {
        HttpError::new(HttpErrorKind::Request, "invalid request URL: it is not well formed")
            .with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::HttpMethod;
    use crate::net::dns::DnsCache;
    use crate::util::env::SystemEnv;

    #[test]
    fn a_request_that_is_sent_once_takes_no_connection_that_was_idle_for_long() {
        let minute = Duration::from_secs(60);
        let request = HttpRequest::new(HttpMethod::Post, "http://127.0.0.1:9/");
        for (idle_timeout, once, expected) in [
            (minute, true, Some(MOST_IDLE_BEFORE_ONCE)),
            (Duration::ZERO, true, Some(Duration::ZERO)),
            (minute, false, None),
        ] {
            let options = HttpOptions { idle_timeout, ..HttpOptions::new() };
            let connector = Connector::new(&options.net, None, DnsCache::new(), &SystemEnv).unwrap();
            let client = UreqClient::new(Config::default(), connector, idle_timeout);
            assert_eq!(client.idle_age(&request.once(once)), expected, "{once}");
            *lock(&client.suspect) = Some(Instant::now());
            let age = client.idle_age(&request.once(once)).unwrap_or(idle_timeout);
            assert!(age < Duration::from_secs(1), "connections are suspect: {age:?}");
        }
    }
}
