//! The constructors of [`Reply`]: the contents that it can have.

use std::time::Duration;

use super::{CutPosition, Reply, ReplyContent, StreamRefusal};
use crate::testing::http_response::{FakeBody, FakeResponse, JSON, reason};
use crate::testing::rpc_response::RpcResponse;
use crate::types::{Code, Status};

/// Responses.
impl Reply {
    /// Creates the response that the server would send without a script, to
    /// combine it with faults.
    ///
    /// The request takes effect even if its response is lost. So
    /// `Reply::usual().reset_at(0)` deletes an operation and leaves the
    /// client in doubt.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::usual().reset_at(0));
    /// // The first attempt deletes it. The second one gets `NOT_FOUND`, a success after such a failure.
    /// server.client().delete("operations/42").send()?;
    /// assert_eq!(server.request_count(), 2);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn usual() -> Self {
        Self::new(ReplyContent::Usual)
    }

    /// Creates a response with this HTTP status and a matching body.
    ///
    /// The body is `{}` below 300, empty for a redirect, and otherwise an error
    /// in the format of Google's APIs, with the canonical code of the
    /// status.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Code;
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::status(403));
    /// let error = server.client().get("operations/42").send().unwrap_err();
    /// assert_eq!(error.code(), Some(Code::PermissionDenied));
    /// ```
    pub fn status(status: u16) -> Self {
        let response = match status {
            // A redirect needs a `location`, which `redirect` adds, and no
            // body.
            300..=399 => return Self::http(status, Vec::new()),
            ..=299 => RpcResponse::Empty,
            _ => RpcResponse::Error(Status::new(Code::from_http(status), reason(status))),
        };
        Self::new(ReplyContent::Rpc(response, Some(status)))
    }

    /// Creates a response with this HTTP status and JSON text, which need not
    /// be valid.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::json(200, r#"{"name":"operations/42","new":7}"#));
    /// assert_eq!(server.client().get("operations/42").send()?.name(), "operations/42");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn json(status: u16, text: impl Into<Vec<u8>>) -> Self {
        Self::http(status, text.into()).header("content-type", JSON)
    }

    /// Creates an HTML page with this HTTP status, as a proxy, a load balancer
    /// or a captive portal sends it.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::html(502));
    /// // A bad gateway is a transient error, so the client retries.
    /// server.client().get("operations/42").send()?;
    /// assert_eq!(server.request_count(), 2);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn html(status: u16) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html><head><title>Error {status}</title></head><body>…</body></html>\n"
        );
        Self::http(status, page.into()).header("content-type", "text/html; charset=UTF-8")
    }

    /// Creates a redirect (307) to `location`.
    ///
    /// The client does not follow redirects: its credentials are for one host.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::redirect("https://elsewhere.example/"));
    /// assert!(server.client().get("operations/42").send().is_err());
    /// assert_eq!(server.request_count(), 1);
    /// ```
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::status(307).header("location", location)
    }

    /// Creates a 200 response without a body.
    ///
    /// That is a success for a cancel or a delete, and an error for a get.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::empty().times(2));
    /// server.client().cancel("operations/42").send()?;
    /// assert!(server.client().get("operations/42").send().is_err());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn empty() -> Self {
        Self::http(200, Vec::new())
    }

    /// Creates a 200 response with a body of `bytes` spaces, which are
    /// generated while it is sent.
    ///
    /// With [`gzip`](Self::gzip) it is a decompression bomb: it decodes to more
    /// than `bytes`, 160 times the size on the wire, and ends unfinished.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::huge(1 << 40));
    /// assert!(server.client().get("operations/42").send().is_err()); // the size of responses is limited
    /// ```
    pub fn huge(bytes: u64) -> Self {
        let headers = vec![("content-type".to_owned(), JSON.to_owned())];
        Self::new(ReplyContent::Http(FakeResponse { status: 200, headers, body: FakeBody::Spaces(bytes) }))
    }

    /// Creates a response of exactly these bytes, without even an HTTP status
    /// line. Then the connection closes.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::{ErrorKind, RetryPolicy};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::raw("SSH-2.0-OpenSSH_9.6\r\n"));
    /// let error = server.client().get("operations/42").retry(RetryPolicy::never()).send().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Transport);
    /// ```
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(ReplyContent::Raw(bytes.into()))
    }

    /// Creates a response that never comes. The request has no effect.
    ///
    /// In virtual time, the clock advances to the end of the attempt's timeout,
    /// so the client times out at once. A client that does not use the
    /// server's clock waits for its own timeout.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::{ErrorKind, RetryPolicy};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::hang());
    /// let error = server.client().get("operations/42").retry(RetryPolicy::never()).send().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Timeout);
    /// assert!(server.elapsed() >= Duration::from_secs(10));
    /// ```
    pub fn hang() -> Self {
        Self::raw([]).delay(Duration::MAX)
    }

    /// Creates a reset of the connection instead of a response. The request has no
    /// effect.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::{ErrorKind, RetryPolicy};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::reset());
    /// let error = server.client().get("operations/42").retry(RetryPolicy::never()).send().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Transport);
    /// ```
    pub fn reset() -> Self {
        // No bytes are left to cut: the cut only says that the connection ends
        // in a reset.
        Self::raw([]).cut(CutPosition::Head(0), true)
    }

    /// Creates the end of the connection instead of a response. The request has
    /// no effect.
    ///
    /// The client sees the end of the stream before a status line, which is a
    /// transient error.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::close());
    /// server.client().get("operations/42").send()?; // a later attempt succeeds
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn close() -> Self {
        Self::raw([])
    }

    /// Creates an `RST_STREAM` with this error code instead of a response. The
    /// connection stays open, the request has no effect.
    ///
    /// Examples of codes are 7 (`REFUSED_STREAM`) and 11 (`ENHANCE_YOUR_CALM`);
    /// RFC 9113 lists them. HTTP/1.1 has no equivalent: there it works as
    /// [`reset`](Self::reset).
    pub fn reset_stream(code: u32) -> Self {
        Self { http2: Some(StreamRefusal::Reset(code)), ..Self::reset() }
    }

    /// Creates a `GOAWAY` that excludes the request instead of a response; then the
    /// connection closes.
    ///
    /// The request has no effect, and the client knows that. HTTP/1.1 has no
    /// equivalent: there it works as [`close`](Self::close).
    pub fn go_away() -> Self {
        Self { http2: Some(StreamRefusal::GoAway), ..Self::close() }
    }

    /// Creates an HTTP response without headers.
    fn http(status: u16, body: Vec<u8>) -> Self {
        Self::new(ReplyContent::Http(FakeResponse {
            status,
            headers: Vec::new(),
            body: FakeBody::Bytes(body),
        }))
    }
}
