//! Starting a [`FakeServer`], its address, and clients of it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::FakeServer;
use crate::auth::Credentials;
use crate::client::{OperationsClient, OperationsClientBuilder};
use crate::error::Error;
use crate::http::{HttpOptions, ProxySetting, Roots};
use crate::testing::auth::TokenServers;
use crate::testing::backend::ServerBackend;
use crate::testing::builder::FakeServerBuilder;
use crate::testing::clock::VirtualClock;
use crate::testing::date::ServerDate;
use crate::testing::guard::TokenGuard;
use crate::testing::listener::ServerListener;
use crate::testing::log::RequestLog;
use crate::testing::script::ReplyScript;
use crate::testing::service::FakeService;
use crate::testing::socket::ShutdownSignal;
use crate::testing::start::StartMethods;
use crate::testing::store::OperationStore;

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
        // Nothing of the machine's settings: a proxy must not see the requests
        // of a test, and loading trusted roots takes time that plain http does
        // not need.
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
        // Complete before the socket listens: a client may connect at once.
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
