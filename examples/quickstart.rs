//! Starts, lists, waits for, cancels and deletes operations.
//!
//! `cargo run --example quickstart` uses the embedded server: no account, no network. With
//! `-- ENDPOINT KEY_FILE NAME` it waits for an operation of a real service and leaves it there.

mod shared;

use std::io::Write;
use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Any, Code, OperationsClient, Outcome, Status};
use serde::Deserialize;

#[derive(Deserialize)]
struct Progress {
    percent: f64,
}

fn main() -> shared::Result<()> {
    let service = shared::service(start)?;
    let client = &service.client;
    wait(client, &service.name)?;
    if service.server.is_some() {
        println!("\nlisted:");
        for operation in client.list("projects/demo") {
            let operation = operation?;
            println!("  {}: {}", operation.name(), operation.outcome());
        }
        wait(client, "projects/demo/operations/export")?;
        client.cancel("projects/demo/operations/reindex").send()?;
        wait(client, "projects/demo/operations/reindex")?;
        client.delete(&service.name).send()?;
        let gone = client.get(&service.name).send().expect_err("it was deleted");
        println!("\ndeleted: {gone}");
    }
    Ok(())
}

/// What the methods of a real service do: they start work and answer with an operation.
fn start(server: &FakeServer) -> shared::Result<String> {
    let index = Any::from_json(r#"{"@type": "type.googleapis.com/demo.Index", "rows": "123456"}"#)?;
    let full = Status::new(Code::ResourceExhausted, "out of disk");
    let after = |name: &str, seconds| {
        FakeOperation::new(format!("projects/demo/operations/{name}"))
            .done_after(Duration::from_secs(seconds))
    };
    server.insert(after("import", 3).responds(index));
    server.insert(after("export", 1).fails(full));
    server.insert(after("reindex", 3600));
    Ok("projects/demo/operations/import".to_owned())
}

fn wait(client: &OperationsClient, name: &str) -> shared::Result<()> {
    println!("\nwaiting for {name}");
    for snapshot in client.poller(name).total_timeout(Duration::from_secs(900)) {
        let operation = snapshot?;
        if let Some(Ok(progress)) = operation.metadata().map(|metadata| metadata.decode::<Progress>()) {
            print!("\r  {:3} %", progress.percent);
            std::io::stdout().flush()?;
        }
        match operation.outcome() {
            Outcome::Running => {}
            Outcome::Succeeded(Some(response)) => println!("\n  response: {}", response.json()?),
            Outcome::Failed(status) => println!("\n  the work failed: {status}"),
            other => println!("\n  {other}"),
        }
    }
    Ok(())
}
