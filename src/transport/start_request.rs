//! The request that starts an operation, as a transport receives it.
//!
//! It is the one request that is no message of `google.longrunning`: every
//! service has methods of its own that return an operation. So it is what both
//! protocols have in common, and each transport refuses what it cannot send.

use std::fmt;

use crate::http::HttpMethod;
use crate::util::redact::Masked;

/// A request that starts an operation: any method of any service that returns
/// one.
///
/// [`OperationsClient::start`](crate::OperationsClient::start) makes it, and
/// [`Transport::start_operation`](crate::transport::Transport::start_operation)
/// sends it. `Debug` shows neither the body nor the query.
///
/// ```
/// use longrunning::http::HttpMethod;
/// use longrunning::transport::StartRequest;
///
/// let request = StartRequest::new("/v2/projects/p/locations/l/jobs/j:run");
/// assert_eq!((request.method, request.is_idempotent), (HttpMethod::Post, false));
/// ```
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq)]
pub struct StartRequest {
    /// The path of the URL over REST, such as
    /// `/v2/projects/p/locations/l/jobs/j:run`; over gRPC the method, such as
    /// `google.cloud.run.v2.Jobs/RunJob`.
    ///
    /// It is not checked here; the transports of this crate check it before
    /// they send anything.
    pub path: String,
    /// The HTTP method. It has no meaning over gRPC.
    pub method: HttpMethod,
    /// Names and values of the query, not encoded. It has no meaning over gRPC.
    pub query: Vec<(String, String)>,
    /// The body over REST, the message over gRPC.
    pub body: StartBody,
    /// Fields and values of the header `x-goog-request-params` ([AIP-4222]),
    /// not encoded.
    ///
    /// [AIP-4222]: https://google.aip.dev/client-libraries/4222
    pub routing: Vec<(String, String)>,
    /// Whether sending the request a second time is harmless. Otherwise it must
    /// reach the service at most once.
    pub is_idempotent: bool,
}

/// The body of a [`StartRequest`].
#[non_exhaustive]
#[derive(Clone, Default, PartialEq, Eq)]
pub enum StartBody {
    /// None, or the empty message.
    #[default]
    Empty,
    /// JSON text. It is valid.
    Json(String),
    /// The bytes of a protobuf message.
    Message(Vec<u8>),
}

impl StartRequest {
    /// Creates a `POST` without a body, which must reach the service at most
    /// once.
    ///
    /// ```
    /// use longrunning::transport::{StartBody, StartRequest};
    ///
    /// let mut request = StartRequest::new("google.cloud.run.v2.Jobs/RunJob");
    /// assert!(request.body == StartBody::Empty && request.query.is_empty());
    /// request.body = StartBody::Message(vec![10, 1, b'j']);
    /// assert!(format!("{request:?}").contains("Message(3)"), "the length and not the bytes");
    /// ```
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            method: HttpMethod::Post,
            query: Vec::new(),
            body: StartBody::Empty,
            routing: Vec::new(),
            is_idempotent: false,
        }
    }
}

/// Prints numbers in place of the query and the body, which may be secret.
impl fmt::Debug for StartRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartRequest")
            .field("path", &Masked(&self.path))
            .field("method", &self.method)
            // An API key may be in the query, and a password in the body.
            .field("query", &self.query.len())
            .field("body", &self.body)
            .field("routing", &Masked(&self.routing))
            .field("is_idempotent", &self.is_idempotent)
            .finish()
    }
}

/// Prints the length in place of the content.
impl fmt::Debug for StartBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Json(text) => f.debug_tuple("Json").field(&text.len()).finish(),
            Self::Message(bytes) => f.debug_tuple("Message").field(&bytes.len()).finish(),
        }
    }
}
