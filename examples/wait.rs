//! Waits for an operation with a time limit and tells apart all the ways it can end.
//!
//! `cargo run --example wait`, or with `-- ENDPOINT KEY_FILE NAME` for a real service.

mod shared;

use std::time::Duration;

use longrunning::testing::FakeOperation;
use longrunning::{Code, ErrorKind, Outcome};

fn main() -> shared::Result<()> {
    let service = shared::service(|server| {
        let name = "projects/demo/locations/europe-west1/operations/backup";
        server.insert(FakeOperation::new(name).done_after(Duration::from_secs(2)));
        Ok(name.to_owned())
    })?;
    let poller = service.client.poller(&service.name).total_timeout(Duration::from_secs(600));
    let poller = poller.on_update(|update| {
        if let Some(percent) = update.progress().percent() {
            println!("{percent:3.0} % after {:.1} s", update.elapsed().as_secs_f64());
        }
    });
    match poller.until_done() {
        Ok(operation) => match operation.outcome() {
            Outcome::Succeeded(_) => println!("{}: done", operation.name()),
            Outcome::Failed(status) if status.code() == Code::Cancelled => println!("somebody cancelled it"),
            outcome => println!("{}: {outcome}", operation.name()),
        },
        // It may well be running: ask again later by its name.
        Err(error) if error.kind() == ErrorKind::Timeout => println!("not yet: {error}"),
        Err(error) if error.code() == Some(Code::NotFound) => println!("deleted or expired: {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
