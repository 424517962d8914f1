//! The server, as a test sees it.

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
use super::service::OperationService;
use super::socket::ShutdownSignal;
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
/// A request is answered by the first of these that applies: the [token check](Self::require_token), the
/// [scripted answers](Self::reply), the [operations](Self::insert). Dropping the server closes its
/// connections and ends its threads.
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
    /// # Panics
    ///
    /// When no port of `127.0.0.1` can be listened on; [`FakeServerBuilder::start`] returns an error instead.
    pub fn start() -> Self {
        Self::builder().start().expect("a free port on 127.0.0.1")
    }

    /// ServiceOptions for a server of another kind.
    pub fn builder() -> FakeServerBuilder {
        FakeServerBuilder::new()
    }

    /// The endpoint, such as `http://127.0.0.1:40001`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }
}

/// The operations it has.
impl FakeServer {
    /// Adds an [`Operation`], which stays as it is, or a [`FakeOperation`], which makes progress.
    ///
    /// One of the same name is replaced. List calls give operations in the order of their insertion.
    pub fn insert(&self, operation: impl Into<FakeOperation>) {
        let operation = operation.into();
        lock(&self.backend.service.store).insert(operation, self.backend.clock.elapsed());
    }

    /// The operation as a get would show it now, without counting as a look at it.
    pub fn operation(&self, name: &str) -> Option<Operation> {
        lock(&self.backend.service.store).peek(name, self.backend.clock.elapsed())
    }

    /// Sets the places that list calls cannot reach.
    ///
    /// While there are any, list calls fail with `UNAVAILABLE`, or with `returnPartialSuccess` name them on a
    /// last page of their own ([AIP-217](https://google.aip.dev/217)).
    pub fn set_unreachable(&self, names: impl IntoIterator<Item = impl Into<String>>) {
        lock(&self.backend.service.store).set_unreachable(names.into_iter().map(Into::into).collect());
    }
}

/// What it answers by script.
impl FakeServer {
    /// Puts an answer in line for the next request, whatever that asks for.
    pub fn reply(&self, reply: impl Into<Reply>) {
        self.reply_when(|_| true, reply);
    }

    /// Puts an answer in line for the next request with this HTTP method whose target contains `part`.
    ///
    /// The target is the path and query as sent, so percent-encoded.
    pub fn reply_to(&self, method: impl Into<String>, part: impl Into<String>, reply: impl Into<Reply>) {
        let (method, part) = (method.into(), part.into());
        self.reply_when(move |request| request.method() == method && request.target().contains(&part), reply);
    }

    /// Puts an answer in line for the next request that passes a test. The test must not call the server.
    pub fn reply_when(
        &self,
        is_for: impl Fn(&RecordedRequest) -> bool + Send + 'static,
        reply: impl Into<Reply>,
    ) {
        lock(&self.backend.script).push(is_for, reply.into());
    }

    /// How many answers are in line and have not been given.
    pub fn pending_replies(&self) -> usize {
        lock(&self.backend.script).len()
    }

    /// Forgets the answers in line.
    pub fn clear_replies(&self) {
        lock(&self.backend.script).clear();
    }
}

/// What it was asked.
impl FakeServer {
    /// The requests that arrived, in order; all of them, unless there were [too many](FakeServerBuilder::keep_requests).
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.backend.log).all()
    }

    /// The requests that arrived since the last time, in order.
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        lock(&self.backend.log).take()
    }

    /// How many requests have arrived since the start.
    pub fn request_count(&self) -> u64 {
        lock(&self.backend.log).count()
    }
}

/// Who may ask.
impl FakeServer {
    /// Answers 401 to requests that do not carry this access token. Asking for another one revokes it.
    pub fn require_token(&self, token: impl Into<String>) {
        let token = token.into();
        self.check_tokens(move |given| given == token);
    }

    /// Answers 401 to requests without an access token that passes a test. The test must not call the server.
    pub fn check_tokens(&self, check: impl Fn(&str) -> bool + Send + 'static) {
        *lock(&self.backend.guard) = TokenGuard::Checks(Box::new(check));
    }

    /// Answers 401 to requests without an access token that this server [has given](FakeAuth), or a JWT that one
    /// of the keys which it trusts has signed; neither may have expired by its clock.
    pub fn require_issued_tokens(&self) {
        *lock(&self.backend.guard) = TokenGuard::Issued;
    }

    /// The servers that tokens come from: what they give and whom they trust.
    pub fn auth(&self) -> FakeAuth<'_> {
        FakeAuth::new(&self.backend.tokens, self.address())
    }

    /// Environment variables that lead clients with default credentials to this server's metadata server.
    ///
    /// They are good for the [`environment`](OperationsClientBuilder::environment) of a client, where
    /// [`client_builder`](Self::client_builder) puts them, and for that of a
    /// [`Command`](std::process::Command::envs). `GOOGLE_APPLICATION_CREDENTIALS` can be set on top.
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

    /// Lets everybody in again.
    pub fn allow_anonymous(&self) {
        *lock(&self.backend.guard) = TokenGuard::default();
    }
}

/// Its clock, which is also the clock of its client.
impl FakeServer {
    /// What the client slept, in order.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.backend.clock.sleeps()
    }

    /// Time since the start, as the clock has it.
    pub fn elapsed(&self) -> Duration {
        self.backend.clock.elapsed()
    }

    /// Puts the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.backend.clock.advance(duration);
    }

    /// What the calendar says; whole seconds at the start of virtual time.
    pub fn wall(&self) -> SystemTime {
        self.backend.clock.wall()
    }

    /// Sets the calendar without touching the time that passes.
    pub fn set_wall(&self, wall: SystemTime) {
        self.backend.clock.set_wall(wall);
    }

    /// Sets how far the `date` header of answers is ahead of the calendar, in seconds; `None` leaves it out.
    pub fn set_date_offset(&self, seconds: Option<i64>) {
        self.backend.date.set_offset(seconds);
    }

    /// Sets what the client's delays take for chance, from 0 up to 1.
    ///
    /// It is 0.5 until then, so that a delay with equal jitter is always three quarters of its maximum.
    pub fn set_chance(&self, chance: f64) {
        self.backend.clock.set_chance(chance);
    }
}

/// Its client.
impl FakeServer {
    /// Makes a client of this server: anonymous, and on the server's clock, so that nothing really sleeps.
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

    /// Starts a client as [`client`](Self::client) makes it, for more options.
    ///
    /// Of the environment it sees [these variables](Self::environment) only.
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
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the port cannot be listened on.
    pub fn start(self) -> Result<FakeServer, Error> {
        let clock = Arc::new(VirtualClock::new(self.pace));
        let backend = Arc::new(ServerBackend {
            date: ServerDate::new(clock.clone()),
            log: Mutex::new(RequestLog::new(self.kept_requests)),
            guard: Mutex::new(TokenGuard::default()),
            script: Mutex::new(ReplyScript::default()),
            tokens: TokenServers::default(),
            service: OperationService {
                clock: clock.clone(),
                store: Mutex::new(OperationStore::default()),
                options: self.options,
            },
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
