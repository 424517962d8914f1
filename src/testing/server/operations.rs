//! The operations of a [`FakeServer`], and the methods that start them.

use super::FakeServer;
use crate::testing::operation::FakeOperation;
use crate::types::Operation;
use crate::util::sync::lock;

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
