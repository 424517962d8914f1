//! An answer as a value: what is said, and what goes wrong on the way back.

use std::time::Duration;

use super::http_response::{FakeBody, FakeResponse, JSON, reason};
use super::rpc_response::RpcResponse;
use crate::types::{Code, Operation, OperationPage, Status};

/// One answer of a [`FakeServer`](super::FakeServer), with the faults it suffers on the way back.
///
/// An [`Operation`] becomes a 200 answer, a [`Status`] an error answer with the HTTP status of its
/// code, an [`OperationPage`] or a `Vec<Operation>` an answer to a list call, `()` the empty object.
/// The constructors give all other answers, and the setters combine freely.
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
/// What the service says, and every fault, has its equal in gRPC:
///
/// | reply | over gRPC |
/// |---|---|
/// | operations, pages, `()`, [`status`](Self::status) below 300 | a message and the status 0 |
/// | a [`Status`], [`status`](Self::status) from 400 on | that status in the head of an answer without a message |
/// | [`html`](Self::html), [`json`](Self::json), [`redirect`](Self::redirect) | the same HTTP answer, without a gRPC status |
/// | [`empty`](Self::empty) | the status 0 without a message |
/// | [`huge`](Self::huge) | a message of that many spaces |
/// | [`header`](Self::header) | metadata ahead of the message; `grpc-status` and `grpc-message` where the status stands; with `grpc-encoding` the message is marked as compressed |
/// | [`gzip`](Self::gzip), [`shorten_to`](Self::shorten_to) | of the message |
/// | [`truncate_at`](Self::truncate_at), [`reset_at`](Self::reset_at), [`drip`](Self::drip) | of the message with its prefix of 5 bytes; a cut answer has no status |
/// | [`truncate_head_at`](Self::truncate_head_at) | of the `HEADERS` frame |
/// | [`raw`](Self::raw) | bytes that are no frame |
/// | [`chunked`](Self::chunked), [`close_delimited`](Self::close_delimited) | nothing |
/// | time runs out | the head without an end, and `RST_STREAM` |
#[must_use = "a reply does nothing until the server has it"]
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) answer: ReplyContent,
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
    /// What the operations of the server call for.
    Usual,
    /// Words of the service, with another HTTP status than goes with them.
    Rpc(RpcResponse, Option<u16>),
    /// An answer of HTTP, of whoever speaks that.
    Http(FakeResponse),
    /// These bytes and nothing else.
    Raw(Vec<u8>),
}

/// Where an answer breaks off, and how.
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

/// How the end of the body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    Length,
    Chunked,
    Close,
}

/// How a request is turned away over HTTP/2, where that has words of its own for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamRefusal {
    GoAway,
    Reset(u32),
}

/// What becomes of the connection after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterReply {
    Keep,
    Close,
    CloseOnNextRequest,
}

/// What is said.
impl Reply {
    /// What the server would have answered by itself, to be combined with faults.
    ///
    /// The request has its effect even if the answer is lost, which makes
    /// `Reply::usual().reset_at(0)` a delete that happened and a client that does not know.
    pub fn usual() -> Self {
        Self::new(ReplyContent::Usual)
    }

    /// An answer with this status: `{}` below 300, no body for a redirect, else an error body as Google sends it.
    pub fn status(status: u16) -> Self {
        let said = match status {
            300..=399 => return Self::http(status, Vec::new()),
            ..=299 => RpcResponse::Empty,
            _ => RpcResponse::Error(Status::new(Code::from_http(status), reason(status))),
        };
        Self::new(ReplyContent::Rpc(said, Some(status)))
    }

    /// An answer with this status and JSON text, which need not be valid.
    pub fn json(status: u16, text: impl Into<Vec<u8>>) -> Self {
        Self::http(status, text.into()).header("content-type", JSON)
    }

    /// A page for people instead of an answer, as a proxy or a captive portal sends it.
    pub fn html(status: u16) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html><head><title>Error {status}</title></head><body>…</body></html>\n"
        );
        Self::http(status, page.into()).header("content-type", "text/html; charset=UTF-8")
    }

    /// A redirect (307) to this place.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::status(307).header("location", location)
    }

    /// A 200 answer without a body.
    pub fn empty() -> Self {
        Self::http(200, Vec::new())
    }

    /// A 200 answer with a body of this many spaces, made while it is sent.
    ///
    /// With [`gzip`](Self::gzip) it is a bomb: it unpacks to more than `bytes`, 160 times what goes
    /// over the wire, and breaks off behind them.
    pub fn huge(bytes: u64) -> Self {
        let headers = vec![("content-type".to_owned(), JSON.to_owned())];
        Self::new(ReplyContent::Http(FakeResponse { status: 200, headers, body: FakeBody::Spaces(bytes) }))
    }

    /// These bytes and nothing else, not even an HTTP status line; then the connection closes.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(ReplyContent::Raw(bytes.into()))
    }

    /// No answer, ever. The request has no effect.
    ///
    /// In virtual time the clock moves to the end of the time that the client gave this attempt, so
    /// the client runs into its time limit at once. A client that does not run on the server's clock
    /// is left hanging until it gives up.
    pub fn hang() -> Self {
        Self::raw([]).delay(Duration::MAX)
    }

    /// A reset of the connection instead of an answer. The request has no effect.
    pub fn reset() -> Self {
        Self::raw([]).cut(CutPosition::Head(0), true)
    }

    /// The end of the connection instead of an answer. The request has no effect.
    pub fn close() -> Self {
        Self::raw([])
    }

    /// `RST_STREAM` with this error code instead of an answer, such as 7 (`REFUSED_STREAM`) or 11
    /// (`ENHANCE_YOUR_CALM`); the connection stays. The request has no effect.
    ///
    /// Over HTTP/1, which cannot do that, it is [`reset`](Self::reset).
    pub fn reset_stream(code: u32) -> Self {
        Self { http2: Some(StreamRefusal::Reset(code)), ..Self::reset() }
    }

    /// `GOAWAY` that excludes the request instead of an answer, then the end of the connection. The request has no
    /// effect, and the client knows that.
    ///
    /// Over HTTP/1, which cannot say so, it is [`close`](Self::close).
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

    fn new(answer: ReplyContent) -> Self {
        Self {
            answer,
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

/// How it is said, and what goes wrong.
impl Reply {
    /// Sets a header in place of the one that the server would send, `content-length` and `date` included.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// Leaves a header out, such as `date`.
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        self.headers.push((name.into(), None));
        self
    }

    /// Packs the body in gzip, with the header that says so.
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Sends the body in chunks instead of with its length.
    pub fn chunked(mut self) -> Self {
        self.framing = BodyFraming::Chunked;
        self
    }

    /// Sends the body without its length; the end of the connection is its end.
    pub fn close_delimited(mut self) -> Self {
        self.framing = BodyFraming::Close;
        self
    }

    /// Shortens the body to its first `bytes`, after packing, and announces the new length.
    pub fn shorten_to(mut self, bytes: usize) -> Self {
        self.keep = Some(bytes);
        self
    }

    /// Closes the connection after `bytes` of a body whose whole length was announced.
    pub fn truncate_at(self, bytes: usize) -> Self {
        self.cut(CutPosition::Body(bytes), false)
    }

    /// Closes the connection after `bytes` of the status line and headers.
    pub fn truncate_head_at(self, bytes: usize) -> Self {
        self.cut(CutPosition::Head(bytes), false)
    }

    /// Resets the connection after `bytes` of the body; after the headers when 0.
    pub fn reset_at(self, bytes: usize) -> Self {
        self.cut(CutPosition::Body(bytes), true)
    }

    /// Waits before answering, in the time of the server's clock.
    ///
    /// In virtual time nobody waits; a delay longer than the time the client gave this attempt works as [`hang`](Self::hang).
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends the body in pieces of `bytes`, waiting for `pause` before each, in the time of the server's clock.
    pub fn drip(mut self, bytes: usize, pause: Duration) -> Self {
        self.drip = Some((bytes.max(1), pause));
        self
    }

    /// Closes the connection after the answer without announcing it, as a server does that was idle for long.
    pub fn then_close(mut self) -> Self {
        self.after = AfterReply::Close;
        self
    }

    /// Closes the connection after the answer and says so: `connection: close`, or `GOAWAY` ahead of the answer.
    pub fn then_go_away(self) -> Self {
        self.header("connection", "close")
    }

    /// Sends a `PING` over HTTP/2 and waits for it to come back before answering; over HTTP/1 this means nothing.
    pub fn after_ping(mut self) -> Self {
        self.after_ping = true;
        self
    }

    /// Keeps the connection until its next request has arrived, then closes it without an answer.
    pub fn then_close_on_next_request(mut self) -> Self {
        self.after = AfterReply::CloseOnNextRequest;
        self
    }

    /// Gives this answer to that many requests; `usize::MAX` for all that follow.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    fn cut(mut self, at: CutPosition, reset: bool) -> Self {
        self.cut = Some(ReplyCut { at, reset });
        self
    }

    /// Whether the answer announces the end of the connection.
    pub(super) fn closes(&self) -> bool {
        let mut headers = self.headers.iter();
        let says_so = headers.any(|(name, value)| {
            name.eq_ignore_ascii_case("connection") && value.as_deref().is_some_and(|value| value == "close")
        });
        says_so || self.framing == BodyFraming::Close
    }

    /// Whether the connection ends in a reset.
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
