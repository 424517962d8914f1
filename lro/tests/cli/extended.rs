//! Operations of services with a type of their own, named by their URLs.

use std::time::{Duration, SystemTime};

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Code, OperationForm, Status};

use crate::kit::{lro, server};

const NAME: &str = "projects/p/zones/z/operations/o";

fn compute(server: &FakeServer) -> FakeOperation {
    server.take_requests();
    FakeOperation::new(NAME).form(OperationForm::ComputeEngine)
}

fn asked(server: &FakeServer) -> Vec<String> {
    server
        .take_requests()
        .iter()
        .map(|request| format!("{} {}", request.method(), request.target()))
        .collect()
}

#[test]
fn compute_engine_by_its_links() {
    let server = server();
    let link = format!("{}/compute/v1/{NAME}", server.url());
    server.insert(compute(&server).done_at_poll(0));
    let done = lro(&format!("get {link}")).runs().exits(0).says_nothing();
    assert!(
        done.stdout.starts_with(&format!("name      {NAME}\nstate     succeeded\ntarget    https://")),
        "{done:#?}"
    );
    assert!(done.stdout.contains("\noperation {"), "{done:#?}");
    assert_eq!(asked(&server), [format!("GET /compute/v1/{NAME}")]);

    server.insert(compute(&server).done_at_poll(2));
    lro(&format!("wait {link} --format name")).runs().exits(0).prints(&format!("{NAME}\n"));
    assert!(asked(&server).iter().all(|line| line.contains(&format!(" /compute/v1/{NAME}"))));

    let failure = Status::new(Code::NotFound, "no such image");
    server.insert(compute(&server).done_at_poll(0).fails(failure));
    let failed = lro(&format!("get {link}")).runs().exits(0);
    assert!(failed.stdout.contains("error     NOT_FOUND: no such image\n"), "{failed:#?}");

    let parent = format!("{}/compute/v1/projects/p/zones/z", server.url());
    server.take_requests();
    lro(&format!("list {parent}/operations --format name")).runs().exits(0).prints(&format!("{NAME}\n"));

    server.insert(compute(&server));
    let refused = lro(&format!("cancel {link}")).runs();
    assert!(
        refused.code != 0 && refused.stderr.contains("Compute Engine has no CancelOperation"),
        "{refused:#?}"
    );
    assert!(asked(&server).is_empty());
    lro(&format!("delete {link}")).runs().exits(0);
    assert_eq!(asked(&server), [format!("DELETE /compute/v1/{NAME}")]);
}

#[test]
fn cloud_sql_cancels_with_a_slash() {
    let server = server();
    let name = "projects/p/operations/o";
    server.insert(FakeOperation::new(name).form(OperationForm::CloudSql));
    lro(&format!("cancel {}/sql/v1beta4/{name}", server.url())).runs().exits(0);
    assert_eq!(asked(&server).first().unwrap(), "POST /sql/v1beta4/projects/p/operations/o/cancel");
}

/// The path of an operation at its service, and what `cancel`, `delete` and `wait` do with it: the request, or the service
/// in the message.
const LINKS: [(OperationForm, &str, &str, &str, &str); 7] = [
    (OperationForm::ComputeEngine, "compute/v1", NAME, "Compute Engine has no CancelOperation", "DELETE"),
    (
        OperationForm::CloudSql,
        "sql/v1beta4",
        "projects/p/operations/o",
        "POST …/cancel",
        "Cloud SQL has no DeleteOperation",
    ),
    (
        OperationForm::CloudDns,
        "dns/v1",
        "projects/p/managedZones/z/operations/o",
        "Cloud DNS has no CancelOperation",
        "Cloud DNS has no DeleteOperation",
    ),
    (
        OperationForm::DeploymentManager,
        "deploymentmanager/v2",
        "projects/p/global/operations/o",
        "Deployment Manager has no CancelOperation",
        "Deployment Manager has no DeleteOperation",
    ),
    (
        OperationForm::CloudStorage,
        "storage/v1",
        "b/B/operations/o",
        "POST …/cancel",
        "Cloud Storage has no DeleteOperation",
    ),
    (OperationForm::KubernetesEngine, "v1", "projects/p/locations/l/operations/o", "POST …:cancel", "DELETE"),
    (OperationForm::Longrunning, "v2", "projects/p/locations/l/operations/o", "POST …:cancel", "DELETE"),
];

#[test]
fn links_of_every_service() {
    for (form, version, name, cancel, delete) in LINKS {
        let server = server();
        let path = format!("/{version}/{name}");
        let link = format!("{}{path}", server.url());
        let fresh = || server.insert(FakeOperation::new(name).form(form).done_at_poll(3));
        fresh();
        let got = lro(&format!("get {link} --format json")).runs().exits(0);
        assert_eq!(asked(&server), [format!("GET {path}")], "{got:#?}");
        lro(&format!("wait {link} --poll-interval 10ms --long-poll never")).runs().exits(0);
        assert_eq!(asked(&server), vec![format!("GET {path}"); 2]);
        let list = link.strip_suffix("/o").unwrap();
        lro(&format!("list {list} --format name")).runs().exits(0).prints(&format!("{name}\n"));
        server.take_requests();

        for (command, expected) in [("cancel", cancel), ("delete", delete)] {
            fresh();
            let ran = lro(&format!("{command} {link}")).runs();
            let requests = asked(&server);
            match expected.split_once(' ') {
                Some(("POST", verb)) => assert_eq!(requests, [format!("POST {path}{}", &verb[3..])]),
                None => assert_eq!(requests[0], format!("DELETE {path}")),
                Some(_) => {
                    assert!(ran.code == 2 && ran.stderr.contains(expected), "{expected}: {ran:#?}");
                    assert!(ran.stderr.contains("no request was sent") && requests.is_empty(), "{ran:#?}");
                }
            }
        }
    }
}

/// Ages and durations are read from the fields of each service.
#[test]
fn lists_show_ages_and_durations() {
    let rows = [
        (
            OperationForm::ComputeEngine,
            "compute/v1",
            NAME,
            "NAME  STATE      AGE    DURATION  VERB    TARGET\no     succeeded  2h01m  1m30s     insert  instances/vm\n",
        ),
        (
            OperationForm::CloudSql,
            "sql/v1beta4",
            "projects/p/operations/o",
            "NAME  STATE      AGE    DURATION  VERB    TARGET\no     succeeded  2h01m  1m30s     UPDATE  instances/db\n",
        ),
        (
            OperationForm::KubernetesEngine,
            "v1",
            "projects/p/locations/l/operations/o",
            "NAME  STATE      AGE    DURATION  VERB            TARGET\no     succeeded  2h01m  1m30s     CREATE_CLUSTER  clusters/c\n",
        ),
        (
            OperationForm::CloudDns,
            "dns/v1",
            "projects/p/managedZones/z/operations/o",
            "NAME  STATE      AGE    VERB\no     succeeded  2h01m  update\n",
        ),
        (
            OperationForm::DeploymentManager,
            "deploymentmanager/v2",
            "projects/p/global/operations/o",
            "NAME  STATE      AGE    DURATION  VERB    TARGET\no     succeeded  2h01m  1m30s     insert  deployments/d\n",
        ),
    ];
    for (form, version, name, expected) in rows {
        let server = server();
        server.set_wall(SystemTime::now() - Duration::from_secs(2 * 3600 + 90));
        server.insert(FakeOperation::new(name).form(form).done_after(Duration::from_secs(90)));
        server.advance(Duration::from_secs(100));
        let list = format!("{}/{version}/{}", server.url(), name.strip_suffix("/o").unwrap());
        lro(&format!("list {list}")).runs().exits(0).prints(expected);
    }
}
