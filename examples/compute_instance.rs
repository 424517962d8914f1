//! Creates a virtual machine of Compute Engine and waits for it: an extended operation, whose result is a resource.
//!
//! `cargo run --example compute_instance` plays Compute Engine on an embedded server. With a project it creates a machine, which
//! costs money until it is deleted, with Application Default Credentials: `cargo run --example compute_instance -- PROJECT ZONE NAME`

mod shared;

use std::env;
use std::time::Duration;

use longrunning::rpc::ErrorInfo;
use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{LongPoll, OperationForm, OperationsClient, Outcome};
use serde::Deserialize;
use serde_json::json;

/// An operation of Compute Engine has no response. It is decoded itself, in the fields that are printed here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Insert {
    operation_type: String,
    target_link: String,
}

fn main() -> shared::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => run(&compute_engine()?.client(), "demo", "europe-west1-b", "vm"),
        [project, zone, name] => {
            run(&OperationsClient::new("https://compute.googleapis.com")?, project, zone, name)
        }
        _ => Err("expected no arguments, or: PROJECT ZONE NAME".into()),
    }
}

fn run(client: &OperationsClient, project: &str, zone: &str, name: &str) -> shared::Result<()> {
    let instance = json!({
        "name": name,
        "machineType": format!("zones/{zone}/machineTypes/e2-micro"),
        "disks": [{ "boot": true, "autoDelete": true, "initializeParams": {
            "sourceImage": "projects/debian-cloud/global/images/family/debian-12" } }],
        "networkInterfaces": [{ "network": "global/networks/default" }],
    });
    let path = format!("/compute/v1/projects/{project}/zones/{zone}/instances");
    let started = client.start(path).json(&instance).send()?;
    println!("started {}", started.name());

    // Compute Engine holds a request for up to two minutes, so the end is known at once.
    let poller = started.poller().long_poll(LongPoll::Auto).total_timeout(Duration::from_secs(600));
    let done = poller
        .on_update(|update| {
            if let Some(percent) = update.progress().percent() {
                println!("{percent:3.0} %");
            }
        })
        .until_done()?;
    if let Outcome::Failed(error) = done.outcome() {
        let reason = error.detail::<ErrorInfo>().map(|info| info.reason).unwrap_or_default();
        return Err(format!("{reason}: {error}").into());
    }
    let insert: Insert = done.into_response()?;
    println!("{} of {}", insert.operation_type, insert.target_link);
    Ok(())
}

/// A zone in which a machine takes three seconds.
fn compute_engine() -> shared::Result<FakeServer> {
    let server = FakeServer::builder().real_time().start()?;
    let operation = FakeOperation::new("projects/demo/zones/europe-west1-b/operations/operation-1")
        .form(OperationForm::ComputeEngine)
        .done_after(Duration::from_secs(3));
    server.on_start("POST", "/compute/v1/projects/*/zones/*/instances", operation);
    Ok(server)
}
