//! The fake server, as a test uses it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::auth::{FakeAuth, TokenServers};
use super::backend::ServerBackend;
use super::builder::FakeServerBuilder;
use super::clock::VirtualClock;
use super::date::ServerDate;
use super::guard::TokenGuard;
use super::listener::ServerListener;
use super::log::RequestLog;
use super::operation::FakeOperation;
use super::reply::Reply;
use super::request::RecordedRequest;
use super::script::ReplyScript;
use super::service::FakeService;
use super::socket::ShutdownSignal;
use super::start::StartMethods;
use super::store::OperationStore;
use crate::auth::Credentials;
use crate::client::{OperationsClient, OperationsClientBuilder};
use crate::error::Error;
use crate::http::{HttpOptions, ProxySetting, Roots};
use crate::types::Operation;
use crate::util::clock::Clock;
use crate::util::sync::lock;

/// A service on a loopback port that lives as long as this value.
///
/// The first of these that applies determines the response: the [token
/// check](Self::require_token), the [script](Self::reply), the
/// [operations](Self::insert). Dropping the server closes its connections and
/// ends its threads.
///
/// ```
/// use std::time::Duration;
/// use longrunning::testing::{FakeOperation, FakeServer};
///
/// let server = FakeServer::start();
/// server.insert(FakeOperation::new("operations/42").done_after(Duration::from_secs(600)));
/// server.advance(Duration::from_secs(600));
/// assert!(server.operation("operations/42").unwrap().is_done());
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// ```
#[derive(Debug)]
pub struct FakeServer {
    pub(super) backend: Arc<ServerBackend>,
    listener: ServerListener,
}

/// The server itself.
impl FakeServer {
    /// Starts a server on a free port, in virtual time.
    ///
    /// ```
    /// use longrunning::Operation;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// assert!(!server.client().get("operations/42").send()?.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If no port of `127.0.0.1` is free. [`FakeServerBuilder::start`] returns
    /// an error instead.
    pub fn start() -> Self {
        Self::builder().start().expect("a free port on 127.0.0.1")
    }

    /// Returns a builder, for other methods, page sizes, a fixed port or real
    /// time.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Rpc};
    ///
    /// let server = FakeServer::builder().without(Rpc::Delete).page_size(10).start()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn builder() -> FakeServerBuilder {
        FakeServerBuilder::new()
    }

    /// Returns the endpoint, such as `http://127.0.0.1:40001`.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let server = FakeServer::start();
    /// let client = OperationsClient::builder(server.url()).credentials(Credentials::anonymous()).build()?;
    /// assert!(client.list("projects/p/locations/l").into_iter().next().is_none());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Returns the address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }
}

/// Its operations.
impl FakeServer {
    /// Adds an [`Operation`], which does not change, or a [`FakeOperation`],
    /// which makes progress.
    ///
    /// It replaces an operation of the same name. List calls return operations
    /// in the order of their insertion.
    ///
    /// ```
    /// use longrunning::Operation;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/1"));
    /// server.insert(FakeOperation::new("operations/2").done_at_poll(2));
    /// assert!(server.client().poller("operations/2").until_done()?.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn insert(&self, operation: impl Into<FakeOperation>) {
        let operation = operation.into();
        lock(&self.backend.service.store).insert(operation, self.backend.clock.moment());
    }

    /// Adds a method over REST that starts an operation.
    ///
    /// A request with this HTTP method whose path fits the template (as in
    /// `google.api.http`; `*` is a segment, `**` any number of them)
    /// inserts the operation and responds with its first state. The second one
    /// starts an operation whose name ends with `-2`, and so on. A
    /// `requestId` in the query that was used for the path before starts
    /// nothing: the response is the operation that it has started. The
    /// bodies are in [`requests`](Self::requests).
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// let operation = FakeOperation::new("projects/p/locations/l/operations/42").done_after(Duration::from_secs(60));
    /// server.on_start("POST", "/v2/{name=projects/*/locations/*/jobs/*}:run", operation);
    /// let handle = server.client().start("/v2/projects/p/locations/l/jobs/j:run").json_text("{}").send()?;
    /// assert!(handle.until_done()?.is_done());
    /// assert_eq!(server.requests()[0].body(), b"{}");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn on_start(&self, method: &str, template: &str, operation: impl Into<FakeOperation>) {
        lock(&self.backend.starts).add_rest(method, template, operation.into());
    }

    /// Adds a gRPC method that starts an operation, such as
    /// `google.cloud.run.v2.Jobs/RunJob`; see [`on_start`](Self::on_start).
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    /// use longrunning::transport::TransportKind;
    ///
    /// let server = FakeServer::start();
    /// server.on_start_rpc("google.cloud.run.v2.Jobs/RunJob", FakeOperation::new("operations/42").done_at_poll(2));
    /// let client = server.client_builder().transport(TransportKind::Grpc).build()?;
    /// let handle = client.start("google.cloud.run.v2.Jobs/RunJob").send()?;
    /// assert!(handle.until_done()?.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[cfg(feature = "grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
    pub fn on_start_rpc(&self, rpc: &str, operation: impl Into<FakeOperation>) {
        lock(&self.backend.starts).add_grpc(rpc, operation.into());
    }

    /// Returns the current state of an operation, without counting as a poll of
    /// it.
    ///
    /// ```
    /// use longrunning::Operation;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.client().delete("operations/42").send()?;
    /// assert!(server.operation("operations/42").is_none());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn operation(&self, name: &str) -> Option<Operation> {
        lock(&self.backend.service.store).peek(name, self.backend.clock.moment())
    }

    /// Sets the locations that list calls cannot reach.
    ///
    /// While there are any, list calls fail with `UNAVAILABLE`. With
    /// `returnPartialSuccess`, a last page names them instead ([AIP-217](https://google.aip.dev/217)).
    /// Lists of Compute Engine and GKE always name them, in fields of their
    /// own.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.set_unreachable(["projects/p/locations/europe-west1"]);
    /// let page = server.client().list("projects/p/locations/-").return_partial_success(true).send()?;
    /// assert_eq!(page.unreachable, ["projects/p/locations/europe-west1"]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn set_unreachable(&self, names: impl IntoIterator<Item = impl Into<String>>) {
        lock(&self.backend.service.store).set_unreachable(names.into_iter().map(Into::into).collect());
    }
}

/// Its script.
impl FakeServer {
    /// Appends a response to the script, for the next request of any kind.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Code, Status};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Status::new(Code::PermissionDenied, "no access"));
    /// let error = server.client().get("operations/42").send().unwrap_err();
    /// assert_eq!(error.code(), Some(Code::PermissionDenied));
    /// ```
    pub fn reply(&self, reply: impl Into<Reply>) {
        self.reply_when(|_| true, reply);
    }

    /// Appends a response for the next request with this HTTP method whose
    /// target contains `part`.
    ///
    /// The target is the path and query as sent, percent-encoded.
    ///
    /// ```
    /// use longrunning::Operation;
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply_to("DELETE", "operations/42", Reply::status(503));
    /// let client = server.client();
    /// client.get("operations/42").send()?;
    /// assert_eq!(server.pending_replies(), 1);
    /// client.delete("operations/42").send()?; // the second attempt succeeds
    /// assert_eq!(server.pending_replies(), 0);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn reply_to(&self, method: impl Into<String>, part: impl Into<String>, reply: impl Into<Reply>) {
        let (method, part) = (method.into(), part.into());
        self.reply_when(move |request| request.method() == method && request.target().contains(&part), reply);
    }

    /// Appends a response for the next request that `is_for` accepts. The
    /// closure must not call the server.
    ///
    /// ```
    /// use longrunning::Operation;
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply_when(|request| request.query("filter").is_some(), Reply::status(400));
    /// let client = server.client();
    /// assert!(client.list("projects/p").send().is_ok());
    /// assert!(client.list("projects/p").filter("done = true").send().is_err());
    /// ```
    pub fn reply_when(
        &self,
        is_for: impl Fn(&RecordedRequest) -> bool + Send + 'static,
        reply: impl Into<Reply>,
    ) {
        lock(&self.backend.script).push(is_for, reply.into());
    }

    /// Returns the number of scripted responses that were not sent yet.
    pub fn pending_replies(&self) -> usize {
        lock(&self.backend.script).len()
    }

    /// Removes the scripted responses that were not sent yet.
    pub fn clear_replies(&self) {
        lock(&self.backend.script).clear();
    }
}

/// Its log of requests.
impl FakeServer {
    /// Returns the requests that arrived, in order. Of too many, only the
    /// [latest](FakeServerBuilder::keep_requests) are kept.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// assert!(server.client().get("operations/42").send().is_err());
    /// assert_eq!(server.requests()[0].path(), "/v1/operations/42");
    /// ```
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.backend.log).all()
    }

    /// Returns the requests that arrived since the last call of this method, in
    /// order, and removes them from the log.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let client = server.client();
    /// client.list("projects/p").send()?;
    /// assert_eq!(server.take_requests().len(), 1);
    /// client.list("projects/q").send()?;
    /// assert_eq!(server.take_requests()[0].name(), Some("projects/q/operations"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        lock(&self.backend.log).take()
    }

    /// Returns how many requests have arrived since the start.
    pub fn request_count(&self) -> u64 {
        lock(&self.backend.log).count()
    }
}

/// Its checks of access tokens.
impl FakeServer {
    /// Responds with 401 to requests without this access token. A second call
    /// replaces the token, which revokes the first.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Code, Credentials, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.require_token("secret");
    /// let client = server.client_builder().credentials(Credentials::bearer("secret")?).build()?;
    /// assert!(client.get("operations/42").send().is_ok());
    /// assert_eq!(server.client().get("operations/42").send().unwrap_err().code(), Some(Code::Unauthenticated));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn require_token(&self, token: impl Into<String>) {
        let token = token.into();
        self.check_tokens(move |given| given == token);
    }

    /// Responds with 401 to requests without an access token that `check`
    /// accepts. The closure must not call the server.
    pub fn check_tokens(&self, check: impl Fn(&str) -> bool + Send + 'static) {
        *lock(&self.backend.guard) = TokenGuard::Checks(Box::new(check));
    }

    /// Responds with 401 to requests without an access token that this server
    /// [has issued](FakeAuth).
    ///
    /// It also accepts a JWT that one of its trusted keys has signed. Neither
    /// may have expired by its clock.
    pub fn require_issued_tokens(&self) {
        *lock(&self.backend.guard) = TokenGuard::Issued;
    }

    /// Returns the settings of the token endpoints: what they issue and which
    /// keys they trust.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// assert_eq!(server.auth().issued(), 0);
    /// ```
    pub fn auth(&self) -> FakeAuth<'_> {
        FakeAuth::new(&self.backend.tokens, self.address())
    }

    /// Returns environment variables that direct Application Default
    /// Credentials to this server's metadata server.
    ///
    /// They are for the [`environment`](OperationsClientBuilder::environment)
    /// of a client, where [`client_builder`](Self::client_builder) sets
    /// them, and for that of a [`Command`](std::process::Command::envs).
    /// `GOOGLE_APPLICATION_CREDENTIALS` can be added.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Credentials, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.require_issued_tokens();
    /// let client = server.client_builder().credentials(Credentials::application_default()).build()?;
    /// client.get("operations/42").send()?;
    /// assert!(server.requests()[0].path().starts_with("/computeMetadata/v1/"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn environment(&self) -> BTreeMap<String, String> {
        let address = self.address().to_string();
        let nowhere = std::env::temp_dir().join(format!("no-gcloud-{}", self.address().port()));
        let variables = [
            ("CLOUDSDK_CONFIG", nowhere.to_string_lossy().into_owned()),
            ("GCE_METADATA_HOST", address.clone()),
            ("GCE_METADATA_IP", address.clone()),
            ("GCE_METADATA_ROOT", address),
            ("GOOGLE_APPLICATION_CREDENTIALS", String::new()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Accepts all requests again, with or without a token. This is the
    /// default.
    pub fn allow_anonymous(&self) {
        *lock(&self.backend.guard) = TokenGuard::default();
    }
}

/// Its clock, which is also the clock of its client.
impl FakeServer {
    /// Returns the durations that the client slept, in order.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").done_at_poll(3));
    /// server.client().poller("operations/42").until_done()?;
    /// assert_eq!(server.sleeps(), [Duration::from_millis(500); 2]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn sleeps(&self) -> Vec<Duration> {
        self.backend.clock.sleeps()
    }

    /// Returns the time since the start, by the server's clock.
    pub fn elapsed(&self) -> Duration {
        self.backend.clock.elapsed()
    }

    /// Advances the clock, as a sleep of the client does.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").done_after(Duration::from_secs(60)));
    /// server.advance(Duration::from_secs(60));
    /// assert!(server.operation("operations/42").unwrap().is_done());
    /// ```
    pub fn advance(&self, duration: Duration) {
        self.backend.clock.advance(duration);
    }

    /// Returns the date and time of the server. In virtual time it starts at a
    /// whole second.
    pub fn wall(&self) -> SystemTime {
        self.backend.clock.wall()
    }

    /// Sets the date and time of the server. The elapsed time does not change.
    pub fn set_wall(&self, wall: SystemTime) {
        self.backend.clock.set_wall(wall);
    }

    /// Sets by how many seconds the `date` header is ahead of the server's
    /// clock. Default: zero; `None` omits the header.
    ///
    /// Tests of clock skew use this: an assertion is signed for the time of the
    /// token endpoint.
    pub fn set_date_offset(&self, seconds: Option<i64>) {
        self.backend.date.set_offset(seconds);
    }

    /// Sets the random number of the client's delays, from 0 up to 1. Default:
    /// 0.5.
    ///
    /// So a delay with equal jitter is three quarters of its maximum by
    /// default.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::Operation;
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.set_chance(0.0);
    /// server.reply(Reply::status(503));
    /// server.client().get("operations/42").send()?;
    /// assert_eq!(server.sleeps(), [Duration::from_millis(250)]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn set_chance(&self, chance: f64) {
        self.backend.clock.set_chance(chance);
    }
}

/// Its client.
impl FakeServer {
    /// Creates a client of this server: anonymous, and on the server's clock,
    /// so that nothing really sleeps.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/42").done_after(Duration::from_secs(3 * 60 * 60)));
    /// let done = server.client().poller("operations/42").until_done()?;
    /// assert!(done.is_done() && server.elapsed() >= Duration::from_secs(3 * 60 * 60));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn client(&self) -> OperationsClient {
        self.client_builder().build().expect("the options of a loopback client are valid")
    }

    /// Returns a builder of a client like that of [`client`](Self::client), for
    /// more options.
    ///
    /// Its environment consists of [these variables](Self::environment) only.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeServer, Reply};
    ///
    /// let server = FakeServer::start();
    /// server.reply(Reply::hang().times(usize::MAX));
    /// let client = server.client_builder().total_timeout(Duration::from_secs(15)).build()?;
    /// assert!(client.get("operations/42").send().is_err());
    /// assert!(server.elapsed() <= Duration::from_secs(15));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn client_builder(&self) -> OperationsClientBuilder {
        let network = HttpOptions::new().roots(Roots::None).proxy(ProxySetting::None);
        OperationsClient::builder(self.url())
            .credentials(Credentials::anonymous())
            .http_options(network)
            .clock(self.backend.clock.clone())
            .environment(self.environment())
    }
}

impl FakeServerBuilder {
    /// Starts the server.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let first = FakeServer::builder().start()?;
    /// let taken = FakeServer::builder().port(first.address().port()).start();
    /// assert!(taken.is_err());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the port is not free.
    pub fn start(self) -> Result<FakeServer, Error> {
        let clock = Arc::new(VirtualClock::new(self.pace));
        let backend = Arc::new(ServerBackend {
            date: ServerDate::new(clock.clone()),
            log: Mutex::new(RequestLog::new(self.kept_requests)),
            guard: Mutex::new(TokenGuard::default()),
            script: Mutex::new(ReplyScript::default()),
            tokens: TokenServers::default(),
            service: FakeService {
                clock: clock.clone(),
                store: Mutex::new(OperationStore::default()),
                options: self.options,
            },
            starts: Mutex::new(StartMethods::default()),
            requests_per_connection: self.requests_per_connection,
            shutdown: ShutdownSignal::default(),
            clock,
        });
        let listener = ServerListener::start(self.port, backend.clone()).map_err(|cause| {
            let message = format!("failed to listen on `127.0.0.1:{}`: expected a free port", self.port);
            Error::config(message).with_source(cause)
        })?;
        Ok(FakeServer { backend, listener })
    }
}
