//! The scripted responses of a [`FakeServer`]: one for the next request, or for
//! the next request that matches.

use super::FakeServer;
use crate::testing::reply::Reply;
use crate::testing::request::RecordedRequest;
use crate::util::sync::lock;

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
    ///
    /// ```
    /// use longrunning::testing::{FakeServer, Reply};
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.reply(Reply::status(403).times(usize::MAX));
    /// assert!(server.client().get("operations/42").send().is_err());
    /// server.clear_replies();
    /// assert!(server.client().get("operations/42").send().is_ok());
    /// ```
    pub fn clear_replies(&self) {
        lock(&self.backend.script).clear();
    }
}
