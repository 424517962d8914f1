//! The one error type. Every message that a user can read is composed in
//! `messages.rs` or in the type it belongs to.

mod messages;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::fault_class::{FaultClass, FaultFacts};
use crate::http::{HttpError, HttpErrorKind};
use crate::json::InvalidJson;
use crate::types::{Code, Operation, Status};
use crate::util::excerpt::{shown, shown_name};
use crate::util::redact::redacted;

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

#[derive(Clone)]
struct ErrorInner {
    kind: ErrorKind,
    message: String,
    method: Option<&'static str>,
    name: Option<String>,
    status: Option<Status>,
    http_status: Option<u16>,
    retry_after: Option<Duration>,
    /// The header or message that `retry_after` comes from.
    hint: &'static str,
    url: Option<String>,
    page_token: Option<String>,
    operation: Option<Operation>,
    fault: Option<Error>,
    attempts: u32,
    elapsed: Duration,
    transient: bool,
    forbids_retry: bool,
    is_status_page: bool,
    is_unknown_host: bool,
    sent: bool,
    may_have_started: bool,
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
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Returns the token of the page that failed, for a listing that continues
    /// there later.
    ///
    /// `page_token` of a listing accepts it; an empty token is the first page.
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
    /// operation, which is permanent, nor if the server asks not to retry
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
        self.class() == FaultClass::Transient
    }
}

/// Errors of a [`Transport`](crate::transport::Transport) of the program's own,
/// and what each layer adds to them.
impl Error {
    /// Creates an error with a message: what was attempted, what happened, what
    /// to do.
    ///
    /// Keys and tokens in the message are redacted. An error that is built so
    /// is permanent; see [`transient`](Self::transient). An error of the
    /// service is made from its [`Status`] with `Error::from`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use longrunning::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Transport, "failed to connect to example.com:443")
    ///     .transient(true)
    ///     .with_retry_after(Duration::from_secs(5))
    ///     .with_source(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
    /// assert!(error.is_transient());
    /// assert_eq!(error.to_string(), "failed to connect to example.com:443");
    /// ```
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorInner {
            kind,
            message: redacted(&message.into()).into_owned(),
            method: None,
            name: None,
            status: None,
            http_status: None,
            retry_after: None,
            hint: "",
            url: None,
            page_token: None,
            operation: None,
            fault: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            transient: false,
            forbids_retry: false,
            is_status_page: false,
            is_unknown_host: false,
            sent: false,
            may_have_started: false,
            response_body: None,
            is_no_operation: false,
            source: None,
        }))
    }

    /// Sets whether another attempt may succeed without any change. Default:
    /// false.
    ///
    /// A call retries a transient error, and a wait tolerates it, whatever its
    /// kind.
    #[must_use]
    pub fn transient(mut self, transient: bool) -> Self {
        self.0.transient = transient;
        self
    }

    /// Sets whether the server may have acted on the request. Default: false.
    ///
    /// If it may have, `NOT_FOUND` for a retried delete counts as success.
    #[must_use]
    pub fn sent(mut self, sent: bool) -> Self {
        self.0.sent = sent;
        self
    }

    /// Sets the cause, which [`source`](std::error::Error::source) returns and
    /// `{:#}` appends.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    pub(crate) fn with_status(mut self, status: Status) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Sets the HTTP status of the response.
    #[must_use]
    pub fn with_http_status(mut self, status: u16) -> Self {
        self.0.http_status = Some(status);
        self
    }

    /// Sets the delay before the next attempt, as the server or the token
    /// source requested it.
    #[must_use]
    pub fn with_retry_after(mut self, delay: impl Into<Option<Duration>>) -> Self {
        self.0.retry_after = delay.into();
        self
    }

    /// Adds the delay that the server requests, and where it says so. The
    /// longest one counts.
    pub(crate) fn hinted(mut self, hint: &'static str, delay: Option<Duration>) -> Self {
        if delay > self.0.retry_after {
            self.0.retry_after = delay;
            self.0.hint = hint;
        }
        self
    }

    /// Adds that the server asks not to send the same request again, as only
    /// gRPC can.
    #[cfg(feature = "grpc")]
    pub(crate) fn forbidding_retry(mut self, forbids_retry: bool) -> Self {
        self.0.forbids_retry = forbids_retry;
        self
    }

    /// Adds the URL of a request that was rejected; its query is left out.
    pub(crate) fn with_url(mut self, url: &str) -> Self {
        if self.0.status.is_some() {
            self.0.url = Some(url.split(['?', '#']).next().unwrap_or_default().to_owned());
        }
        self
    }

    /// Adds that a call gives up because the requested delay exceeds its
    /// remaining time.
    pub(crate) fn hint_too_long(self, left: Duration) -> Self {
        let Some(delay) = self.retry_after() else { return self };
        let hint = if self.0.hint.is_empty() { "a delay" } else { self.0.hint };
        let note = format!("{hint} of {} s is longer than the remaining {} s", Seconds(delay), Seconds(left));
        self.note(note)
    }

    /// Adds the body of a response that reports success, and is not what was
    /// expected.
    pub(crate) fn accepted(mut self, body: &str) -> Self {
        self.0.is_no_operation = true;
        self.with_response_body(body)
    }

    /// Returns whether a start was accepted, and the response is no operation.
    pub(crate) fn is_no_operation(&self) -> bool {
        self.0.is_no_operation
    }

    /// Adds the response to a start.
    pub(crate) fn with_response_body(mut self, body: &str) -> Self {
        let end =
            (0..=body.len().min(MOST_BODY)).rev().find(|end| body.is_char_boundary(*end)).unwrap_or_default();
        self.0.response_body = Some(body[..end].into());
        self
    }

    /// Adds that an operation may be running, and how to look for it.
    pub(crate) fn in_doubt_of_start(self, is_idempotent: bool) -> Self {
        let mut error = self.note(if is_idempotent { AGAIN_IS_SAFE } else { LOOK_FIRST });
        error.0.may_have_started = true;
        error
    }

    pub(crate) fn with_page_token(mut self, token: &str) -> Self {
        self.0.page_token = Some(token.to_owned());
        self
    }

    pub(crate) fn with_operation(mut self, operation: Option<Operation>) -> Self {
        self.0.operation = operation;
        self
    }

    /// Adds the error of the last poll of a wait, after which `polls` had
    /// failed in a row. The message names it.
    pub(crate) fn with_fault(mut self, fault: Self, polls: u32) -> Self {
        let polls = if polls > 1 { format!("the last {polls} polls") } else { "the last poll".to_owned() };
        self = self.note(format_args!("{polls} failed: {fault}"));
        self.0.fault = Some(fault);
        self
    }

    /// Returns whether two failures are the same to a reader.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        (self.kind(), self.code(), self.http_status()) == (other.kind(), other.code(), other.http_status())
            && self.0.message == other.0.message
    }

    pub(crate) fn with_tries(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.0.attempts = attempts;
        self.0.elapsed = elapsed;
        self
    }

    /// Adds which call failed, after how many attempts.
    ///
    /// What is refused before anything is tried stands for itself.
    pub(crate) fn in_call(mut self, method: &'static str, name: &str, tries: u32, elapsed: Duration) -> Self {
        if matches!(self.kind(), ErrorKind::Binding | ErrorKind::Config) {
            return self.about(name);
        }
        self.0.method = Some(method);
        self.with_name(name).with_tries(tries, elapsed)
    }

    /// Adds the operation that the error is about, unless it is set.
    pub(crate) fn about(self, name: &str) -> Self {
        if self.0.name.is_some() || name.is_empty() { self } else { self.with_name(name) }
    }

    /// Sets the requested name, whatever the name in the response is.
    pub(crate) fn with_name(mut self, name: &str) -> Self {
        self.0.name = Some(name.to_owned());
        self
    }

    /// Appends what else is known, after a semicolon.
    pub(crate) fn note(mut self, note: impl fmt::Display) -> Self {
        self.0.message = format!("{}; {}", self.0.message, redacted(&note.to_string()));
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Marks an error that something in front of the service has sent.
    pub(crate) fn of_status_page(mut self) -> Self {
        self.0.is_status_page = true;
        self
    }

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

    fn facts(&self) -> FaultFacts {
        FaultFacts {
            code: self.code().filter(|_| self.kind() != ErrorKind::Operation),
            names_quota: self.status().is_some_and(Status::names_quota),
            is_hinted: self.retry_after().is_some(),
            is_transient: self.passes_by_itself(),
            forbids_retry: self.forbids_retry(),
            is_status_page: self.0.is_status_page,
            is_unknown_host: self.0.is_unknown_host,
        }
    }

    /// Returns whether the server asks not to send the same request again.
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
        self.source().and_then(|cause| cause.downcast_ref())
    }

    /// Returns whether the server may have acted on the request.
    pub(crate) fn was_sent(&self) -> bool {
        self.0.sent
    }
}

/// A service's error, for a [`Transport`](crate::transport::Transport) of your
/// own.
impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::service(status)
    }
}

/// A failed exchange, for a [`Transport`](crate::transport::Transport) of your
/// own.
impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        let kind = match error.kind() {
            HttpErrorKind::Timeout => ErrorKind::Timeout,
            HttpErrorKind::Config | HttpErrorKind::Request => ErrorKind::Config,
            HttpErrorKind::Stopped => ErrorKind::Stopped,
            HttpErrorKind::Encoding => ErrorKind::Decode,
            _ => ErrorKind::Transport,
        };
        let is_page = error.kind() == HttpErrorKind::Encoding;
        let is_unknown_host = error.kind() == HttpErrorKind::Resolve && !error.is_transient();
        let mut made =
            Self::new(kind, error.to_string()).transient(error.is_transient()).sent(error.was_sent());
        made.0.is_unknown_host = is_unknown_host;
        made.0.http_status = error.http_status();
        let made = if is_page { made.of_status_page() } else { made };
        match error.into_source() {
            Some(source) => Self(Box::new(ErrorInner { source: Some(source), ..*made.0 })),
            None => made,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let (Some(method), Some(name)) = (inner.method, &inner.name) {
            write!(f, "{method} `{}`: ", shown_name(name))?;
        }
        f.write_str(&inner.message)?;
        // What is not found is often the path: a wrong version, a wrong host.
        if let (Some(_), Some(url), Some(Code::NotFound)) = (inner.method, self.url(), self.code()) {
            write!(f, " ({})", shown(url))?;
        }
        if inner.attempts > 1 && inner.method.is_some() {
            write!(f, " ({} attempts in {} s)", inner.attempts, Seconds(inner.elapsed))?;
        }
        if f.alternate() {
            let mut cause = self.source();
            while let Some(error) = cause {
                write!(f, ": {}", redacted(&error.to_string()))?;
                cause = error.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("message", &format!("{self:#}")).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // The message of a wait names its fault, so that the chain goes on with the
        // cause of the fault.
        let of_fault = || self.fault().and_then(StdError::source);
        let own = self.0.source.as_ref().map(|source| &**source as &(dyn StdError + 'static));
        own.or_else(of_fault)
    }
}

const LOOK_FIRST: &str =
    "the request may have started an operation: look for it, by `list`, before you start again";

const AGAIN_IS_SAFE: &str =
    "the request may have started an operation: look for it, by `list`, or start again with the same id";

/// As much as is read of the body of an error.
const MOST_BODY: usize = 64 << 10;

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// Seconds with at most one decimal: `900`, `11.8`, `0.3`.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0.as_millis() + 50) / 100;
        match tenths % 10 {
            0 => write!(f, "{}", tenths / 10),
            tenth => write!(f, "{}.{tenth}", tenths / 10),
        }
    }
}

/// Where a message about a type that does not fit points.
pub(crate) const TYPED_RESULTS: &str = "see docs/typed-results.md";
