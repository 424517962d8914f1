//! Runs a Cloud Run job and waits until its tasks are done: the first request, the progress, and the result.
//!
//! `cargo run --example start_and_wait` plays Cloud Run on an embedded server. With a project it runs a job that exists, with
//! Application Default Credentials: `cargo run --example start_and_wait -- PROJECT LOCATION JOB`

mod shared;

use std::env;
use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Any, OperationsClient};
use serde::Deserialize;
use serde_json::json;

/// The response of the job, in the fields that are printed here. It is the type of the metadata too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Execution {
    name: String,
    succeeded_count: u32,
    log_uri: String,
}

fn main() -> shared::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => run(&cloud_run()?.client(), "demo", "europe-west1", "nightly"),
        [project, location, job] => {
            run(&OperationsClient::new("https://run.googleapis.com")?, project, location, job)
        }
        _ => Err("expected no arguments, or: PROJECT LOCATION JOB".into()),
    }
}

fn run(client: &OperationsClient, project: &str, location: &str, job: &str) -> shared::Result<()> {
    // Cloud Run has no request ids, so this request is sent once. The operation is polled at v2, as the path says.
    let path = format!("/v2/projects/{project}/locations/{location}/jobs/{job}:run");
    let started = client.start(path).json(&json!({})).send()?;
    println!("started {}", started.name());
    let poller = started.poller().total_timeout(Duration::from_secs(3600)).on_update(|update| {
        if let Some(fault) = update.fault() {
            eprintln!("unreachable for {} s: {}", fault.elapsed().as_secs(), fault.error());
        }
        if let Some(percent) = update.progress().percent() {
            println!("{percent:3.0} % of the tasks");
        }
    });
    let execution: Execution = poller.until_done()?.into_response()?;
    println!(
        "{}: {} tasks succeeded, logs at {}",
        execution.name, execution.succeeded_count, execution.log_uri
    );
    Ok(())
}

/// A job of ten tasks that take three seconds.
fn cloud_run() -> shared::Result<FakeServer> {
    let execution = |succeeded: u32| {
        let execution = json!({
            "@type": "type.googleapis.com/google.cloud.run.v2.Execution",
            "name": "projects/demo/locations/europe-west1/jobs/nightly/executions/nightly-x1",
            "taskCount": 10,
            "succeededCount": succeeded,
            "logUri": "https://console.cloud.google.com/logs",
        });
        Any::from_json(&execution.to_string()).expect("an object with a type")
    };
    let server = FakeServer::builder().real_time().start()?;
    let operation = FakeOperation::new("projects/demo/locations/europe-west1/operations/nightly-x1")
        .done_after(Duration::from_secs(3))
        .progress(move |percent| execution(percent / 10))
        .responds(execution(10));
    server.on_start("POST", "/v2/{name=projects/*/locations/*/jobs/*}:run", operation);
    Ok(server)
}
