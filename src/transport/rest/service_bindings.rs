//! Bindings of the services that do not bind their operations as
//! google.longrunning does.
//!
//! Their APIs are older. Each has URLs, parameters and omissions of its own,
//! while programs give the same names, methods and options as for all others.
//! So this module translates a request, and refuses what the service cannot do
//! before anything is sent. What a service sends is read in `types/extended`.
//!
//! | | `compute` | `sql` | `container` | `dns` | `deploymentmanager` | `storage` |
//! |---|---|---|---|---|---|---|
//! | cancel | | `POST …/cancel` | `POST …:cancel` | locations only | | `POST …/cancel` |
//! | delete | yes | | | locations only | | |
//! | wait | `POST …/wait` | | | | | |
//! | filter | yes | | | locations only | yes | yes |
//! | pages | yes | yes | | yes | yes | yes |
//!
//! `docs/extended-operations.md` has the table with all names, and a test
//! compares it with the requests.

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
    /// How long Compute Engine holds a response to `wait` back, at most; there
    /// is no parameter for it.
    pub(crate) const HOLD: Duration = Duration::from_secs(120);

    /// Returns the service of a prefix: its first segment, if there are more.
    ///
    /// `sql/v1` and `container/v1` are no paths, but say which service has
    /// `v1`.
    ///
    /// ```text
    /// compute/v1      Compute Engine
    /// sql/v1beta4     Cloud SQL
    /// v1              None: every service may have it
    /// ```
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

    /// Returns the service of a host below `googleapis.com`, regional ones
    /// included.
    ///
    /// ```text
    /// compute.googleapis.com                  Compute Engine
    /// compute.us-east1.rep.googleapis.com     Compute Engine
    /// us-east1-compute.googleapis.com         Compute Engine
    /// localhost                               None
    /// ```
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

    /// Returns the service of the endpoint of a client, with or without a
    /// scheme.
    pub(crate) fn of_endpoint(endpoint: &str) -> Option<Self> {
        Self::of_host(UrlParts::split_or("https", endpoint)?.host)
    }

    /// Returns the service of an operation that it sent. Operations of Cloud
    /// Storage have the usual form, which says nothing.
    pub(crate) fn of_form(form: OperationForm) -> Option<Self> {
        Some(match form {
            OperationForm::ComputeEngine => ComputeEngine,
            OperationForm::CloudSql => CloudSql,
            OperationForm::KubernetesEngine => KubernetesEngine,
            OperationForm::CloudDns => CloudDns,
            OperationForm::DeploymentManager => DeploymentManager,
            OperationForm::CloudStorage => CloudStorage,
            _ => return None,
        })
    }

    /// Returns what the paths of a version begin with.
    ///
    /// ```text
    /// Compute Engine       beta, compute/beta    compute/beta
    /// Cloud SQL            v1, sql/v1            v1
    /// Cloud SQL            v1beta4               sql/v1beta4
    /// Kubernetes Engine    container/v1          v1
    /// Deployment Manager   v1                    deploymentmanager/v2
    /// ```
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

    /// Adds the service to a version that does not name it: `v1` becomes
    /// `sql/v1`. Handles and journals keep this form.
    pub(crate) fn qualified(self, version: &str) -> String {
        format!("{}/{version}", self.word())
    }

    /// Returns whether the version is one of the API with these operations.
    /// Cloud Storage has other APIs with the usual operations at the same host.
    pub(super) fn has(self, version: &str) -> bool {
        self != CloudStorage || version == "v1"
    }

    /// Returns the first segment of qualified versions.
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
    /// Returns the binding of a method; nothing if the service does not have
    /// the method.
    pub(super) fn bindings(self, prefix: &str, rpc: Rpc) -> Vec<Binding> {
        let Some((method, verb)) = self.rule(rpc) else { return Vec::new() };
        let binding = Binding::new(method, &format!("/{prefix}/{}{verb}", self.name(rpc)))
            .expect("built-in templates under a checked prefix are valid");
        // `…/cancel` and `…/wait` have no body, not even an empty object;
        // `…:cancel` has one.
        vec![if verb.starts_with('/') { binding.query_only() } else { binding }]
    }

    /// Returns the HTTP method of an RPC and the end of its path; `None` if the
    /// service does not have it.
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

    /// Returns the names of a method, as the variable of its template.
    ///
    /// Those that services have today are narrower. Others are sent as they
    /// are, so that a new kind of name needs no new version of this crate.
    fn name(self, rpc: Rpc) -> &'static str {
        match (self, rpc) {
            (_, Rpc::List) => "{name=**}/operations",
            (ComputeEngine, Rpc::Wait) => "{name=projects/**/operations/*}",
            (CloudDns, Rpc::Cancel | Rpc::Delete) => "{name=projects/*/locations/*/operations/*}",
            _ => "{name=**/operations/*}",
        }
    }

    /// Returns the name, or the parent, as it is in the URL, and the fields as
    /// the service has them.
    ///
    /// ```text
    /// Cloud SQL        List   projects/p/instances/i           projects/p, instance=i
    /// Compute Engine   Get    organizations/7/locations/…      locations/…, parentId=organizations/7
    /// Cloud Storage    Get    projects/_/buckets/B/…           b/B/…
    /// ```
    ///
    /// # Errors
    ///
    /// `Binding` with `UNIMPLEMENTED` if the service does not have the method,
    /// or not for such a name; `Config` for a filter if it has none.
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
        let without = match (self, rpc) {
            (ComputeEngine, Rpc::Wait) if name.starts_with("locations/") => {
                Some("operations of organizations")
            }
            (CloudDns, Rpc::Cancel | Rpc::Delete) if name.contains("/managedZones/") => {
                Some("operations of managed zones")
            }
            _ => None,
        };
        // Known before a request is sent: a 404 of the service would look like
        // an operation that is gone.
        if without.is_some() || self.rule(rpc).is_none() {
            return Err(Error::not_in_service(rpc.name(), self.title(), without));
        }
        // Cloud SQL lists by project only. An instance is a filter in the
        // query, not a part of the path.
        if let (CloudSql, Rpc::List, Some((project, instance))) = (self, rpc, name.split_once("/instances/"))
        {
            fields.push(("instance", instance.into()));
            return Ok((project.to_owned(), fields));
        }
        fields.extend(organization.map(|organization| ("parentId", organization.into())));
        Ok((name, fields))
    }

    /// Returns the parent whose operations are listed, without `/operations`.
    ///
    /// For a project it is the scope in which the service lists all operations
    /// of the project, if there is one.
    ///
    /// ```text
    /// Compute Engine       projects/p    projects/p/aggregated
    /// Kubernetes Engine    projects/p    projects/p/locations/-
    /// Deployment Manager   projects/p    projects/p/global
    /// ```
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
    /// Its lists always say what is missing in them, so `returnPartialSuccess`
    /// is not sent.
    ///
    /// # Errors
    ///
    /// `Config` for a filter of a service that has none, since its lists would
    /// be complete.
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

    /// Returns one field of a list request under the name that the service has
    /// for it; `None` if it is not sent.
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

    /// Limits a page size to 500 where the service refuses more. A smaller page
    /// is within the contract of `page_size`; a refused request is not.
    fn page_size(self, size: Value) -> Value {
        let most = if matches!(self, ComputeEngine | DeploymentManager) { 500 } else { i64::MAX };
        size.as_i64().map_or(size, |size| size.min(most).into())
    }
}

/// Splits off an organization, for which the URL has no place. The ids of some
/// operations name it too.
///
/// ```text
/// organizations/7/locations/global/operations/o    locations/…, organizations/7
/// locations/global/operations/org-7-abc            unchanged, organizations/7
/// projects/p/global/operations/o                   unchanged, None
/// ```
fn organization(name: &str) -> (String, Option<String>) {
    if let Some((id, rest)) = name.strip_prefix("organizations/").and_then(|rest| rest.split_once('/')) {
        return (rest.to_owned(), Some(format!("organizations/{id}")));
    }
    let id = name.strip_prefix("locations/global/operations/org-").and_then(|rest| rest.split('-').next());
    let id = id.filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
    (name.to_owned(), id.map(|id| format!("organizations/{id}")))
}

/// Returns the name in the form of the URL: `b/B/…` for
/// `projects/_/buckets/B/…`. Other names stay.
fn bucket(name: &str) -> String {
    match name.strip_prefix("projects/").and_then(|rest| rest.split_once("/buckets/")) {
        Some((_, bucket)) => format!("b/{bucket}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
