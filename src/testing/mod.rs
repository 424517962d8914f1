//! A fake service and a virtual clock, for the tests of programs that use this crate.
//!
//! [`FakeServer`] speaks real HTTP/1.1 on a loopback port, so that nothing between a program and
//! its service is left out of the test, and so that any client in any language can be pointed at it.
//! It implements google.longrunning.Operations over REST for every version prefix and every shape of
//! name, gives [scripted answers](Reply) with all sorts of faults, and [remembers what it was
//! asked](RecordedRequest). Requests with `alt=proto` get their answers in protobuf.
//!
//! With feature `grpc` it speaks gRPC on the same port, over HTTP/2 without TLS: the same operations, scripts,
//! faults and [records](RecordedRequest::rpc). Calls of one connection are served one after the other.
//!
//! It also plays [the servers that tokens come from](FakeAuth), checks what they are
//! sent, and can insist on [tokens that it has given](FakeServer::require_issued_tokens).
//!
//! Time is virtual unless [asked otherwise](FakeServerBuilder::real_time): it passes when the client
//! of the server sleeps, and then at once. A test of three hours takes milliseconds and gives the same
//! result every time.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use longrunning::testing::{FakeServer, Reply};
//! use longrunning::{Any, Operation};
//!
//! let server = FakeServer::start();
//! server.insert(Operation::running("operations/42"));
//! server.reply(Reply::status(503).header("retry-after", "3"));
//!
//! let get = |name: &str| {
//!     let mut answer = String::new();
//!     let mut stream = TcpStream::connect(server.address())?;
//!     write!(stream, "GET /v1/{name} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
//!     stream.read_to_string(&mut answer)?;
//!     Ok::<String, std::io::Error>(answer)
//! };
//! assert!(get("operations/42")?.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
//! assert!(get("operations/42")?.ends_with(r#"{"name":"operations/42"}"#));
//! assert!(get("operations/43")?.contains(r#""status":"NOT_FOUND""#));
//! assert_eq!(server.requests().len(), 3);
//! # Ok::<(), std::io::Error>(())
//! ```

mod answer;
mod auth;
mod builder;
mod call;
mod clock;
mod connection;
mod gzip;
#[cfg(feature = "grpc")]
mod http2;
mod inbox;
mod log;
mod operation;
mod patience;
mod reply;
mod said;
mod script;
mod server;
mod service;
mod store;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

pub use auth::{FakeAuth, SubjectToken};
pub use builder::FakeServerBuilder;
pub use log::RecordedRequest;
pub use operation::FakeOperation;
pub use reply::Reply;
pub use service::Rpc;

use crate::auth::Credentials;
use crate::client::{OperationsClient, OperationsClientBuilder};
use crate::clock::Clock;
use crate::http::{HttpOptions, ProxySetting, Roots};
use crate::types::Operation;
use server::{Core, Guard, Listener};

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
    core: Arc<Core>,
    listener: Listener,
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

    /// Options for a server of another kind.
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
        lock(&self.core.store).insert(operation, self.core.clock.elapsed());
    }

    /// The operation as a get would show it now, without counting as a look at it.
    pub fn operation(&self, name: &str) -> Option<Operation> {
        lock(&self.core.store).peek(name, self.core.clock.elapsed())
    }

    /// Sets the places that list calls cannot reach.
    ///
    /// While there are any, list calls fail with `UNAVAILABLE`, or with `returnPartialSuccess` name them on a
    /// last page of their own ([AIP-217](https://google.aip.dev/217)).
    pub fn set_unreachable(&self, names: impl IntoIterator<Item = impl Into<String>>) {
        lock(&self.core.store).set_unreachable(names.into_iter().map(Into::into).collect());
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
        lock(&self.core.script).push(is_for, reply.into());
    }

    /// How many answers are in line and have not been given.
    pub fn pending_replies(&self) -> usize {
        lock(&self.core.script).len()
    }

    /// Forgets the answers in line.
    pub fn clear_replies(&self) {
        lock(&self.core.script).clear();
    }
}

/// What it was asked.
impl FakeServer {
    /// The requests that arrived, in order; all of them, unless there were [too many](FakeServerBuilder::keep_requests).
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.core.log).all()
    }

    /// The requests that arrived since the last time, in order.
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        lock(&self.core.log).take()
    }

    /// How many requests have arrived since the start.
    pub fn request_count(&self) -> u64 {
        lock(&self.core.log).count()
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
        *lock(&self.core.guard) = Guard::Checks(Box::new(check));
    }

    /// Answers 401 to requests without an access token that this server [has given](FakeAuth), or a JWT that one
    /// of the keys which it trusts has signed; neither may have expired by its clock.
    pub fn require_issued_tokens(&self) {
        *lock(&self.core.guard) = Guard::Issued;
    }

    /// The servers that tokens come from: what they give and whom they trust.
    pub fn auth(&self) -> FakeAuth<'_> {
        FakeAuth::new(self)
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
        *lock(&self.core.guard) = Guard::default();
    }
}

/// Its clock, which is also the clock of its client.
impl FakeServer {
    /// What the client slept, in order.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.core.clock.sleeps()
    }

    /// Time since the start, as the clock has it.
    pub fn elapsed(&self) -> Duration {
        self.core.clock.elapsed()
    }

    /// Puts the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.core.clock.advance(duration);
    }

    /// What the calendar says; whole seconds at the start of virtual time.
    pub fn wall(&self) -> SystemTime {
        self.core.clock.wall()
    }

    /// Sets the calendar without touching the time that passes.
    pub fn set_wall(&self, wall: SystemTime) {
        self.core.clock.set_wall(wall);
    }

    /// Sets how far the `date` header of answers is ahead of the calendar, in seconds; `None` leaves it out.
    pub fn set_date_offset(&self, seconds: Option<i64>) {
        *lock(&self.core.date_offset) = seconds;
    }

    /// Sets what the client's delays take for chance, from 0 up to 1.
    ///
    /// It is 0.5 until then, so that a delay with equal jitter is always three quarters of its maximum.
    pub fn set_chance(&self, chance: f64) {
        self.core.clock.set_chance(chance);
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
            .clock(self.core.clock.clone())
            .environment(self.environment())
    }
}

/// Locks whatever happened to the last one who did: no state here is ever left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
