//! Requests as the server recorded them, for tests and for closures that choose
//! a reply.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::util::redact::Masked;

use super::call::RpcCall;
use crate::transport::Rpc;
use crate::util::percent::decode_form;

/// A request as it arrived at a [`FakeServer`](super::FakeServer).
///
/// Cheap to clone. `Debug` redacts the values of headers with secrets, and
/// forms, which are token requests.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
/// use longrunning::testing::FakeServer;
///
/// let server = FakeServer::start();
/// let mut stream = TcpStream::connect(server.address())?;
/// stream.write_all(b"GET /v1/operations?pageSize=5 HTTP/1.1\r\nhost: x\r\nx-trace: 7\r\nconnection: close\r\n\r\n")?;
/// stream.read_to_end(&mut Vec::new())?;
///
/// let request = &server.requests()[0];
/// assert_eq!((request.method(), request.path()), ("GET", "/v1/operations"));
/// assert_eq!(request.query("pageSize").as_deref(), Some("5"));
/// assert_eq!(request.header("X-Trace"), Some("7"));
/// assert!(request.body().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct RecordedRequest(Arc<RequestParts>);

/// A request as one version of HTTP has received it.
pub(super) struct RequestParts {
    /// As sent, such as `GET`.
    pub(super) method: String,
    /// Path and query as sent, percent-encoded.
    pub(super) target: String,
    /// In the order of the request; HTTP/2 has names in lower case, and
    /// `:authority`.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The number of its connection, from 1.
    pub(super) connection: u64,
    /// The elapsed time of the server's clock at its arrival.
    pub(super) at: Duration,
    /// The call of a gRPC request. For REST it is determined when the request
    /// is recorded.
    pub(super) call: Option<RpcCall>,
}

impl RecordedRequest {
    pub(super) fn new(parts: RequestParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Sets the call. Has an effect only before the first clone.
    pub(super) fn with_call(mut self, call: Option<RpcCall>) -> Self {
        // The only reference is this one; the log and the closures get clones
        // later.
        if let Some(parts) = Arc::get_mut(&mut self.0) {
            parts.call = call;
        }
        self
    }

    /// Returns the HTTP method, such as `GET`; `POST` for gRPC.
    pub fn method(&self) -> &str {
        &self.0.method
    }

    /// Returns the path and query as they arrived, percent-encoded.
    pub fn target(&self) -> &str {
        &self.0.target
    }

    /// Returns the path as it arrived, percent-encoded. For gRPC it is
    /// `/google.longrunning.Operations/GetOperation`.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.client().list("projects/p").filter("done = true").send()?;
    /// assert_eq!(server.requests()[0].path(), "/v1/projects/p/operations");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn path(&self) -> &str {
        self.0.target.split('?').next().unwrap_or_default()
    }

    /// Returns the decoded value of a query parameter, the first of that name.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.client().list("projects/p").filter("done = true").send()?;
    /// assert_eq!(server.requests()[0].query("filter").as_deref(), Some("done = true"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.0.target.split_once('?')?;
        // A name without `=` is a parameter with an empty value.
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs
            .map(|(key, value)| (decode_form(key), value))
            .find(|(key, _)| key == name)
            .map(|(_, value)| decode_form(value))
    }

    /// Returns the method of google.longrunning.Operations that the request
    /// calls, over any transport, or `None`.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Rpc};
    ///
    /// let server = FakeServer::start();
    /// server.client().list("projects/p").send()?;
    /// assert_eq!(server.requests()[0].rpc(), Some(Rpc::List));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn rpc(&self) -> Option<Rpc> {
        self.0.call.as_ref().map(|call| call.rpc)
    }

    /// Returns the name in the call, such as `operations/42`. For a list call
    /// it is the collection, such as `projects/p/operations`.
    ///
    /// Returns `None` if the request calls no method of
    /// google.longrunning.Operations.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let _ = server.client().get("operations/42").send();
    /// assert_eq!(server.requests()[0].name(), Some("operations/42"));
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.0.call.as_ref().map(|call| call.name.as_str())
    }

    /// Returns the call as a message of this type, such as
    /// [`ListOperationsRequest`], over any transport.
    ///
    /// Returns `None` if the call has another type.
    ///
    /// ```
    /// use longrunning::proto::google::longrunning::ListOperationsRequest;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.client().list("projects/p").page_size(5).send()?;
    /// let request: ListOperationsRequest = server.requests()[0].message().unwrap();
    /// assert_eq!((request.name.as_str(), request.page_size), ("projects/p/operations", 5));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// [`ListOperationsRequest`]: crate::proto::google::longrunning::ListOperationsRequest
    pub fn message<M: prost::Message + prost::Name + Default>(&self) -> Option<M> {
        let (name, bytes) = self.0.call.as_ref()?.message()?;
        M::decode(bytes.as_slice()).ok().filter(|_| name == M::NAME)
    }

    pub(super) fn call(&self) -> Option<&RpcCall> {
        self.0.call.as_ref()
    }

    /// Returns the value of a header or, for gRPC, of metadata: the first of
    /// that name, regardless of case.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.client().list("projects/p").header("x-trace", "7").send()?;
    /// assert_eq!(server.requests()[0].header("X-Trace"), Some("7"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the credentials of an `authorization` header with this scheme,
    /// such as `Bearer`, in any case.
    pub(super) fn authorization(&self, scheme: &str) -> Option<&str> {
        let (found, value) = self.header("authorization")?.split_once(' ')?;
        found.eq_ignore_ascii_case(scheme).then_some(value.trim())
    }

    /// Returns all headers as name and value, in the order and spelling of the
    /// request. Over HTTP/2 names are in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the body without its transfer encoding. For gRPC it is the
    /// message, without its prefix and decompressed.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }

    /// Returns the body for `Debug`: forms are redacted, because they contain
    /// refresh tokens and client secrets.
    fn printable_body(&self) -> Cow<'_, str> {
        let media_type = self.header("content-type").unwrap_or_default();
        if media_type.contains("form-urlencoded") {
            "[redacted]".into()
        } else {
            String::from_utf8_lossy(self.body())
        }
    }

    /// Returns the number of the connection, counted from 1.
    ///
    /// Two requests with the same number shared a connection.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let client = server.client();
    /// client.list("projects/p").send()?;
    /// client.list("projects/p").send()?;
    /// assert_eq!(server.requests()[0].connection(), server.requests()[1].connection());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn connection(&self) -> u64 {
        self.0.connection
    }

    /// Returns the time of arrival: time of the server's clock since its start.
    pub fn at(&self) -> Duration {
        self.0.at
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers().map(|(name, value)| (name, redact(name, value))).collect();
        f.debug_struct("RecordedRequest")
            .field("method", &self.0.method)
            .field("target", &Masked(&self.0.target))
            .field("headers", &Masked(&headers))
            .field("body", &self.printable_body())
            .field("connection", &self.0.connection)
            .field("at", &self.0.at)
            .finish()
    }
}

/// Returns the value of a header, redacted if its name says that it has a
/// secret.
fn redact<'a>(name: &str, value: &'a str) -> &'a str {
    let name = name.to_ascii_lowercase();
    // By parts of names, so that new headers with secrets are covered too.
    let secret = ["authorization", "api-key", "cookie", "token"].iter().any(|word| name.contains(word));
    if secret { "[redacted]" } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, headers: &[(&str, &str)]) -> RecordedRequest {
        RecordedRequest::new(RequestParts {
            method: "GET".into(),
            target: target.into(),
            headers: headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            body: Vec::new(),
            connection: 1,
            at: Duration::ZERO,
            call: None,
        })
    }

    #[test]
    fn secrets_are_recorded_and_not_printed() {
        let secret = "CANARY-token-7";
        let headers = [
            ("Authorization", secret),
            ("X-Goog-Api-Key", secret),
            ("X-Aws-Ec2-Metadata-Token", secret),
            ("accept", "json"),
        ];
        let request = request("/v1/operations", &headers);
        assert_eq!(request.header("authorization"), Some(secret));
        let debug = format!("{request:?}");
        assert!(!debug.contains(secret) && debug.contains("json"), "{debug}");
    }

    #[test]
    fn query_parameters_are_decoded() {
        let request =
            request("/v1/operations?filter=done+%3D%20true&pageSize=5&flag&%61=%zz%C3%A9&pageSize=6", &[]);
        let table = [("filter", "done = true"), ("pageSize", "5"), ("flag", ""), ("a", "%zzé")];
        for (name, value) in table {
            assert_eq!(request.query(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!((request.query("other"), request.path()), (None, "/v1/operations"));
    }
}
