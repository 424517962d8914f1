//! A response as a value, and the faults that happen to it.

use std::time::Duration;

use super::http_response::{FakeBody, FakeResponse, JSON, reason};
use super::rpc_response::RpcResponse;
use crate::types::{Code, Operation, OperationPage, Status};

/// One response of a [`FakeServer`](super::FakeServer), with the faults that
/// happen to it.
///
/// An [`Operation`] becomes a 200 response, a [`Status`] an error response with
/// the HTTP status of its code, an [`OperationPage`] or a `Vec<Operation>` a
/// response to a list call, `()` the empty object. The constructors create all
/// other responses, and the setters can be combined.
///
/// ```
/// use std::time::Duration;
/// use longrunning::testing::{FakeServer, Reply};
/// use longrunning::{Code, Operation, Status};
///
/// let server = FakeServer::start();
/// server.reply(Operation::running("operations/42"));
/// server.reply(Status::new(Code::NotFound, "operation expired"));
/// server.reply(Reply::status(503).header("retry-after", "3"));
/// server.reply(Reply::usual().gzip().delay(Duration::from_secs(2)));
/// server.reply(Reply::json(200, r#"{"name":"operations/42"}"#).reset_at(10));
/// server.reply(Reply::hang().times(3));
/// assert_eq!(server.pending_replies(), 8);
/// ```
///
/// Every response and every fault has an equivalent over gRPC:
///
/// | reply | over gRPC |
/// |---|---|
/// | operations, pages, `()`, [`status`](Self::status) below 300 | a message and the status 0 |
/// | a [`Status`], [`status`](Self::status) from 400 on | that status in the headers of a response without a message |
/// | [`html`](Self::html), [`json`](Self::json), [`redirect`](Self::redirect) | the same HTTP response, without a gRPC status |
/// | [`empty`](Self::empty) | the status 0 without a message |
/// | [`huge`](Self::huge) | a message of that many spaces |
/// | [`header`](Self::header) | initial metadata; `grpc-status` and `grpc-message` replace the status; with `grpc-encoding` the message is marked as compressed |
/// | [`gzip`](Self::gzip), [`shorten_to`](Self::shorten_to) | of the message |
/// | [`truncate_at`](Self::truncate_at), [`reset_at`](Self::reset_at), [`drip`](Self::drip) | of the message with its prefix of 5 bytes; a truncated response has no status |
/// | [`truncate_head_at`](Self::truncate_head_at) | of the `HEADERS` frame |
/// | [`raw`](Self::raw) | bytes that are no frame |
/// | [`chunked`](Self::chunked), [`close_delimited`](Self::close_delimited) | nothing |
/// | the time is up | the headers without an end, and `RST_STREAM` |
#[must_use = "a reply does nothing until the server has it"]
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) content: ReplyContent,
    pub(super) headers: Vec<(String, Option<String>)>,
    pub(super) delay: Duration,
    pub(super) drip: Option<(usize, Duration)>,
    pub(super) cut: Option<ReplyCut>,
    pub(super) framing: BodyFraming,
    pub(super) gzip: bool,
    pub(super) keep: Option<usize>,
    pub(super) after: AfterReply,
    #[cfg_attr(not(feature = "grpc"), allow(dead_code))]
    pub(super) http2: Option<StreamRefusal>,
    #[cfg_attr(not(feature = "grpc"), allow(dead_code))]
    pub(super) after_ping: bool,
    pub(super) times: usize,
}

#[derive(Clone, Debug)]
pub(super) enum ReplyContent {
    /// The response of the server's operations.
    Usual,
    /// A response of the service, and an HTTP status if it is not the usual
    /// one.
    Rpc(RpcResponse, Option<u16>),
    /// An HTTP response, of the service or of anything in between.
    Http(FakeResponse),
    /// Exactly these bytes.
    Raw(Vec<u8>),
}

/// Where a response ends early, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReplyCut {
    pub(super) at: CutPosition,
    pub(super) reset: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CutPosition {
    Head(usize),
    Body(usize),
}

/// How the end of the body is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    Length,
    Chunked,
    Close,
}

/// How HTTP/2 refuses a request, where it has a frame for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamRefusal {
    GoAway,
    Reset(u32),
}

/// The fate of the connection after the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterReply {
    Keep,
    Close,
    CloseOnNextRequest,
}

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
    /// // The first attempt deletes it, the second one gets `NOT_FOUND`, which is a success after such a failure.
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
        let said = match status {
            300..=399 => return Self::http(status, Vec::new()),
            ..=299 => RpcResponse::Empty,
            _ => RpcResponse::Error(Status::new(Code::from_http(status), reason(status))),
        };
        Self::new(ReplyContent::Rpc(said, Some(status)))
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
    pub fn empty() -> Self {
        Self::http(200, Vec::new())
    }

    /// Creates a 200 response with a body of `bytes` spaces, which are
    /// generated while it is sent.
    ///
    /// With [`gzip`](Self::gzip) it is a decompression bomb: it decodes to more
    /// than `bytes`, 160 times the size on the wire, and ends unfinished.
    pub fn huge(bytes: u64) -> Self {
        let headers = vec![("content-type".to_owned(), JSON.to_owned())];
        Self::new(ReplyContent::Http(FakeResponse { status: 200, headers, body: FakeBody::Spaces(bytes) }))
    }

    /// Creates a response of exactly these bytes, without even an HTTP status
    /// line. Then the connection closes.
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

    /// Resets the connection instead of sending a response. The request has no
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
        Self::raw([]).cut(CutPosition::Head(0), true)
    }

    /// Closes the connection instead of sending a response. The request has no
    /// effect.
    ///
    /// The client sees the end of the stream before a status line, which is a
    /// transient error.
    pub fn close() -> Self {
        Self::raw([])
    }

    /// Sends `RST_STREAM` with this error code instead of a response. The
    /// connection stays open, the request has no effect.
    ///
    /// Examples of codes are 7 (`REFUSED_STREAM`) and 11 (`ENHANCE_YOUR_CALM`);
    /// RFC 9113 lists them. HTTP/1.1 has no equivalent: there it works as
    /// [`reset`](Self::reset).
    pub fn reset_stream(code: u32) -> Self {
        Self { http2: Some(StreamRefusal::Reset(code)), ..Self::reset() }
    }

    /// Sends `GOAWAY` that excludes the request instead of a response, then
    /// closes the connection.
    ///
    /// The request has no effect, and the client knows that. HTTP/1.1 has no
    /// equivalent: there it works as [`close`](Self::close).
    pub fn go_away() -> Self {
        Self { http2: Some(StreamRefusal::GoAway), ..Self::close() }
    }

    fn http(status: u16, body: Vec<u8>) -> Self {
        Self::new(ReplyContent::Http(FakeResponse {
            status,
            headers: Vec::new(),
            body: FakeBody::Bytes(body),
        }))
    }

    fn new(content: ReplyContent) -> Self {
        Self {
            content,
            headers: Vec::new(),
            delay: Duration::ZERO,
            drip: None,
            cut: None,
            framing: BodyFraming::Length,
            gzip: false,
            keep: None,
            after: AfterReply::Keep,
            http2: None,
            after_ping: false,
            times: 1,
        }
    }
}

/// Encoding and faults.
impl Reply {
    /// Sets a response header; it replaces the one that the server would send,
    /// even `content-length` and `date`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::status(503).header("retry-after", "3"));
    /// server.client().get("operations/42").send()?;
    /// assert_eq!(server.sleeps(), [Duration::from_secs(3)]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// Omits a header that the server would send, such as `date`.
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        self.headers.push((name.into(), None));
        self
    }

    /// Compresses the body with gzip and sets `content-encoding`.
    ///
    /// The feature `gzip` of the client decodes it.
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Sends the body with `transfer-encoding: chunked` instead of its length.
    pub fn chunked(mut self) -> Self {
        self.framing = BodyFraming::Chunked;
        self
    }

    /// Sends the body without its length; the end of the connection is the end
    /// of the body.
    pub fn close_delimited(mut self) -> Self {
        self.framing = BodyFraming::Close;
        self
    }

    /// Shortens the body to its first `bytes`, after compression, and announces
    /// the new length.
    ///
    /// So the response is complete for HTTP, but its content is not.
    pub fn shorten_to(mut self, bytes: usize) -> Self {
        self.keep = Some(bytes);
        self
    }

    /// Closes the connection after `bytes` of the body, although the header
    /// announces the whole length.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::{ErrorKind, RetryPolicy};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::json(200, r#"{"name":"operations/42"}"#).truncate_at(5));
    /// let error = server.client().get("operations/42").retry(RetryPolicy::never()).send().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Transport);
    /// ```
    pub fn truncate_at(self, bytes: usize) -> Self {
        self.cut(CutPosition::Body(bytes), false)
    }

    /// Closes the connection after `bytes` of the status line and headers.
    pub fn truncate_head_at(self, bytes: usize) -> Self {
        self.cut(CutPosition::Head(bytes), false)
    }

    /// Resets the connection after `bytes` of the body; zero resets it after
    /// the headers.
    pub fn reset_at(self, bytes: usize) -> Self {
        self.cut(CutPosition::Body(bytes), true)
    }

    /// Delays the response, in the time of the server's clock. Default: none.
    ///
    /// In virtual time the delay takes no real time. A delay longer than the
    /// timeout of the attempt works as [`hang`](Self::hang).
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::usual().delay(Duration::from_secs(4)));
    /// server.client().get("operations/42").send()?;
    /// assert!(server.elapsed() >= Duration::from_secs(4));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends the body in parts of `bytes`, with `pause` before each, in the
    /// time of the server's clock.
    ///
    /// At least one byte is sent at a time. A test of a timeout uses this for a
    /// server that is slow but never silent.
    pub fn drip(mut self, bytes: usize, pause: Duration) -> Self {
        self.drip = Some((bytes.max(1), pause));
        self
    }

    /// Closes the connection after the response without an announcement, as a
    /// server closes an idle connection.
    pub fn then_close(mut self) -> Self {
        self.after = AfterReply::Close;
        self
    }

    /// Closes the connection after the response and announces it: `connection:
    /// close`, or `GOAWAY` before the response.
    pub fn then_go_away(self) -> Self {
        self.header("connection", "close")
    }

    /// Sends a `PING` over HTTP/2, and the response when the client has
    /// acknowledged it. Has no effect over HTTP/1.1.
    pub fn after_ping(mut self) -> Self {
        self.after_ping = true;
        self
    }

    /// Keeps the connection open until its next request has arrived, then
    /// closes it without a response.
    ///
    /// The client repeats that request once on a new connection, because no
    /// byte of a response had arrived.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// let client = server.client();
    /// server.reply(Reply::usual().then_close_on_next_request());
    /// client.get("operations/42").send()?;
    /// client.get("operations/42").send()?;
    /// assert_eq!(server.sleeps(), []);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn then_close_on_next_request(mut self) -> Self {
        self.after = AfterReply::CloseOnNextRequest;
        self
    }

    /// Sends this response to the next `times` requests. Default: 1;
    /// `usize::MAX` is for all that follow.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::status(503).times(usize::MAX));
    /// let error = server.client().get("operations/42").send().unwrap_err();
    /// assert_eq!(error.attempts(), 5);
    /// ```
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    fn cut(mut self, at: CutPosition, reset: bool) -> Self {
        self.cut = Some(ReplyCut { at, reset });
        self
    }

    /// Returns whether the response announces the end of the connection.
    pub(super) fn closes(&self) -> bool {
        let mut headers = self.headers.iter();
        let says_so = headers.any(|(name, value)| {
            name.eq_ignore_ascii_case("connection") && value.as_deref().is_some_and(|value| value == "close")
        });
        says_so || self.framing == BodyFraming::Close
    }

    /// Returns whether the connection ends in a reset.
    pub(super) fn resets(&self) -> bool {
        self.cut.is_some_and(|cut| cut.reset)
    }
}

impl From<RpcResponse> for Reply {
    fn from(said: RpcResponse) -> Self {
        Self::new(ReplyContent::Rpc(said, None))
    }
}

impl From<Operation> for Reply {
    fn from(operation: Operation) -> Self {
        RpcResponse::operation(operation).into()
    }
}

impl From<Status> for Reply {
    fn from(status: Status) -> Self {
        RpcResponse::Error(status).into()
    }
}

impl From<OperationPage> for Reply {
    fn from(page: OperationPage) -> Self {
        RpcResponse::Page(page.into()).into()
    }
}

impl From<Vec<Operation>> for Reply {
    fn from(operations: Vec<Operation>) -> Self {
        OperationPage::new(operations, "").into()
    }
}

impl From<()> for Reply {
    fn from((): ()) -> Self {
        RpcResponse::Empty.into()
    }
}
