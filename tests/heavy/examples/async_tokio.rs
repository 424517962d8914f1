//! Waits for many operations at once in a program that has tokio already: the client is a guest there, and uses
//! tokio's threads and timers. Without [`Executor`] it brings its own and runs anywhere.
//!
//! `cargo run -p longrunning-heavy-tests --example async_tokio`, on the embedded server.

#[path = "../../../examples/shared/mod.rs"]
mod shared;

use std::time::Duration;

use longrunning::OperationsAsyncClient;
use longrunning::aio::Executor;
use longrunning::testing::FakeOperation;

#[tokio::main]
async fn main() -> shared::Result<()> {
    let service = shared::service(|server| {
        for n in 1..=5 {
            let name = format!("projects/demo/operations/{n}");
            server.insert(FakeOperation::new(name).done_after(Duration::from_millis(600 * n)));
        }
        Ok("projects/demo/operations/1".to_owned())
    })?;
    let executor = Executor::new()
        .spawn_blocking(|job| drop(tokio::task::spawn_blocking(job)))
        .sleep(tokio::time::sleep);
    let client = OperationsAsyncClient::with_executor(service.client, executor);

    let mut waits = tokio::task::JoinSet::new();
    let mut operations = client.list("projects/demo").operations();
    while let Some(operation) = operations.next().await {
        waits.spawn(client.poller(operation?).total_timeout(Duration::from_secs(900)).until_done());
    }
    println!("waiting for {} operations", waits.len());
    while let Some(ended) = waits.join_next().await {
        let operation = ended??;
        println!("{}: {}", operation.name(), operation.outcome());
    }

    // Dropping a future, as a timeout does, ends the wait; the operation goes on.
    let wait = client.poller(&service.name).until_done();
    match tokio::time::timeout(Duration::from_secs(5), wait).await {
        Ok(done) => println!("{} was done already", done?.name()),
        Err(_) => println!("{} takes longer", service.name),
    }
    Ok(())
}
