//! The default client, over [ureq](https://docs.rs/ureq).

use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::{AutoHeaderValue, Config};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use ureq::{Agent, AsSendBody, Body, Proxy};

use crate::env::{Env, SystemEnv};
use crate::excerpt::shown;
use crate::process::PerProcess;
use crate::stop::StopToken;

use crate::http::error::{HttpError, HttpErrorKind};
use crate::http::options::HttpOptions;
use crate::http::ureq::connection::Stale;
use crate::http::ureq::encoding::BodyEncoding;
use crate::http::ureq::redact::{Hiding, Vault};
use crate::http::ureq::stops::stopped_in_line;
use crate::http::{HttpClient, HttpMethod, HttpRequest, HttpResponse, is_sensitive};
use crate::net::connect::{Dialer, Dialing, Peer};
use crate::net::dns::Names;
use crate::net::permits::Slots;
use crate::net::proxy::Routes;
use crate::net::tls::Tls;

/// The HTTP client that calls use unless they are given another: blocking, HTTP/1.1, TLS 1.2 or later by rustls.
///
/// It keeps connections for 100 s (if the [`HttpOptions`] do not say otherwise) and addresses for 60 s, and starts a
/// thread only to look up a host name that it does not have: one short-lived thread for each such name. When a
/// kept connection turns out to be closed before a byte of the answer came, the request goes out once more, at
/// once, on a new connection. Redirects are not followed and there are no cookies. Share it between threads behind
/// an [`Arc`](std::sync::Arc).
///
/// A client can be used after a `fork`, in the parent and in the child: the child opens connections of its own and
/// closes its copies of the parent's without sending anything on them.
///
/// It writes no secret to the log. `ureq_proto`, which it is built on, shows whole answers at level `trace`, the
/// tokens of token endpoints included: leave that level off for this target.
///
/// ```
/// use longrunning::http::{HttpAgent, HttpClient, HttpErrorKind, HttpMethod, HttpOptions, HttpRequest, Roots};
///
/// let agent = HttpAgent::new(&HttpOptions::new().roots(Roots::None))?;
/// let error = agent.send(&HttpRequest::new(HttpMethod::Get, "ftp://example.com/")).unwrap_err();
/// assert_eq!(error.kind(), HttpErrorKind::Request);
/// # Ok::<(), longrunning::http::HttpError>(())
/// ```
pub struct HttpAgent {
    local: PerProcess<Local>,
    routes: Routes,
    idle_timeout: Duration,
    max_connections: usize,
}

/// What no process shares with another: connections, and locks.
struct Local {
    agent: Agent,
    dialer: Arc<Dialer>,
    names: Names,
    vault: Vault,
    slots: Slots,
    /// When a kept connection last failed: those that were idle at that time are not used any more.
    suspect: Mutex<Option<Instant>>,
}

impl HttpAgent {
    /// Makes a client; connects to nothing yet.
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind::Tls`] when there is no usable root certificate, the feature for the chosen
    /// [`Roots`](super::Roots) is off, or certificate and key of the client cannot be read, cannot be used, or
    /// do not belong together; [`HttpErrorKind::Proxy`] when the proxy URL given cannot be used.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpError> {
        Self::with_env(options, &SystemEnv)
    }

    pub(crate) fn with_env(options: &HttpOptions, env: &dyn Env) -> Result<Self, HttpError> {
        Self::with_parts(options, env, Names::new())
    }

    pub(crate) fn with_parts(options: &HttpOptions, env: &dyn Env, names: Names) -> Result<Self, HttpError> {
        let gzip = if cfg!(feature = "gzip") { "gzip".into() } else { AutoHeaderValue::None };
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(AutoHeaderValue::None)
            .accept(AutoHeaderValue::None)
            .accept_encoding(gzip)
            .max_response_header_size(MAX_HEADER)
            .max_idle_age(options.idle_timeout)
            .max_idle_connections(options.idle_total)
            .max_idle_connections_per_host(options.idle_per_host)
            .build();
        let vault = Vault::default();
        let dialer = Dialer::new(Tls::http1(options)?, names.clone(), vault.clone());
        let max_connections = options.max_connections;
        Ok(Self {
            local: PerProcess::new(Local::new(config, dialer, names, vault, max_connections)),
            routes: Routes::new(&options.proxy, env)?,
            idle_timeout: options.idle_timeout,
            max_connections,
        })
    }

    fn local(&self) -> &Local {
        self.local.get_or(|parent| {
            let (names, vault) = (parent.names.inherited(), Vault::default());
            let dialer = parent.dialer.inherited(names.clone(), vault.clone());
            Local::new(parent.agent.config().clone(), dialer, names, vault, self.max_connections)
        })
    }
}

impl Local {
    fn new(config: Config, dialer: Dialer, names: Names, vault: Vault, max_connections: usize) -> Self {
        let dialer = Arc::new(dialer);
        let agent = Agent::with_parts(config, Dialing(dialer.clone()), names.clone());
        Self { agent, dialer, names, vault, slots: Slots::new(max_connections), suspect: Mutex::new(None) }
    }
}

impl HttpClient for HttpAgent {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let (started, local) = (Instant::now(), self.local());
        let uri = checked(request.url)?;
        let proxy = self.routes.to(&uri)?;
        let target = Target { uri, proxy };
        let peer = Peer::of(&target.uri);
        let budget = request.timeout.min(LONGEST);
        if budget.is_zero() {
            return Err(
                HttpError::new(HttpErrorKind::Timeout, format!("no time left to ask {peer}")).sent(false)
            );
        }
        let Some(_slot) = local.slots.take(budget, request.stop) else {
            if request.stop.is_some_and(StopToken::is_stopped) {
                return Err(stopped_in_line());
            }
            let message = format!("no connection to {peer} was free in time: see `max_connections`");
            return Err(HttpError::new(HttpErrorKind::Timeout, message).sent(false));
        };
        let _heed = local.dialer.stops().heed(request.stop);
        let left = budget.saturating_sub(started.elapsed());
        let error = match local.exchange(request, &target, left, local.trusted_age(self.idle_timeout)) {
            Err(Failure::Stale(error)) => error,
            first => return first.map_err(|failure| failure.into_error(&peer)),
        };
        *local.suspect.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let left = budget.saturating_sub(started.elapsed());
        if left.is_zero() || matches!(error, ureq::Error::Timeout(_)) {
            return Err(unanswered(error, &peer));
        }
        log::debug!("a kept connection to {peer} was closed: asking again on a new one");
        let second = local.exchange(request, &target, left, Duration::ZERO);
        second.map_err(|failure| failure.into_error(&peer).sent(true))
    }
}

struct Target {
    uri: Uri,
    proxy: Option<Proxy>,
}

impl Local {
    /// Sends the request once, on a connection that was idle for less than `idle_age` or on a new one.
    fn exchange(
        &self,
        request: &HttpRequest<'_>,
        target: &Target,
        budget: Duration,
        idle_age: Duration,
    ) -> Result<HttpResponse, Failure> {
        let mut hiding = self.vault.open();
        let head = head(request, &target.uri, &mut hiding).map_err(Failure::Final)?;
        let answered = match body(request) {
            Some(body) => {
                let shown = hiding.body(body);
                self.run(head.map(|()| shown.as_deref().unwrap_or(body)), target, budget, idle_age)
            }
            None => self.run(head, target, budget, idle_age),
        };
        let peer = Peer::of(&target.uri);
        let response = answered.map_err(|error| Failure::of(error, &peer))?;
        read(response, request.limit, &peer).map_err(Failure::Final)
    }

    fn run(
        &self,
        request: Request<impl AsSendBody>,
        target: &Target,
        budget: Duration,
        idle_age: Duration,
    ) -> Result<Response<Body>, ureq::Error> {
        let request = self.agent.configure_request(request).timeout_global(Some(budget));
        self.agent.run(request.proxy(target.proxy.clone()).max_idle_age(idle_age).build())
    }

    fn trusted_age(&self, idle_timeout: Duration) -> Duration {
        let suspect = *self.suspect.lock().unwrap_or_else(PoisonError::into_inner);
        suspect.map_or(idle_timeout, |since| since.elapsed().min(idle_timeout))
    }
}

impl fmt::Debug for HttpAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAgent").finish_non_exhaustive()
    }
}

/// Takes an absolute URL of `https` or `http` without credentials.
pub(crate) fn checked(url: &str) -> Result<Uri, HttpError> {
    let refuse =
        |why: &str| HttpError::new(HttpErrorKind::Request, format!("cannot ask for this URL: {why}"));
    let uri: Uri = url.parse().map_err(|error| refuse("it is not well formed").with_source(error))?;
    if !matches!(uri.scheme_str(), Some("https" | "http")) {
        return Err(refuse("its scheme is not `https` or `http`"));
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(refuse("it has no host"));
    }
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    if authority.contains('@') {
        return Err(refuse("it contains credentials"));
    }
    // ureq takes the default port for one that is not a number.
    if uri.port_u16().is_none() && uri.host() != Some(authority) {
        return Err(refuse("its port is not a number up to 65535"));
    }
    Ok(uri)
}

fn head(request: &HttpRequest<'_>, uri: &Uri, hiding: &mut Hiding<'_>) -> Result<Request<()>, HttpError> {
    let mut head = Request::new(());
    *head.method_mut() = match request.method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Post => Method::POST,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Patch => Method::PATCH,
    };
    *head.uri_mut() = uri.clone();
    for (name, value) in request.headers {
        let refuse = |why: &str| {
            let message = format!("cannot send header `{}`: {why}", shown(name));
            HttpError::new(HttpErrorKind::Request, message)
        };
        let header =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse("its name is not a header name"))?;
        if FRAMING.contains(&header) {
            return Err(refuse("the client sets it"));
        }
        let value = HeaderValue::from_str(value).ok().filter(|value| value.to_str().is_ok());
        let value = value.ok_or_else(|| refuse("its value is not printable ASCII"))?;
        let shown = is_sensitive(name).then(|| hiding.header(value.to_str().ok()?)).flatten();
        let value = shown.and_then(|shown| HeaderValue::try_from(shown).ok()).unwrap_or(value);
        head.headers_mut().append(header, value);
    }
    Ok(head)
}

fn body<'a>(request: &HttpRequest<'a>) -> Option<&'a [u8]> {
    match request.method {
        // Without a body, servers want `content-length: 0` for these.
        HttpMethod::Put | HttpMethod::Post | HttpMethod::Patch => Some(request.body.unwrap_or_default()),
        HttpMethod::Get | HttpMethod::Delete => request.body,
    }
}

/// Reads the answer to its end, so that the connection can be kept; drops the connection at the cap.
fn read(response: Response<Body>, limit: usize, peer: &Peer<'_>) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    check_framing(&parts.headers, peer)?;
    let encoding = BodyEncoding::of(&parts.headers);
    let body = match parts.status.is_success() {
        true => read_all(body, encoding, limit, peer)?,
        false => read_some(body, encoding, peer),
    };
    Ok(HttpResponse { status: parts.status.as_u16(), headers: readable(&parts.headers), body })
}

fn read_all(body: Body, encoding: BodyEncoding, limit: usize, peer: &Peer<'_>) -> Result<Vec<u8>, HttpError> {
    let too_large = || {
        let message = format!("answer of {peer} is larger than the limit of {limit} bytes");
        HttpError::new(HttpErrorKind::TooLarge, message)
    };
    let announced = body.content_length().unwrap_or_default();
    if announced > limit as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(announced.min(MAX_RESERVED) as usize);
    let one_more = (limit as u64).saturating_add(1);
    let read = encoding.decode(body.into_reader(), peer)?.take(one_more).read_to_end(&mut bytes);
    match read {
        Ok(length) if length > limit => Err(too_large()),
        Ok(_) => Ok(bytes),
        #[cfg(feature = "gzip")]
        Err(error) if bytes.is_empty() && is_no_gzip(&error) => {
            let message = format!("the response of {peer} has content-encoding `gzip` and is not compressed");
            Err(HttpError::new(HttpErrorKind::Encoding, message).with_source(error))
        }
        Err(error) => Err(cut(error.into(), peer)),
    }
}

/// Whether a decoder, ureq's or ours, found no gzip at the beginning.
#[cfg(feature = "gzip")]
fn is_no_gzip(error: &std::io::Error) -> bool {
    let of_ureq = error.get_ref().and_then(|inner| inner.downcast_ref());
    let kind = match of_ureq {
        Some(ureq::Error::Decompress(_, cause)) => cause.kind(),
        Some(_) => return false,
        None => error.kind(),
    };
    kind == std::io::ErrorKind::InvalidInput
}

/// What there is of the body of an error: the status says more than the rest of the body would.
fn read_some(body: Body, encoding: BodyEncoding, peer: &Peer<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(body) = encoding.decode(body.into_reader(), peer) {
        let _ = body.take(MAX_ERROR_BODY as u64 + 1).read_to_end(&mut bytes);
    }
    bytes.truncate(MAX_ERROR_BODY);
    bytes
}

fn check_framing(headers: &HeaderMap, peer: &Peer<'_>) -> Result<(), HttpError> {
    let refuse =
        |what: &str| Err(HttpError::new(HttpErrorKind::Protocol, format!("answer of {peer} {what}")));
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        // RFC 9112 section 6.3: an attempt at smuggling, which "ought to be handled as an error".
        return refuse("has both `transfer-encoding` and `content-length`");
    }
    Ok(())
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// The error for a request that was sent, or begun, and got no answer.
pub(crate) fn unanswered(error: ureq::Error, peer: &Peer<'_>) -> HttpError {
    let refuse = |kind, what: &str| HttpError::new(kind, format!("{peer} {what}"));
    match error {
        ureq::Error::Timeout(_) => {
            HttpError::new(HttpErrorKind::Timeout, format!("timed out waiting for an answer of {peer}"))
        }
        ureq::Error::Io(error) => {
            refuse(HttpErrorKind::Interrupted, "closed the connection before an answer").with_source(error)
        }
        ureq::Error::Other(error) => match error.downcast::<HttpError>() {
            Ok(known) => *known,
            Err(error) => refuse(HttpErrorKind::Interrupted, "could not be asked")
                .with_source(ureq::Error::Other(error)),
        },
        ureq::Error::LargeResponseHeader(..) => {
            refuse(HttpErrorKind::Protocol, &format!("answered with more than {MAX_HEADER} bytes of headers"))
        }
        // Told by its text: the crate that has the type is a dependency of ureq only.
        ureq::Error::Protocol(error) if error.to_string().contains("too many headers") => {
            refuse(HttpErrorKind::Protocol, &format!("answered with more than {MAX_HEADERS} headers"))
                .with_source(error)
        }
        ureq::Error::Protocol(error) => {
            refuse(HttpErrorKind::Protocol, "did not answer in proper HTTP/1.1").with_source(error)
        }
        error @ (ureq::Error::Http(_) | ureq::Error::BadUri(_)) => {
            HttpError::new(HttpErrorKind::Request, format!("cannot send this request to {peer}"))
                .with_source(error)
        }
        error => refuse(HttpErrorKind::Interrupted, "could not be asked").with_source(error),
    }
}

/// The error for an answer that began with a good status and did not come to its end.
pub(crate) fn cut(error: ureq::Error, peer: &Peer<'_>) -> HttpError {
    let message = format!("answer of {peer} was cut short");
    match error {
        ureq::Error::Other(error) if error.is::<HttpError>() => unanswered(ureq::Error::Other(error), peer),
        ureq::Error::Timeout(_) => {
            HttpError::new(HttpErrorKind::Timeout, format!("timed out reading the answer of {peer}"))
        }
        ureq::Error::Io(error) => HttpError::new(HttpErrorKind::Interrupted, message).with_source(error),
        error => HttpError::new(HttpErrorKind::Interrupted, message).with_source(error),
    }
}

enum Failure {
    /// A kept connection failed before the answer began.
    Stale(ureq::Error),
    Final(HttpError),
}

impl Failure {
    fn of(error: ureq::Error, peer: &Peer<'_>) -> Self {
        let ureq::Error::Other(error) = error else {
            return Self::Final(unanswered(error, peer));
        };
        match error.downcast::<Stale>() {
            Ok(stale) => Self::Stale(stale.0),
            Err(error) => Self::Final(unanswered(ureq::Error::Other(error), peer)),
        }
    }

    fn into_error(self, peer: &Peer<'_>) -> HttpError {
        match self {
            Self::Stale(error) => unanswered(error, peer),
            Self::Final(error) => error,
        }
    }
}

/// Longer budgets are cut to this: adding them to a point in time could overflow, at which ureq panics.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

const MAX_HEADER: usize = 64 * 1024;
/// Fixed in `ureq_proto`.
const MAX_HEADERS: usize = 128;
const MAX_ERROR_BODY: usize = 64 * 1024;

/// Room made for a body because its `content-length` says so, before any of it has come.
const MAX_RESERVED: u64 = 1 << 20;

/// Headers that decide where a message goes and where it ends; one from outside could smuggle a second request.
const FRAMING: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_say_what_was_waited_for() {
        let uri = Uri::from_static("https://example.com/v1");
        let timeout = || ureq::Error::Timeout(ureq::Timeout::Global);
        for (error, message) in [
            (unanswered(timeout(), &Peer::of(&uri)), "timed out waiting for an answer of example.com:443"),
            (cut(timeout(), &Peer::of(&uri)), "timed out reading the answer of example.com:443"),
        ] {
            assert_eq!(error.to_string(), message);
            assert_eq!(
                (error.kind(), error.was_sent(), error.is_transient()),
                (HttpErrorKind::Timeout, true, true)
            );
        }
    }
}
