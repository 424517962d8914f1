//! ServiceOptions of the server.

use std::collections::HashSet;
use std::time::Duration;

use super::clock::ClockPace;
use super::service::FakeServiceOptions;
use crate::transport::Rpc;

/// Options of a [`FakeServer`](super::FakeServer); made by [`FakeServer::builder`](super::FakeServer::builder).
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
    pub(super) port: u16,
    pub(super) options: FakeServiceOptions,
    pub(super) requests_per_connection: u64,
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

    /// Lets time pass as it does outside, instead of only when somebody sleeps.
    pub fn real_time(mut self) -> Self {
        self.pace = ClockPace::Real;
        self
    }

    /// Listens on this port of `127.0.0.1`; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Implements a method. By default all but [`Rpc::Wait`] are, as with most services.
    pub fn with(mut self, rpc: Rpc) -> Self {
        self.options.rpcs.insert(rpc);
        self
    }

    /// Answers a method with `UNIMPLEMENTED`.
    pub fn without(mut self, rpc: Rpc) -> Self {
        self.options.rpcs.remove(&rpc);
        self
    }

    /// Sets the size of a page when the client asks for none; 50 by default, at least 1.
    pub fn page_size(mut self, size: usize) -> Self {
        self.options.page_size = size.max(1);
        self
    }

    /// Sets the size of a page however many the client asks for; 1000 by default, at least 1.
    pub fn max_page_size(mut self, size: usize) -> Self {
        self.options.max_page_size = size.max(1);
        self
    }

    /// Sets how long [`Rpc::Wait`] waits at most, whatever the client asks for; 60 seconds by default.
    pub fn max_wait(mut self, limit: Duration) -> Self {
        self.options.max_wait = limit;
        self
    }

    /// Sets how many requests a connection may serve; the last answer says that it ends, as
    /// [`Reply::then_go_away`](super::Reply::then_go_away) does. Without limit by default, at least 1.
    pub fn requests_per_connection(mut self, count: u64) -> Self {
        self.requests_per_connection = count.max(1);
        self
    }

    /// Sets how many requests the log keeps, the latest ones; 100,000 by default.
    pub fn keep_requests(mut self, count: usize) -> Self {
        self.kept_requests = count;
        self
    }
}
