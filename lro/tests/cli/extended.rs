//! Operations of services with a type of their own, named by their URLs.

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
