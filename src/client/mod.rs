//! The client: the entry point to calls, waits, sweeps and handles.
//!
//! A client is a shared [`Core`] and nothing else: transport, clock, default
//! options. Its methods make values (`Call`, `Poller`, `PollMany`, `Sweep`,
//! `StartCall`, `OperationHandle`) that share the core too, so none of them
//! borrows the client. `builder` has the options and makes the core.

mod builder;
mod bulk;

use std::fmt;
use std::sync::Arc;

use crate::call::{Blocking, Call, RpcRequest};
use crate::core::Core;
use crate::error::Error;
use crate::handle::OperationHandle;
use crate::operation_ref::{CallTarget, OperationRef};
use crate::poller::Poller;
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest,
};
use crate::start::StartCall;
use crate::transport::{Headers, Transport};

pub use builder::OperationsClientBuilder;

/// A client for the long-running operations of one service.
///
/// Cheap to clone, and to share between threads: clones share connections and
/// tokens. Nothing is sent before `send`, iteration or `until_done`; every call
/// blocks the calling thread, which is the only one that works.
///
/// ```no_run
/// use longrunning::OperationsClient;
///
/// let client = OperationsClient::new("https://speech.googleapis.com")?; // with Google's default credentials
/// let operation = client.get("operations/42").send()?;
/// println!("{}: {}", operation.name(), operation.outcome()); // operations/42: running
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// Methods that take an operation accept a name (`&str`, `String`,
/// [`OperationName`](crate::OperationName)), an
/// [`Operation`](crate::Operation), a [`Pending`](crate::Pending) or a handle:
/// see [`OperationRef`]. Names are unique only within a service, and a service
/// forgets an operation some time after it is done (usually 30 days).
#[derive(Clone)]
pub struct OperationsClient {
    pub(crate) core: Arc<Core>,
}

impl OperationsClient {
    /// Creates a client for the service at `endpoint`, with [default
    /// credentials] and default options.
    ///
    /// Reads the credentials file, if there is one, and does no network I/O.
    ///
    /// ```
    /// use longrunning::OperationsClient;
    ///
    /// match OperationsClient::new("https://run.googleapis.com") {
    ///     Ok(client) => println!("{client:?}"),
    ///     Err(error) => eprintln!("{error}"), // says where credentials were looked for
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`OperationsClientBuilder::build`].
    ///
    /// [default credentials]: crate::Credentials::application_default
    pub fn new(endpoint: impl Into<String>) -> Result<Self, Error> {
        // The same defaults as those of the builder: there is one way to make a
        // client.
        Self::builder(endpoint).build()
    }

    /// Returns a builder of a client for the service at `endpoint`, over REST
    /// by default.
    ///
    /// The endpoint is a host (`run.googleapis.com`), a host with a port, or a
    /// URL with a base path. It must be https, except for loopback addresses.
    /// An operation is known where it was started: a regional service needs its
    /// regional endpoint. A host of Google's may be replaced by its endpoint
    /// for mutual TLS; see
    /// [`client_cert_source`](OperationsClientBuilder::client_cert_source).
    ///
    /// ```
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("europe-west1-aiplatform.googleapis.com")
    ///     .credentials(Credentials::anonymous())
    ///     .build()?;
    /// # let _ = client;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn builder(endpoint: impl Into<String>) -> OperationsClientBuilder {
        // Not parsed yet: an invalid endpoint is an error of `build`, as all
        // others.
        OperationsClientBuilder::service(endpoint.into())
    }

    /// Returns a builder of a client over your own transport.
    ///
    /// `build` rejects options of this crate's transports (credentials,
    /// bindings, …). The [transport](Self::transport) of another client
    /// works too: both clients share connections and tokens, and each has
    /// its own defaults.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # let client = server.client();
    /// use std::sync::Arc;
    /// use std::time::Duration;
    ///
    /// use longrunning::OperationsClient;
    ///
    /// let hasty = OperationsClient::over(Arc::clone(client.transport()))
    ///     .total_timeout(Duration::from_secs(2))
    ///     .build()?;
    /// # let _ = hasty;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn over(transport: impl Transport + 'static) -> OperationsClientBuilder {
        OperationsClientBuilder::custom(Arc::new(transport))
    }

    /// Returns the transport, for [`over`](Self::over) and for attempts without
    /// retries.
    ///
    /// ```
    /// # use longrunning::testing::{FakeServer, Reply};
    /// # let server = FakeServer::start();
    /// # server.reply(Reply::status(503));
    /// # let client = server.client();
    /// use std::time::Duration;
    ///
    /// use longrunning::proto::google::longrunning::GetOperationRequest;
    /// use longrunning::transport::{Attempt, Transport};
    ///
    /// let mut request = GetOperationRequest::default();
    /// request.name = "operations/42".to_owned();
    /// let attempt = Attempt::new(Duration::from_secs(10));
    /// assert!(client.transport().get_operation(&request, &attempt).is_err());
    /// assert_eq!(server.request_count(), 1, "one attempt");
    /// ```
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.core.transport
    }

    /// Sends the request that starts an operation, and returns a handle that
    /// holds the response.
    ///
    /// `path` is that of the method in the reference of the service, with its
    /// version: the operation is polled at that version. Over gRPC it is
    /// the method, such as `google.cloud.run.v2.Jobs/RunJob`. [`StartCall`]
    /// says what else there is to set, and why a start is never sent twice.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.on_start("POST", "/v2/{name=projects/*/locations/*/jobs/*}:run", FakeOperation::new("projects/p/locations/l/operations/42").done_at_poll(2));
    /// # let client = server.client();
    /// let execution = client.start("/v2/projects/p/locations/l/jobs/j:run").send()?;
    /// println!("started {}", execution.name());
    /// let done = execution.until_done()?;
    /// # assert_eq!(server.requests()[1].path(), "/v2/projects/p/locations/l/operations/42");
    /// # assert!(done.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn start(&self, path: impl Into<String>) -> StartCall {
        StartCall::new(&self.core, Blocking, path.into())
    }

    /// Returns the headers by which a request of the program's own to the same
    /// service is authorized.
    ///
    /// They are `authorization` or `x-goog-api-key`, and `x-goog-user-project`
    /// if there is a quota project, without which many services refuse the
    /// credentials of a user. There are none for
    /// [anonymous](crate::Credentials::anonymous) clients. The token is
    /// that of the client's own calls, from the same cache; fetch the headers
    /// anew for each request, because a token expires. It may send a
    /// request for a token, within the attempt timeout of a start. `Debug`
    /// redacts the values.
    ///
    /// **Only for this service.** A self-signed JWT of a service account is
    /// valid for the host of the endpoint alone (its audience), and an
    /// access token sent to another host is a token given away.
    ///
    /// **After a 401.** The client does not see the response to a request of
    /// the program's own. It renews the token if one of its own calls is
    /// rejected: make a cheap one, such as `get` of the operation, then fetch
    /// the headers again.
    ///
    /// ```
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let credentials = Credentials::bearer("ya29.secret")?;
    /// let client = OperationsClient::builder("run.googleapis.com").credentials(credentials).build()?;
    /// let headers = client.authorization_headers()?;
    /// assert_eq!(headers.get("authorization"), Some("Bearer ya29.secret"));
    /// assert_eq!(format!("{headers:?}"), r#"{"authorization": "[redacted]"}"#);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the endpoint is plain http, to
    /// loopback too, or the transport is the program's
    /// own; [`Auth`](crate::ErrorKind::Auth),
    /// [`Timeout`](crate::ErrorKind::Timeout) and
    /// [`Stopped`](crate::ErrorKind::Stopped) if there is no token.
    pub fn authorization_headers(&self) -> Result<Headers, Error> {
        // The options of a start: a program fetches the headers for work of the
        // same kind, and a token may take longer than an attempt of a get.
        let options = &self.core.start;
        self.core.transport.authorization_headers(&options.attempt(options.attempt_timeout))
    }

    /// Gets the latest state of an operation ([GetOperation]).
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = server.client();
    /// use longrunning::{Code, ErrorKind};
    ///
    /// let operation = client.get("operations/42").send()?;
    /// assert!(!operation.is_done());
    /// let error = client.get("operations/7").send().unwrap_err();
    /// assert_eq!((error.kind(), error.code()), (ErrorKind::Service, Some(Code::NotFound)));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Call::send`](Call#method.send); `NOT_FOUND` for an operation
    /// that was deleted or has expired. An operation that failed is not an
    /// error here.
    ///
    /// [GetOperation]: https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto
    pub fn get(&self, operation: impl Into<OperationRef>) -> Call<GetOperationRequest> {
        self.call(operation.into().at(&self.core).into_target())
    }

    /// Lists operations ([ListOperations]): by item, by page, or one page
    /// alone.
    ///
    /// `parent` is the parent (`projects/p/locations/l`) or the collection
    /// itself (`projects/p/locations/l/operations`, `operations`).
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # let client = server.client();
    /// for operation in client.list("projects/p/locations/l").filter("done = false").page_size(100) {
    ///     println!("{}", operation?.name());
    /// }
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Each step of the iteration may fail as [`Call::send`](Call#method.send)
    /// does.
    ///
    /// [ListOperations]: https://google.aip.dev/158
    pub fn list(&self, parent: impl Into<OperationRef>) -> Call<ListOperationsRequest> {
        self.call(parent.into().at(&self.core).into_parent_target())
    }

    /// Requests the cancellation of an operation ([CancelOperation]), which is
    /// best effort.
    ///
    /// Success means that the service received the request. The state of the
    /// operation says whether it was cancelled, had ended before, or
    /// continues:
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = server.client();
    /// use longrunning::Code;
    ///
    /// client.cancel("operations/42").send()?;
    /// let done = client.poller("operations/42").until_done()?;
    /// assert_eq!(done.error().map(|status| status.code()), Some(Code::Cancelled));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Call::send`](Call#method.send); `UNIMPLEMENTED` if the service
    /// cannot cancel operations. If an earlier attempt may have reached the
    /// service, the message of `NOT_FOUND` and `FAILED_PRECONDITION` says that
    /// it may have cancelled the operation.
    ///
    /// [CancelOperation]: https://google.aip.dev/151
    pub fn cancel(&self, operation: impl Into<OperationRef>) -> Call<CancelOperationRequest> {
        self.call(operation.into().at(&self.core).into_target())
    }

    /// Deletes an operation ([DeleteOperation]), whose result is no longer
    /// needed. It does not cancel it.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = server.client();
    /// use longrunning::Code;
    ///
    /// client.delete("operations/42").send()?;
    /// assert_eq!(client.get("operations/42").send().unwrap_err().code(), Some(Code::NotFound));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Call::send`](Call#method.send); `UNIMPLEMENTED` if the service
    /// cannot delete operations. `NOT_FOUND` after an attempt whose
    /// response was lost counts as success.
    ///
    /// [DeleteOperation]: https://google.aip.dev/151
    pub fn delete(&self, operation: impl Into<OperationRef>) -> Call<DeleteOperationRequest> {
        self.call(operation.into().at(&self.core).into_target())
    }

    /// Lets the server wait for an operation ([WaitOperation]); may return
    /// before it is done.
    ///
    /// Few services have this method, and they bind it differently: the client
    /// needs a binding for it ([`Bindings`](crate::Bindings)). To block
    /// until an operation is done, use [`poller`](Self::poller).
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer, Rpc};
    /// # let server = FakeServer::builder().with(Rpc::Wait).start()?;
    /// # server.insert(FakeOperation::new("operations/42").done_after(std::time::Duration::from_secs(9)));
    /// use std::time::Duration;
    /// use longrunning::{Bindings, WaitBinding};
    ///
    /// # let builder = server.client_builder();
    /// let client = builder.bindings(Bindings::default().wait_by(WaitBinding::Body)).build()?;
    /// let operation = client.wait("operations/42").timeout(Duration::from_secs(5)).send()?;
    /// assert!(!operation.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Call::send`](Call#method.send); `UNIMPLEMENTED` if the service
    /// has no such method. Without a binding for it nothing is sent, and
    /// the error is of the kind `Binding`, with `UNIMPLEMENTED` too.
    ///
    /// [WaitOperation]: https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto
    pub fn wait(&self, operation: impl Into<OperationRef>) -> Call<WaitOperationRequest> {
        self.call(operation.into().at(&self.core).into_target())
    }

    /// Polls an operation until it is done.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::succeeded("operations/42", longrunning::Any::from_json(r#"{"@type":"type.googleapis.com/google.protobuf.Empty"}"#)?));
    /// # let client = server.client();
    /// use std::time::Duration;
    ///
    /// let done = client.poller("operations/42").total_timeout(Duration::from_secs(15 * 60)).until_done()?;
    /// println!("{}", done.outcome());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn poller(&self, operation: impl Into<OperationRef>) -> Poller {
        Poller::new(&self.core, Blocking, operation.into())
    }

    /// Returns a handle for one operation.
    ///
    /// Nothing is sent. The first method that sends a request reports an
    /// invalid name.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::succeeded("operations/42", longrunning::Any::from_json("{}")?));
    /// # let client = server.client();
    /// let handle = client.operation("operations/42");
    /// assert!(handle.until_done()?.is_done());
    /// assert!(handle.error().is_none());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn operation(&self, operation: impl Into<OperationRef>) -> OperationHandle {
        OperationHandle::new(&self.core, Blocking, operation.into())
    }

    /// Creates a call for a target, whose version may differ from that of the
    /// client. An invalid name is reported by `send`.
    fn call<R: RpcRequest>(&self, (name, version): CallTarget) -> Call<R> {
        Call::new(&self.core, Blocking, name.map(R::from_name)).at_version(version)
    }
}

impl fmt::Debug for OperationsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationsClient").field("transport", &self.core.transport).finish_non_exhaustive()
    }
}
