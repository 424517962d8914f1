//! gRPC on top of HTTP/2: framed messages, and statuses in headers or trailers,
//! as in [gRPC's
//! protocol](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
//!
//! ```text
//! request   HEADERS  :path /google.longrunning.Operations/GetOperation, content-type application/grpc
//!           DATA     flag (1 byte), length (4 bytes), message
//! response  HEADERS  :status 200, content-type application/grpc
//!           DATA     flag, length, message
//!           HEADERS  grpc-status 0
//! error     HEADERS  :status 200, grpc-status 5, grpc-message …, grpc-status-details-bin …
//! ```
//!
//! Only unary calls exist: exactly one message in each direction.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use prost::Message;

use crate::testing::call::RpcCall;
use crate::testing::http_response::{DataForm, FakeBody, FakeResponse};
use crate::testing::reply::{CutPosition, Reply, ReplyCut};
use crate::testing::request::RecordedRequest;
use crate::testing::rpc_response::RpcResponse;
use crate::transport::Rpc;
use crate::types::{Code, Status};

type HeaderList = Vec<(String, String)>;

/// A request over HTTP/2, read as a gRPC call if its content type says so.
#[derive(Debug)]
pub(super) struct GrpcRequest {
    /// Whether the content type is that of gRPC. If not, the other fields but
    /// the body are empty.
    pub(super) is_grpc: bool,
    /// The message of a gRPC call, decompressed and without its prefix; else
    /// the body as it was sent.
    pub(super) body: Vec<u8>,
    /// The call, if it is a valid one of google.longrunning.Operations.
    pub(super) call: Option<RpcCall>,
    /// The error with which the server responds if there is no call.
    pub(super) problem: Option<Status>,
    /// Whether it is a valid message for another service, and so may call a method
    /// that starts an operation.
    pub(super) may_start: bool,
}

impl GrpcRequest {
    /// Reads the body of a request. `encoding` is its `grpc-encoding`.
    pub(super) fn read(path: &str, content_type: &str, encoding: &str, body: Vec<u8>) -> Self {
        let is_grpc = content_type.starts_with("application/grpc");
        if !is_grpc {
            return Self { is_grpc, body, call: None, problem: None, may_start: false };
        }
        let (body, framed) = match unframe(&body, encoding) {
            Ok(message) => (message, None),
            Err(status) => (body, Some(status)),
        };
        // An invalid frame is an error of the request, whichever method it
        // calls.
        let rpc = path.strip_prefix(SERVICE).and_then(Rpc::by_name);
        let call = rpc.filter(|_| framed.is_none()).and_then(|rpc| RpcCall::from_message(rpc, &body));
        let may_start = rpc.is_none() && framed.is_none();
        let problem = framed.or_else(|| match (rpc, &call) {
            (None, _) => {
                Some(Status::new(Code::Unimplemented, format!("`{path}` is not a method of this server")))
            }
            (Some(_), None) => Some(Status::new(Code::Internal, "the request is not a protobuf message")),
            (Some(_), Some(_)) => None,
        });
        Self { is_grpc, body, call, problem, may_start }
    }
}

/// Returns the message behind its prefix of five bytes: a flag that says
/// whether it is compressed, and its length in big-endian order.
///
/// More or less than one message is `INTERNAL`, as is an unknown flag.
/// Compression other than gzip is `UNIMPLEMENTED`, as gRPC's protocol has it.
fn unframe(body: &[u8], encoding: &str) -> Result<Vec<u8>, Status> {
    let malformed = || Status::new(Code::Internal, "the request is not one gRPC message");
    let ([flag, length @ ..], message) = body.split_first_chunk::<5>().ok_or_else(malformed)?;
    if u32::from_be_bytes(*length) as usize != message.len() {
        return Err(malformed());
    }
    match (flag, encoding) {
        (0, _) => Ok(message.to_vec()),
        (1, "gzip") => unpack(message),
        (1, _) => Err(Status::new(Code::Unimplemented, format!("compression `{encoding}` is not supported"))),
        _ => Err(malformed()),
    }
}

/// Decompresses a message. There is no limit: the client is the program under
/// test.
#[cfg(feature = "gzip")]
fn unpack(message: &[u8]) -> Result<Vec<u8>, Status> {
    let mut unpacked = Vec::new();
    match std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(message), &mut unpacked) {
        Ok(_) => Ok(unpacked),
        Err(error) => Err(Status::new(Code::Internal, format!("the request is not gzip: {error}"))),
    }
}

#[cfg(not(feature = "gzip"))]
fn unpack(_: &[u8]) -> Result<Vec<u8>, Status> {
    Err(Status::new(Code::Unimplemented, "compression `gzip` needs feature `gzip`, which is off"))
}

/// A response before it is cut into frames.
#[derive(Debug)]
pub(super) struct OutgoingResponse {
    pub(super) status: u16,
    pub(super) headers: HeaderList,
    /// The five bytes before a gRPC message; empty for a body that is none.
    pub(super) prefix: Vec<u8>,
    pub(super) body: FakeBody,
    /// The trailers, which also end the stream.
    pub(super) trailers: Option<HeaderList>,
}

impl OutgoingResponse {
    /// Returns the response to a gRPC call.
    pub(super) fn to_call(reply: &Reply, response: RpcResponse) -> Self {
        let message = match response {
            RpcResponse::Error(status) => Err(status),
            response => response.bytes(),
        };
        match message {
            Ok(message) => Self::message(reply, FakeBody::Bytes(message)),
            Err(status) => Self::status(reply, &status),
        }
    }

    /// Returns the response to a gRPC call for a scripted HTTP response.
    ///
    /// An error page or JSON stays as it is, for tests of proxies between the
    /// client and the service. Spaces become a message, and an empty 200
    /// becomes the status 0 without a message.
    pub(super) fn to_call_by_http(reply: &Reply, http: FakeResponse) -> Self {
        match http.body {
            FakeBody::Spaces(_) => Self::message(reply, http.body),
            FakeBody::Bytes(bytes) if bytes.is_empty() && http.status == 200 => {
                Self::status(reply, &Status::new(Code::Ok, ""))
            }
            body => Self::http(reply, FakeResponse { body, ..http }),
        }
    }

    /// Returns the response to a request over REST. `http` is its HTTP status,
    /// that of its code by default.
    pub(super) fn to_rest(
        reply: &Reply,
        request: &RecordedRequest,
        response: RpcResponse,
        http: Option<u16>,
    ) -> Self {
        Self::http(reply, FakeResponse::of_rpc(&response, DataForm::of(request), http))
    }

    /// Returns an HTTP response, compressed and shortened as the reply sets it.
    pub(super) fn http(reply: &Reply, http: FakeResponse) -> Self {
        let mut headers = http.headers;
        if reply.gzip {
            headers.push(("content-encoding".into(), "gzip".into()));
        }
        let body = http.body.prepare(reply.gzip, reply.keep);
        Self { status: http.status, headers, prefix: Vec::new(), body, trailers: None }.with(reply)
    }

    /// Returns a response with one message and the status 0 in its trailers.
    fn message(reply: &Reply, body: FakeBody) -> Self {
        let mut headers = head();
        if reply.gzip {
            headers.push(("grpc-encoding".into(), "gzip".into()));
        }
        let body = body.prepare(reply.gzip, reply.keep);
        // The prefix cannot say more than 4 GiB; a body of more is for tests of
        // limits, which end before.
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        // A reply may claim an encoding that the message does not have.
        let claims = reply.headers.iter().any(|(name, value)| name == "grpc-encoding" && value.is_some());
        let mut prefix = vec![u8::from(reply.gzip || claims)];
        prefix.extend(length.to_be_bytes());
        let trailers = Some(vec![("grpc-status".into(), "0".into())]);
        Self { status: 200, headers, prefix, body, trailers }.with(reply)
    }

    /// Returns a response without a message. Its status is in its headers; if
    /// the reply cuts the body, it would be in the trailers, which are then
    /// missing.
    fn status(reply: &Reply, status: &Status) -> Self {
        let (mut headers, status) = (head(), status_headers(status));
        // The status is then in trailers that are never sent.
        let is_cut = matches!(reply.cut, Some(ReplyCut { at: CutPosition::Body(_), .. }));
        let trailers = if is_cut {
            Some(status)
        } else {
            headers.extend(status);
            None
        };
        Self { status: 200, headers, prefix: Vec::new(), body: FakeBody::Bytes(Vec::new()), trailers }
            .with(reply)
    }

    /// Sets and removes headers as the reply does. `grpc-status` and
    /// `grpc-message` are replaced where the response has them, in its trailers
    /// or its headers.
    fn with(mut self, reply: &Reply) -> Self {
        for (name, value) in &reply.headers {
            let name = name.to_ascii_lowercase();
            let is_status = name.starts_with("grpc-status") || name == "grpc-message";
            // A scripted status goes where the status is.
            let place = match &mut self.trailers {
                Some(trailers) if is_status => trailers,
                _ => &mut self.headers,
            };
            place.retain(|(known, _)| *known != name);
            place.extend(value.iter().map(|value| (name.clone(), value.clone())));
        }
        self
    }
}

/// Returns the headers of every gRPC response.
fn head() -> HeaderList {
    let pairs = [("content-type", "application/grpc"), ("grpc-accept-encoding", "identity,gzip")];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Returns the headers of a status. Details that have no protobuf form are left
/// out.
fn status_headers(status: &Status) -> HeaderList {
    let mut headers = vec![("grpc-status".to_owned(), i32::from(status.code()).to_string())];
    if !status.message().is_empty() {
        headers.push(("grpc-message".to_owned(), percent_encode(status.message())));
    }
    if !status.details().is_empty()
        && let Ok(status) = status.to_proto()
    {
        // Binary metadata is base64 without padding.
        headers.push(("grpc-status-details-bin".to_owned(), STANDARD_NO_PAD.encode(status.encode_to_vec())));
    }
    headers
}

/// Encodes a `grpc-message`: `%`, control characters and everything outside of
/// ASCII become `%XX`.
fn percent_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'%' | 0..=0x1f | 0x7f.. => drop(write!(out, "%{byte:02X}")),
            byte => out.push(char::from(byte)),
        }
    }
    out
}

const SERVICE: &str = "/google.longrunning.Operations/";

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "gzip")]
    use crate::testing::gzip;

    #[test]
    fn only_whole_messages_are_taken() {
        let rows: [(&str, &[u8], &str, Result<&[u8], Code>); 8] = [
            ("empty message", b"\0\0\0\0\0", "", Ok(b"")),
            ("message", b"\0\0\0\0\x02ab", "gzip", Ok(b"ab")),
            ("nothing", b"", "", Err(Code::Internal)),
            ("half a prefix", b"\0\0\0", "", Err(Code::Internal)),
            ("too short", b"\0\0\0\0\x02a", "", Err(Code::Internal)),
            ("too long", b"\0\0\0\0\x02abc", "", Err(Code::Internal)),
            ("unknown compression", b"\x01\0\0\0\x01a", "br", Err(Code::Unimplemented)),
            ("unknown flag", b"\x02\0\0\0\x01a", "", Err(Code::Internal)),
        ];
        for (row, body, encoding, expected) in rows {
            let found = unframe(body, encoding).map_err(|status| status.code());
            assert_eq!(found.as_deref(), expected.as_deref(), "{row}");
        }
    }

    #[cfg(feature = "gzip")]
    #[test]
    fn packed_messages_are_unpacked() {
        let packed = gzip::stored(b"hello");
        let mut body = vec![1];
        body.extend((packed.len() as u32).to_be_bytes());
        body.extend(packed);
        assert_eq!(unframe(&body, "gzip").unwrap(), b"hello");
        assert_eq!(unframe(b"\x01\0\0\0\x01a", "gzip").unwrap_err().code(), Code::Internal);
    }

    #[test]
    fn messages_of_statuses_are_percent_encoded() {
        assert_eq!(percent_encode("50 % \"é\"\n~"), "50 %25 \"%C3%A9\"%0A~");
    }
}
