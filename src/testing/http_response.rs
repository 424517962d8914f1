//! HTTP responses of the fake server before any fault: status, headers and
//! body, whichever version of HTTP sends them.
//!
//! Framing (`content-length`, chunks, HTTP/2 frames) and the `date` header are
//! added later, by `http1` or `http2`.

use prost::Message;

use super::error_body::error_body;
use super::gzip;
use super::request::RecordedRequest;
use super::rpc_response::RpcResponse;
use crate::types::Status;

/// An HTTP response, whichever version of HTTP carries it.
#[derive(Clone, Debug)]
pub(super) struct FakeResponse {
    pub(super) status: u16,
    /// In the order in which they are sent.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: FakeBody,
}

/// The body of a response.
#[derive(Clone, Debug)]
pub(super) enum FakeBody {
    Bytes(Vec<u8>),
    /// That many spaces, which are generated while they are sent. A body of
    /// gigabytes needs no memory.
    Spaces(u64),
}

impl FakeResponse {
    /// Writes the response to an RPC over REST. `http` is its HTTP status, that
    /// of its code by default.
    ///
    /// A 204 has no body (RFC 9110 §15.3.5). A response that protobuf cannot
    /// express becomes a 500 with a `google.rpc.Status`.
    pub(super) fn of_rpc(response: &RpcResponse, form: DataForm, http: Option<u16>) -> Self {
        let status = http.unwrap_or_else(|| response.http());
        if status == 204 {
            return Self { status, headers: Vec::new(), body: FakeBody::Bytes(Vec::new()) };
        }
        match form {
            DataForm::Json => Self::new(status, response.json(status)),
            DataForm::Proto => match response.bytes() {
                Ok(bytes) => Self::of_type(PROTOBUF, status, bytes),
                // The client has to see an error: a body of other bytes could
                // be valid.
                Err(error) => Self::of_type(PROTOBUF, 500, bytes_of(&error)),
            },
        }
    }

    /// Returns plain text, as metadata servers send it.
    pub(super) fn text(status: u16, body: impl Into<String>) -> Self {
        Self::of_type("text/plain; charset=utf-8", status, body.into().into_bytes())
    }

    /// Returns a 200 with this JSON.
    pub(super) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body.into())
    }

    /// Returns an error in the format of Google's APIs, with the HTTP status of
    /// its code.
    pub(super) fn error(status: &Status) -> Self {
        let http = status.code().to_http();
        Self::new(http, error_body(http, status))
    }

    /// Returns a response with this JSON.
    pub(super) fn new(status: u16, body: Vec<u8>) -> Self {
        Self::of_type(JSON, status, body)
    }

    pub(super) fn of_type(content_type: &str, status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: FakeBody::Bytes(body),
        }
    }
}

/// The format of responses over REST, which the request selects with `alt` (see
/// [system parameters](https://cloud.google.com/apis/docs/system-parameters)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataForm {
    Json,
    Proto,
}

impl DataForm {
    /// Reads the query parameter `alt` or `$alt`: `proto` for protobuf,
    /// anything else is JSON.
    ///
    /// The value may have options after a semicolon, as in
    /// `json;enum-encoding=int`.
    pub(super) fn of(request: &RecordedRequest) -> Self {
        let alt = request.query("$alt").or_else(|| request.query("alt")).unwrap_or_default();
        if alt.split(';').next() == Some("proto") { Self::Proto } else { Self::Json }
    }
}

/// Returns the `google.rpc.Status`; no bytes if its details have no protobuf
/// form.
fn bytes_of(status: &Status) -> Vec<u8> {
    status.to_proto().map(|status| status.encode_to_vec()).unwrap_or_default()
}

impl FakeBody {
    /// Returns the number of bytes.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Spaces(count) => *count,
        }
    }

    /// Compresses the body if `compress`, then shortens it to `keep` bytes.
    pub(super) fn prepare(self, compress: bool, keep: Option<usize>) -> Self {
        let packed = match self {
            Self::Bytes(bytes) if compress => Self::Bytes(gzip::stored(&bytes)),
            // Stored blocks would be as large as the spaces; the bomb is small,
            // and has no valid end.
            Self::Spaces(count) if compress => Self::Bytes(gzip::bomb(count)),
            plain => plain,
        };
        match (packed, keep) {
            (Self::Bytes(mut bytes), Some(keep)) => {
                bytes.truncate(keep);
                Self::Bytes(bytes)
            }
            (Self::Spaces(count), Some(keep)) => Self::Spaces(count.min(keep as u64)),
            (whole, None) => whole,
        }
    }
}

/// Returns the reason phrase of a status, `Status` for one that is not common.
pub(super) fn reason(status: u16) -> &'static str {
    REASONS.iter().find(|(known, _)| *known == status).map_or("Status", |(_, reason)| reason)
}

const REASONS: [(u16, &str); 25] = [
    (200, "OK"),
    (201, "Created"),
    (202, "Accepted"),
    (204, "No Content"),
    (301, "Moved Permanently"),
    (302, "Found"),
    (303, "See Other"),
    (307, "Temporary Redirect"),
    (308, "Permanent Redirect"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (408, "Request Timeout"),
    (409, "Conflict"),
    (412, "Precondition Failed"),
    (413, "Content Too Large"),
    (429, "Too Many Requests"),
    (431, "Request Header Fields Too Large"),
    (499, "Client Closed Request"),
    (500, "Internal Server Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
];

pub(super) const JSON: &str = "application/json; charset=UTF-8";

const PROTOBUF: &str = "application/x-protobuf";
