//! The call that starts an operation, with its options.
//!
//! ```text
//! client.start(path) ──> StartCall (options) ──> complete ──> retry::run ──> StartRequest::attempt ──> OperationHandle
//!                                                              `RepeatRule`    is a failure in doubt?
//! ```
//!
//! One invariant decides most of this module: without an id by which the
//! service recognises a repeated request, a request that may have arrived is
//! not sent again. [`request`] says after which errors it may have arrived.

mod request;
mod request_id;

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::call::{AttemptRequest, Blocking};
use crate::core::Core;
use crate::error::Error;
use crate::handle::OperationHandle;
use crate::http::HttpMethod;
use crate::json::JsonReader;
use crate::operation_ref::OperationRef;
use crate::options::{CallOptions, RequestOptions, call_timeout_options, request_options};
use crate::retry::{self, RepeatRule, RetryTask};
use crate::transport::{StartBody, StartRequest, version_of};
use crate::types::Operation;
use crate::util::redact::Masked;

/// Builds and sends a request that starts an operation; created by
/// [`OperationsClient::start`].
///
/// The reference of the service says what to set: the HTTP method and the path
/// with its parameters filled in ([`method`](Self::method); `POST` by default),
/// the query ([`query`](Self::query)), and the body ([`json`](Self::json),
/// [`json_text`](Self::json_text), [`message`](Self::message), or none).
/// Credentials, quota project, headers and timeouts are those of every other
/// call. An attempt has 60 s by default, because a service may need time to
/// accept work.
///
/// ```
/// # use longrunning::testing::{FakeOperation, FakeServer};
/// # let server = FakeServer::start();
/// # server.on_start("POST", "/v2/{parent=projects/*/locations/*}/services", FakeOperation::new("projects/p/locations/l/operations/42").done_at_poll(3));
/// # let client = server.client();
/// use std::time::Duration;
///
/// #[derive(serde::Serialize)]
/// struct Service {
///     description: &'static str,
/// }
///
/// let creation = client
///     .start("/v2/projects/p/locations/l/services")
///     .query("serviceId", "s")
///     .json(&Service { description: "a service" })
///     .send()?;
/// let done = creation.poller().total_timeout(Duration::from_secs(3600)).until_done()?;
/// # assert!(done.is_done());
/// # assert_eq!(server.requests()[0].target(), "/v2/projects/p/locations/l/services?serviceId=s");
/// # assert_eq!(server.requests()[0].body(), br#"{"description":"a service"}"#);
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// # Never sent twice
///
/// A second request could start a second operation. So the call is repeated
/// only if the first request was certainly not processed: no byte of it was
/// written (no connection, no access token), the response was 401 and there is
/// a fresh token, or, over gRPC, the server refused the stream
/// (`REFUSED_STREAM`, or a `GOAWAY` below it). Every other error is returned,
/// 429 and 503 included. The request is sent on a new connection or on one that
/// was used within the last 2 s, because an idle connection that the server
/// closes at that moment leaves open whether the request arrived.
///
/// An error after which an operation may be running says so, and
/// [`Error::may_have_started`] returns true: look for the operation with
/// [`list`](crate::OperationsClient::list) before you start again.
///
/// With [`request_id`](Self::request_id) or [`idempotent`](Self::idempotent),
/// the call is retried as all other calls are, within its
/// [`retry`](Self::retry) policy.
///
/// # The handle
///
/// The handle and its poller use the version of the path (`v2` for
/// `/v2/projects/…`, `compute/v1` for `/compute/v1/projects/…`), whatever the
/// version of the client is; a [`Pending`](crate::Pending) keeps it. An
/// operation that is done already is not polled. Some services find an
/// operation only after a moment: for 30 s after the start, the handle
/// tolerates `NOT_FOUND`, and [`refresh`](OperationHandle::refresh) returns the
/// response of the start.
///
/// [`OperationsClient::start`]: crate::OperationsClient::start
#[derive(Clone)]
#[must_use = "nothing is sent before `send`"]
pub struct StartCall<M = Blocking> {
    pub(crate) core: Arc<Core>,
    #[cfg_attr(
        not(feature = "async"),
        allow(dead_code, reason = "only futures need it: the blocking mode has no state")
    )]
    pub(crate) mode: M,
    /// The request, without credentials and the options of the client.
    request: StartRequest,
    /// Whether `requestId` is in the query: some services do not take it.
    has_request_id: bool,
    options: RequestOptions,
}

impl<M> StartCall<M> {
    pub(crate) fn new(core: &Arc<Core>, mode: M, path: String) -> Self {
        Self {
            core: Arc::clone(core),
            mode,
            request: StartRequest::new(path),
            has_request_id: false,
            options: RequestOptions::default(),
        }
    }

    request_options!();
    call_timeout_options!();

    /// Sets the HTTP method. Default: `POST`. It has no meaning over gRPC.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.on_start("DELETE", "/v2/{name=projects/*/locations/*/services/*}", FakeOperation::new("operations/1"));
    /// # let client = server.client();
    /// use longrunning::http::HttpMethod;
    ///
    /// client.start("/v2/projects/p/locations/l/services/s").method(HttpMethod::Delete).send()?;
    /// # assert_eq!(server.requests()[0].method(), "DELETE");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn method(mut self, method: HttpMethod) -> Self {
        self.request.method = method;
        self
    }

    /// Adds a parameter to the query, encoded. May be called more than once,
    /// with one name too. There is no query over gRPC.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.on_start("POST", "/v2/{parent=projects/*/locations/*}/services", FakeOperation::new("operations/1"));
    /// # let client = server.client();
    /// client.start("/v2/projects/p/locations/l/services").query("serviceId", "s").query("validateOnly", true).send()?;
    /// # assert!(server.requests()[0].target().ends_with("?serviceId=s&validateOnly=true"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.request.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Sets the body to `body`, serialized as JSON. The reference of the
    /// service says whether that is the whole request or one field of it, often
    /// the resource itself.
    ///
    /// A value that cannot be serialized is reported by `send`, with
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.on_start("POST", "/v1/speech:longrunningrecognize", FakeOperation::new("42"));
    /// # let client = server.client();
    /// let request = serde_json::json!({ "audio": { "uri": "gs://bucket/speech.flac" } });
    /// client.start("/v1/speech:longrunningrecognize").json(&request).send()?;
    /// # assert_eq!(server.requests()[0].header("content-type"), Some("application/json"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_string(body) {
            Ok(text) => self.request.body = StartBody::Json(text),
            Err(cause) => {
                let error = Error::config("the body of the start cannot be written as JSON");
                // Setters cannot fail, so `send` returns this error.
                self.options.refuse(error.with_source(cause));
            }
        }
        self
    }

    /// Sets the body to this JSON text, which is sent unchanged.
    ///
    /// A text that is no JSON is refused by `send` with
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), and nothing is sent.
    ///
    /// ```
    /// use longrunning::ErrorKind;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let error = server.client().start("/v2/projects/p/locations/l/jobs/j:run").json_text("{").send().unwrap_err();
    /// assert_eq!((error.kind(), server.request_count()), (ErrorKind::Config, 0));
    /// ```
    pub fn json_text(mut self, body: impl Into<String>) -> Self {
        let text = body.into();
        match JsonReader::document(&text, JsonReader::value) {
            Ok(_) => self.request.body = StartBody::Json(text),
            Err(invalid) => {
                let error = Error::config("the body of the start is not valid JSON; nothing was sent");
                self.options.refuse(error.with_source(invalid));
            }
        }
        self
    }

    /// Sets the request message: over gRPC, and over REST with
    /// [`DataFormat::Proto`](crate::transport::DataFormat::Proto), where it is
    /// the body that the method wants.
    ///
    /// Over REST with JSON, `send` fails with
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.on_start("POST", "/v1/{name=projects/*}:export", FakeOperation::new("operations/1"));
    /// use longrunning::transport::DataFormat;
    ///
    /// let client = server.client_builder().data_format(DataFormat::Proto).build()?;
    /// client.start("/v1/projects/p:export").message(&prost_types::Duration { seconds: 9, nanos: 0 }).send()?;
    /// # assert_eq!(server.requests()[0].body(), [8, 9]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn message(mut self, message: &impl prost::Message) -> Self {
        self.request.body = StartBody::Message(message.encode_to_vec());
        self
    }

    /// Adds a field to the header `x-goog-request-params` ([AIP-4222]), by
    /// which gRPC front ends route a request.
    ///
    /// The client cannot derive it from the method. Which fields a method needs
    /// is in its `google.api.http` or `google.api.routing` option. Over
    /// REST the path says it, and the header is rarely needed.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.on_start("POST", "/v2/{name=projects/*/locations/*/jobs/*}:run", FakeOperation::new("operations/1"));
    /// # let client = server.client();
    /// let job = "projects/p/locations/l/jobs/j";
    /// client.start(format!("/v2/{job}:run")).routing("name", job).send()?;
    /// # assert_eq!(server.requests()[0].header("x-goog-request-params"), Some("name=projects/p/locations/l/jobs/j"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// [AIP-4222]: https://google.aip.dev/client-libraries/4222
    pub fn routing(mut self, field: &str, value: &str) -> Self {
        self.request.routing.push((field.to_owned(), value.to_owned()));
        self
    }

    /// Sets the query parameter `requestId` ([AIP-155]) to a UUID that you have
    /// made, and allows retries.
    ///
    /// The service recognises a repeated id and returns the operation that it
    /// has started already. **A service that ignores the id starts twice**:
    /// look for `requestId` in the reference of the method. A method whose
    /// request has the id in its body takes
    /// [`idempotent`](Self::idempotent) instead. To start again after an error,
    /// use the same id.
    ///
    /// It is refused with [`ErrorKind::Config`](crate::ErrorKind::Config) over
    /// gRPC, where the id is a field of the message, and for services that
    /// are known not to take it: Cloud SQL, Kubernetes Engine, Deployment
    /// Manager, and Cloud DNS, where the parameter is called
    /// `clientOperationId`.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer, Reply};
    /// # let server = FakeServer::start();
    /// # server.on_start("POST", "/v1/{parent=projects/*/locations/*}/instances", FakeOperation::new("operations/1"));
    /// # let client = server.client();
    /// server.reply(Reply::status(503));
    /// let creation = client
    ///     .start("/v1/projects/p/locations/l/instances")
    ///     .request_id("c3b8f0a4-2a51-4f27-9d6e-0c9f6a3f7d11")
    ///     .send()?;
    /// assert_eq!(server.request_count(), 2, "it was sent again");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// [AIP-155]: https://google.aip.dev/155
    pub fn request_id(mut self, id: &str) -> Self {
        self.has_request_id = true;
        // A later `idempotent(false)` ends the retries again.
        self.query("requestId", id).idempotent(true)
    }

    /// Sets whether a second request is harmless, so that the call may be
    /// retried. Default: no.
    ///
    /// It is harmless if the body contains an id by which the service
    /// recognises a repeated request, or if the method sets a state that is
    /// already reached the second time. **A service that ignores the id starts
    /// twice.**
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer, Reply};
    /// # let server = FakeServer::start();
    /// # server.on_start("POST", "/v2/projects/p/x", FakeOperation::new("operations/1"));
    /// # let client = server.client();
    /// server.reply(Reply::status(503));
    /// client.start("/v2/projects/p/x").json_text(r#"{"requestId":"c3b8f0a4"}"#).idempotent(true).send()?;
    /// assert_eq!(server.request_count(), 2);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn idempotent(mut self, is_idempotent: bool) -> Self {
        self.request.is_idempotent = is_idempotent;
        self
    }

    /// Returns the request and the complete options, or the error of the first
    /// option that cannot be used.
    pub(crate) fn complete(&self) -> Result<(StartRequest, CallOptions), Error> {
        self.options.check()?;
        if self.has_request_id {
            request_id::check(self.core.origin.as_ref(), &self.request.path)?;
        }
        Ok((self.request.clone(), self.options.over(&self.core.start)))
    }

    /// Returns the call as the retry loop needs it.
    pub(crate) fn task(request: &StartRequest, options: &CallOptions) -> RetryTask {
        // Zero: no request here waits on purpose, as a WaitOperation does.
        let (attempt_timeout, total_timeout) = options.limits(std::time::Duration::ZERO);
        RetryTask {
            method: "start",
            name: request.path.clone(),
            repeat: if request.is_idempotent { RepeatRule::Idempotent } else { RepeatRule::OnlyUnsent },
            attempt_timeout,
            total_timeout,
            policy: options.retry.clone(),
            stop: options.stop.clone(),
        }
    }

    /// Returns a handle for the operation that was started, at the version of
    /// the path.
    pub(crate) fn into_handle(self, operation: Operation) -> OperationHandle<M> {
        let version = self.core.other_version(version_of(&self.request.path));
        // From now on, for 30 s, a `NOT_FOUND` of this operation is tolerated.
        let started = self.core.clock.now();
        let target = OperationRef::from(operation).with_start(version, Some(started));
        OperationHandle::new(&self.core, self.mode, target)
    }
}

impl StartCall {
    /// Sends the request and returns a handle for the operation, which holds
    /// the response.
    ///
    /// # Errors
    ///
    /// `Service` with the code of the service, `Auth`, `Transport`, `Timeout`
    /// and `Stopped`: if [`Error::may_have_started`] is true, an operation
    /// may be running. `Decode` if the response is no operation; the message
    /// says whether the request was accepted, and then [`Error::response_body`]
    /// returns the body. `Binding` for a path of which no request can be
    /// made, and `Config` for an option that cannot be used: nothing was sent.
    /// An operation that has failed already is not an error here.
    pub fn send(self) -> Result<OperationHandle, Error> {
        let (request, options) = self.complete()?;
        let core = &*self.core;
        let operation = retry::run(Self::task(&request, &options), &*core.clock, |turn| {
            request.attempt(&*core.transport, &options.attempt(turn.timeout), turn)
        })?;
        Ok(self.into_handle(operation))
    }
}

/// Without the body and the query, which may contain secrets.
impl<M: fmt::Debug> fmt::Debug for StartCall<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartCall")
            .field("core", &self.core)
            .field("mode", &self.mode)
            .field("request", &Masked(&self.request))
            .field("options", &self.options)
            .finish()
    }
}
