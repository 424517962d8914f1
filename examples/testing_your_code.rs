//! Tests a program that waits, against real HTTP with scripted faults, in virtual time.
//!
//! `cargo run --example testing_your_code`; the embedded server is the point of it, so it takes no arguments.

use std::time::Duration;

use longrunning::rpc::RetryInfo;
use longrunning::testing::{FakeServer, Reply};
use longrunning::{Any, Code, Error, Operation, OperationsClient, Status};
use serde::Deserialize;

#[derive(Deserialize)]
struct Index {
    rows: String,
}

/// The program's own code: what is to be tested.
fn import(client: &OperationsClient) -> Result<u64, Error> {
    let done = client.poller("operations/42").total_timeout(Duration::from_secs(3 * 60 * 60)).until_done()?;
    let index: Index = done.into_response()?;
    Ok(index.rows.parse().unwrap_or_default())
}

fn main() -> Result<(), Error> {
    let server = FakeServer::start();
    server.reply(Operation::running("operations/42"));
    // The service is drained and asks for seven seconds, a connection breaks, a response never comes.
    let draining = Status::new(Code::Unavailable, "draining");
    server.reply(draining.with_detail(RetryInfo::after(Duration::from_secs(7))));
    server.reply(Reply::reset());
    server.reply(Reply::hang());
    let response = Any::from_json(r#"{"@type": "type.googleapis.com/demo.Index", "rows": "9"}"#)?;
    server.reply(Operation::succeeded("operations/42", response));

    assert_eq!(import(&server.client())?, 9);
    println!("requests: {}", server.requests().len());
    println!("slept:    {:?}", server.sleeps());
    println!("elapsed:  {:?}, as the program saw it", server.elapsed());
    Ok(())
}
