//! Bindings of the services that do not bind their operations as google.longrunning does.
//!
//! `docs/extended-operations.md` has the table, and a test compares it with the requests.

use std::time::Duration;

use serde_json::Value;

use crate::error::Error;
use crate::http::HttpMethod;
use crate::transport::Rpc;
use crate::transport::rest::method_binding::{Binding, RequestField};
use crate::types::OperationForm;
use crate::util::url::UrlParts;

/// A service with URLs of its own for its operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OperationService {
    ComputeEngine,
    CloudSql,
    KubernetesEngine,
    CloudDns,
    DeploymentManager,
    CloudStorage,
}

use OperationService::{
    CloudDns, CloudSql, CloudStorage, ComputeEngine, DeploymentManager, KubernetesEngine,
};

/// How a service is recognised.
impl OperationService {
    /// How long Compute Engine holds a response to `wait` back, at most; there is no parameter for it.
    pub(crate) const HOLD: Duration = Duration::from_secs(120);

    /// By the prefix of a version. `sql/v1` and `container/v1` are no paths, but say which service has `v1`.
    pub(crate) fn of_prefix(prefix: &str) -> Option<Self> {
        Some(match prefix.split_once('/')?.0 {
            "compute" => ComputeEngine,
            "sql" => CloudSql,
            "container" => KubernetesEngine,
            "dns" => CloudDns,
            "deploymentmanager" => DeploymentManager,
            "storage" => CloudStorage,
            _ => return None,
        })
    }

    /// By the host: `compute.googleapis.com`, `compute.us-east1.rep.googleapis.com`, `us-east1-compute.googleapis.com`.
    pub(crate) fn of_host(host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        let label = host.strip_suffix(".googleapis.com")?.split('.').next()?;
        Some(match label.rsplit_once('-').map_or(label, |(_, service)| service) {
            "compute" => ComputeEngine,
            "sqladmin" => CloudSql,
            "container" => KubernetesEngine,
            "dns" => CloudDns,
            "deploymentmanager" => DeploymentManager,
            "storage" => CloudStorage,
            _ => return None,
        })
    }

    /// By the endpoint of a client.
    pub(crate) fn of_endpoint(endpoint: &str) -> Option<Self> {
        Self::of_host(UrlParts::split_or("https", endpoint)?.host)
    }

    /// By an operation that it sent.
    pub(crate) fn of_form(form: OperationForm) -> Option<Self> {
        Some(match form {
            OperationForm::ComputeEngine => ComputeEngine,
            OperationForm::CloudSql => CloudSql,
            OperationForm::KubernetesEngine => KubernetesEngine,
            OperationForm::CloudDns => CloudDns,
            OperationForm::DeploymentManager => DeploymentManager,
            _ => return None,
        })
    }

    /// Returns what the paths of a version begin with: `compute/beta` for `beta` and for `compute/beta`.
    pub(super) fn prefix(self, version: &str) -> String {
        let version =
            version.strip_prefix(self.word()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(version);
        match (self, version) {
            (KubernetesEngine, _) => version.to_owned(),
            (CloudSql, "v1beta4") => format!("sql/{version}"),
            (CloudSql, _) => version.to_owned(),
            // There is no `v1`, which is the default of all services.
            (DeploymentManager, "v1") => "deploymentmanager/v2".to_owned(),
            _ if version.contains('/') => version.to_owned(),
            _ => format!("{}/{version}", self.word()),
        }
    }

    /// Names the service in a version that does not: `sql/v1`.
    pub(crate) fn qualified(self, version: &str) -> String {
        format!("{}/{version}", self.word())
    }

    /// Returns whether the version is one of the API that this is about: Cloud Storage has others.
    pub(super) fn has(self, version: &str) -> bool {
        self != CloudStorage || version == "v1"
    }

    fn word(self) -> &'static str {
        match self {
            ComputeEngine => "compute",
            CloudSql => "sql",
            KubernetesEngine => "container",
            CloudDns => "dns",
            DeploymentManager => "deploymentmanager",
            CloudStorage => "storage",
        }
    }

    /// Returns the name for messages.
    pub(crate) fn title(self) -> &'static str {
        match self {
            ComputeEngine => "Compute Engine",
            CloudSql => "Cloud SQL",
            KubernetesEngine => "Google Kubernetes Engine",
            CloudDns => "Cloud DNS",
            DeploymentManager => "Deployment Manager",
            CloudStorage => "Cloud Storage",
        }
    }
}

/// The methods of a service.
impl OperationService {
    /// Returns the binding of a method, unless the service does not have it.
    pub(super) fn bindings(self, prefix: &str, rpc: Rpc) -> Vec<Binding> {
        let Some((method, verb)) = self.rule(rpc) else { return Vec::new() };
        let binding = Binding::new(method, &format!("/{prefix}/{}{verb}", self.name(rpc)))
            .expect("built-in templates under a checked prefix are valid");
        // What has a path segment of its own takes no body.
        vec![if verb.starts_with('/') { binding.query_only() } else { binding }]
    }

    fn rule(self, rpc: Rpc) -> Option<(HttpMethod, &'static str)> {
        match (rpc, self) {
            (Rpc::Get | Rpc::List, _) => Some((HttpMethod::Get, "")),
            (Rpc::Cancel, CloudSql | CloudStorage) => Some((HttpMethod::Post, "/cancel")),
            (Rpc::Cancel, KubernetesEngine | CloudDns) => Some((HttpMethod::Post, ":cancel")),
            (Rpc::Delete, ComputeEngine | CloudDns) => Some((HttpMethod::Delete, "")),
            (Rpc::Wait, ComputeEngine) => Some((HttpMethod::Post, "/wait")),
            (Rpc::Cancel | Rpc::Delete | Rpc::Wait, _) => None,
        }
    }

    /// Returns the names of a method. Those that services have today are narrower; others are sent as they are.
    fn name(self, rpc: Rpc) -> &'static str {
        match (self, rpc) {
            (_, Rpc::List) => "{name=**}/operations",
            (ComputeEngine, Rpc::Wait) => "{name=projects/**/operations/*}",
            (CloudDns, Rpc::Cancel | Rpc::Delete) => "{name=projects/*/locations/*/operations/*}",
            _ => "{name=**/operations/*}",
        }
    }

    /// Returns the name, or the parent, as it is in the URL, and the fields as the service has them.
    ///
    /// # Errors
    ///
    /// `Binding` with `UNIMPLEMENTED` if the service does not have the method, or not for such a name; `Config` for a
    /// filter if it has none.
    pub(super) fn resolve(
        self,
        rpc: Rpc,
        name: &str,
        fields: Vec<RequestField>,
    ) -> Result<(String, Vec<RequestField>), Error> {
        let name = if rpc == Rpc::List { self.parent(name) } else { name.to_owned() };
        let mut fields = self.fields(rpc, &name, fields)?;
        let (name, organization) = match self {
            ComputeEngine => organization(&name),
            CloudStorage => (bucket(&name), None),
            _ => (name, None),
        };
        let is_missing = match (self, rpc) {
            (ComputeEngine, Rpc::Wait) => name.starts_with("locations/"),
            (CloudDns, Rpc::Cancel | Rpc::Delete) => name.contains("/managedZones/"),
            _ => false,
        };
        if is_missing || self.rule(rpc).is_none() {
            return Err(Error::not_in_service(rpc.name(), self.title()));
        }
        if let (CloudSql, Rpc::List, Some((project, instance))) = (self, rpc, name.split_once("/instances/"))
        {
            fields.push(("instance", instance.into()));
            return Ok((project.to_owned(), fields));
        }
        fields.extend(organization.map(|organization| ("parentId", organization.into())));
        Ok((name, fields))
    }

    /// Returns the parent whose operations are listed, without `/operations`; a whole project where the service lists
    /// that.
    fn parent(self, name: &str) -> String {
        let parent = name.strip_suffix("/operations").unwrap_or(name);
        let is_project = parent.strip_prefix("projects/").is_some_and(|id| !id.contains('/'));
        let scope = match self {
            ComputeEngine if is_project => "/aggregated",
            KubernetesEngine if is_project => "/locations/-",
            DeploymentManager if is_project => "/global",
            _ => "",
        };
        format!("{parent}{scope}")
    }

    /// Returns the fields of a request as the service has them.
    ///
    /// Its lists always say what is missing in them, so `returnPartialSuccess` is not sent.
    ///
    /// # Errors
    ///
    /// `Config` for a filter of a service that has none, since its lists would be complete.
    fn fields(self, rpc: Rpc, name: &str, fields: Vec<RequestField>) -> Result<Vec<RequestField>, Error> {
        let is_usual = self == CloudStorage || (self == CloudDns && !name.contains("/managedZones/"));
        match rpc {
            Rpc::List if !is_usual => {
                fields.into_iter().filter_map(|field| self.field(field).transpose()).collect()
            }
            // Compute Engine decides itself how long it holds the response back.
            Rpc::Wait => Ok(Vec::new()),
            _ => Ok(fields),
        }
    }

    fn field(self, (key, value): RequestField) -> Result<Option<RequestField>, Error> {
        let has_pages = self != KubernetesEngine;
        Ok(match key {
            "filter" if !matches!(self, ComputeEngine | DeploymentManager) => {
                return Err(Error::config(format!(
                    "{} cannot filter operations: list all of them, and filter the result",
                    self.title()
                )));
            }
            "pageSize" => has_pages.then(|| ("maxResults", self.page_size(value))),
            "pageToken" if !has_pages => None,
            "returnPartialSuccess" => None,
            _ => Some((key, value)),
        })
    }

    /// Compute Engine and Deployment Manager refuse more than 500.
    fn page_size(self, size: Value) -> Value {
        let most = if matches!(self, ComputeEngine | DeploymentManager) { 500 } else { i64::MAX };
        size.as_i64().map_or(size, |size| size.min(most).into())
    }
}

/// Splits `organizations/7/locations/global/…`, for which the URL has no place. The ids of some operations name the
/// organization: `org-7-…`.
fn organization(name: &str) -> (String, Option<String>) {
    if let Some((id, rest)) = name.strip_prefix("organizations/").and_then(|rest| rest.split_once('/')) {
        return (rest.to_owned(), Some(format!("organizations/{id}")));
    }
    let id = name.strip_prefix("locations/global/operations/org-").and_then(|rest| rest.split('-').next());
    let id = id.filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
    (name.to_owned(), id.map(|id| format!("organizations/{id}")))
}

/// `b/B` for `projects/_/buckets/B`.
fn bucket(name: &str) -> String {
    match name.strip_prefix("projects/").and_then(|rest| rest.split_once("/buckets/")) {
        Some((_, bucket)) => format!("b/{bucket}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::google::longrunning::ListOperationsRequest;
    use crate::transport::rest::binding::Bindings;
    use crate::transport::rest::route::{list_fields, wait_fields};

    fn send(bindings: &Bindings, rpc: Rpc, name: &str, fields: Vec<RequestField>) -> String {
        match bindings.route(rpc, name, fields, None) {
            Ok(Some(route)) => {
                let body = route.body.map(|body| format!(" {body}")).unwrap_or_default();
                format!("{} {}{body}", route.verb.as_str(), route.target)
            }
            Ok(None) => "none".into(),
            Err(error) => {
                assert_eq!(error.code(), Some(crate::Code::Unimplemented), "{error}");
                "none".into()
            }
        }
    }

    /// Service, name, and what is sent for get, list of its parent, cancel, delete and wait.
    const TABLE: [(fn() -> Bindings, &str, [&str; 5]); 11] = [
        (
            Bindings::compute_engine,
            "projects/p/zones/z/operations/o",
            [
                "GET /compute/v1/projects/p/zones/z/operations/o",
                "GET /compute/v1/projects/p/zones/z/operations",
                "none",
                "DELETE /compute/v1/projects/p/zones/z/operations/o",
                "POST /compute/v1/projects/p/zones/z/operations/o/wait",
            ],
        ),
        (
            Bindings::compute_engine,
            "projects/p/regions/r/operations/7127550864823803662",
            [
                "GET /compute/v1/projects/p/regions/r/operations/7127550864823803662",
                "GET /compute/v1/projects/p/regions/r/operations",
                "none",
                "DELETE /compute/v1/projects/p/regions/r/operations/7127550864823803662",
                "POST /compute/v1/projects/p/regions/r/operations/7127550864823803662/wait",
            ],
        ),
        (
            Bindings::compute_engine,
            "projects/p/global/operations/o",
            [
                "GET /compute/v1/projects/p/global/operations/o",
                "GET /compute/v1/projects/p/global/operations",
                "none",
                "DELETE /compute/v1/projects/p/global/operations/o",
                "POST /compute/v1/projects/p/global/operations/o/wait",
            ],
        ),
        (
            Bindings::compute_engine,
            "organizations/7/locations/global/operations/o",
            [
                "GET /compute/v1/locations/global/operations/o?parentId=organizations%2F7",
                "GET /compute/v1/locations/global/operations?parentId=organizations%2F7",
                "none",
                "DELETE /compute/v1/locations/global/operations/o?parentId=organizations%2F7",
                "none",
            ],
        ),
        (
            Bindings::cloud_sql,
            "projects/p/operations/o",
            [
                "GET /v1/projects/p/operations/o",
                "GET /v1/projects/p/operations",
                "POST /v1/projects/p/operations/o/cancel",
                "none",
                "none",
            ],
        ),
        (
            Bindings::kubernetes_engine,
            "projects/p/locations/l/operations/o",
            [
                "GET /v1/projects/p/locations/l/operations/o",
                "GET /v1/projects/p/locations/l/operations",
                "POST /v1/projects/p/locations/l/operations/o:cancel {}",
                "none",
                "none",
            ],
        ),
        (
            Bindings::kubernetes_engine,
            "projects/p/zones/z/operations/o",
            [
                "GET /v1/projects/p/zones/z/operations/o",
                "GET /v1/projects/p/zones/z/operations",
                "POST /v1/projects/p/zones/z/operations/o:cancel {}",
                "none",
                "none",
            ],
        ),
        (
            Bindings::cloud_dns,
            "projects/p/managedZones/z/operations/o",
            [
                "GET /dns/v1/projects/p/managedZones/z/operations/o",
                "GET /dns/v1/projects/p/managedZones/z/operations",
                "none",
                "none",
                "none",
            ],
        ),
        (
            Bindings::cloud_dns,
            "projects/p/locations/l/operations/o",
            [
                "GET /dns/v1/projects/p/locations/l/operations/o",
                "GET /dns/v1/projects/p/locations/l/operations",
                "POST /dns/v1/projects/p/locations/l/operations/o:cancel {}",
                "DELETE /dns/v1/projects/p/locations/l/operations/o",
                "none",
            ],
        ),
        (
            Bindings::deployment_manager,
            "projects/p/global/operations/o",
            [
                "GET /deploymentmanager/v2/projects/p/global/operations/o",
                "GET /deploymentmanager/v2/projects/p/global/operations",
                "none",
                "none",
                "none",
            ],
        ),
        (
            Bindings::cloud_storage,
            "b/B/operations/o",
            [
                "GET /storage/v1/b/B/operations/o",
                "GET /storage/v1/b/B/operations",
                "POST /storage/v1/b/B/operations/o/cancel",
                "none",
                "none",
            ],
        ),
    ];

    #[test]
    fn every_method_of_every_service() {
        for (bindings, name, sent) in TABLE {
            let (bindings, parent) = (bindings(), name.rsplit_once("/operations/").unwrap().0);
            let rpcs = [Rpc::Get, Rpc::List, Rpc::Cancel, Rpc::Delete, Rpc::Wait];
            let found = rpcs.map(|rpc| {
                let (name, fields) = match rpc {
                    Rpc::List => (parent, Vec::new()),
                    Rpc::Wait => (name, vec![("timeout", Value::from("30s"))]),
                    _ => (name, Vec::new()),
                };
                send(&bindings, rpc, name, fields)
            });
            assert_eq!(found, sent, "{name}");
            assert_eq!(send(&bindings, Rpc::List, &format!("{parent}/operations"), Vec::new()), sent[1]);
        }
    }

    #[test]
    fn the_page_has_the_same_table() {
        let page = include_str!("../../../docs/extended-operations.md");
        for (_, name, sent) in TABLE {
            let cell = |text: &&str| if *text == "none" { "none".to_owned() } else { format!("`{text}`") };
            let row = format!("| `{name}` | {} |", sent.iter().map(cell).collect::<Vec<_>>().join(" | "));
            assert!(page.contains(&row), "{row}");
        }
    }

    #[test]
    fn versions_are_completed_by_the_service() {
        let rows = [
            (ComputeEngine, "v1", "compute/v1"),
            (ComputeEngine, "beta", "compute/beta"),
            (ComputeEngine, "compute/alpha", "compute/alpha"),
            (CloudSql, "v1", "v1"),
            (CloudSql, "v1beta4", "sql/v1beta4"),
            (KubernetesEngine, "v1beta1", "v1beta1"),
            (CloudDns, "v2", "dns/v2"),
            (DeploymentManager, "v1", "deploymentmanager/v2"),
            (DeploymentManager, "v2beta", "deploymentmanager/v2beta"),
            (CloudStorage, "v1", "storage/v1"),
            (CloudSql, "sql/v1", "v1"),
            (CloudSql, "sql/v1beta4", "sql/v1beta4"),
            (KubernetesEngine, "container/v1beta1", "v1beta1"),
        ];
        for (service, version, prefix) in rows {
            assert_eq!(service.prefix(version), prefix, "{service:?}");
        }
    }

    #[test]
    fn hosts_and_prefixes() {
        let hosts = [
            ("compute.googleapis.com", Some(ComputeEngine)),
            ("compute.us-east1.rep.googleapis.com", Some(ComputeEngine)),
            ("compute.mtls.googleapis.com", Some(ComputeEngine)),
            ("Compute.GoogleAPIs.com", Some(ComputeEngine)),
            ("europe-west1-container.googleapis.com", Some(KubernetesEngine)),
            ("sqladmin.googleapis.com", Some(CloudSql)),
            ("container.googleapis.com", Some(KubernetesEngine)),
            ("run.googleapis.com", None),
            ("www.googleapis.com", None),
            ("compute.example.com", None),
            ("localhost", None),
        ];
        for (host, service) in hosts {
            assert_eq!(OperationService::of_host(host), service, "{host}");
        }
        let prefixes = [
            ("compute/beta", Some(ComputeEngine)),
            ("sql/v1beta4", Some(CloudSql)),
            ("dns/v2", Some(CloudDns)),
            ("container/v1", Some(KubernetesEngine)),
            ("v1/compute", None),
            ("v1", None),
        ];
        for (prefix, service) in prefixes {
            assert_eq!(OperationService::of_prefix(prefix), service, "{prefix}");
        }
    }

    #[test]
    fn parents_and_other_names() {
        let rows = [
            (
                Bindings::compute_engine(),
                Rpc::List,
                "projects/p",
                "GET /compute/v1/projects/p/aggregated/operations",
            ),
            (
                Bindings::compute_engine(),
                Rpc::List,
                "projects/p/operations",
                "GET /compute/v1/projects/p/aggregated/operations",
            ),
            (
                Bindings::compute_engine(),
                Rpc::Get,
                "locations/global/operations/org-7-abc",
                "GET /compute/v1/locations/global/operations/org-7-abc?parentId=organizations%2F7",
            ),
            (
                Bindings::compute_engine(),
                Rpc::Get,
                "locations/global/operations/operation-7",
                "GET /compute/v1/locations/global/operations/operation-7",
            ),
            (
                Bindings::kubernetes_engine(),
                Rpc::List,
                "projects/p",
                "GET /v1/projects/p/locations/-/operations",
            ),
            (
                Bindings::deployment_manager(),
                Rpc::List,
                "projects/p",
                "GET /deploymentmanager/v2/projects/p/global/operations",
            ),
            (
                Bindings::cloud_sql(),
                Rpc::List,
                "projects/p/instances/i",
                "GET /v1/projects/p/operations?instance=i",
            ),
            (
                Bindings::cloud_storage(),
                Rpc::Get,
                "projects/_/buckets/B/operations/o",
                "GET /storage/v1/b/B/operations/o",
            ),
            (Bindings::cloud_storage(), Rpc::List, "projects/_/buckets/B", "GET /storage/v1/b/B/operations"),
            (
                Bindings::version("dns/v2").unwrap(),
                Rpc::Get,
                "projects/p/locations/l/managedZones/z/operations/o",
                "GET /dns/v2/projects/p/locations/l/managedZones/z/operations/o",
            ),
            (
                Bindings::version("sql/v1beta4").unwrap(),
                Rpc::Cancel,
                "projects/p/operations/o",
                "POST /sql/v1beta4/projects/p/operations/o/cancel",
            ),
        ];
        for (bindings, rpc, name, sent) in rows {
            assert_eq!(send(&bindings, rpc, name, Vec::new()), sent, "{name}");
        }
    }

    #[test]
    fn fields_of_lists() {
        let list = |size, filter: &str| {
            let request = ListOperationsRequest {
                page_size: size,
                filter: filter.into(),
                page_token: "t".into(),
                return_partial_success: true,
                ..Default::default()
            };
            list_fields(&request)
        };
        let rows = [
            (
                Bindings::compute_engine(),
                "projects/p/global",
                list(7, "status!=DONE"),
                "GET /compute/v1/projects/p/global/operations?filter=status%21%3DDONE&maxResults=7&pageToken=t",
            ),
            (
                Bindings::compute_engine(),
                "projects/p/global",
                list(1000, ""),
                "GET /compute/v1/projects/p/global/operations?maxResults=500&pageToken=t",
            ),
            (
                Bindings::cloud_sql(),
                "projects/p",
                list(1000, ""),
                "GET /v1/projects/p/operations?maxResults=1000&pageToken=t",
            ),
            (
                Bindings::kubernetes_engine(),
                "projects/p/locations/l",
                list(7, ""),
                "GET /v1/projects/p/locations/l/operations",
            ),
            (
                Bindings::cloud_dns(),
                "projects/p/managedZones/z",
                list(7, ""),
                "GET /dns/v1/projects/p/managedZones/z/operations?maxResults=7&pageToken=t",
            ),
            (
                Bindings::cloud_dns(),
                "projects/p/locations/l",
                list(7, "f"),
                "GET /dns/v1/projects/p/locations/l/operations?filter=f&pageSize=7&pageToken=t&returnPartialSuccess=true",
            ),
            (
                Bindings::cloud_storage(),
                "b/B",
                list(7, "f"),
                "GET /storage/v1/b/B/operations?filter=f&pageSize=7&pageToken=t&returnPartialSuccess=true",
            ),
        ];
        for (bindings, parent, fields, sent) in rows {
            assert_eq!(send(&bindings, Rpc::List, parent, fields), sent);
        }
        let error = Bindings::cloud_sql().route(Rpc::List, "projects/p", list(0, "f"), None).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Config);
        assert!(wait_fields(&Default::default()).is_empty());
    }

    #[test]
    fn names_of_other_shapes_are_refused() {
        for name in ["operation-1", "projects/p"] {
            let error = Bindings::compute_engine().route(Rpc::Get, name, Vec::new(), None).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Binding, "{error}");
        }
    }
}
