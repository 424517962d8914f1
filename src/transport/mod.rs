//! Transports: the trait between calls and the wire, with one method for each
//! RPC that makes one attempt.
//!
//! ```text
//! call/  poller/  start/      options, retries, delays, pages
//!    │ message of google.longrunning, and an Attempt
//!    ▼
//! Transport ──┬── rest/       binding → URL, JSON or protobuf over HTTP/1.1
//!             ├── grpc/       frames of protobuf over HTTP/2
//!             └── a type of the program
//!    │
//!    ▼
//! Operation, OperationPage, () or Error
//! ```
//!
//! The two transports of the crate are made of the same checked `ServiceParts`:
//! endpoint, credentials, quota project, HTTP client and clock. They also share
//! what turns an event into an error (`status_page`, `clock_skew`,
//! `start_result`), so the same event has the same error over both.
//! `docs/errors.md` lists the events.
//!
//! A transport makes one attempt and does not retry it. Two things do not count
//! as attempts: one replay with a fresh token after a 401 (`UNAUTHENTICATED`),
//! and one resend if a pooled connection was closed before a response, or if
//! the server certainly has not processed the request. A start that is not
//! idempotent is never resent, so it gets only the replay, since a 401 proves
//! that the request was rejected.

mod clock_skew;
mod endpoint;
#[cfg(feature = "grpc")]
pub(crate) mod grpc;
mod header;
mod headers;
mod kind;
mod mtls;
mod options;
mod page_text;
mod plain_http;
pub(crate) mod rest;
mod routing;
mod rpc;
mod service;
mod start_path;
mod start_request;
mod start_result;
mod status_page;
mod wait_binding;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest,
};
use crate::types::{Operation, OperationPage};
use crate::util::stop::StopToken;

pub(crate) use endpoint::Endpoint;
pub(crate) use header::{Header, check_quota_project};
pub use headers::Headers;
pub(crate) use headers::HeadersObserver;
pub use kind::TransportKind;
pub(crate) use options::ServiceOptions;
pub use rest::format::DataFormat;
pub(crate) use rest::service_bindings::OperationService;
pub use rpc::Rpc;
pub(crate) use rpc::RpcMap;
pub(crate) use service::ServiceParts;
pub(crate) use start_path::version_of;
pub use start_request::{StartBody, StartRequest};
pub use wait_binding::WaitBinding;

/// Carries the five RPCs of `google.longrunning.Operations` to a service.
///
/// A method makes one attempt: retries, deadlines over several attempts, paging
/// and polling are above it and work with any transport.
/// [`OperationsClient::builder`] makes the REST transport of this crate;
/// [`OperationsClient::over`] takes one of your own, a recorder for tests for
/// example.
///
/// An error says by [`Error::is_transient`] and [`Error::code`] whether another
/// attempt makes sense. [`Error::new`] and its setters build all of them; an
/// error of the service is `Error::from(status)`. A method that a transport
/// leaves out is `UNIMPLEMENTED`, also one that is added to this trait later.
///
/// ```
/// use longrunning::proto::google::longrunning as pb;
/// use longrunning::transport::{Attempt, Transport};
/// use longrunning::{Error, Operation, OperationsClient};
///
/// /// Knows one operation, which is always running.
/// #[derive(Debug)]
/// struct Running;
///
/// impl Transport for Running {
///     fn get_operation(&self, request: &pb::GetOperationRequest, _: &Attempt<'_>) -> Result<Operation, Error> {
///         Ok(Operation::running(&request.name))
///     }
/// }
///
/// let client = OperationsClient::over(Running).build()?;
/// assert!(!client.get("operations/42").send()?.is_done());
/// assert_eq!(client.delete("operations/42").send().unwrap_err().code(), Some(longrunning::Code::Unimplemented));
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// [`OperationsClient::builder`]: crate::OperationsClient::builder
/// [`OperationsClient::over`]: crate::OperationsClient::over
pub trait Transport: fmt::Debug + Send + Sync {
    /// Gets the latest state of an operation.
    ///
    /// # Errors
    ///
    /// `Binding`, `Auth`, `Transport`, `Timeout`, `Service` or `Decode`, as for
    /// every method here.
    fn get_operation(
        &self,
        _request: &GetOperationRequest,
        _attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        Err(Error::unimplemented(Rpc::Get.name()))
    }

    /// Lists one page of operations.
    ///
    /// # Errors
    ///
    /// As [`get_operation`](Self::get_operation).
    fn list_operations(
        &self,
        _request: &ListOperationsRequest,
        _attempt: &Attempt<'_>,
    ) -> Result<OperationPage, Error> {
        Err(Error::unimplemented(Rpc::List.name()))
    }

    /// Requests the cancellation of an operation.
    ///
    /// # Errors
    ///
    /// As [`get_operation`](Self::get_operation).
    fn cancel_operation(
        &self,
        _request: &CancelOperationRequest,
        _attempt: &Attempt<'_>,
    ) -> Result<(), Error> {
        Err(Error::unimplemented(Rpc::Cancel.name()))
    }

    /// Deletes an operation, which does not cancel it.
    ///
    /// # Errors
    ///
    /// As [`get_operation`](Self::get_operation).
    fn delete_operation(
        &self,
        _request: &DeleteOperationRequest,
        _attempt: &Attempt<'_>,
    ) -> Result<(), Error> {
        Err(Error::unimplemented(Rpc::Delete.name()))
    }

    /// Waits on the server's side until an operation is done or the timeout in
    /// the request has elapsed, and returns its latest state.
    ///
    /// The timeout of the request is the server's; that of the attempt has to
    /// be longer.
    ///
    /// # Errors
    ///
    /// As [`get_operation`](Self::get_operation); `Service` with
    /// `UNIMPLEMENTED` where the service has no such method.
    fn wait_operation(
        &self,
        _request: &WaitOperationRequest,
        _attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        Err(Error::unimplemented(Rpc::Wait.name()))
    }

    /// Sends the request that starts an operation, and returns the operation of
    /// the response.
    ///
    /// Unless [`is_idempotent`](StartRequest::is_idempotent) is set, the
    /// request must reach the service at most once: an implementation does
    /// not send it a second time. The call is repeated only after an error that
    /// is neither [sent](Error::sent) nor a [`Status`](crate::Status).
    ///
    /// # Errors
    ///
    /// As [`get_operation`](Self::get_operation).
    fn start_operation(&self, _request: &StartRequest, _attempt: &Attempt<'_>) -> Result<Operation, Error> {
        Err(Error::unimplemented("start"))
    }

    /// Returns the headers by which a request of the program's own is
    /// authorized; see
    /// [`OperationsClient::authorization_headers`](crate::OperationsClient::authorization_headers).
    ///
    /// # Errors
    ///
    /// `Config` if the transport has no credentials, as by default, or must not
    /// show them; `Auth` and `Timeout`.
    fn authorization_headers(&self, _attempt: &Attempt<'_>) -> Result<Headers, Error> {
        Err(Error::config(
            "this transport has no credentials of its own: the program has to authorize its requests",
        ))
    }
}

/// Forwards every method, so that a program can keep a clone of its transport.
impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn get_operation(
        &self,
        request: &GetOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        (**self).get_operation(request, attempt)
    }

    fn list_operations(
        &self,
        request: &ListOperationsRequest,
        attempt: &Attempt<'_>,
    ) -> Result<OperationPage, Error> {
        (**self).list_operations(request, attempt)
    }

    fn cancel_operation(&self, request: &CancelOperationRequest, attempt: &Attempt<'_>) -> Result<(), Error> {
        (**self).cancel_operation(request, attempt)
    }

    fn delete_operation(&self, request: &DeleteOperationRequest, attempt: &Attempt<'_>) -> Result<(), Error> {
        (**self).delete_operation(request, attempt)
    }

    fn wait_operation(
        &self,
        request: &WaitOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        (**self).wait_operation(request, attempt)
    }

    // Every method is forwarded, those with a default too: a default here would
    // hide the method of the inner transport.
    fn start_operation(&self, request: &StartRequest, attempt: &Attempt<'_>) -> Result<Operation, Error> {
        (**self).start_operation(request, attempt)
    }

    fn authorization_headers(&self, attempt: &Attempt<'_>) -> Result<Headers, Error> {
        (**self).authorization_headers(attempt)
    }
}

/// The options of one attempt: its timeout, headers and stop token.
///
/// A call makes one for each attempt, from the options of the call and of the
/// client, and passes it to a [`Transport`] beside the request. A transport of
/// a program may ignore what its protocol does not have.
///
/// ```
/// use longrunning::proto::google::longrunning as pb;
/// use longrunning::transport::{Attempt, Transport};
/// use longrunning::{Error, Operation, OperationsClient};
///
/// /// Returns the version and the first header as a name.
/// #[derive(Debug)]
/// struct Echo;
///
/// impl Transport for Echo {
///     fn get_operation(&self, _: &pb::GetOperationRequest, attempt: &Attempt<'_>) -> Result<Operation, Error> {
///         let version = attempt.api_version().unwrap_or("v1");
///         let header = attempt.headers().next().unwrap_or_default();
///         Ok(Operation::running(format!("{version}/{}/{}", header.0, header.1)))
///     }
/// }
///
/// let client = OperationsClient::over(Echo).build()?;
/// let operation = client.get("operations/42").header("X-Team", "a").send()?;
/// assert_eq!(operation.name(), "v1/x-team/a");
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// From the start of the attempt, which waiting for a permit and fetching a
    /// token are parts of.
    timeout: Duration,
    /// Checked when they were set, in the order in which they were set.
    headers: &'a [Header],
    /// That of the call. If it has none, the transport uses that of the
    /// credentials.
    quota_project: Option<&'a str>,
    /// That of the operation. If it has none, the transport uses that of the
    /// client.
    api_version: Option<&'a str>,
    wait_binding: Option<WaitBinding>,
    #[cfg(feature = "grpc")]
    compression: Compression,
    stop: Option<&'a StopToken>,
    /// It sees the headers of every response, errors included.
    on_headers: Option<&'a HeadersObserver>,
}

impl<'a> Attempt<'a> {
    /// Creates an attempt without extra headers.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::transport::Attempt;
    ///
    /// let attempt = Attempt::new(Duration::from_secs(10));
    /// assert_eq!((attempt.timeout(), attempt.headers().count()), (Duration::from_secs(10), 0));
    /// ```
    pub fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            headers: &[],
            quota_project: None,
            api_version: None,
            #[cfg(feature = "grpc")]
            compression: Compression::Identity,
            wait_binding: None,
            stop: None,
            on_headers: None,
        }
    }

    /// Sets the headers and the quota project of the call.
    pub(crate) fn with(mut self, headers: &'a [Header], quota_project: Option<&'a str>) -> Self {
        (self.headers, self.quota_project) = (headers, quota_project);
        self
    }

    /// Sets the version of the operation; `None` leaves it as it is.
    pub(crate) fn at_version(mut self, api_version: Option<&'a str>) -> Self {
        // The version of the operation goes before that of the client, which is
        // set first.
        self.api_version = api_version.or(self.api_version);
        self
    }

    /// Sets the form of WaitOperation that a wait tries or has found.
    pub(crate) fn with_wait_binding(mut self, wait_binding: Option<WaitBinding>) -> Self {
        self.wait_binding = wait_binding;
        self
    }

    /// Sets the token that stops the attempt.
    pub(crate) fn stopped_by(mut self, stop: Option<&'a StopToken>) -> Self {
        self.stop = stop;
        self
    }

    /// Sets the observer of the response headers.
    pub(crate) fn observed_by(mut self, on_headers: Option<&'a HeadersObserver>) -> Self {
        self.on_headers = on_headers;
        self
    }

    /// Sets the compression of the request message.
    #[cfg(feature = "grpc")]
    pub(crate) fn compressed(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Returns how long the whole attempt may take: permit, token, connection,
    /// request and response.
    ///
    /// It is not reduced while the attempt runs. A transport turns it into a
    /// deadline when the attempt begins.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns the extra headers (for gRPC: metadata), which are valid, in the
    /// order in which they were set.
    ///
    /// Names are in lower case. Names that the client sets itself, such as
    /// `authorization`, are never among them.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.headers.iter().map(|header| (header.name.as_str(), header.value.as_str()))
    }

    /// Returns the project that quota and billing are charged to, if one is
    /// set.
    pub fn quota_project(&self) -> Option<&'a str> {
        self.quota_project
    }

    /// Returns the version of the API, such as `v2`, if it differs from that of
    /// the client.
    ///
    /// It is the path prefix of the request that started the operation, or that
    /// of a [`Pending`](crate::Pending). Over REST it takes the place of
    /// the prefix of the default [`Bindings`](crate::Bindings). It has no
    /// meaning over gRPC.
    pub fn api_version(&self) -> Option<&'a str> {
        self.api_version
    }

    /// Returns how to bind WaitOperation over HTTP, if the bindings of the
    /// transport do not.
    ///
    /// A wait with [`LongPoll`](crate::LongPoll) sets it. It has no meaning
    /// over gRPC.
    pub fn wait_binding(&self) -> Option<WaitBinding> {
        self.wait_binding
    }

    /// Returns how the request message is to be compressed, if the transport
    /// can do that.
    #[cfg(feature = "grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Returns the token that stops the attempt with
    /// [`ErrorKind::Stopped`](crate::ErrorKind::Stopped), if one is set.
    ///
    /// A transport that cannot check it ends at the [`timeout`](Self::timeout).
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::transport::Attempt;
    ///
    /// let attempt = Attempt::new(Duration::from_secs(10));
    /// assert!(!attempt.stop().is_some_and(|token| token.is_stopped()));
    /// ```
    pub fn stop(&self) -> Option<&'a StopToken> {
        self.stop
    }

    /// Passes the headers of a response to the observer, if one is set.
    ///
    /// A transport calls it for every response, those that become an error
    /// included. `headers` is only called if there is an observer.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::transport::{Attempt, Headers};
    ///
    /// // Without an observer, as here, the headers are not even collected.
    /// Attempt::new(Duration::from_secs(10)).observe_response(|| unreachable!());
    /// ```
    pub fn observe_response(&self, headers: impl FnOnce() -> Headers) {
        if let Some(observer) = self.on_headers {
            observer.observe(&headers());
        }
    }
}

/// How request messages are compressed over gRPC. Responses are accepted in
/// either form.
#[cfg(feature = "grpc")]
#[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all. The default: requests are small.
    #[default]
    Identity,
    /// By gzip. Needs feature `gzip`, which is on by default, and a server that
    /// takes it.
    #[cfg(feature = "gzip")]
    #[cfg_attr(docsrs, doc(cfg(feature = "gzip")))]
    Gzip,
}
