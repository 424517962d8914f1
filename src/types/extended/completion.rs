//! Full names of extended operations: the request completes what the response
//! leaves out.
//!
//! A name has to lead back to the operation, because a wait polls it and a
//! program stores it. Compute Engine sends a link; other services send less:
//!
//! | form | in the response | name |
//! |---|---|---|
//! | GKE | `operation-1`, a link with the number of the project | `projects/p/locations/l/operations/operation-1` |
//! | Cloud DNS | an id | `projects/p/managedZones/z/operations/ID` |
//! | Cloud SQL | an id, `targetProject` | `projects/p/operations/ID` |
//!
//! Three requests know the rest: a get has the whole name, a start has a path,
//! a list has a parent. The text of the operation never changes.

use serde::Deserialize;

use crate::types::{Operation, OperationForm};
use crate::util::percent::decode_path;

use super::link::version_prefix;

impl Operation {
    /// Sets the name of an extended operation to the one in the request, by
    /// which it can be requested again.
    ///
    /// A response of GKE has a bare name, and its `selfLink` has the number of
    /// the project.
    pub(crate) fn requested_as(self, requested: &str) -> Self {
        // Only if it is the same operation: a service may return another one.
        let is_same = |name: &str| id_of(name) == id_of(requested) || !name.contains('/');
        match self.form().is_extended() && is_same(self.name()) {
            true => self.renamed(requested.to_owned()),
            false => self,
        }
    }

    /// Completes the name of an extended operation by the path of the request
    /// that has started it, so that it can be polled.
    ///
    /// GKE returns a bare name and the number of the project, Cloud DNS an id
    /// alone.
    pub(crate) fn started_at(self, path: &str, query: &[(String, String)]) -> Self {
        // The links of Compute Engine leave the organization out.
        let is_whole = self.name().contains('/')
            && !self.name().starts_with("locations/")
            && self.form() != OperationForm::KubernetesEngine;
        if !self.form().is_extended() || is_whole || self.name().is_empty() {
            return self;
        }
        match scope_of_start(self.form(), path, query) {
            Some(scope) => {
                let name = format!("{scope}/operations/{}", id_of(self.name()));
                self.renamed(name)
            }
            None => self,
        }
    }

    /// Completes the name of an extended operation by the parent that was
    /// listed.
    pub(crate) fn listed_in(self, parent: &str) -> Self {
        if !self.form().is_extended() || self.name().is_empty() {
            return self;
        }
        let parent = parent.strip_suffix("/operations").unwrap_or(parent);
        match self.collection(parent) {
            Some(collection) => {
                let name = format!("{collection}/operations/{}", id_of(self.name()));
                self.renamed(name)
            }
            None => self,
        }
    }

    /// Returns the collection to which an operation of a list belongs. A list
    /// of `projects/p` or of `locations/-` has operations of several
    /// collections; then the operation itself says which.
    fn collection(&self, parent: &str) -> Option<String> {
        let project = parent.strip_prefix("projects/").and_then(|rest| rest.split('/').next());
        let project = project.map(|id| format!("projects/{id}"));
        let is_project = project.as_deref() == Some(parent);
        // Lists of a whole project: aggregated ones, and those of services that
        // list by project.
        let all = parent.strip_suffix("/aggregated").or(is_project.then_some(parent));
        match (self.form(), all) {
            (OperationForm::CloudSql, _) => project,
            (OperationForm::DeploymentManager, Some(project)) => Some(format!("{project}/global")),
            // An aggregated list has the scope of each operation.
            (OperationForm::ComputeEngine, Some(project)) => match self.name().split_once("/operations/") {
                Some((scope, _)) if !scope.starts_with("projects/") => Some(format!("{project}/{scope}")),
                _ => None,
            },
            (OperationForm::KubernetesEngine, Some(_)) => {
                Some(format!("{}/locations/{}", project?, self.location()?))
            }
            (OperationForm::KubernetesEngine, None) => match parent.strip_suffix("/-") {
                Some(places) => Some(format!("{places}/{}", self.location()?)),
                None => Some(parent.to_owned()),
            },
            _ => Some(parent.to_owned()),
        }
    }

    /// Returns where GKE runs the operation: the name of a zone or region.
    fn location(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct ClusterPlace {
            location: Option<String>,
            zone: Option<String>,
        }
        let place: ClusterPlace = serde_json::from_str(&self.metadata()?.json().ok()?).ok()?;
        place.location.or(place.zone).filter(|place| !place.is_empty() && !place.contains('/'))
    }
}

/// Returns the collection of the operations that a request at this path starts.
///
/// | form | path | collection |
/// |---|---|---|
/// | Compute Engine | `/compute/v1/projects/p/zones/z/instances` | `projects/p/zones/z` |
/// | Compute Engine | `/compute/v1/projects/p/global/networks` | `projects/p/global` |
/// | Cloud SQL | `/v1/projects/p/instances/db/restart` | `projects/p` |
/// | GKE | `/v1/projects/p/locations/l/clusters` | `projects/p/locations/l` |
/// | Cloud DNS | `/dns/v1/projects/p/managedZones/z` | `projects/p/managedZones/z` |
fn scope_of_start(form: OperationForm, path: &str, query: &[(String, String)]) -> Option<String> {
    // Names are encoded when they are sent.
    let path = decode_path(path.trim_start_matches('/'));
    let path = path.as_str();
    let prefix = version_prefix(path).map_or(0, |prefix| prefix.len() + 1);
    let segments: Vec<&str> = path.get(prefix..)?.split('/').collect();
    let take = |count: usize| Some(segments.get(..count)?.join("/"));
    // Operations of organizations: the organization is in the query.
    if let ["locations", "global", ..] = segments.as_slice() {
        let parent = query.iter().find(|(name, _)| name == "parentId").map(|(_, parent)| parent);
        return parent.map(|parent| format!("{parent}/locations/global"));
    }
    let ["projects", ..] = segments.as_slice() else { return None };
    match (form, segments.get(2).copied()) {
        (OperationForm::ComputeEngine, Some("zones" | "regions")) => take(4),
        (OperationForm::ComputeEngine | OperationForm::DeploymentManager, _) => Some(take(2)? + "/global"),
        (OperationForm::CloudSql, _) => take(2),
        (OperationForm::KubernetesEngine, Some("zones" | "locations")) => take(4),
        (OperationForm::CloudDns, Some("managedZones")) => take(4),
        (OperationForm::CloudDns, Some("locations")) => take(6),
        _ => None,
    }
}

/// Returns the last segment of a name.
fn id_of(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(json: &str) -> Operation {
        Operation::from_json(json).unwrap()
    }

    const CLUSTER: &str = r#"{"name":"o","operationType":"X","status":"RUNNING","zone":"z"}"#;
    const LINKED: &str = r#"{"name":"o","operationType":"X","status":"RUNNING","zone":"z","selfLink":"https://container.googleapis.com/v1/projects/7/zones/z/operations/o"}"#;
    const COMPUTE: &str = r#"{"kind":"compute#operation","name":"o","status":"RUNNING"}"#;
    const SQL: &str = r#"{"kind":"sql#operation","name":"o","status":"RUNNING"}"#;
    const DNS: &str = r#"{"kind":"dns#operation","id":"o","status":"pending"}"#;
    const MANAGER: &str = r#"{"kind":"deploymentmanager#operation","name":"o","status":"RUNNING"}"#;

    #[test]
    fn names_of_requests() {
        let rows = [
            (CLUSTER, "projects/p/locations/z/operations/o", "projects/p/locations/z/operations/o"),
            (LINKED, "projects/p/locations/z/operations/o", "projects/p/locations/z/operations/o"),
            (LINKED, "projects/p/locations/z/operations/other", "projects/7/zones/z/operations/o"),
            (DNS, "projects/p/managedZones/z/operations/o", "projects/p/managedZones/z/operations/o"),
            (COMPUTE, "projects/p/global/operations/12345", "projects/p/global/operations/12345"),
            (r#"{"name":"operations/o"}"#, "operations/p", "operations/o"),
        ];
        for (json, requested, name) in rows {
            let operation = operation(json).requested_as(requested);
            assert_eq!((operation.name(), operation.to_json().as_str()), (name, json));
        }
    }

    #[test]
    fn names_of_starts() {
        let rows = [
            (COMPUTE, "/compute/v1/projects/p/zones/z/instances", "projects/p/zones/z/operations/o"),
            (
                COMPUTE,
                "/compute/beta/projects/p/regions/r/disks/d/resize",
                "projects/p/regions/r/operations/o",
            ),
            (COMPUTE, "/compute/v1/projects/p/global/networks", "projects/p/global/operations/o"),
            (COMPUTE, "/compute/v1/projects/p/setCommonInstanceMetadata", "projects/p/global/operations/o"),
            (
                COMPUTE,
                "/compute/v1/locations/global/firewallPolicies",
                "organizations/7/locations/global/operations/o",
            ),
            (SQL, "/v1/projects/p/instances/db/restart", "projects/p/operations/o"),
            (SQL, "/sql/v1beta4/projects/p/instances", "projects/p/operations/o"),
            (CLUSTER, "/v1/projects/p/locations/l/clusters", "projects/p/locations/l/operations/o"),
            (LINKED, "/v1beta1/projects/p/zones/z/clusters/c", "projects/p/zones/z/operations/o"),
            (DNS, "/dns/v1/projects/p/managedZones/mz", "projects/p/managedZones/mz/operations/o"),
            (
                DNS,
                "/dns/v2/projects/p/locations/l/managedZones/mz",
                "projects/p/locations/l/managedZones/mz/operations/o",
            ),
            (
                MANAGER,
                "/deploymentmanager/v2/projects/p/global/deployments",
                "projects/p/global/operations/o",
            ),
            (
                LINKED,
                "/v1/projects/example.com%3Ap/locations/l/clusters",
                "projects/example.com:p/locations/l/operations/o",
            ),
            (COMPUTE, "/other", "o"),
            (CLUSTER, "/v1/projects/p", "o"),
        ];
        let query = [("parentId".to_owned(), "organizations/7".to_owned())];
        for (json, path, name) in rows {
            assert_eq!(operation(json).started_at(path, &query).name(), name, "{path}");
        }
    }

    #[test]
    fn names_in_lists() {
        let rows = [
            (CLUSTER, "projects/p/locations/z", "projects/p/locations/z/operations/o"),
            (LINKED, "projects/p/zones/z/operations", "projects/p/zones/z/operations/o"),
            (CLUSTER, "projects/p/locations/-", "projects/p/locations/z/operations/o"),
            (LINKED, "projects/p/zones/-", "projects/p/zones/z/operations/o"),
            (CLUSTER, "projects/p", "projects/p/locations/z/operations/o"),
            (COMPUTE, "projects/p/zones/z", "projects/p/zones/z/operations/o"),
            (COMPUTE, "organizations/7/locations/global", "organizations/7/locations/global/operations/o"),
            (SQL, "projects/p", "projects/p/operations/o"),
            (SQL, "projects/p/instances/i", "projects/p/operations/o"),
            (DNS, "projects/p/managedZones/z", "projects/p/managedZones/z/operations/o"),
            (MANAGER, "projects/p", "projects/p/global/operations/o"),
            (MANAGER, "projects/p/global/operations", "projects/p/global/operations/o"),
            (r#"{"name":"operations/o"}"#, "projects/p", "operations/o"),
        ];
        for (json, parent, name) in rows {
            assert_eq!(operation(json).listed_in(parent).name(), name, "{parent}");
        }
        let scoped = operation(COMPUTE).completed_in("zones/z");
        assert_eq!(
            scoped.clone().listed_in("projects/p/aggregated").name(),
            "projects/p/zones/z/operations/o"
        );
        assert_eq!(scoped.listed_in("projects/p").name(), "projects/p/zones/z/operations/o");
    }
}
