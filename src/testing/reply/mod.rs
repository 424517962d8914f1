//! A response as a value, and the faults that happen to it.
//!
//! A [`Reply`] has a content and faults, and the two are independent: every
//! fault applies to every content. `responses` has the constructors, which set
//! the content, `faults` the setters. The front ends `http1` and `http2` carry
//! the reply out; this module does no I/O.

use std::time::Duration;

use super::http_response::FakeResponse;
use super::rpc_response::RpcResponse;
use crate::types::{Operation, OperationPage, Status};

// rustdoc lists the methods of a type in the order of the modules: the
// constructors come first.
mod responses;

mod faults;

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
/// | the attempt's timeout passes | the headers without an end, and `RST_STREAM` |
#[must_use = "a reply does nothing until the server has it"]
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) content: ReplyContent,
    /// Headers to set, or to remove if they have no value, in the order of the
    /// calls.
    pub(super) headers: Vec<(String, Option<String>)>,
    /// Before the first byte; `Duration::MAX` never ends.
    pub(super) delay: Duration,
    /// The bytes of a piece, at least 1, and the pause before it.
    pub(super) drip: Option<(usize, Duration)>,
    /// A later cut replaces an earlier one.
    pub(super) cut: Option<ReplyCut>,
    pub(super) framing: BodyFraming,
    pub(super) gzip: bool,
    /// How many bytes of the body are sent, after compression; all if absent.
    pub(super) keep: Option<usize>,
    pub(super) after: AfterReply,
    /// What HTTP/2 sends instead of a response; the other fields say what
    /// HTTP/1.1 does.
    #[cfg_attr(not(feature = "grpc"), allow(dead_code))]
    pub(super) http2: Option<StreamRefusal>,
    /// Whether HTTP/2 waits for the acknowledgement of a ping first.
    #[cfg_attr(not(feature = "grpc"), allow(dead_code))]
    pub(super) after_ping: bool,
    /// How many requests get it; `usize::MAX` has no end.
    pub(super) times: usize,
}

/// What is sent, before any fault.
#[derive(Clone, Debug)]
pub(super) enum ReplyContent {
    /// The response of the server's operations. Only this content performs the
    /// request.
    Usual,
    /// A response of the service, and an HTTP status if it is not that of the
    /// response. Over gRPC it is a message or a status.
    Rpc(RpcResponse, Option<u16>),
    /// An HTTP response, of the service or of a proxy before it.
    Http(FakeResponse),
    /// Exactly these bytes, without a status line or frames.
    Raw(Vec<u8>),
}

/// The point at which a response ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReplyCut {
    pub(super) at: CutPosition,
    /// Whether the connection is reset; else it is closed.
    pub(super) reset: bool,
}

/// A number of bytes, of the head or of the body. If there are fewer, nothing
/// is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CutPosition {
    Head(usize),
    Body(usize),
}

/// How HTTP/1.1 marks the end of the body (RFC 9112 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    /// `content-length`.
    Length,
    /// `transfer-encoding: chunked`.
    Chunked,
    /// The end of the connection.
    Close,
}

/// How HTTP/2 refuses a request without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamRefusal {
    /// `GOAWAY` with a last stream before that of the request.
    GoAway,
    /// `RST_STREAM` with this error code.
    Reset(u32),
}

/// What happens to the connection after the response, if the response itself
/// does not end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterReply {
    /// It serves the next request.
    Keep,
    /// It closes, without an announcement.
    Close,
    /// It closes when the next request has arrived.
    CloseOnNextRequest,
}

impl Reply {
    /// Creates a reply without faults, for one request.
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

    /// Returns whether the response announces the end of the connection: with
    /// the header `connection: close`, or with a body that only the end of the
    /// connection ends. <>all
    ///     fn from(said: RpcResponse) -> Self {
    ///         Self::new(ReplyContent::Rpc(said, None))
    /// =>
    ///     fn from(response: RpcResponse) -> Self {
    ///         Self::new(ReplyContent::Rpc(response, None))
    pub(super) fn closes(&self) -> bool {
        let mut headers = self.headers.iter();
        // Over HTTP/2 the header itself is forbidden; there it only stands for
        // a `GOAWAY`.
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
