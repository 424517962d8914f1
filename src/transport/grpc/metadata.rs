//! The metadata of a call: headers of HTTP/2.
//!
//! What all calls of a client share is made once ([`RequestHeads`]). An attempt
//! copies it and adds what differs, in this order: routing, quota project,
//! compression and headers of the caller ([`RequestHeads::head_to`]), the
//! credentials ([`sign`]), and at the last moment the timeout ([`stamped`]).

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, TE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use crate::auth::Authorization;
use crate::error::Error;
#[cfg(feature = "gzip")]
use crate::transport::Compression;
use crate::transport::headers::decode_bin;
use crate::transport::routing::routing_header;
use crate::transport::{Attempt, Endpoint, Rpc, RpcMap, ServiceParts};
use crate::util::excerpt::shown;

/// The metadata that all calls of a client share.
#[derive(Debug)]
pub(super) struct RequestHeads {
    /// The URI of each method, `https://host/google.longrunning.Operations/…`.
    uris: RpcMap<Uri>,
    headers: HeaderMap,
    /// That of the credentials, for calls that set none.
    quota_project: Option<HeaderValue>,
}

impl RequestHeads {
    /// Makes what all calls share.
    ///
    /// # Errors
    ///
    /// `Config` if the endpoint or an option cannot be in a header.
    pub(super) fn new(service: &ServiceParts) -> Result<Self, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(USER_AGENT, value("user-agent", &service.user_agent)?);
        let token = concat!("grpc/", env!("CARGO_PKG_VERSION"), "-h2");
        headers.insert("x-goog-api-client", value("x-goog-api-client", &service.api_client(token))?);
        if cfg!(feature = "gzip") {
            headers.insert("grpc-accept-encoding", HeaderValue::from_static("gzip,deflate"));
        }
        // Replaced by `stamped`. A copy with this place in it does not grow later, which
        // costs more than the copy.
        headers.insert(&TIMEOUT, HeaderValue::from_static("1u"));
        let quota_project =
            service.quota_project.as_deref().map(|project| value(QUOTA_PROJECT.as_str(), project));
        Ok(Self {
            uris: RpcMap::try_new(|rpc| uri(&service.endpoint, rpc))?,
            headers,
            quota_project: quota_project.transpose()?,
        })
    }

    /// Returns the head of one attempt of an RPC, without its timeout and its
    /// credentials.
    pub(super) fn head(&self, rpc: Rpc, name: &str, attempt: &Attempt<'_>) -> Result<Request<()>, Error> {
        self.head_to(self.uris.get(rpc).clone(), Some(routing_header(name)), attempt)
    }

    /// Returns the head of one attempt of any method; `routing` is the value of
    /// `x-goog-request-params`.
    pub(super) fn head_to(
        &self,
        uri: Uri,
        routing: Option<String>,
        attempt: &Attempt<'_>,
    ) -> Result<Request<()>, Error> {
        let mut head = Request::new(());
        *head.method_mut() = Method::POST;
        *head.version_mut() = Version::HTTP_2;
        *head.uri_mut() = uri;
        let headers = head.headers_mut();
        headers.clone_from(&self.headers);
        if let Some(routing) = routing {
            headers.insert(&REQUEST_PARAMS, value(REQUEST_PARAMS.as_str(), &routing)?);
        }
        let quota_project = match attempt.quota_project() {
            Some(project) => Some(value(QUOTA_PROJECT.as_str(), project)?),
            None => self.quota_project.clone(),
        };
        if let Some(project) = quota_project {
            headers.insert(&QUOTA_PROJECT, project);
        }
        #[cfg(feature = "gzip")]
        if attempt.compression() == Compression::Gzip {
            headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
        }
        // Appended and not inserted: a name may occur several times.
        for (name, text) in attempt.headers() {
            let (header, value) = metadata(name, text)?;
            headers
                .try_append(header, value)
                .map_err(|error| Error::config("the call has too many headers").with_source(error))?;
        }
        Ok(head)
    }
}

/// Writes the credentials into `head`, in place of those of a rejected attempt.
/// Without an authorization, nothing changes.
pub(super) fn sign(head: &mut Request<()>, authorization: Option<&Authorization>) -> Result<(), Error> {
    if let Some(authorization) = authorization {
        let mut secret = value(authorization.header(), authorization.value())?;
        // Kept out of tables of compression, and of what h2 may print.
        secret.set_sensitive(true);
        let name = HeaderName::from_bytes(authorization.header().as_bytes()).unwrap_or(AUTHORIZATION);
        head.headers_mut().insert(name, secret);
    }
    Ok(())
}

/// Returns `head` with the timeout for the server, `grpc-timeout`.
///
/// It is computed when there is a connection: the time for a permit, connecting
/// and a refused stream has passed for the server too.
pub(super) fn stamped(head: &Request<()>, left: Duration) -> Request<()> {
    let mut head = head.clone();
    // Digits and a letter are always a value.
    if let Ok(timeout) = HeaderValue::try_from(timeout(left.saturating_sub(reserve(left)))) {
        head.headers_mut().insert(&TIMEOUT, timeout);
    }
    head
}

/// Returns by how much the timeout in the request is shorter than the remaining
/// time, so that the server's own `DEADLINE_EXCEEDED` arrives within it.
pub(super) fn reserve(left: Duration) -> Duration {
    (left / 20).min(MOST_RESERVED)
}

/// Returns the URI of an RPC of `google.longrunning.Operations`.
fn uri(endpoint: &Endpoint, rpc: Rpc) -> Result<Uri, Error> {
    uri_of(endpoint, &format!("/google.longrunning.Operations/{}", rpc.name()))
}

/// Returns the URI of a path that starts with `/`.
pub(super) fn uri_of(endpoint: &Endpoint, path: &str) -> Result<Uri, Error> {
    let url = endpoint.url(path);
    let uri: Result<Uri, _> = url.parse();
    uri.map_err(|error| {
        Error::config(format!("endpoint `{}` makes no URL", shown(&endpoint.to_string()))).with_source(error)
    })
}

/// Returns an entry of the caller's. Names that end in `-bin` have bytes as
/// values, in base64.
///
/// # Errors
///
/// `Config` for a name with `grpc-`, which REST sends as a header for a gateway
/// (`grpc-metadata-…`), and for a value of `-bin` that is not base64.
fn metadata(name: &str, text: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let refuse = |why: &str| Error::config(format!("header `{}` {why}", shown(name)));
    if name.starts_with("grpc-") {
        return Err(refuse("is set by the client: names with `grpc-` are gRPC's own"));
    }
    if name.ends_with("-bin") && (text.contains(',') || decode_bin(text.as_bytes()).is_none()) {
        return Err(refuse("has a value that is not base64, as names with `-bin` want it over gRPC"));
    }
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse("is not an HTTP token"))?;
    let mut value = value(name, text)?;
    // It may be a secret of the caller's.
    value.set_sensitive(true);
    Ok((header, value))
}

fn value(name: &str, text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).map_err(|error| {
        Error::config(format!("value of header `{}` has a control or non-ASCII character", shown(name)))
            .with_source(error)
    })
}

/// Returns the value of `grpc-timeout`: at most eight digits and a unit. It is
/// whole milliseconds from a second on, and a coarser unit if these are too
/// many.
///
/// Calls with the same timeout then mostly have the same value, for which HPACK
/// sends one byte.
///
/// ```text
/// 0 s            1u           zero would be no timeout for some servers
/// 999.999 ms     999999u
/// 10 s           10000m
/// 100 000 s      100000S
/// ```
fn timeout(left: Duration) -> String {
    let units = [(1_000, 'u'), (1_000_000, 'm'), (1_000_000_000, 'S'), (60_000_000_000, 'M')];
    let count = |nanos: u128| left.as_nanos() / nanos;
    // Skips microseconds for a second or more. Without that, nearly every call
    // would have a value of its own.
    let is_long = usize::from(left >= Duration::from_secs(1));
    let fits = units.into_iter().skip(is_long).find(|(nanos, _)| count(*nanos) <= MOST);
    // At least 1 in the unit that is chosen: a timeout of 0 could be read as
    // none.
    let (count, unit) =
        fits.map_or((count(3_600_000_000_000).min(MOST), 'H'), |(nanos, unit)| (count(nanos).max(1), unit));
    // Eight digits are faster to write as a number of their size.
    format!("{}{unit}", count as u32)
}

/// The largest number of eight digits.
const MOST: u128 = 99_999_999;

/// The largest reserve: a round trip to most servers.
const MOST_RESERVED: Duration = Duration::from_millis(50);

static QUOTA_PROJECT: HeaderName = HeaderName::from_static("x-goog-user-project");
static REQUEST_PARAMS: HeaderName = HeaderName::from_static("x-goog-request-params");
static TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_in_eight_digits() {
        let rows = [
            (Duration::ZERO, "1u"),
            (Duration::from_nanos(1_999), "1u"),
            (Duration::from_micros(999_999), "999999u"),
            (Duration::from_micros(1_500_999), "1500m"),
            (Duration::from_secs(10), "10000m"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(100_000), "100000S"),
            (Duration::from_secs(100_000_000), "1666666M"),
            (Duration::from_secs(60 * 100_000_000), "1666666H"),
            (Duration::MAX, "99999999H"),
        ];
        for (left, text) in rows {
            assert_eq!(timeout(left), text, "{left:?}");
        }
    }

    #[test]
    fn servers_are_told_a_little_less() {
        let rows = [
            (Duration::from_nanos(1), "1u"),
            (Duration::from_millis(1), "950u"),
            (Duration::from_secs(1), "950000u"),
            (Duration::from_secs(10), "9950m"),
            (Duration::MAX, "99999999H"),
        ];
        for (left, text) in rows {
            assert_eq!(stamped(&Request::new(()), left).headers()["grpc-timeout"], text, "{left:?}");
        }
    }
}
