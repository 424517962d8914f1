//! The main job, on the embedded server; with `-- ENDPOINT KEY_FILE NAME` a wait for a real operation.

mod shared;

use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Any, Code, OperationsClient, Outcome, Status};

#[derive(serde::Deserialize)]
struct Progress {
    percent: f64,
}

fn main() -> shared::Result<()> {
    let service = shared::service(start)?;
    let client = &service.client;
    wait(client, &service.name)?;
    if service.server.is_some() {
        println!("listed:");
        for operation in client.list("projects/demo") {
            let operation = operation?;
            println!("  {}: {}", operation.name(), operation.outcome());
        }
        wait(client, "projects/demo/operations/export")?;
        client.cancel("projects/demo/operations/reindex").send()?;
        wait(client, "projects/demo/operations/reindex")?;
        client.delete(&service.name).send()?;
        println!("deleted: {}", client.get(&service.name).send().expect_err("it is gone"));
    }
    Ok(())
}

/// What the methods of a real service do: they start work and answer with an operation.
fn start(server: &FakeServer) -> shared::Result<String> {
    let operation = |name, seconds| {
        FakeOperation::new(format!("projects/demo/operations/{name}"))
            .done_after(Duration::from_secs(seconds))
    };
    let index = Any::from_json(r#"{"@type": "type.googleapis.com/demo.Index", "rows": "123456"}"#)?;
    server.insert(operation("import", 3).responds(index));
    server.insert(operation("export", 1).fails(Status::new(Code::ResourceExhausted, "out of disk")));
    server.insert(operation("reindex", 3600));
    Ok("projects/demo/operations/import".to_owned())
}

fn wait(client: &OperationsClient, name: &str) -> shared::Result<()> {
    for snapshot in client.poller(name).total_timeout(Duration::from_secs(900)) {
        let operation = snapshot?;
        if let Some(Ok(Progress { percent })) = operation.metadata().map(|metadata| metadata.decode()) {
            println!("waiting for {name}: {percent} %");
        }
        match operation.outcome() {
            Outcome::Running => {}
            Outcome::Succeeded(Some(response)) => println!("  response: {}", response.json()?),
            outcome => println!("  {outcome}"),
        }
    }
    Ok(())
}
