//! A response as a value, and the faults that happen to it.

use std::time::Duration;

use super::http_response::FakeResponse;
use super::rpc_response::RpcResponse;
use crate::types::{Operation, OperationPage, Status};

mod faults;
mod responses;

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

impl Reply {
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
