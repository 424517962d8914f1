//! The one error type.
//!
//! ```text
//! construct   Error::new, `From`; what each layer adds: URL, name, attempts, notes
//! messages    the errors that the crate makes itself, with their messages
//! display     the text, the advice and the causes
//! here        the type, what a program reads of it, the facts for retries
//! ```
//!
//! Every message that a user can read is composed in `messages.rs` or in the
//! type it belongs to. An error is a pointer wide, so that results stay small,
//! and it is `Clone`, because one failed page is the error of many operations.

mod construct;
mod display;
mod messages;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::fault_class::{FaultClass, FaultFacts};
use crate::json::InvalidJson;
use crate::types::{Code, Operation, Status};

/// The error of a call, a listing or a wait.
///
/// `Display` is one line without the cause; `{:#}` appends the chain of causes,
/// which [`source`](StdError::source) gives one by one. No message contains a
/// token, a key, more than 1 KiB of the message of a [`Status`] or of a path,
/// or more than 200 bytes of any other text that came from outside; control
/// characters and those that turn the direction of text are escaped. A value
/// that may be a secret given in the wrong place (JSON as a path, a token as a
/// name) is described and not shown.
#[derive(Clone)]
pub struct Error(Box<ErrorInner>);

/// The category of an error: which party failed, and so can do something about
/// it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// No credentials, or none that could be turned into a token.
    Auth,
    /// No request can be made of the `name`, or the method has no binding;
    /// nothing was sent.
    Binding,
    /// An option, an endpoint or a file given by the caller cannot be used;
    /// nothing was sent.
    Config,
    /// The response cannot be read: it is not what the method promises, or the
    /// page of a proxy sent as a success.
    Decode,
    /// The operation itself is done and failed; the request for it succeeded.
    Operation,
    /// The service returned an error; [`Error::code`] is its code.
    Service,
    /// The caller's own [`StopToken`](crate::StopToken) ended it; the operation
    /// may still be running.
    Stopped,
    /// Time ran out; the operation may still be running.
    Timeout,
    /// The service could not be reached, or the connection failed.
    Transport,
}

/// The parts of an error. Each is set by the layer that knows it; none is
/// required.
#[derive(Clone)]
struct ErrorInner {
    kind: ErrorKind,
    /// What was attempted and what happened, redacted, without the call and the
    /// number of attempts.
    message: String,
    /// What to do, if the cause of the failure decides it. `Display` ends with
    /// it.
    advice: Option<&'static str>,
    /// The RPC, or `start`, for the beginning of the text.
    method: Option<&'static str>,
    /// The requested name.
    name: Option<String>,
    /// The status of the response, or of an operation that failed.
    status: Option<Status>,
    http_status: Option<u16>,
    /// The longest delay that the server requests.
    retry_after: Option<Duration>,
    /// The header or message that `retry_after` comes from.
    hint: &'static str,
    /// The URL that was rejected, without its query.
    url: Option<String>,
    /// The token of the page that failed; empty for the first page.
    page_token: Option<String>,
    /// The last state that was seen.
    operation: Option<Operation>,
    /// The error of the last poll of a wait.
    fault: Option<Error>,
    attempts: u32,
    elapsed: Duration,
    /// Whether the failure says nothing about the request.
    transient: bool,
    forbids_retry: bool,
    /// Whether something in front of the service has sent the response.
    is_status_page: bool,
    /// Whether DNS reports that the host does not exist.
    is_unknown_host: bool,
    /// Whether the server may have acted on the request.
    sent: bool,
    may_have_started: bool,
    /// The response to a start. It may have secrets, so no text shows it.
    response_body: Option<Arc<str>>,
    is_no_operation: bool,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Returns the category of the error.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::ErrorKind;
    ///
    /// let server = FakeServer::start();
    /// let error = server.client().get("operations/42").send().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Service);
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the canonical code: of the response, or of the failed operation.
    ///
    /// It is `None` if there was no response, as after a timeout.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::Code;
    ///
    /// let server = FakeServer::start();
    /// let error = server.client().get("operations/42").send().unwrap_err();
    /// assert_eq!(error.code(), Some(Code::NotFound));
    /// ```
    pub fn code(&self) -> Option<Code> {
        self.0.status.as_ref().map(Status::code)
    }

    /// Returns the status that has the [`code`](Self::code), with its typed
    /// details.
    ///
    /// ```
    /// use longrunning::rpc::ErrorInfo;
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Code, Status};
    ///
    /// let server = FakeServer::start();
    /// let info = ErrorInfo::new("SERVICE_DISABLED", "googleapis.com");
    /// server.reply(Status::new(Code::PermissionDenied, "API is off").with_detail(info));
    /// let error = server.client().get("operations/42").send().unwrap_err();
    /// let info: ErrorInfo = error.status().and_then(Status::detail).unwrap();
    /// assert_eq!(info.reason, "SERVICE_DISABLED");
    /// ```
    pub fn status(&self) -> Option<&Status> {
        self.0.status.as_ref()
    }

    /// Returns the last known state of the operation before the error.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::Operation;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// let poller = server.client().poller("operations/42").total_timeout(Duration::from_secs(60));
    /// let error = poller.until_done().unwrap_err();
    /// assert!(error.operation().is_some_and(|operation| !operation.is_done()));
    /// ```
    pub fn operation(&self) -> Option<&Operation> {
        self.0.operation.as_ref()
    }

    /// Returns the requested `name`. A later wait can continue with it, also in
    /// another process.
    ///
    /// If an operation failed, it is the name of the operation. It is `None` if
    /// the error is not about a name.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let error = server.client().get("operations/42").send().unwrap_err();
    /// assert_eq!(error.name(), Some("operations/42"));
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Returns the number of attempts (for a wait: polls). Zero means that no
    /// request was sent.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::status(503).times(usize::MAX));
    /// assert_eq!(server.client().get("operations/42").send().unwrap_err().attempts(), 5);
    /// assert_eq!(server.client().get("../secrets").send().unwrap_err().attempts(), 0);
    /// ```
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns how long the call or the wait took, sleeps included.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::status(503).times(usize::MAX));
    /// let error = server.client().get("operations/42").send().unwrap_err();
    /// assert_eq!(error.elapsed(), server.elapsed());
    /// ```
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Returns the HTTP status of the response, if there was one.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::html(404));
    /// assert_eq!(server.client().get("operations/42").send().unwrap_err().http_status(), Some(404));
    /// ```
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// Returns the delay before the next attempt that the server requests
    /// (`Retry-After` or `RetryInfo`).
    ///
    /// For an [`Auth`](ErrorKind::Auth) error, it is the time until the next
    /// token request.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::status(503).header("retry-after", "3600"));
    /// let error = server.client().get("operations/42").send().unwrap_err();
    /// assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the URL of the request, without its query, if a service or
    /// something in front of it rejected it.
    ///
    /// Over gRPC it is that of the method. The message of `NOT_FOUND` names it
    /// too.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let error = server.client().get("operations/42").send().unwrap_err();
    /// assert_eq!(error.url(), Some(&*format!("{}/v1/operations/42", server.url())));
    /// ```
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Returns the token of the page that failed, for a listing that continues
    /// there later.
    ///
    /// `page_token` of a listing accepts it; an empty token is the first page.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// for n in 1..=3 {
    ///     server.insert(Operation::running(format!("projects/p/operations/{n}")));
    /// }
    /// let client = server.client();
    /// let mut pages = client.list("projects/p").page_size(2).pages();
    /// assert_eq!(pages.next().transpose()?.map(|page| page.operations.len()), Some(2));
    /// server.reply(Reply::status(400));
    /// let error = pages.next().unwrap().unwrap_err();
    /// let token = error.page_token().unwrap_or_default();
    /// assert_eq!(client.list("projects/p").page_token(token).operations().count(), 1);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn page_token(&self) -> Option<&str> {
        self.0.page_token.as_deref()
    }

    /// Returns the error of the last poll, for a wait that ended while its
    /// polls failed.
    ///
    /// ```
    /// # use longrunning::testing::{FakeServer, Reply};
    /// # let server = FakeServer::start();
    /// # for _ in 0..20 { server.reply(longrunning::Status::new(longrunning::Code::Unavailable, "draining")); }
    /// # let client = server.client();
    /// use std::time::Duration;
    ///
    /// use longrunning::{Code, ErrorKind};
    ///
    /// let error = client.poller("operations/42").total_timeout(Duration::from_secs(5)).until_done().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Timeout);
    /// assert_eq!(error.fault().and_then(|fault| fault.code()), Some(Code::Unavailable));
    /// ```
    pub fn fault(&self) -> Option<&Self> {
        self.0.fault.as_ref()
    }

    /// Returns whether a [start](crate::OperationsClient::start) that failed
    /// may have started an operation.
    ///
    /// The message says so too. Look for the operation with
    /// [`list`](crate::OperationsClient::list), or for the resource that it
    /// creates, before you start again. `false` is certain: the request was not
    /// sent, or the service rejected it.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::status(503));
    /// let error = server.client().start("/v2/projects/p/locations/l/jobs/j:run").send().unwrap_err();
    /// assert!(error.may_have_started());
    /// assert_eq!(server.request_count(), 1, "a start is never sent twice");
    /// ```
    pub fn may_have_started(&self) -> bool {
        self.0.may_have_started
    }

    /// Returns the response to a start that was accepted, if the response is no
    /// operation, or one that cannot be read: at most its first 64 KiB.
    /// [`may_have_started`](Self::may_have_started) is true for the latter.
    ///
    /// It may contain secrets, such as the key of a certificate that was
    /// created. So neither `Display` nor `Debug` of the error contains it.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::json(200, r#"{"name":"projects/p/topics/t","labels":{}}"#));
    /// let error = server.client().start("/v1/projects/p/topics/t").send().unwrap_err();
    /// assert!(error.response_body().is_some_and(|body| body.contains("topics/t")));
    /// ```
    pub fn response_body(&self) -> Option<&str> {
        self.0.response_body.as_deref()
    }

    /// Returns whether the same call may succeed later without any change.
    ///
    /// That holds for a connection that failed, an attempt that timed out,
    /// `UNAVAILABLE`, and a used-up quota if the service says [when to come
    /// back](Self::retry_after). It does not hold for the failure of an
    /// operation, which is permanent, nor if the server forbids a retry
    /// (`grpc-retry-pushback-ms: -1`). The table in [`docs/errors.md`] has
    /// all events.
    ///
    /// ```
    /// use longrunning::{Code, Error, Status};
    ///
    /// assert!(Error::from(Status::new(Code::Unavailable, "draining")).is_transient());
    /// assert!(!Error::from(Status::new(Code::NotFound, "expired")).is_transient());
    /// ```
    ///
    /// [`docs/errors.md`]: https://docs.rs/crate/longrunning/latest/source/docs/errors.md
    pub fn is_transient(&self) -> bool {
        // The same class as that of retries and waits, so that a program that
        // retries by itself agrees with them.
        self.class() == FaultClass::Transient
    }
}

/// The facts that retries and waits decide by.
impl Error {
    /// Returns whether the failure says nothing about the request; what the
    /// codes of the service mean is left to the
    /// [`RetryPolicy`](crate::RetryPolicy).
    pub(crate) fn passes_by_itself(&self) -> bool {
        self.0.transient
    }

    /// Returns how calls and waits handle this error.
    pub(crate) fn class(&self) -> FaultClass {
        self.facts().class()
    }

    /// Returns whether a quota is used up.
    pub(crate) fn is_quota(&self) -> bool {
        self.facts().is_quota()
    }

    /// Collects the facts by which an error is classified.
    fn facts(&self) -> FaultFacts {
        FaultFacts {
            // The code of an operation that failed is a result: `UNAVAILABLE`
            // there says nothing about the next request.
            code: self.code().filter(|_| self.kind() != ErrorKind::Operation),
            names_quota: self.status().is_some_and(Status::names_quota),
            // A quota error is worth a retry only if the server says when.
            is_hinted: self.retry_after().is_some(),
            is_transient: self.passes_by_itself(),
            forbids_retry: self.forbids_retry(),
            is_status_page: self.0.is_status_page,
            is_unknown_host: self.0.is_unknown_host,
        }
    }

    /// Returns whether the server forbids a retry of the same request.
    pub(crate) fn forbids_retry(&self) -> bool {
        self.0.forbids_retry
    }

    /// Returns whether something in front of the service sent a page, or other
    /// text: as a success, or as its own 404.
    pub(crate) fn is_status_page(&self) -> bool {
        self.0.is_status_page
    }

    /// Returns whether a document stops before its end, as after a connection
    /// that broke unnoticed.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.invalid_json().is_some_and(InvalidJson::is_cut_short)
    }

    /// Returns whether a document is not JSON at all.
    pub(crate) fn is_not_json(&self) -> bool {
        self.invalid_json().is_some_and(|invalid| !invalid.is_json())
    }

    fn invalid_json(&self) -> Option<&InvalidJson> {
        // The parser knows, and it is the source of the error.
        self.source().and_then(|cause| cause.downcast_ref())
    }

    /// Returns whether the server may have acted on the request.
    pub(crate) fn was_sent(&self) -> bool {
        self.0.sent
    }
}

/// Seconds with at most one decimal: `900`, `11.8`, `0.3`.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded in whole numbers: a float could print `0.30000000000000004`.
        let tenths = (self.0.as_millis() + 50) / 100;
        match tenths % 10 {
            0 => write!(f, "{}", tenths / 10),
            tenth => write!(f, "{}.{tenth}", tenths / 10),
        }
    }
}

/// Where a message about a type that does not fit points.
pub(crate) const TYPED_RESULTS: &str = "see docs/typed-results.md";
