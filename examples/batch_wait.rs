//! Waits for many operations at once and reports each as it finishes.
//!
//! `cargo run --example batch_wait`, or with `-- ENDPOINT KEY_FILE NAME,NAME…` for a real service.

mod shared;

use std::time::Duration;

use longrunning::testing::FakeOperation;
use longrunning::{Code, Outcome, Status};

fn main() -> shared::Result<()> {
    let service = shared::service(|server| {
        let name = |number| format!("projects/demo/locations/europe-west1/operations/export-{number}");
        for number in 1..=300 {
            let length = Duration::from_millis(number * 7 % 2000);
            let export = FakeOperation::new(name(number)).done_after(length);
            let full = Status::new(Code::ResourceExhausted, "out of disk");
            server.insert(if number % 100 == 0 { export.fails(full) } else { export });
        }
        Ok((1..=301).map(name).collect::<Vec<_>>().join(","))
    })?;
    let (mut succeeded, mut failed, mut unknown) = (0, 0, 0);
    let many = service.client.poll_many(service.name.split(','));
    for finished in many.total_timeout(Duration::from_secs(600)).max_rate(20.0) {
        match finished {
            Ok(operation) => match operation.outcome() {
                Outcome::Failed(status) => {
                    failed += 1;
                    println!("{}: {status}", operation.name());
                }
                _ => succeeded += 1,
            },
            // Deleted, expired, or still running: the others are waited for all the same.
            Err(error) => {
                unknown += 1;
                println!("{}: {error}", error.name().unwrap_or_default());
            }
        }
    }
    println!("{succeeded} succeeded, {failed} failed, {unknown} unknown");
    if let Some(server) = &service.server {
        println!("{} requests for 301 operations", server.request_count());
    }
    Ok(())
}
