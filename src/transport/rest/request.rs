//! The HTTP request of one attempt, for any method.

use crate::http::HttpMethod;

/// The parts of a request that differ between calls.
pub(super) struct RestRequest<'a> {
    pub(super) verb: HttpMethod,
    /// Path and query, as for [`HttpRoute`](super::route::HttpRoute).
    pub(super) target: &'a str,
    pub(super) content: Option<RestContent<'a>>,
    /// The value of `x-goog-request-params`.
    pub(super) routing: Option<String>,
    /// What it is about, for the log.
    pub(super) name: &'a str,
    /// Decoded bytes of the response.
    pub(super) limit: usize,
    /// Sent at most once.
    pub(super) once: bool,
}

/// The body of a request.
pub(super) struct RestContent<'a> {
    pub(super) media_type: &'static str,
    pub(super) bytes: &'a [u8],
}

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";
