//! The errors that the crate itself makes, with their messages.
//!
//! A message says what was attempted, what happened and what to do, in lower
//! case and without a period. Text from outside is quoted through
//! `util/excerpt`, which bounds, escapes and redacts it. `tests/it/messages.rs`
//! has all messages.

use std::fmt;
use std::time::Duration;

use crate::http::{HttpError, HttpErrorKind};
use crate::json::InvalidJson;
use crate::types::{Code, Operation, Status};
use crate::util::excerpt::{excerpt, shown, shown_name};

use super::{Error, ErrorInner, ErrorKind, Seconds, TYPED_RESULTS};

/// Of calls, waits and listings.
impl Error {
    /// Returns the error for an option, endpoint or file that cannot be used.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// Returns the error for options that no HTTP client can be made of.
    pub(crate) fn http_options(error: HttpError) -> Self {
        Self::from(error).with_kind(ErrorKind::Config)
    }

    /// Returns the error for a name that is refused before any I/O.
    pub(crate) fn bad_name(name: &str, why: &str) -> Self {
        Self::new(ErrorKind::Binding, format!("name `{}` {why}", shown_name(name))).about(name)
    }

    /// Returns the error for a path of which no request can be made.
    pub(crate) fn bad_path(message: String) -> Self {
        Self::new(ErrorKind::Binding, message)
    }

    /// Returns the error for a name that no binding of the method takes.
    pub(crate) fn no_binding(method: &'static str, name: &str, expected: &str) -> Self {
        let name = shown_name(name);
        Self::new(
            ErrorKind::Binding,
            format!("name `{name}` matches no binding of {method}: expected {expected}"),
        )
    }

    /// Creates the error for an operation of another service.
    pub(crate) fn foreign_operation(name: &str, its: &str, ours: &str) -> Self {
        // A password has no place in an endpoint; `ours` was found to have none.
        let its = its.rsplit_once('@').map_or_else(|| shown(its), |(_, host)| shown(&format!("…@{host}")));
        let (shown, ours) = (shown_name(name), shown(ours));
        Self::config(format!(
            "operation `{shown}` is of endpoint `{its}`, and this client is for `{ours}`: \
             use a client of its own endpoint"
        ))
        .about(name)
    }

    /// Returns the error for a response, or a part of one, that is not what was
    /// promised.
    pub(crate) fn decode(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Decode, message)
    }

    /// Returns the error for an error status from the service.
    pub(crate) fn service(status: Status) -> Self {
        let delay = status.retry_delay();
        let error = Self::new(ErrorKind::Service, status.to_string()).with_status(status);
        // A detail of the status; headers are added by the transport.
        let error = error.hinted("RetryInfo", delay);
        // A quota is checked before anything is done, so such a status proves that the
        // service has not acted.
        let acted = !error.is_quota();
        error.sent(acted)
    }

    /// Returns the error for a method that a transport does not have.
    pub(crate) fn unimplemented(method: &'static str) -> Self {
        Self::service(Status::new(Code::Unimplemented, format!("this transport has no {method}")))
    }

    /// Returns the error for a method without a URL: nothing can be sent.
    pub(crate) fn unbound(method: &'static str) -> Self {
        let message = format!("no request was sent: no binding of {method} is configured, see `Bindings`");
        let status = Status::new(Code::Unimplemented, &*message);
        Self::new(ErrorKind::Binding, message).with_status(status)
    }

    /// Returns the error for a method that a service is known not to have, at
    /// least not for such a name.
    pub(crate) fn not_in_service(method: &'static str, service: &str, scope: Option<&str>) -> Self {
        let scope = scope.map(|scope| format!(" for {scope}")).unwrap_or_default();
        let message = format!("no request was sent: {service} has no {method}{scope}");
        let status = Status::new(Code::Unimplemented, &*message);
        Self::new(ErrorKind::Binding, message).with_status(status)
    }

    /// Returns the error for a page or other text of something in front of the
    /// service, sent as a success.
    pub(crate) fn status_page(message: impl Into<String>) -> Self {
        Self::decode(message).sent(true).of_status_page()
    }

    /// Returns the error for a proxy that does not take a request without
    /// credentials.
    pub(crate) fn proxy_credentials(status: Status) -> Self {
        // Not `Auth`: the credentials of the client are not the ones that are
        // missing.
        Self::new(ErrorKind::Transport, format!("the proxy requires credentials: {status}"))
            .with_status(status)
    }

    /// Returns the error for a response of which something is missing, and
    /// which began as a success.
    pub(crate) fn response_cut(message: &str) -> Self {
        Self::new(ErrorKind::Transport, message).transient(true).sent(true).with_http_status(200)
    }

    /// Returns the error for a call without time for its first attempt.
    pub(crate) fn no_time() -> Self {
        Self::new(ErrorKind::Timeout, "timed out before the request was sent").transient(true)
    }

    /// Returns the error for an attempt without a response in time.
    pub(crate) fn attempt_timed_out(host: &str, sent: bool) -> Self {
        let host = shown(host);
        Self::new(ErrorKind::Timeout, format!("no response from {host} in time")).transient(true).sent(sent)
    }

    /// Returns the error for an attempt that failed when its time was up,
    /// whatever ended it.
    pub(crate) fn ended_late(host: &str, error: HttpError) -> Self {
        let late = Self::attempt_timed_out(host, error.was_sent());
        let late = match error.proxy() {
            Some(proxy) => late.note(format!("({proxy})")),
            None => late,
        };
        // A timeout of the request itself would say the same again.
        if error.kind() != HttpErrorKind::Timeout || !error.was_sent() {
            return late.with_source(error);
        }
        Self(Box::new(ErrorInner { source: error.into_source(), ..*late.0 }))
    }

    /// Adds the status with which the server ended a call whose time was up, if
    /// it says more than that.
    #[cfg(feature = "grpc")]
    pub(crate) fn caused_by_end(self, error: Self) -> Self {
        let message = error.status().map(Status::message).unwrap_or_default().to_ascii_lowercase();
        // What every gRPC library says at a deadline adds nothing.
        let says_more =
            !matches!(message.as_str(), "" | "deadline exceeded" | "context deadline exceeded" | "timeout");
        if says_more { self.with_source(error) } else { self }
    }

    /// Returns the error for a call that its token stopped.
    pub(crate) fn stopped() -> Self {
        Self::new(ErrorKind::Stopped, "stopped before it was done")
    }

    /// Returns the error for a wait that ended before its operation.
    pub(crate) fn unfinished(
        kind: ErrorKind,
        name: &str,
        state: &str,
        elapsed: Duration,
        polls: u32,
        fate: &str,
    ) -> Self {
        let elapsed = Seconds(elapsed);
        let polls = if polls == 1 { "1 poll".to_owned() } else { format!("{polls} polls") };
        let stopped = if kind == ErrorKind::Stopped { ", when the wait was stopped" } else { "" };
        let shown = shown_name(name);
        let message = format!("operation `{shown}` {state} after {elapsed} s ({polls}){stopped}; {fate}");
        Self::new(kind, message).with_name(name)
    }

    /// Returns the error for a list with more pages than the caller allows.
    pub(crate) fn too_many_pages(most: usize) -> Self {
        let pages = if most == 1 { "page".to_owned() } else { format!("{most} pages") };
        let message =
            format!("the list has more than the {pages} of `max_pages`; continue with the page token");
        Self::new(ErrorKind::Stopped, message)
    }

    /// Returns the error for an iteration over a list whose timeout has elapsed.
    pub(crate) fn iteration_timeout(pages: usize) -> Self {
        let pages = if pages == 1 { "1 page".to_owned() } else { format!("{pages} pages") };
        let message = format!("the iteration timeout is over after {pages}; continue with the page token");
        Self::new(ErrorKind::Timeout, message)
    }

    /// Returns the error for a listing that would never end.
    pub(crate) fn repeated_page_token() -> Self {
        Self::decode("the server gave a page token that it had given before: the listing would not end")
    }
}

/// Of `auth`.
impl Error {
    /// Returns the error for credentials that gave no access token; nothing was
    /// sent.
    pub(crate) fn no_token(credentials: &str, why: &str, transient: bool) -> Self {
        Self::new(ErrorKind::Auth, format!("no access token from {credentials}: {why}")).transient(transient)
    }

    /// Returns the error for an attempt that timed out before there was an
    /// access token; nothing was sent.
    pub(crate) fn token_timeout(credentials: &str, timeout: Duration) -> Self {
        let seconds = Seconds(timeout);
        Self::new(ErrorKind::Timeout, format!("no access token from {credentials} within {seconds} s"))
            .transient(true)
    }

    /// Returns the error for a file or text with credentials that cannot be
    /// used.
    pub(crate) fn credentials(origin: &str, why: impl fmt::Display) -> Self {
        Self::config(format!("{origin} {why}"))
    }
}

/// Of `types`.
impl Error {
    /// Returns the error for a document that is not what it should be;
    /// `subject` says what it was taken for.
    pub(crate) fn invalid(subject: &str, invalid: InvalidJson) -> Self {
        // A text that is JSON is invalid in a way that the message can say.
        // Otherwise the parser has the position, as the source.
        if invalid.is_json() {
            return Self::decode(format!("{subject} is not valid: {invalid}"));
        }
        Self::decode(format!("{subject} is not valid JSON")).with_source(invalid)
    }

    /// Returns the error for a message that cannot be turned into its other
    /// form, although it may be valid as it is.
    pub(crate) fn not_converted(type_name: &str, form: &str, invalid: InvalidJson) -> Self {
        let name = excerpt(type_name);
        Self::decode(format!("cannot convert an any of type `{name}` to {form}: {invalid}; {TYPED_RESULTS}"))
    }

    /// Returns the error for an operation that is done in a way that makes no
    /// sense.
    pub(crate) fn operation_malformed(name: &str, why: impl fmt::Display) -> Self {
        Self::decode(format!("operation `{}` is malformed: {why}", shown_name(name))).about(name)
    }

    /// Returns the error for an operation that is done and failed.
    pub(crate) fn operation_failed(operation: Operation) -> Self {
        let status = operation.error().cloned().unwrap_or_else(|| Status::new(Code::Unknown, ""));
        let message = format!("operation `{}` failed: {status}", shown_name(operation.name()));
        let error = Self::new(ErrorKind::Operation, message).about(operation.name());
        error.with_status(status).with_operation(Some(operation))
    }
}
