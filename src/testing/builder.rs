//! The options of the fake server that are set before it starts.

use std::collections::HashSet;
use std::time::Duration;

use super::clock::ClockPace;
use super::service::FakeServiceOptions;
use crate::transport::Rpc;

/// Options of a [`FakeServer`](super::FakeServer); made by
/// [`FakeServer::builder`](super::FakeServer::builder).
///
/// The defaults are those of a common service: virtual time, a free port, all
/// methods but [`Rpc::Wait`], pages of 50 and at most 1000 operations.
///
/// ```
/// use longrunning::testing::{FakeServer, Rpc};
///
/// let server = FakeServer::builder().with(Rpc::Wait).without(Rpc::List).max_page_size(10).start()?;
/// # Ok::<(), longrunning::Error>(())
/// ```
#[must_use = "no server runs before `start`"]
#[derive(Clone, Debug)]
pub struct FakeServerBuilder {
    pub(super) pace: ClockPace,
    /// Zero for a free one.
    pub(super) port: u16,
    pub(super) options: FakeServiceOptions,
    pub(super) requests_per_connection: u64,
    /// The capacity of the log of requests.
    pub(super) kept_requests: usize,
}

impl FakeServerBuilder {
    pub(super) fn new() -> Self {
        let rpcs = HashSet::from([Rpc::Cancel, Rpc::Delete, Rpc::Get, Rpc::List]);
        let options = FakeServiceOptions {
            rpcs,
            page_size: 50,
            max_page_size: 1000,
            max_wait: Duration::from_secs(60),
        };
        Self {
            pace: ClockPace::Virtual,
            port: 0,
            options,
            requests_per_connection: u64::MAX,
            kept_requests: 100_000,
        }
    }

    /// Uses real time. By default time is virtual and passes only when the
    /// client sleeps.
    ///
    /// A sleep of the client then takes its real time, and so does a
    /// [delay](super::Reply::delay). Use it for clients that do not run on the
    /// server's clock, such as programs in other languages.
    pub fn real_time(mut self) -> Self {
        self.pace = ClockPace::Real;
        self
    }

    /// Sets the port of `127.0.0.1` to listen on. Default: zero, which chooses
    /// a free one.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::builder().port(0).start()?;
    /// assert_ne!(server.address().port(), 0);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Implements a method. By default all but [`Rpc::Wait`] are implemented,
    /// as by most services.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::{FakeOperation, FakeServer, Rpc};
    /// use longrunning::WaitBinding;
    ///
    /// let server = FakeServer::builder().with(Rpc::Wait).start()?;
    /// server.insert(FakeOperation::new("operations/42").done_after(Duration::from_secs(20)));
    /// let bindings = longrunning::Bindings::default().wait_by(WaitBinding::Body);
    /// let client = server.client_builder().bindings(bindings).build()?;
    /// assert!(client.wait("operations/42").timeout(Duration::from_secs(30)).send()?.is_done());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn with(mut self, rpc: Rpc) -> Self {
        self.options.rpcs.insert(rpc);
        self
    }

    /// Removes a method: the server responds with `UNIMPLEMENTED`.
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Rpc};
    /// use longrunning::Code;
    ///
    /// let server = FakeServer::builder().without(Rpc::Cancel).start()?;
    /// let error = server.client().cancel("operations/42").send().unwrap_err();
    /// assert_eq!(error.code(), Some(Code::Unimplemented));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn without(mut self, rpc: Rpc) -> Self {
        self.options.rpcs.remove(&rpc);
        self
    }

    /// Sets the size of a page if the request does not. Default: 50; at least
    /// 1.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::builder().page_size(2).start()?;
    /// for n in 1..=3 {
    ///     server.insert(Operation::running(format!("projects/p/operations/{n}")));
    /// }
    /// assert_eq!(server.client().list("projects/p").pages().count(), 2);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn page_size(mut self, size: usize) -> Self {
        // A page of zero operations would never end.
        self.options.page_size = size.max(1);
        self
    }

    /// Limits the size of a page, even if the request has a larger one.
    /// Default: 1000; at least 1.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::builder().max_page_size(1).start()?;
    /// server.insert(Operation::running("projects/p/operations/1"));
    /// server.insert(Operation::running("projects/p/operations/2"));
    /// let page = server.client().list("projects/p").page_size(100).send()?;
    /// assert_eq!(page.operations.len(), 1);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn max_page_size(mut self, size: usize) -> Self {
        self.options.max_page_size = size.max(1);
        self
    }

    /// Limits how long [`Rpc::Wait`] holds its response back, whatever the
    /// request says. Default: 60 s.
    ///
    /// With zero, a wait responds at once. The limit does not apply to the wait
    /// of Compute Engine, which is always two minutes at most.
    pub fn max_wait(mut self, limit: Duration) -> Self {
        self.options.max_wait = limit;
        self
    }

    /// Limits the number of requests on one connection. Default: no limit; at
    /// least 1.
    ///
    /// The last response announces the end of the connection, as
    /// [`Reply::then_go_away`](super::Reply::then_go_away) does.
    pub fn requests_per_connection(mut self, count: u64) -> Self {
        self.requests_per_connection = count.max(1);
        self
    }

    /// Sets how many of the latest requests the log keeps. Default: 100,000;
    /// zero keeps none.
    ///
    /// [`FakeServer::request_count`](super::FakeServer::request_count) counts
    /// the others too.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::builder().keep_requests(1).start()?;
    /// let client = server.client();
    /// client.list("projects/p").send()?;
    /// client.list("projects/q").send()?;
    /// assert_eq!((server.requests().len(), server.request_count()), (1, 2));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn keep_requests(mut self, count: usize) -> Self {
        self.kept_requests = count;
        self
    }
}
