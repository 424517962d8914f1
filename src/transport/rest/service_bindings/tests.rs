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

/// Service, name, and what is sent for get, list of its parent, cancel, delete
/// and wait.
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
    let page = include_str!("../../../../docs/extended-operations.md");
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
        (Bindings::kubernetes_engine(), Rpc::List, "projects/p", "GET /v1/projects/p/locations/-/operations"),
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
