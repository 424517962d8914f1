//! The requests that a [`FakeServer`] has received.

use super::FakeServer;
use crate::testing::request::RecordedRequest;
use crate::util::sync::lock;

/// Its log of requests.
impl FakeServer {
    /// Returns the requests that arrived, in order. Of too many, only the
    /// [latest](crate::testing::FakeServerBuilder::keep_requests) are kept.
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
