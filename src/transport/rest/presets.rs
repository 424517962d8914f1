//! The bindings of services by name.

use crate::transport::rest::binding::Bindings;
use crate::transport::rest::service_bindings::OperationService::{
    CloudDns, CloudSql, CloudStorage, ComputeEngine, DeploymentManager, KubernetesEngine,
};

impl Bindings {
    /// Creates the bindings of Compute Engine, under `compute/v1`.
    ///
    /// They are the default for the endpoint `https://compute.googleapis.com`, for paths that begin with `compute/`, and
    /// for operations that were seen in the form of Compute Engine. For other
    /// versions use [`Bindings::version`], as in
    /// `Bindings::version("compute/beta")`.
    ///
    /// Names are those of zones, regions, projects and organizations:
    /// `projects/p/zones/z/operations/o`,
    /// `projects/p/regions/r/operations/o`, `projects/p/global/operations/o`, and `organizations/7/
    /// locations/global/operations/o`, which the service gets as `parentId`.
    /// The parent `projects/p` lists the operations of all scopes. There is
    /// no cancel.
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
    pub fn cloud_sql() -> Self {
        Self::of_service("v1", CloudSql)
    }

    /// Creates the bindings of Google Kubernetes Engine, under `v1`.
    ///
    /// Names are `projects/p/locations/l/operations/o`, or with `zones`. The
    /// parent `projects/p` lists all locations. There is no delete and no
    /// wait.
    pub fn kubernetes_engine() -> Self {
        Self::of_service("v1", KubernetesEngine)
    }

    /// Creates the bindings of Cloud DNS, under `dns/v1`.
    ///
    /// Names are `projects/p/managedZones/z/operations/o`, which have no
    /// cancel, delete and wait. The operations of locations,
    /// `projects/p/locations/l/operations/o`, are google.longrunning ones and
    /// have cancel and delete.
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
    pub fn cloud_storage() -> Self {
        Self::of_service("storage/v1", CloudStorage)
    }
}
