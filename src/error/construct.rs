//! How errors are made, and what each layer adds to them.
//!
//! An error travels up through the layers, and each adds what it knows and the
//! ones below do not: the transport the URL and the hint, the retry loop the
//! call, the attempts and the time, a wait the operation and the last fault.
//! Nothing that is set is replaced, except by a `with_…` of the same part.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::http::{HttpError, HttpErrorKind};
use crate::types::{Operation, Status};
use crate::util::redact::redacted;

use super::display::WithoutAdvice;
use super::{Error, ErrorInner, ErrorKind, Seconds};

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
            // Here, for all messages: a transport of the program may quote
            // anything.
            message: redacted(&message.into()).into_owned(),
            advice: None,
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
    /// If it may have, `NOT_FOUND` for a retried delete counts as success, and
    /// a start is not repeated.
    ///
    /// ```
    /// use longrunning::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Transport, "connection reset by example.com").sent(true);
    /// assert!(!error.is_transient(), "these are two settings");
    /// ```
    #[must_use]
    pub fn sent(mut self, sent: bool) -> Self {
        self.0.sent = sent;
        self
    }

    /// Sets the cause, which [`source`](std::error::Error::source) returns and
    /// `{:#}` appends.
    ///
    /// The message should not repeat it.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Sets the status of the response, which has the code.
    pub(crate) fn with_status(mut self, status: Status) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Sets the HTTP status of the response.
    ///
    /// ```
    /// use longrunning::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Transport, "502 from a proxy").with_http_status(502);
    /// assert_eq!(error.http_status(), Some(502));
    /// ```
    #[must_use]
    pub fn with_http_status(mut self, status: u16) -> Self {
        self.0.http_status = Some(status);
        self
    }

    /// Sets the delay before the next attempt, as the server or the token
    /// source requested it.
    ///
    /// It is a lower bound for the next delay of a call or a wait. `None`
    /// removes it.
    #[must_use]
    pub fn with_retry_after(mut self, delay: impl Into<Option<Duration>>) -> Self {
        self.0.retry_after = delay.into();
        self
    }

    /// Adds the delay that the server requests, and where it says so. The
    /// longest one counts.
    pub(crate) fn hinted(mut self, hint: &'static str, delay: Option<Duration>) -> Self {
        // `None` is less than every delay.
        if delay > self.0.retry_after {
            self.0.retry_after = delay;
            self.0.hint = hint;
        }
        self
    }

    /// Adds that the server forbids a retry of the same request, as only gRPC
    /// can.
    #[cfg(feature = "grpc")]
    pub(crate) fn forbidding_retry(mut self, forbids_retry: bool) -> Self {
        self.0.forbids_retry = forbids_retry;
        self
    }

    /// Adds the URL of a request that was rejected; its query is left out.
    pub(crate) fn with_url(mut self, url: &str) -> Self {
        // Only for a response: the URL of a request that was not sent explains
        // nothing.
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
        // A cut in the middle of a character would panic.
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

    /// Sets the token of the page that failed.
    pub(crate) fn with_page_token(mut self, token: &str) -> Self {
        self.0.page_token = Some(token.to_owned());
        self
    }

    /// Sets the last state that was seen.
    pub(crate) fn with_operation(mut self, operation: Option<Operation>) -> Self {
        self.0.operation = operation;
        self
    }

    /// Adds the error of the last poll of a wait, after which `polls` had
    /// failed in a row. The message names it.
    pub(crate) fn with_fault(mut self, fault: Self, polls: u32) -> Self {
        let polls = if polls > 1 { format!("the last {polls} polls") } else { "the last poll".to_owned() };
        // The advice goes to the end of the whole message.
        self.0.advice = fault.0.advice;
        self = self.note(format_args!("{polls} failed: {}", WithoutAdvice(&fault)));
        self.0.fault = Some(fault);
        self
    }

    /// Returns whether two failures are the same to a reader.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        (self.kind(), self.code(), self.http_status()) == (other.kind(), other.code(), other.http_status())
            && self.0.message == other.0.message
    }

    /// Sets the number of attempts, or polls, and the time they took.
    pub(crate) fn with_tries(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.0.attempts = attempts;
        self.0.elapsed = elapsed;
        self
    }

    /// Adds which call failed, after how many attempts.
    ///
    /// An error from before the first attempt, such as that of an option, names
    /// what is wrong and not a call.
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

    /// Appends what else is known, after a semicolon. Secrets in it are
    /// redacted.
    pub(crate) fn note(mut self, note: impl fmt::Display) -> Self {
        self.0.message = format!("{}; {}", self.0.message, redacted(&note.to_string()));
        self
    }

    /// Changes the category.
    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Marks an error that something in front of the service has sent.
    pub(crate) fn of_status_page(mut self) -> Self {
        self.0.is_status_page = true;
        self
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
            // All others are of the connection: DNS, TCP, TLS, the protocol, a
            // response that is too large.
            _ => ErrorKind::Transport,
        };
        let is_page = error.kind() == HttpErrorKind::Encoding;
        // A DNS server that does not respond is transient; one that knows no
        // such host is not.
        let is_unknown_host = error.kind() == HttpErrorKind::Resolve && !error.is_transient();
        let mut made =
            Self::new(kind, error.to_string()).transient(error.is_transient()).sent(error.was_sent());
        made.0.is_unknown_host = is_unknown_host;
        made.0.advice = advice(error.kind(), error.is_transient());
        made.0.http_status = error.http_status();
        let made = if is_page { made.of_status_page() } else { made };
        // Moved and not wrapped, so that the chain does not have the same text
        // twice.
        match error.into_source() {
            Some(source) => Self(Box::new(ErrorInner { source: Some(source), ..*made.0 })),
            None => made,
        }
    }
}

/// Returns what to do about a connection that could not be opened.
///
/// The messages of the other kinds say what was expected, or which setting is
/// the cause.
fn advice(kind: HttpErrorKind, is_transient: bool) -> Option<&'static str> {
    match kind {
        HttpErrorKind::Connect => Some("check the endpoint and the network"),
        HttpErrorKind::Resolve if is_transient => Some("check the DNS server of this machine"),
        HttpErrorKind::Resolve => Some("check the spelling of the endpoint"),
        _ => None,
    }
}

/// The error of conversions into [`OperationName`](crate::OperationName) that
/// cannot fail.
impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// The note for a start without a request id.
const LOOK_FIRST: &str =
    "the request may have started an operation: look for it, by `list`, before you start again";

/// The note for a start with a request id, by which the service recognises the
/// second request.
const AGAIN_IS_SAFE: &str =
    "the request may have started an operation: look for it, by `list`, or start again with the same id";

/// Bytes of a response body that an error keeps.
const MOST_BODY: usize = 64 << 10;
