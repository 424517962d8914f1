//! The HTTP request of one attempt, for any method.
//!
//! A call and a start differ in where path and body come from; from here on
//! they are the same.

use crate::http::HttpMethod;

/// The parts of a request that differ between calls. Headers that all requests
/// have are added when it is sent.
pub(super) struct RestRequest<'a> {
    pub(super) verb: HttpMethod,
    /// Path and query, as for [`HttpRoute`](super::route::HttpRoute).
    pub(super) target: &'a str,
    /// The body; `None` sends no `content-type`.
    pub(super) content: Option<RestContent<'a>>,
    /// The value of `x-goog-request-params`.
    pub(super) routing: Option<String>,
    /// The name of the operation or the path of the start, for the log.
    pub(super) name: &'a str,
    /// The largest response in bytes, after decompression.
    pub(super) limit: usize,
    /// Whether the request must be sent at most once, so that no layer below
    /// resends it.
    pub(super) once: bool,
}

/// The body of a request and its media type.
pub(super) struct RestContent<'a> {
    pub(super) media_type: &'static str,
    pub(super) bytes: &'a [u8],
}

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";
