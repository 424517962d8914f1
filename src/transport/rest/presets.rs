//! Constructors of the bindings of services whose operations have URLs of their
//! own.
//!
//! What they bind is in `service_bindings`. A program rarely needs them: the
//! host of the client and the path of a start choose the same ones. They are
//! for emulators and proxies, whose hosts say nothing.

use crate::transport::rest::binding::Bindings;
use crate::transport::rest::service_bindings::OperationService::{
    CloudDns, CloudSql, CloudStorage, ComputeEngine, DeploymentManager, KubernetesEngine,
};

impl Bindings {
    /// Creates the bindings of Compute Engine, under `compute/v1`.
    ///
    /// They are the default for the endpoint `https://compute.googleapis.com`,
    /// for paths that begin with `compute/`, and for operations that were seen
    /// in the form of Compute Engine. For other versions use
    /// [`Bindings::version`], as in `Bindings::version("compute/beta")`.
    ///
    /// Names are those of zones, regions, projects and organizations:
    ///
    /// - `projects/p/zones/z/operations/o`
    /// - `projects/p/regions/r/operations/o`
    /// - `projects/p/global/operations/o`
    /// - `organizations/7/locations/global/operations/o`, whose organization is
    ///   sent as `parentId`
    ///
    /// The parent `projects/p` lists the operations of all scopes. There is no
    /// cancel: it is `UNIMPLEMENTED`, without a request.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Bindings, Operation};
    ///
    /// let server = FakeServer::start();
    /// let client = server.client_builder().bindings(Bindings::compute_engine()).build()?;
    /// let error = client.cancel("projects/p/zones/z/operations/o").send().unwrap_err();
    /// assert_eq!((error.code(), server.request_count()), (Some(longrunning::Code::Unimplemented), 0));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn compute_engine() -> Self {
        Self::of_service("compute/v1", ComputeEngine)
    }

    /// Creates the bindings of Cloud SQL Admin, under `v1`; those of its older
    /// version are `Bindings::version("sql/v1beta4")`.
    ///
    /// Names are `projects/p/operations/o`. The parent `projects/p/instances/i`
    /// lists the operations of one instance. There is no delete and no
    /// wait.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::Bindings;
    ///
    /// let server = FakeServer::start();
    /// let client = server.client_builder().bindings(Bindings::cloud_sql()).build()?;
    /// client.list("projects/p/instances/i").send()?;
    /// let request = &server.requests()[0];
    /// assert_eq!(request.path(), "/v1/projects/p/operations");
    /// assert_eq!(request.query("instance").as_deref(), Some("i"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn cloud_sql() -> Self {
        Self::of_service("v1", CloudSql)
    }

    /// Creates the bindings of Google Kubernetes Engine, under `v1`.
    ///
    /// Names are `projects/p/locations/l/operations/o`, or with `zones`. The
    /// parent `projects/p` lists all locations. There is no delete and no
    /// wait.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::Bindings;
    ///
    /// let server = FakeServer::start();
    /// let client = server.client_builder().bindings(Bindings::kubernetes_engine()).build()?;
    /// client.list("projects/p").send()?;
    /// assert_eq!(server.requests()[0].path(), "/v1/projects/p/locations/-/operations");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn kubernetes_engine() -> Self {
        Self::of_service("v1", KubernetesEngine)
    }

    /// Creates the bindings of Cloud DNS, under `dns/v1`.
    ///
    /// Names are `projects/p/managedZones/z/operations/o`, which have no
    /// cancel, delete and wait. The operations of locations,
    /// `projects/p/locations/l/operations/o`, are google.longrunning ones and
    /// have cancel and delete.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Bindings, Code};
    ///
    /// let server = FakeServer::start();
    /// let client = server.client_builder().bindings(Bindings::cloud_dns()).build()?;
    /// let error = client.cancel("projects/p/managedZones/z/operations/o").send().unwrap_err();
    /// assert_eq!(error.code(), Some(Code::Unimplemented));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn cloud_dns() -> Self {
        Self::of_service("dns/v1", CloudDns)
    }

    /// Creates the bindings of Deployment Manager, under
    /// `deploymentmanager/v2`.
    ///
    /// Names are `projects/p/global/operations/o`. There is no cancel, delete
    /// and wait.
    pub fn deployment_manager() -> Self {
        Self::of_service("deploymentmanager/v2", DeploymentManager)
    }

    /// Creates the bindings of the JSON API of Cloud Storage, under
    /// `storage/v1`.
    ///
    /// Names are `b/BUCKET/operations/o`, also as
    /// `projects/_/buckets/BUCKET/operations/o`. There is no delete and no
    /// wait.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::Bindings;
    ///
    /// let server = FakeServer::start();
    /// let client = server.client_builder().bindings(Bindings::cloud_storage()).build()?;
    /// client.get("projects/_/buckets/B/operations/o").send().ok();
    /// assert_eq!(server.requests()[0].path(), "/storage/v1/b/B/operations/o");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn cloud_storage() -> Self {
        Self::of_service("storage/v1", CloudStorage)
    }
}
