//! Waits for many operations, gives up half-way, and goes on with the rest as another process would.
//!
//! `cargo run --all-features --example journal`, or with `-- ENDPOINT KEY_FILE NAME,NAME…` for a real service.

mod shared;

use std::time::Duration;

use longrunning::testing::FakeOperation;
use longrunning::{Code, Journal};

fn main() -> shared::Result<()> {
    let service = shared::service(|server| {
        let name = |number| format!("projects/demo/locations/europe-west1/operations/export-{number}");
        for number in 1..=5 {
            server.insert(FakeOperation::new(name(number)).done_after(Duration::from_millis(number * 400)));
        }
        Ok((1..=6).map(name).collect::<Vec<_>>().join(","))
    })?;
    let client = &service.client;
    let folder = std::env::temp_dir().join(format!("longrunning-example-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let path = folder.join("jobs.jsonl");

    let journal = Journal::open(&path)?;
    for finished in client.poll_many(service.name.split(',')).journal(&journal).into_iter().take(3) {
        // Taking the next one acknowledges this one.
        finished.map_or_else(
            |error| println!("not known: {error}"),
            |operation| println!("{}", operation.name()),
        );
    }
    println!("-- {} pending, and {} not dealt with", journal.pending().len(), journal.finished().count());
    drop(journal);

    let journal = Journal::open(&path)?;
    for finished in client.resume(&journal) {
        match finished {
            Ok(operation) => println!("{}: {}", operation.name(), operation.outcome()),
            // An error leaves it pending; this one will never be found.
            Err(error) if error.code() == Some(Code::NotFound) => {
                println!("{error}");
                journal.forget(&client.operation(error.name().unwrap_or_default()).to_pending()?)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    println!("-- {} pending, and {} not dealt with", journal.pending().len(), journal.finished().count());
    drop(journal);
    Ok(std::fs::remove_dir_all(folder)?)
}
