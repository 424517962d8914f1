//! The main job, on the embedded server; with `-- ENDPOINT KEY_FILE NAME` a wait for a real operation.

mod shared;

use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Any, Code, OperationsClient, Outcome, Poller, Status};

#[derive(serde::Deserialize)]
struct Progress {
    percent: f64,
}

fn main() -> shared::Result<()> {
    let service = shared::service(methods)?;
    match &service.server {
        Some(_) => demonstrate(&service.client),
        None => wait(service.client.poller(&*service.name)),
    }
}

fn demonstrate(client: &OperationsClient) -> shared::Result<()> {
    let request = serde_json::json!({ "overrides": { "taskCount": 3 } });
    let run = client.start("/v2/projects/demo/locations/l/jobs/nightly:run").json(&request).send()?;
    println!("started {}", run.name());
    wait(run.poller())?;

    println!("listed:");
    for operation in client.list("projects/demo/locations/l") {
        let operation = operation?;
        println!("  {}: {}", operation.name(), operation.outcome());
    }
    wait(client.poller("projects/demo/locations/l/operations/export"))?;
    client.cancel("projects/demo/locations/l/operations/reindex").send()?;
    wait(client.poller("projects/demo/locations/l/operations/reindex"))?;
    run.delete()?;
    println!("deleted: {}", client.get(&run).send().expect_err("it is gone"));
    Ok(())
}

/// What a real service has: a method that starts work, and operations that are there already.
fn methods(server: &FakeServer) -> shared::Result<String> {
    let operation = |name, seconds| {
        FakeOperation::new(format!("projects/demo/locations/l/operations/{name}"))
            .done_after(Duration::from_secs(seconds))
    };
    let execution =
        Any::from_json(r#"{"@type": "type.googleapis.com/demo.Execution", "succeededCount": 3}"#)?;
    let job = "/v2/{name=projects/*/locations/*/jobs/*}:run";
    server.on_start("POST", job, operation("run", 3).responds(execution));
    server.insert(operation("export", 1).fails(Status::new(Code::ResourceExhausted, "out of disk")));
    server.insert(operation("reindex", 3600));
    Ok(String::new())
}

fn wait(poller: Poller) -> shared::Result<()> {
    for snapshot in poller.total_timeout(Duration::from_secs(900)) {
        let operation = snapshot?;
        if let Some(Ok(Progress { percent })) = operation.metadata().map(|metadata| metadata.decode()) {
            println!("waiting for {}: {percent} %", operation.name());
        }
        match operation.outcome() {
            Outcome::Running => {}
            Outcome::Succeeded(Some(response)) => println!("  response: {}", response.json()?),
            outcome => println!("  {outcome}"),
        }
    }
    Ok(())
}
